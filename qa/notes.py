"""Warnings in words beside an answer: sources that disagree, a newest source that is old, and a list that was cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

from index import Index
from index.lexical import tokenise
from qa.claims import find_numbers
from qa.evidence import Evidence, is_cut
from qa.prompt import readable_date
from qa.wording import FOOTNOTE, find_dates

SAME_MATTER = 0.6
"""Share of its content words that the shorter of two sentences must have in common with the other."""
SAME_WORDING = 0.5
"""The same for the longer one; otherwise a short sentence is about what every long one on its subject is about."""
COMPARED = 12
"""Candidates that may disagree with what is cited."""
CUT = "A list that is quoted here is too long to be shown whole; open its source for the other items."
Disagreement: TypeAlias = tuple[Evidence, Evidence]
"""A cited sentence, and one of another source that gives another value."""
_FOOTNOTE = re.compile(FOOTNOTE)
_PRESENT = re.compile(
    r"\b(?:current|currently|now|nowadays|today|today's|latest|newest|recent|recently|present|presently|at the moment|"
    r"so far|still|yet|to date|up to date|this year|these days)\b",
    re.IGNORECASE,
)


def answer_notes(
    question: str, chosen: Sequence[Evidence], disagreement: Disagreement | None, index: Index, stale_days: int
) -> tuple[str, ...]:
    """All notes on an answer, in the order in which they are shown.

    Args:
        question: The standalone question.
        chosen: The evidence that the answer cites.
        disagreement: What `find_disagreement` found.
        index: Where they are from.
        stale_days: Age from which on the newest source is old.
    """
    stale = stale_note(question, chosen, index, stale_days)
    cut = CUT if any(is_cut(sentence, index) for sentence in chosen) else None
    return tuple(note for note in (stale, disagreement and disagreement_note(*disagreement), cut) if note)


def stale_note(
    question: str, chosen: Sequence[Evidence], index: Index, stale_days: int, today: date | None = None
) -> str | None:
    """The age of the newest source used, where the question is about the present and the source is old."""
    if not _PRESENT.search(question):
        return None
    dates = []
    for path in dict.fromkeys(sentence.document for sentence in chosen):
        try:
            dates.append(date.fromisoformat(index.documents[path].published))
        except ValueError:
            continue
    if not dates or ((today or date.today()) - max(dates)).days < stale_days:
        return None
    newest = readable_date(max(dates).isoformat())
    return f"The newest source of this answer is of {newest}; things may have changed since."


def find_disagreement(chosen: Sequence[Evidence], ranked: Sequence[Evidence], index: Index) -> Disagreement | None:
    """Two documents that give different numbers or dates for what is otherwise said in the same words.

    A document and its near-copies are one source, and one source does not disagree with itself.

    Args:
        chosen: The sentences that the answer cites.
        ranked: The candidates, best first; the first `COMPARED` are looked at.
        index: Where they are from.
    """
    for sentence in chosen:
        values = _values(sentence.text)
        if not any(values):
            continue
        for other in ranked[:COMPARED]:
            if _source_of(other, index) == _source_of(sentence, index) or not _differ(values, _values(other.text)):
                continue
            if _alike(sentence.text, other.text):
                return sentence, other
    return None


def disagreement_note(sentence: Evidence, other: Evidence) -> str:
    """Both sides in their own words, with their dates."""
    return (
        f"Sources disagree: “{_short(sentence.text)}” ({_source(sentence)}), but "
        f"“{_short(other.text)}” ({_source(other)})."
    )


def _source_of(sentence: Evidence, index: Index) -> str:
    document = index.documents.get(sentence.document)
    return (document.copy_of if document else "") or sentence.document


_Values: TypeAlias = tuple[frozenset[str], ...]


def _values(text: str) -> tuple[_Values, _Values]:
    """Numbers, and dates, each as its parts, so that October 8 can be told to lie within October 8, 2024."""
    stated = _FOOTNOTE.sub(" ", text)
    dates = tuple(frozenset(found.split()) for _, found in find_dates(stated))
    return tuple(frozenset([number]) for number in find_numbers(stated)), dates


def _differ(values: Sequence[_Values], rivals: Sequence[_Values]) -> bool:
    """Whether both sides give numbers, or both dates, and no value of one is, even less exactly, one of the other."""
    agree = any(
        value <= rival or rival <= value
        for own, other in zip(values, rivals, strict=True)
        for value in own
        for rival in other
    )
    return not agree and any(own and other for own, other in zip(values, rivals, strict=True))


def _alike(one: str, other: str) -> bool:
    first, second = ({w for w in tokenise(text) if not w[0].isdigit()} for text in (one, other))
    smaller, larger = sorted((len(first), len(second)))
    shared = len(first & second)
    return smaller >= 3 and shared >= SAME_MATTER * smaller and shared >= SAME_WORDING * larger


def _short(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= 160 else folded[:157].rsplit(" ", 1)[0] + " …"


def _source(sentence: Evidence) -> str:
    return ", ".join(part for part in (sentence.title, readable_date(sentence.published)) if part)
