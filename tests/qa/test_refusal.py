from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pytest

from qa.answer import Reason
from qa.confidence import Calibration, Readings
from qa.evidence import Evidence
from qa.refusal import correct_premise, refusal_reason, refusal_text

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
    ("question", "text", "corrected"),
    [
        ("Why did the Velm harbour open in June 1994?", "The Velm harbour opened in May 1994.", True),
        ("Why did the Velm harbour open on May 5, 1994?", "The Velm harbour opened on May 4, 1994.", True),
        ("Why does the Velm harbour have ninety-nine cranes?", "The Velm harbour has a dozen cranes.", True),
        ("Why did the Velm harbour close in 1999?", "The Velm harbour opened in 1994.", False),
        ("Why does the Orla harbour have 99 cranes?", "The Velm harbour has 12 cranes.", False),
        ("Why did Luis Reyes open the Velm harbour?", "Ilse Brandt opened the Velm harbour on May 4, 1994.", False),
        ("Why is the budget 3 billion dollars?", "The budget is $3-5 billion.", False),
        ("Why did the Velm harbour have 99 cranes?", "The Velm harbour has 12 workers.", False),
        ("Why did the Velm harbour open before 2000?", "The Velm harbour opened in 2001.", False),
        ("What will the harbour budget be in 2030?", "The harbour budget is 5 million krones.", False),
        ("How many cranes will the Velm harbour have in 2030?", "The Velm harbour has 12 cranes.", False),
        ("Does the Velm harbour have more than 10 cranes?", "The Velm harbour has 12 cranes.", False),
        ("Did the Velm harbour open before 2000?", "The Velm harbour opened in 1994.", False),
        ("Can the Velm ferry carry 3 cars?", "The Velm ferry carries 40 cars.", False),
        ("What fee does a 4 year old pay?", "The fee for children under 6 is 2 krones.", False),
        ("and the next size up?", "The brown bin holds 120 litres.", False),
    ],
)
def test_only_what_a_question_takes_for_granted_is_corrected(
    evidence: Callable[..., Evidence], question: str, text: str, corrected: bool
) -> None:
    assert (correct_premise(question, [evidence(text)]) is not None) == corrected


def test_what_another_sentence_states_is_not_denied(evidence: Callable[..., Evidence]) -> None:
    members, guests = evidence("Members pay 30 krones a day."), evidence("Guests pay 40 krones a day.")
    others = evidence("The regatta gave 40 krones to the church.")
    question = "Why do guests pay 40 krones a day?"
    assert correct_premise(question, [members]) == correct_premise(question, [members, others]) is not None
    assert correct_premise(question, [members, guests]) is None
    assert correct_premise("Why do guests pay 50 krones a day?", [guests, members]) is not None
