from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Index
from qa.confidence import READING_NAMES, Calibration, Readings, specifics, take_readings
from qa.evidence import Evidence

READINGS = Readings(
    verdict=2.0,
    similarity=0.5,
    passage_similarity=0.25,
    coverage=1.0,
    specifics=0.0,
    corpus_coverage=1.0,
)


def test_the_probability_is_the_logistic_function_of_the_weighted_readings(trusting: Calibration) -> None:
    weighted = replace(
        trusting, weights={**trusting.weights, "similarity": -2.0, "passage_similarity": 2.0}, intercept=0.5
    )
    assert weighted.probability(READINGS) == pytest.approx(1 / (1 + math.exp(-(0.5 + 2.0 - 1.0 + 0.5))))


def test_the_committed_numbers_fit_the_readings() -> None:
    calibration = Calibration.load()
    assert set(calibration.weights) == set(READING_NAMES)
    assert 0 < calibration.refuse_below < 1
    assert calibration.provenance
    assert all(math.isfinite(weight) for weight in calibration.weights.values())


@pytest.mark.parametrize("content", ["", "{", '{"weights": {}, "unknown": 1}'])
def test_damaged_numbers_are_a_fault(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content, "utf-8")
    with pytest.raises((ValueError, TypeError)):
        Calibration.load(path)


@given(st.lists(st.floats(-1e6, 1e6), min_size=len(READING_NAMES), max_size=len(READING_NAMES)))
def test_every_probability_lies_between_nought_and_one(values: list[float]) -> None:
    calibration = Calibration(dict.fromkeys(READING_NAMES, 3.0), -1.0, 0.5, 0.1, {})
    assert 0.0 <= calibration.probability(Readings(*values)) <= 1.0


def test_the_readings_of_a_question(small_index: Index, quoted: Callable[..., Evidence]) -> None:
    question = "How many cranes has the Velm harbour?"
    hits = small_index.search(question, 10)
    chosen = [quoted(small_index, "harbour.md", "The harbour has 12 cranes and 340 workers.", similarity=0.7)]
    readings = take_readings(question, hits, ["cranes"], chosen, verdict=99.0)
    words = {"mani", "crane", "velm", "harbour"}  # "many" is a content word to BM25
    assert readings.verdict == 8.0
    assert readings.similarity == 0.7
    assert readings.passage_similarity == max(hit.dense_score for hit in hits)
    assert readings.coverage == 3 / len(words)  # Velm stands in the title
    assert readings.specifics == 1.0
    assert readings.corpus_coverage == 1 / len(words)
    assert readings.as_row() == [getattr(readings, name) for name in READING_NAMES]


def test_readings_without_evidence_or_words() -> None:
    readings = take_readings("???", [], [], [], verdict=-99.0)
    assert readings.as_row() == [-8.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    unsure = take_readings("???", [], [], [], verdict=math.nan)
    assert unsure.verdict == -8.0


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("When did Ilse Brandt open it, in May 1994?", ["ilse", "brandt", "1994", "may"]),
        ("How many of the 340 workers stayed?", ["340"]),
        ("Who opened it?", []),
        ("What does the PAV plan?", ["pav"]),
    ],
)
def test_names_numbers_and_dates_of_a_question(question: str, found: list[str]) -> None:
    assert specifics(question) == found
