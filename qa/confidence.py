"""The probability that the documents answer a question, from readings that the pipeline takes anyway."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from index import Hit
from index.lexical import tokenise
from qa.evidence import Evidence

CALIBRATION_FILE = Path(__file__).parent / "calibration.json"
"""Weights, threshold and provenance; written by `python -m evals.calibrate`."""


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
class Calibration:
    """A logistic regression over `Readings`, and the probability under which a question is refused."""

    weights: Mapping[str, float]
    """By the name of a reading; one without a weight counts for nothing."""
    ranges: Mapping[str, tuple[float, float]]
    """Least and greatest value of each weighted reading that the fit knows of: beyond them it counts as that value. A
    question in another language than its documents shares no word with them, and no question that was fitted did so."""
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
        logit = self.intercept
        for name, weight in self.weights.items():
            least, greatest = self.ranges[name]
            logit += weight * max(least, min(greatest, float(getattr(readings, name))))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


def take_readings(question: str, hits: Sequence[Hit], chosen: Sequence[Evidence], *, verdict: float) -> Readings:
    """The readings of one question.

    Args:
        question: The standalone question.
        hits: Retrieved chunks, best first.
        chosen: Evidence that the answer would rest on.
        verdict: Log-odds of its yes; not a number counts as a no.
    """
    evidence = " ".join(f"{sentence.title} {sentence.section} {sentence.text}" for sentence in chosen)
    return Readings(
        verdict=-8.0 if math.isnan(verdict) else max(-8.0, min(8.0, verdict)),
        coverage=_coverage(question, evidence),
        passage_similarity=max((hit.dense_score for hit in hits), default=0.0),
    )


def _coverage(question: str, text: str) -> float:
    words = set(tokenise(question))
    return len(words & set(tokenise(text))) / len(words) if words else 0.0
