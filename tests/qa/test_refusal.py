from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pytest

from qa.answer import Reason
from qa.confidence import Calibration, Readings
from qa.evidence import Evidence
from qa.refusal import correct_premise, refusal_reason, refusal_text, specifics

READINGS = Readings(verdict=-2.0, coverage=0.8, passage_similarity=0.5)


def test_the_reason_tells_how_near_the_documents_come(trusting: Calibration) -> None:
    assert refusal_reason(READINGS, trusting) == "not_supported"
    assert refusal_reason(replace(READINGS, coverage=0.2), trusting) == "not_in_documents"
    assert refusal_reason(replace(READINGS, passage_similarity=0.01), trusting) == "off_corpus"


@pytest.mark.parametrize("reason", get_args(Reason))
def test_a_refusal_states_and_cites_nothing(reason: Reason) -> None:
    text = refusal_text(reason)
    assert text.endswith(".")
    assert not any(mark in text for mark in "[]0123456789<>*")


@pytest.mark.parametrize(
    ("question", "correction"),
    [
        ("Why does the Velm harbour have 99 cranes?", "The documents do not say that. They say: It has 12 cranes."),
        ("Why does the Velm harbour have 12 cranes?", None),
        ("Why does the Velm harbour have cranes?", None),
        ("Why did 99 goats eat the mayor's hat?", None),
    ],
)
def test_a_number_that_the_evidence_contradicts_is_corrected(
    evidence: Callable[..., Evidence], question: str, correction: str | None
) -> None:
    assert correct_premise(question, [evidence("It has\n12 cranes.", title="The Velm harbour")]) == correction


def test_nothing_is_corrected_without_evidence_or_another_number(evidence: Callable[..., Evidence]) -> None:
    assert correct_premise("Why does the harbour have 99 cranes?", []) is None
    assert correct_premise("Why does the harbour have 99 cranes?", [evidence("The harbour has cranes.")]) is None


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
