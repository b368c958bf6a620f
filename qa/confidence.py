"""The probability that the documents answer a question: before a word is written, and again when it was drafted."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from index import Hit
from index.lexical import tokenise
from qa.asking import sort_of_value
from qa.claims import check_claims
from qa.evidence import Evidence
from qa.negation import denied_by_none
from qa.quotes import draft_news, share_held

CALIBRATION_FILE = Path(__file__).parent / "calibration.json"
"""Weights, threshold and provenance; written by `python -m evals.calibrate`."""

DOUBT_OF_QUANTITIES = 2.0
"""What the log-odds of the model's yes lack where a question asks for a quantity: they are that much lower than for
other questions, both where the evidence states it and where it does not (evals/LOG.md)."""

TRUST_IN_DENIALS = 3.0
"""What they have too much where a question asks for what is not so and nothing that was read denies anything."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What is known about a question once its evidence was read, before a word is written."""

    verdict: float
    """Log-odds of the model's yes to `do these passages state the answer to exactly this question`."""
    coverage: float
    """Share of the question's content words that stand in the passage, its titles and sections. Its weight is negative:
    the model says yes too easily where a passage repeats the question."""
    passage_similarity: float
    """Cosine of the question and the best chunk; it has no weight, and tells why a question is refused."""


@dataclass(frozen=True, slots=True)
class DraftReadings:
    """What is known besides once an answer was drafted and what it would quote was chosen."""

    quoted_verdict: float
    """Log-odds of the model's yes to the same question, the quotes alone being read, or if that is higher the best
    sentence that is quoted: what is quoted with it may make the model doubt what it says."""
    quoted_news: float
    """Share of what the draft says beyond the question, in content words, that stands in the quotes and their titles:
    a model that has found the answer says it in the words of the documents."""
    unfounded: float
    """Numbers, dates and names of the draft that neither the question nor what the model read holds; 2 for more."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A logistic regression over readings."""

    weights: Mapping[str, float]
    """By the name of a reading; one without a weight counts for nothing."""
    ranges: Mapping[str, tuple[float, float]]
    """Least and greatest value of each weighted reading that the fit knows of: beyond them it counts as that value. A
    question in another language than its documents shares no word with them, and no question that was fitted did so."""
    intercept: float

    def probability(self, *readings: Readings | DraftReadings) -> float:
        """Probability, 0 to 1, that the documents answer the question; the readings that have weights must be given."""
        logit = self.intercept
        values = {name: value for taken in readings for name, value in asdict(taken).items()}
        for name, weight in self.weights.items():
            least, greatest = self.ranges[name]
            logit += weight * max(least, min(greatest, float(values[name])))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The probability that the documents answer a question, read twice, and below which one is refused."""

    found: Regression
    """Over `Readings`: what the evidence makes probable."""
    drafted: Regression
    """Over `Readings` and `DraftReadings`: what the draft and its quotes make of that."""
    refuse_at_once_below: float
    """Of `found`: nothing is written below it."""
    refuse_below: float
    """Of `drafted`."""
    off_corpus_below: float
    """Cosine of question and best chunk under which a refusal says that the question is about something else."""
    provenance: Mapping[str, object]

    @classmethod
    @lru_cache(maxsize=4)
    def load(cls, path: Path = CALIBRATION_FILE) -> Calibration:
        """Read the committed numbers.

        Raises:
            OSError, ValueError, TypeError, KeyError: The file of the package is missing or damaged.
        """
        return cls.from_json(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Calibration:
        """The calibration that `python -m evals.calibrate fit` writes; raises as `load`."""
        regressions = {name: Regression(**stored[name]) for name in ("found", "drafted")}
        return cls(**{**stored, **regressions})


def doubt_of(question: str) -> float:
    """What is added to the log-odds of the model's yes to a question: `DOUBT_OF_QUANTITIES` for one, otherwise 0."""
    return DOUBT_OF_QUANTITIES if sort_of_value(question) == "quantity" else 0.0


def trust_of(question: str, read: str) -> float:
    """What is taken from the log-odds of the model's yes to a text: `TRUST_IN_DENIALS` or 0."""
    return TRUST_IN_DENIALS if denied_by_none(question, read) else 0.0


def take_readings(question: str, hits: Sequence[Hit], chosen: Sequence[Evidence], *, verdict: float) -> Readings:
    """The readings of one question.

    Args:
        question: The standalone question.
        hits: Retrieved chunks, best first.
        chosen: Evidence that the answer would rest on.
        verdict: Log-odds of its yes; not a number counts as a no.
    """
    evidence = " ".join(sentence.in_place for sentence in chosen)
    return Readings(
        verdict=_log_odds(verdict),
        coverage=share_held(set(tokenise(question)), evidence),
        passage_similarity=max((hit.dense_score for hit in hits), default=0.0),
    )


def take_draft_readings(
    question: str, draft: str, read: Sequence[Evidence], quotes: Sequence[Evidence], *, verdict: float
) -> DraftReadings:
    """The readings of a drafted answer.

    Args:
        question: The standalone question.
        draft: What the model wrote.
        read: What it wrote it from.
        quotes: What the answer would quote.
        verdict: Log-odds of its yes to the quotes; not a number counts as a no.
    """
    known = " ".join([question, *(f"{sentence.title} {sentence.as_read}" for sentence in read)])
    claims = check_claims(draft, known).values()
    return DraftReadings(
        quoted_verdict=_log_odds(verdict),
        quoted_news=share_held(
            draft_news(question, draft), " ".join(f"{quote.title} {quote.as_read}" for quote in quotes)
        ),
        unfounded=min(2.0, float(sum(len(kind.unsupported) for kind in claims))),
    )


def _log_odds(verdict: float) -> float:
    return -8.0 if math.isnan(verdict) else max(-8.0, min(8.0, verdict))
