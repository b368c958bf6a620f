from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from index import Index
from qa.disagreement import find_disagreement
from qa.evidence import Evidence
from qa.extents import with_headings
from qa.notes import CUT, MORE, answer_notes, disagreement_note, stale_note
from qa.quotes import choose_quotes

TODAY = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("question", "document", "stale_days", "noted"),
    [
        ("How many cranes has the harbour now?", "harbour.md", 365, True),
        ("What is the latest plan?", "harbour.md", 365, True),
        ("When did the harbour open?", "harbour.md", 365, False),
        ("How many cranes has the harbour now?", "harbour.md", 3650, False),
        ("How is the weather today?", "weather.txt", 365, False),
    ],
)
def test_an_old_source_is_noted_where_the_question_is_about_the_present(
    small_index: Index,
    evidence: Callable[..., Evidence],
    question: str,
    document: str,
    stale_days: int,
    noted: bool,
) -> None:
    note = stale_note(question, [evidence("x", document)], small_index, stale_days, TODAY)
    expected = "The newest source of this answer is of July 28, 2024; things may have changed since."
    assert note == (expected if noted else None)


def test_the_newest_source_counts(small_index: Index, evidence: Callable[..., Evidence]) -> None:
    chosen = [evidence("x", "museum.md"), evidence("x", "harbour.md")]
    assert stale_note("Who is the current mayor?", chosen, small_index, 365, date(2025, 7, 1)) is None
    assert stale_note("Who is the current mayor?", chosen[:1], small_index, 365, date(2025, 7, 1))


def test_two_documents_that_give_different_numbers_disagree(
    small_index: Index, evidence: Callable[..., Evidence]
) -> None:
    one = evidence("The Velm harbour has 12 cranes.", "a.md", title="A", published="2024-07-28")
    other = evidence("The Velm harbour has 14 cranes.", "b.md", title="B")
    assert find_disagreement([one], [one, other], small_index) == (one, other)
    assert disagreement_note(one, other) == (
        "Sources disagree: “The Velm harbour has 12 cranes.” (A, July 28, 2024), but "
        "“The Velm harbour has 14 cranes.” (B)."
    )


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("The Velm harbour has 14 cranes.", "a.md"),  # one document counts for one source
        ("The Velm harbour has 12 cranes.", "b.md"),
        ("The Velm harbour has twelve cranes.", "b.md"),
        ("The Velm harbour has many cranes.", "b.md"),
        ("The Orla museum shows 14 ships.", "b.md"),
        ("It has 14.", "b.md"),
        ("The Velm harbour has many cranes. [14]", "b.md"),
        ("The Velm harbour has had cranes since May 4, 1994.", "b.md"),  # a date is no other number of cranes
        ("The Velm harbour has cranes, and in the 14 years of the war its museum and all of its ships burned.", "b.md"),
    ],
)
def test_what_is_no_disagreement(
    small_index: Index, evidence: Callable[..., Evidence], text: str, document: str
) -> None:
    one = evidence("The Velm harbour has 12 cranes.", "a.md")
    assert find_disagreement([one], [one, evidence(text, document, start=100)], small_index) is None


@pytest.mark.parametrize(
    ("text", "rival", "found"),
    [
        ("In 2024 the Velm harbour has 12 cranes.", "In 2024 the Velm harbour has 14 cranes.", True),
        ("The Velm harbour has 14 cranes and 340 workers.", "The Velm harbour has 12 cranes and 340 workers.", True),
        ("The Velm harbour has one crane.", "The Velm harbour has two cranes.", True),
        ("The Velm harbour festival is held in May.", "The Velm harbour festival is held in June.", True),
        ("The Velm harbour cranes cost $5m.", "The Velm harbour cranes cost $6m.", True),
        ("The Velm harbour office opens at 8am.", "The Velm harbour office opens at 9am.", True),
        ("The Velm harbour bin is emptied on Tuesday.", "The Velm harbour bin is emptied on Thursday.", True),
        ("The harbour pays up to EUR 14 for a meal.", "The harbour pays up to EUR 17 for a meal.", True),
        ("In 2023 the Velm harbour paid 5 million krones.", "In 2024 the Velm harbour paid 6 million krones.", False),
        ("On May 4, 1994, the harbour had 12 cranes.", "On June 4, 1994, the harbour had 14 cranes.", False),
        ("The Velm harbour has 12 cranes.", "The Orla harbour has 14 cranes.", False),
        ("The Velm harbour has thousands of workers.", "The Velm harbour has 54,000 workers.", False),
        ("The Velm harbour has about 54,000 workers.", "The Velm harbour has more than 50,000 workers.", False),
        ("The Velm harbour office opens at 3 p.m.", "The Velm harbour office opens at 15:00.", False),
        ("The Velm harbour bridge is 5 km long.", "The Velm harbour bridge is 3.1 miles long.", False),
        ("The 2nd round of the harbour talks took 3 days.", "The third round of the harbour talks took 4 days.", False),
        ("The Velm harbour has 12 cranes.", "Does the Velm harbour have 14 cranes?", False),
        ("The harbour costs 3 million krones.", "| Harbour costs | Million krones |", False),
        ("On May 4 Ilse Brandt asked the mayor of Velm.", "On May 5 Ilse Brandt received a guest in Velm.", False),
    ],
)
def test_values_of_one_kind_are_compared(
    small_index: Index, evidence: Callable[..., Evidence], text: str, rival: str, found: bool
) -> None:
    pair = evidence(text, "a.md"), evidence(rival, "b.md")
    assert find_disagreement(pair[:1], pair, small_index) == (pair if found else None)


@pytest.mark.parametrize(
    ("title", "rival", "found"),
    [
        ("Crane KP-300, data sheet", "Crane KP-300X, data sheet", False),
        ("Budget of 2023", "A note to the council of 2024", False),
        ("County plans", "The accident report", True),
    ],
)
def test_titles_tell_apart_what_the_values_are_of(
    small_index: Index, evidence: Callable[..., Evidence], title: str, rival: str, found: bool
) -> None:
    one = evidence("The warranty of the crane is 24 months.", "a.md", title=title)
    other = evidence("The warranty of the crane is 36 months.", "b.md", title=rival)
    assert (find_disagreement([one], [other], small_index) is not None) == found


def test_a_near_copy_is_the_same_source(make_index: Callable[..., Index], evidence: Callable[..., Evidence]) -> None:
    body = " ".join(f"Ship number {n} lies in the Velm harbour since the year 20{n}." for n in range(10, 60))
    index = make_index({"a.txt": f"A\n{body} It has 12 cranes.\n", "b.txt": f"A\n{body} It has 14 cranes.\n"})
    assert {document.copy_of for document in index.documents.values()} == {"", "a.txt"}
    one, other = (evidence(f"The Velm harbour has {n} cranes.", path) for n, path in ((12, "a.txt"), (14, "b.txt")))
    assert find_disagreement([one], [other], index) is None


def test_a_less_exact_date_agrees(small_index: Index, evidence: Callable[..., Evidence]) -> None:
    one = evidence("On October 8, Ines Duarte took command of the Velm harbour.", "a.md")
    other = evidence("Ines Duarte took command of the Velm harbour on October 8, 2024.", "b.md")
    assert find_disagreement([one], [one, other], small_index) is None


def test_a_long_quotation_in_a_note_is_shortened(evidence: Callable[..., Evidence]) -> None:
    one = evidence("The Velm harbour has 12 cranes " + "and cranes " * 40, "a.md")
    other = evidence("The Velm harbour has 14 cranes " + "and cranes " * 40, "b.md")
    note = disagreement_note(one, other)
    assert len(note) < 400
    assert "cranes … ”" not in note and " …”" in note


def test_all_notes_in_order(
    small_index: Index, quoted: Callable[..., Evidence], evidence: Callable[..., Evidence]
) -> None:
    cranes = quoted(small_index, "harbour.md", "The harbour has 12 cranes and 340 workers.")
    rival = evidence("The harbour has 14 cranes and 350 workers.", "weather.txt")
    notes = answer_notes("How many cranes now?", [cranes], (cranes, rival), small_index, 1)
    assert [note.split()[0] for note in notes] == ["The", "Sources"]
    assert answer_notes("How many cranes?", [cranes], None, small_index, 1) == ()


def test_a_list_that_is_cut_is_noted(make_index: Callable[..., Index], quoted: Callable[..., Evidence]) -> None:
    long, short = ("".join(f"- state {n}{', of the north' * 5}\n" for n in range(most)) for most in (20, 3))
    index = make_index({"a.md": f"# Pacts\n\nThese signed:\n\n{long}", "b.md": f"# Pacts\n\nOthers signed:\n\n{short}"})
    for part in ("These signed:", "state 2", "state 19"):
        quotes = with_headings("", choose_quotes("", "", [quoted(index, "a.md", part)], index, 1), index)
        assert quotes[0].text.startswith("These signed:")
        assert answer_notes("Who signed?", quotes, None, index, 1) == (CUT,)
        assert answer_notes("Who signed?", quotes, None, index, 1, more=True) == (CUT, MORE)
    (whole,) = choose_quotes("", "", [quoted(index, "b.md", "Others signed:")], index, 1)
    assert answer_notes("Who signed?", [whole], None, index, 1) == ()
