"""Questions for what is not so, where nothing that was read denies anything."""

from __future__ import annotations

import pytest

from qa.negation import denied_by_none


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Who did not sign the treaty?", "The mayor signed the treaty."),
        ("who didnt sign the treaty", "The mayor signed the treaty."),
        ("What is not prohibited in the park?", "Dogs are prohibited in the park."),
        ("Who refused the offer?", "The mayor took the offer."),
        ("Which ships have never called?", "Ship no. 5 called in May."),
    ],
)
def test_a_denial_that_nothing_read_bears_out(question: str, text: str) -> None:
    assert denied_by_none(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Who signed the treaty?", "The mayor signed the treaty."),
        ("Who did not sign the treaty?", "All but the mayor signed; he didn't."),
        ("Why can't ships call?", "The law has barred ships since 1987."),
        ("If the chairs do not agree, who decides?", "Disputes are decided by an arbitrator."),
        ("Any party that did not back the law?", "The Reform Party voted against it."),
        ("Is it not only the mayor who signed?", "The mayor signed it."),
    ],
)
def test_no_denial_or_one_that_the_text_may_bear_out(question: str, text: str) -> None:
    assert not denied_by_none(question, text)
