"""Warnings in words beside an answer: sources that disagree, a newest source that is old, a list that may go on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from index import Index
from qa.disagreement import Disagreement
from qa.evidence import Evidence
from qa.lists import is_cut
from qa.prompt import readable_date

CUT = "A list that is quoted here is too long to be shown whole; open its source for the other items."
MORE = "More of this kind may stand in the documents than is quoted here; ask for a part of it, or for one by its name."
_PRESENT = re.compile(
    r"\b(?:current|currently|now|nowadays|today|today's|latest|newest|recent|recently|present|presently|at the moment|"
    r"so far|still|yet|to date|up to date|this year|these days)\b",
    re.IGNORECASE,
)


def answer_notes(
    question: str,
    chosen: Sequence[Evidence],
    disagreement: Disagreement | None,
    index: Index,
    stale_days: int,
    *,
    more: bool = False,
) -> tuple[str, ...]:
    """All notes on an answer, in the order in which they are shown.

    Args:
        question: The standalone question.
        chosen: The evidence that the answer cites.
        disagreement: What `find_disagreement` or `find_rival` found.
        index: Where they are from.
        stale_days: Age from which on the newest source is old.
        more: Whether a list may have items beyond what is quoted.
    """
    stale = stale_note(question, chosen, index, stale_days)
    cut = CUT if any(is_cut(sentence, index) for sentence in chosen) else None
    told = disagreement and disagreement_note(*disagreement)
    return tuple(note for note in (stale, told, cut, MORE if more else None) if note)


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


def disagreement_note(sentence: Evidence, other: Evidence) -> str:
    """Both sides in their own words, with their dates."""
    return (
        f"Sources disagree: “{_short(sentence.as_read)}” ({_source(sentence)}), but "
        f"“{_short(other.as_read)}” ({_source(other)})."
    )


def _short(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= 160 else folded[:157].rsplit(" ", 1)[0] + " …"


def _source(sentence: Evidence) -> str:
    return ", ".join(part for part in (sentence.title, readable_date(sentence.published)) if part)
