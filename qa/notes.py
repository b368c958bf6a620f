"""Warnings in words beside an answer: sources that disagree, a newest source that is old, and a list that was cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

from index import Index
from index.lexical import tokenise
from qa.claims import find_names
from qa.evidence import Evidence, is_cut
from qa.prompt import readable_date
from qa.values import Value, find_values
from qa.wording import normalise, without_dates

SAME_MATTER = 0.6
"""Share of its content words that the shorter of two sentences must have in common with the other."""
SAME_WORDING = 0.5
"""The same for the longer one; otherwise a short sentence is about what every long one on its subject is about."""
COMPARED = 12
"""Candidates that may disagree with what is cited."""
CUT = "A list that is quoted here is too long to be shown whole; open its source for the other items."
Disagreement: TypeAlias = tuple[Evidence, Evidence]
"""A cited sentence, and one of another source that gives another value."""
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
    """Two documents that give different values of one kind for what is otherwise said in the same words.

    A document and its near-copies are one source, and one source does not disagree with itself. Nor do two that speak
    of another name, year or ordinal: these tell apart what the values are of.

    Args:
        chosen: The sentences that the answer cites.
        ranked: The candidates, best first; the first `COMPARED` are looked at.
        index: Where they are from.
    """
    for sentence in chosen:
        for other in ranked[:COMPARED]:
            if _source_of(other, index) == _source_of(sentence, index) or not _alike(sentence.text, other.text):
                continue
            if _differ(sentence.text, other.text) and _of_one_thing(sentence, other):
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


def _differ(one: str, other: str) -> bool:
    """Whether two statements give other values of one kind, as many each, beside those that they share.

    Where they give another day, what else differs may have changed from one to the other, and what was done on it must
    be the same: that the persons are says little.
    """
    if not (_states(one) and _states(other)):
        return False
    values, rivals = find_values(one), find_values(other)
    left = [value for value in values if not any(value.agrees(rival) for rival in rivals)]
    right = [rival for rival in rivals if not any(rival.agrees(value) for value in values)]
    kinds = {kind for kind, count in _kinds(left).items() if _kinds(right)[kind] == count}
    if "date" in kinds:
        return kinds == {"date"} and _share(_deed(one), _deed(other))
    return bool(kinds) and "ordinal" not in kinds


def _deed(text: str) -> set[str]:
    """The words of a sentence apart from names and dates: what was done on its day."""
    names = {word for name in _names(text) for word in tokenise(name)}
    return {word for word in tokenise(without_dates(text)) if not word[0].isdigit()} - names


def _names(text: str) -> set[str]:
    return {word for name in find_names(text) for word in normalise(name).split()}


def _states(text: str) -> bool:
    """Whether a sentence states something: no question, and no table row without a digit, which is a heading."""
    text = text.strip()
    return not text.endswith("?") and not (text.startswith("|") and not any(map(str.isdigit, text)))


def _kinds(values: Sequence[Value]) -> Counter[str]:
    return Counter(value.kind for value in values)


def _of_one_thing(one: Evidence, other: Evidence) -> bool:
    """Whether neither says a name or year in place of another one of the other, nor its title a word."""
    apart = _replaced(_years(one), _years(other)) or _replaced(_new_names(one, other), _new_names(other, one))
    titles = set(tokenise(one.title)), set(tokenise(other.title))
    return not apart and not (_replaced(*titles) and _share(*titles))


def _replaced(one: set[str], other: set[str]) -> bool:
    """Whether each of two sets has something that the other has not."""
    return bool(one - other) and bool(other - one)


def _years(sentence: Evidence) -> set[str]:
    """The years that a sentence gives, or else its title."""
    return _years_of(sentence.text) or _years_of(sentence.title)


def _years_of(text: str) -> set[str]:
    return {value.year for value in find_values(text)} - {""}


def _new_names(sentence: Evidence, other: Evidence) -> set[str]:
    """The words of a sentence's names that neither the other sentence nor its title holds."""
    return _names(sentence.text) - set(normalise(f"{other.title} {other.text}").split())


def same_matter(one: str, other: str) -> bool:
    """Whether two sentences that give the same day tell of the same: of a same name, or in much the same words."""
    return bool(_names(one) & _names(other)) or _alike(one, other, fewest=2)


def _alike(one: str, other: str, fewest: int = 3) -> bool:
    first, second = ({w for w in tokenise(text) if not w[0].isdigit()} for text in (one, other))
    return _share(first, second, fewest)


def _share(first: set[str], second: set[str], fewest: int = 1) -> bool:
    smaller, larger = sorted((len(first), len(second)))
    shared = len(first & second)
    return smaller >= fewest and shared >= SAME_MATTER * smaller and shared >= SAME_WORDING * larger


def _short(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= 160 else folded[:157].rsplit(" ", 1)[0] + " …"


def _source(sentence: Evidence) -> str:
    return ", ".join(part for part in (sentence.title, readable_date(sentence.published)) if part)
