"""The probability that the documents answer a question, from readings that the pipeline takes anyway."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path

from index import Hit
from index.lexical import tokenise
from qa.claims import find_names, find_numbers
from qa.evidence import Evidence
from qa.wording import find_dates, normalise

CALIBRATION_FILE = Path(__file__).parent / "calibration.json"
"""Weights, threshold and provenance; written by `python -m evals.calibrate`."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What is known about a question once its evidence was read, before a word is written."""

    verdict: float
    """Log-odds of the model's yes to `do these sentences state the answer to exactly this question`."""
    similarity: float
    """Cosine of the question and the most similar sentence of the passage."""
    passage_similarity: float
    """Cosine of the question and the best chunk."""
    coverage: float
    """Share of the question's content words that stand in the passage, its titles and sections. Its weight is negative:
    the model says yes too easily where a passage repeats the question."""
    specifics: float
    """Share of the question's names, numbers and dates that stand there; 1 where it has none."""
    corpus_coverage: float
    """Share of the question's content words that stand in the retrieved passages."""

    def as_row(self) -> list[float]:
        """The values in the order of the fields."""
        return [float(value) for value in asdict(self).values()]


READING_NAMES = tuple(field.name for field in fields(Readings))


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression over `Readings`, and the probability under which a question is refused."""

    weights: Mapping[str, float]
    intercept: float
    refuse_below: float
    off_corpus_below: float
    """Cosine of question and best chunk under which a refusal says that the question is about something else."""
    provenance: Mapping[str, object]

    @classmethod
    @lru_cache(maxsize=4)
    def load(cls, path: Path = CALIBRATION_FILE) -> Calibration:
        """Read the committed numbers.

        Raises:
            OSError, ValueError: The file of the package is missing or damaged.
        """
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(**stored)

    def probability(self, readings: Readings) -> float:
        """Probability, 0 to 1, that the documents answer the question."""
        logit = self.intercept + sum(
            self.weights[name] * value for name, value in zip(READING_NAMES, readings.as_row(), strict=True)
        )
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


def take_readings(
    question: str,
    hits: Sequence[Hit],
    passages: Sequence[str],
    chosen: Sequence[Evidence],
    *,
    verdict: float,
) -> Readings:
    """The readings of one question.

    Args:
        question: The standalone question.
        hits: Retrieved chunks, best first.
        passages: Their texts.
        chosen: Evidence that the answer would rest on.
        verdict: Log-odds of its yes; not a number counts as a no.
    """
    evidence = " ".join(f"{sentence.title} {sentence.section} {sentence.text}" for sentence in chosen)
    return Readings(
        verdict=-8.0 if math.isnan(verdict) else max(-8.0, min(8.0, verdict)),
        similarity=max((sentence.similarity for sentence in chosen), default=0.0),
        passage_similarity=max((hit.dense_score for hit in hits), default=0.0),
        coverage=_coverage(question, evidence),
        specifics=_specifics(question, evidence),
        corpus_coverage=_coverage(question, " ".join(passages)),
    )


def _coverage(question: str, text: str) -> float:
    words = set(tokenise(question))
    return len(words & set(tokenise(text))) / len(words) if words else 0.0


def specifics(question: str) -> list[str]:
    """Names, numbers and dates of a question, normalised; a name counts word by word."""
    words = [word for name in find_names(question) for word in normalise(name).split()]
    dates = [part for _, date in find_dates(question) for part in date.split()]
    return list(dict.fromkeys([*words, *find_numbers(question), *dates]))


def _specifics(question: str, text: str) -> float:
    wanted = specifics(question)
    held = set(normalise(text).split())
    return sum(word in held for word in wanted) / len(wanted) if wanted else 1.0
