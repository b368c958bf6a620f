from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Index
from qa.confidence import Calibration, Readings, take_readings
from qa.evidence import Evidence

READINGS = Readings(verdict=2.0, coverage=0.5, passage_similarity=0.25)


def test_the_probability_is_the_logistic_function_of_the_weighted_readings(trusting: Calibration) -> None:
    weighted = replace(
        trusting,
        weights={"verdict": 1.0, "coverage": -2.0},
        ranges={"verdict": (-8.0, 8.0), "coverage": (0.0, 1.0)},
        intercept=0.5,
    )
    assert weighted.probability(READINGS) == pytest.approx(1 / (1 + math.exp(-(0.5 + 2.0 - 1.0))))


def test_a_reading_beyond_what_was_fitted_counts_as_the_nearest_that_was(trusting: Calibration) -> None:
    narrow = replace(trusting, weights={"verdict": 1.0}, ranges={"verdict": (-1.0, 1.0)})
    assert narrow.probability(READINGS) == narrow.probability(replace(READINGS, verdict=1.0))
    assert narrow.probability(replace(READINGS, verdict=-7.0)) == narrow.probability(replace(READINGS, verdict=-1.0))


def test_the_committed_numbers_fit_the_readings() -> None:
    calibration = Calibration.load()
    assert set(calibration.weights) == set(calibration.ranges) <= {field.name for field in fields(Readings)}
    assert all(least < greatest for least, greatest in calibration.ranges.values())
    assert 0 < calibration.refuse_below < 1
    assert calibration.provenance
    assert all(math.isfinite(weight) for weight in calibration.weights.values())


@pytest.mark.parametrize("content", ["", "{", '{"weights": {}, "unknown": 1}'])
def test_damaged_numbers_are_a_fault(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content, "utf-8")
    with pytest.raises((ValueError, TypeError)):
        Calibration.load(path)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_every_probability_lies_between_nought_and_one(verdict: float, coverage: float) -> None:
    wide = {"verdict": (-1e6, 1e6), "coverage": (-1e6, 1e6)}
    calibration = Calibration({"verdict": 3.0, "coverage": 3.0}, wide, -1.0, 0.5, 0.1, {})
    assert 0.0 <= calibration.probability(Readings(verdict, coverage, 0.0)) <= 1.0


def test_the_readings_of_a_question(small_index: Index, quoted: Callable[..., Evidence]) -> None:
    question = "How many cranes has the Velm harbour?"
    hits = small_index.search(question, 10)
    chosen = [quoted(small_index, "harbour.md", "The harbour has 12 cranes and 340 workers.")]
    readings = take_readings(question, hits, chosen, verdict=99.0)
    words = {"mani", "crane", "velm", "harbour"}  # "many" is a content word to BM25
    assert readings.verdict == 8.0
    assert readings.passage_similarity == max(hit.dense_score for hit in hits)
    assert readings.coverage == 3 / len(words)  # Velm stands in the title


def test_readings_without_evidence_or_words() -> None:
    assert take_readings("???", [], [], verdict=-99.0) == Readings(-8.0, 0.0, 0.0)
    assert take_readings("???", [], [], verdict=math.nan).verdict == -8.0
