from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Index
from qa.confidence import (
    Calibration,
    DraftReadings,
    Readings,
    Regression,
    take_draft_readings,
    take_readings,
)
from qa.evidence import Evidence

READINGS = Readings(verdict=2.0, coverage=0.5, passage_similarity=0.25)


def test_the_probability_is_the_logistic_function_of_the_weighted_readings() -> None:
    weighted = Regression({"verdict": 1.0, "coverage": -2.0}, {"verdict": (-8.0, 8.0), "coverage": (0.0, 1.0)}, 0.5)
    assert weighted.probability(READINGS) == pytest.approx(1 / (1 + math.exp(-(0.5 + 2.0 - 1.0))))


def test_what_was_read_after_the_draft_counts_with_what_was_read_before() -> None:
    weights = {"verdict": 1.0, "unfounded": -2.0}
    weighted = Regression(weights, dict.fromkeys(weights, (-8.0, 8.0)), 0.0)
    drafted = DraftReadings(quoted_verdict=1.0, quoted_news=1.0, unfounded=1.0)
    assert weighted.probability(READINGS, drafted) == pytest.approx(0.5)


def test_a_reading_beyond_what_was_fitted_counts_as_the_nearest_that_was() -> None:
    narrow = Regression({"verdict": 1.0}, {"verdict": (-1.0, 1.0)}, 0.0)
    assert narrow.probability(READINGS) == narrow.probability(replace(READINGS, verdict=1.0))
    assert narrow.probability(replace(READINGS, verdict=-7.0)) == narrow.probability(replace(READINGS, verdict=-1.0))


def test_the_committed_numbers_fit_the_readings() -> None:
    calibration = Calibration.load()
    before = {field.name for field in fields(Readings)}
    for regression, known in (
        (calibration.found, before),
        (calibration.drafted, before | {field.name for field in fields(DraftReadings)}),
    ):
        assert set(regression.weights) == set(regression.ranges) <= known
        assert all(least < greatest for least, greatest in regression.ranges.values())
        assert all(math.isfinite(weight) for weight in regression.weights.values())
    assert 0 < calibration.refuse_at_once_below < calibration.refuse_below < 1
    assert calibration.provenance


@pytest.mark.parametrize("content", ["", "{", '{"found": {}, "drafted": {}, "unknown": 1}', '{"weights": {}}'])
def test_damaged_numbers_are_a_fault(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content, "utf-8")
    with pytest.raises((ValueError, TypeError, KeyError)):
        Calibration.load(path)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_every_probability_lies_between_nought_and_one(verdict: float, coverage: float) -> None:
    wide = {"verdict": (-1e6, 1e6), "coverage": (-1e6, 1e6)}
    regression = Regression({"verdict": 3.0, "coverage": 3.0}, wide, -1.0)
    assert 0.0 <= regression.probability(Readings(verdict, coverage, 0.0)) <= 1.0


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


def test_the_readings_of_a_draft(evidence: Callable[..., Evidence]) -> None:
    question = "Who opened the harbour?"
    read = [evidence("Ilse Brandt opened it in 1994."), evidence("It has 12 cranes.", start=99)]
    draft = "Ilse Brandt opened the harbour with 12 cranes and 77 workers in Oslo."
    readings = take_draft_readings(question, draft, read, read[:1], verdict=99.0)
    assert readings.quoted_verdict == 8.0
    assert readings.quoted_news == 2 / 7  # Ilse and Brandt, but neither 12, cranes, 77, workers nor Oslo
    assert readings.unfounded == 2.0  # 77 and Oslo


def test_a_row_holds_the_words_of_its_head(evidence: Callable[..., Evidence]) -> None:
    row = evidence("| year | 140 euros |", head="| Ticket | Children |")
    assert take_readings("Year ticket for children?", [], [row], verdict=1.0).coverage == 1.0
    draft = take_draft_readings("What is the year price?", "Children pay 140 euros.", [row], [row], verdict=1.0)
    assert draft.quoted_news == 0.75


def test_the_readings_of_an_empty_draft(evidence: Callable[..., Evidence]) -> None:
    assert take_draft_readings("Who?", "", [], [], verdict=math.nan) == DraftReadings(-8.0, 0.0, 0.0)
