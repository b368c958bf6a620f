from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from index import Index
from qa.confidence import doubt_of
from qa.evidence import Evidence
from qa.rivals import STATED, find_rival


@pytest.mark.parametrize(
    ("question", "text", "rival", "found"),
    [
        ("How much did the lido cost?", "The work came to £2.4 million.", "Rebuilding took £2.9 million.", True),
        ("What year was the Acre started?", "The will was read in 1846.", "The Acre was founded in 1851.", True),
        ("How many came when it opened?", "By noon 1,150 people had been in.", "Some 900 people went in.", True),
        ("How many came?", "There were 12,000 visitors.", "There were 40 events.", False),
        ("How many came?", "On Saturday 300 people came.", "On Sunday 450 people came.", False),
        ("What is the fare?", "The fare is 10 euros a month.", "A ticket is 120 euros a year.", False),
        ("When did it reopen?", "The lido reopened on 10 May.", "The lido has been open since May 2024.", False),
        ("When did it reopen?", "The lido reopened on 10 May.", "The lido opened on 12 May 2024.", True),
        ("How much did the lido cost?", "The work came to £2.4 million.", "It took £2.9 million.", False),  # what did?
        (
            "How many came?",
            "Some 950 people came.",
            "Some 900 bathers took to the water.",
            False,
        ),  # as good as the same
        ("How many came?", "Some 950 people came.", "They swam 40 metres.", False),
        ("Who came?", "By noon 1,150 people had been in.", "Some 900 people came.", False),  # no value is asked for
        ("How many came?", "By noon 1,150 people came, and 20 dogs.", "Some 900 people came.", False),  # which one?
        ("How many came?", "In 2019 we had 1,150 people.", "In 2021 we had 900 people.", False),
        ("How many came?", "To Velm came 1,150 people.", "To Orla came 900 people.", False),
        ("What time does it shut?", "Corn Street shuts at 5 pm.", "The doors there close at 18:00.", True),
    ],
)
def test_two_answers_with_other_values_disagree_in_any_words(
    small_index: Index, evidence: Callable[..., Evidence], question: str, text: str, rival: str, found: bool
) -> None:
    one, other = evidence(text, "a.md"), evidence(rival, "b.md")
    least = STATED + doubt_of(question)

    def rivals(doubted: str) -> bool:
        verdict = lambda sentence: least - (sentence.text == doubted)  # noqa: E731
        return find_rival(question, [one], [one, other], small_index, verdict) is not None

    assert rivals("nothing") == found
    assert not rivals(text)
    assert not rivals(rival)
    assert find_rival(question, [one], [replace(other, document="a.md")], small_index, lambda _: 9.0) is None


@pytest.mark.parametrize(
    ("title", "rival", "found"),
    [
        ("Lido reopens after three summers", "Lido reopens, and the bill is no small one", True),
        ("Orla baths", "Velm baths", False),
        ("Minutes of 3 May 2024", "Minutes of 17 May 2024", False),
        ("Spring fair", "Autumn fair", False),
    ],
)
def test_what_only_titles_tell_apart_is_of_two_things(
    small_index: Index, evidence: Callable[..., Evidence], title: str, rival: str, found: bool
) -> None:
    one = evidence("We had 300 people.", "a.md", title=title)
    other = evidence("There were 450 people.", "b.md", title=rival)
    assert (find_rival("How many people came?", [one], [other], small_index, lambda _: 9.0) is not None) == found
