"""Two sources that give different values for the same thing, found by what their clauses share beside the values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TypeAlias

from index import Index
from index.lexical import tokenise
from qa.claims import find_names
from qa.evidence import Evidence, asks
from qa.values import Value, find_values
from qa.wording import MONTHS, WEEKDAYS, normalise, without_dates

COMPARED = 32
"""Candidates that may disagree with what is cited: in a folder the other side often stands behind the best twenty."""
HELD = 0.8
"""Share of the words of each clause that the other source must have, with names and without."""
INSIDE, FEWEST = 4, 2
"""Words that the clauses must share where all of one are in the other source, and otherwise, with what is counted."""
SAME_MATTER, SAME_WORDING = 0.6, 0.5
"""Share of its content words that the shorter and the longer of two texts must have in common with the other."""
Disagreement: TypeAlias = tuple[Evidence, Evidence]
"""A cited sentence, and one of another source that gives another value."""

_BETWEEN_CLAUSES = re.compile(
    r"[;:!?()|\[\]]|,(?!\d)(?!\s+[12]\d{3}\b)|(?<=\w)\.(?=\s)|\s[–—-]\s|\b(?:that|which|who|where|because|but|while)\b"
    r"|\band(?=\s+\w+\s+(?:was|were|is|are|has|have|had)\b)"
)
_CHANGE = re.compile(
    r"\b(?:now|no longer|instead of|(?:from|until|as of|after|before)\s+(?:the end of\s+)?(?:\d{1,2}\s+)?"
    rf"(?:{'|'.join(month.capitalize() for month in MONTHS)}|[12]\d{{3}})\b)"
)
"""Words of a sentence that tells itself that its value was another one, or holds from a day on."""
_LABEL = re.compile(r"\b[A-Za-z]+-?\d[\w-]*")
"""`KP-300`, `A-07`: what tells one thing of a series from the next."""
_SEASONS = frozenset({"spring", "summer", "autumn", "fall", "winter"})
_NO_MATTER = frozenset(
    tokenise(" ".join(("hundred thousand million billion trillion dozen", *MONTHS, *WEEKDAYS)))
    + tokenise("amounts comes came costs estimated put stands stood totals")
)
"""What belongs to a value rather than to what it is of, and the verbs that lead to one."""


def find_disagreement(chosen: Sequence[Evidence], ranked: Sequence[Evidence], index: Index) -> Disagreement | None:
    """Two documents that give different values of one kind for the same thing at the same time.

    A document and its near-copies are one source, and one source does not disagree with itself. Nor do two that speak
    of another name, year, season or label, nor a sentence that tells of a change with one that does not: these tell
    apart what the values are of.

    Args:
        chosen: The sentences that the answer cites.
        ranked: The candidates, best first; the first `COMPARED` are looked at.
        index: Where they are from.
    """
    for sentence, other in product(chosen, ranked[:COMPARED]):
        if _source_of(other, index) != _source_of(sentence, index) and _disagree(sentence, other):
            return sentence, other
    return None


def same_matter(one: str, other: str) -> bool:
    """Whether two sentences that give the same day tell of the same: of a same name, or in much the same words."""
    first, second = ({word for word in tokenise(text) if not word[0].isdigit()} for text in (one, other))
    return bool(_names(one) & _names(other)) or (min(len(first), len(second)) > 1 and _share(first, second))


@dataclass(frozen=True)
class _Clause:
    """A part of a sentence that gives disputed values."""

    text: str
    values: list[Value]
    sentence: Evidence

    @cached_property
    def said(self) -> str:
        """Its sentence with title and heading, which say what it is about."""
        return f"{self.sentence.title} {self.sentence.section} {self.sentence.text}"

    @cached_property
    def source(self) -> set[str]:
        return set(tokenise(normalise(self.said)))

    @cached_property
    def told(self) -> set[str]:
        return set(tokenise(normalise(self.sentence.text)))

    def words(self, kinds: set[str]) -> set[str]:
        """What it says beside values of some kinds; the whole sentence, where that is hardly anything."""
        noise = _NO_MATTER | set(kinds)
        own, whole = (
            {word for word in tokenise(normalise(without_dates(text))) if not word[0].isdigit()} - noise
            for text in (self.text, self.sentence.text)
        )
        return own if len(own) > 1 else whole

    @cached_property
    def years(self) -> set[str]:
        return _years(self.text) or _years(self.sentence.text)

    @cached_property
    def dated(self) -> set[str]:
        """The years of its document."""
        return _years(self.sentence.title) | {self.sentence.published[:4]}

    def new(self, other: _Clause) -> set[str]:
        """The words of its names that the other source does not have."""
        return _names(self.text) - set(normalise(other.said).split())


def _disagree(one: Evidence, other: Evidence) -> bool:
    """Whether a clause of each gives another value, where the clauses are about one thing at one time."""
    if not (_states(one.text) and _states(other.text)) or _of_one_series(one.title, other.title):
        return False
    values, rivals = find_values(one.text), find_values(other.text)
    left = [value for value in values if not any(value.agrees(rival) for rival in rivals)]
    right = [rival for rival in rivals if not any(rival.agrees(value) for value in values)]
    disputed = {value.kind for value in left} & {rival.kind for rival in right}
    if "ordinal" in disputed or ("date" in disputed and len(disputed) > 1):  # of another part, or changed in between
        return False
    for clause, against in product(_clauses(one, left), _clauses(other, right)):
        kinds = _compared(clause.values, against.values)
        if kinds and _of_one_thing(clause, against, kinds) and _of_one_time(clause, against, kinds):
            return True
    return False


def _states(text: str) -> bool:
    """Whether a sentence states something: no question, and no table row without a digit, which is a heading."""
    text = text.strip()
    return not asks(text) and not (text.startswith("|") and not any(map(str.isdigit, text)))


def _of_one_series(title: str, other: str) -> bool:
    """Whether two titles say the same of two things: `Recipe 1: bread` and `Recipe 2: cake`, or but for a word."""
    first, second = set(tokenise(title)), set(tokenise(other))
    numbers = ({w for w in re.findall(r"[\w-]*\d[\w-]*", without_dates(t)) if not _years(w)} for t in (title, other))
    return (_apart(first, second) and _share(first, second)) or (bool(first & second) and _apart(*numbers))


def _clauses(sentence: Evidence, disputed: Sequence[Value]) -> list[_Clause]:
    """The clauses of a sentence that give any of some values, with these."""
    found = (
        _Clause(clause, [value for value in find_values(clause) if value in disputed], sentence)
        for clause in _BETWEEN_CLAUSES.split(sentence.text)
    )
    return [clause for clause in found if clause.values]


def _compared(values: Sequence[Value], rivals: Sequence[Value]) -> set[str]:
    """The kinds of which both give values, as many each, and limits against limits only."""
    one, other = (Counter((value.kind, value.is_limit) for value in side) for side in (values, rivals))
    return {kind for (kind, limit), count in one.items() if other[kind, limit] == count}


def _of_one_thing(clause: _Clause, against: _Clause, kinds: set[str]) -> bool:
    """Whether each says, beside its values, what the other source says, and has no name or label in place of its."""
    counted = {word for kind in kinds for word in kind.split()}
    first, second = clause.words(counted), against.words(counted)
    if len(first & second | counted & clause.told) < FEWEST:
        return False
    names = set(tokenise(" ".join(find_names(f"{clause.sentence.text}\n{against.sentence.text}"))))
    if not (first & second) - (names if "date" in kinds else set()):  # what was done on its day
        return False
    sides = ((first, against), (second, clause))
    alike = all(
        len(words & other.source) >= HELD * len(words) for said, other in sides for words in (said, said - names)
    )
    inside = any(said <= other.source and len(said & other.told) >= INSIDE for said, other in sides)
    labels = any(
        not set(_LABEL.findall(one.text)) <= set(_LABEL.findall(other.said))
        for one, other in ((clause, against), (against, clause))
    )
    return (alike or inside) and not labels and not (clause.new(against) and against.new(clause))


def _of_one_time(clause: _Clause, against: _Clause, kinds: set[str]) -> bool:
    """Whether nothing tells that the values are of different times; a year that one gives must be the other source's.

    What tells itself that it has changed differs from what was before.
    """
    one, other = clause.sentence, against.sentence
    if _apart(_seasons(one.text), _seasons(other.text)):
        return False
    if "date" in kinds:
        return True
    if bool(_CHANGE.search(one.text)) != bool(_CHANGE.search(other.text)):
        return False
    if _apart(_months(one.text), _months(other.text)):
        return False
    if clause.years and against.years:
        return not _apart(clause.years, against.years)
    if not clause.years and not against.years:
        return not _apart(_years(one.title) | _months(one.title), _years(other.title) | _months(other.title))
    year = _years(clause.text) | _years(against.text)
    return not year or bool(year & (against.dated if clause.years else clause.dated))


def _source_of(sentence: Evidence, index: Index) -> str:
    document = index.documents.get(sentence.document)
    return (document.copy_of if document else "") or sentence.document


def _names(text: str) -> set[str]:
    return {word for name in find_names(text) for word in normalise(name).split()}


def _years(text: str) -> set[str]:
    return {value.year for value in find_values(text)} - {""}


def _months(text: str) -> set[str]:
    return {part for value in find_values(text) for part in value.parts if part in MONTHS}


def _seasons(text: str) -> set[str]:
    return set(_SEASONS.intersection(normalise(text).split()))


def _apart(one: set[str], other: set[str]) -> bool:
    """Whether each of two sets has something that the other has not."""
    return bool(one - other) and bool(other - one)


def _share(first: set[str], second: set[str]) -> bool:
    smaller, larger = sorted((len(first), len(second)))
    shared = len(first & second)
    return smaller > 0 and shared >= SAME_MATTER * smaller and shared >= SAME_WORDING * larger
