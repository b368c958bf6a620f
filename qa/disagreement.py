"""Two sources that give different values for the same thing, found by what their clauses share beside the values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import TypeAlias

from index import Index
from index.lexical import tokenise
from qa.antecedents import asks
from qa.claims import find_names
from qa.clauses import Clause, Reading, apart, clauses_of, names_in, readings_of
from qa.evidence import Evidence
from qa.numbers import read_times
from qa.titles import (
    in_one_place,
    numbered_apart,
    of_one_series,
    of_two_names,
    one_word_apart,
    share_a_word,
    share_words,
)
from qa.values import NAMES_A_VALUE, SEASONS, Value, dates_in, find_values, has_digit, months_in, seasons_in, years_in
from qa.wording import MONTHS, WEEKDAYS, normalise

COMPARED = 32
"""Candidates that may disagree with what is cited: in a folder the other side often stands behind the best twenty."""
HELD = 0.8
"""Share of the words of each clause that the other source must have, with names and without."""
INSIDE, FEWEST = 4, 2
"""Words that the clauses must share where all of one are in the other source, and otherwise, with what is counted."""
Disagreement: TypeAlias = tuple[Evidence, Evidence]
"""A cited sentence, and one of another source that gives another value."""

_CHANGE = re.compile(
    r"\b(?:now|no longer|instead of|(?:from|until|as of|after|before)\s+(?:the end of\s+)?(?:\d{1,2}\s+)?"
    rf"(?:{'|'.join(month.capitalize() for month in MONTHS)}|[12]\d{{3}})\b)"
)
"""Words of a sentence that tells itself that its value was another one, or holds from a day on."""
_LABEL = re.compile(r"\b[A-Za-z]+-?\d[\w-]*")
"""`KP-300`, `A-07`: what tells one thing of a series from the next."""
_OCCASION = re.compile(
    rf"\b({'|'.join(WEEKDAYS)}|weekday|weekend|morning|afternoon|evening|night)s?\b|"
    r"(?:\b(?:an?|per|each|every)\s+|/\s*)(hour|day|week|month|quarter|season|year)\b|"
    r"\b(hour|dai|week|month|quarter|year)ly\b|\b(?:per\s+)?(ann)u(?:al|ally|m)\b",
    re.IGNORECASE,
)
"""A part of a day or week, and what a rate is counted by: `10 euros a month`."""
_SAME_OCCASION = {"dai": "day", "ann": "year"}
_TURNS = frozenset({"if", "no", "not", "when", "will"})
"""Stop words that a value in a sentence may depend on."""


def find_disagreement(chosen: Sequence[Evidence], ranked: Sequence[Evidence], index: Index) -> Disagreement | None:
    """Two documents that give different values of one kind for the same thing at the same time.

    A document and its near-copies are one source, and one source does not disagree with itself. Nor do two that speak
    of another name, year, season or label, nor a sentence that tells of a change with one that does not: these tell
    apart what the values are of. A row of a table is read with its head.

    Args:
        chosen: The sentences that the answer cites.
        ranked: The candidates, best first; the first `COMPARED` are looked at.
        index: Where they are from.
    """
    told = {sentence: readings_of(sentence, index) for sentence in (*chosen, *ranked[:COMPARED])}
    for sentence, other in product(chosen, ranked[:COMPARED]):
        if source_of(other, index) != source_of(sentence, index) and any(
            _disagree(one, rival) for one, rival in product(told[sentence], told[other])
        ):
            return sentence, other
    return None


def same_matter(one: str, other: str) -> bool:
    """Whether two sentences that give the same day tell of the same: of a same name, or in much the same words."""
    first, second = ({word for word in tokenise(text) if not word[0].isdigit()} for text in (one, other))
    return bool(names_in(one) & names_in(other)) or (min(len(first), len(second)) > 1 and share_words(first, second))


def told_apart(one: Evidence, other: Evidence, kind: str) -> bool:
    """Whether a time, an occasion, a name or a title tells apart what the values of a kind in two sentences are of."""
    first, second = (Clause(sentence.text, list(find_values(sentence.text)), sentence) for sentence in (one, other))
    occasions = (
        {_SAME_OCCASION.get(part, part) for found in _OCCASION.findall(sentence.text.lower()) for part in found if part}
        for sentence in (one, other)
    )
    return (
        apart(*occasions)
        or not _of_one_time(first, second, {kind})
        or bool(first.new(second) and second.new(first))
        or numbered_apart(one.title, other.title)
        or (share_a_word(one.title, other.title) and one_word_apart(one.title, other.title))
    )


def _disagree(read: Reading, rival: Reading) -> bool:
    """Whether a clause of each gives another value, where the clauses are about one thing at one time."""
    one, other = read.said, rival.said
    in_cell = read.is_cell or rival.is_cell
    if not (read.needed <= rival.source and rival.needed <= read.source):
        return False
    if not (_states(one.text) and _states(other.text)) or numbered_apart(one.title, other.title):
        return False
    if in_cell and of_two_names(one.title, other.title):
        return False
    values, rivals = find_values(one.text), find_values(other.text)
    left = [value for value in values if not any(value.agrees(rival) for rival in rivals)]
    right = [rival for rival in rivals if not any(rival.agrees(value) for value in values)]
    beside = (*product(read.row, right), *product(left, rival.row))
    if any(value.agrees(same) for value, same in beside):  # another cell of the row
        return False
    if not any(value.contradicts(rival) for value, rival in product(left, right)):
        return False
    disputed = {value.kind for value in left} & {rival.kind for rival in right}
    if "ordinal" in disputed or ("date" in disputed and len(disputed) > 1):  # of another part, or changed in between
        return False
    for clause, against in product(clauses_of(one, left), clauses_of(other, right)):
        kinds = _compared(clause.values, against.values)
        if (
            kinds
            and (_of_one_cell if in_cell else _of_one_thing)(clause, against, kinds)
            and _of_one_time(clause, against, kinds)
            and (not of_one_series(one.title, other.title) or _say_the_same(clause, against, kinds))
        ):
            return True
    return False


def _states(text: str) -> bool:
    """Whether a sentence states something: no question, and no table row without a digit, which is a heading."""
    text = text.strip()
    return not asks(text) and not (text.startswith("|") and not has_digit(text))


def _say_the_same(clause: Clause, against: Clause, kinds: set[str]) -> bool:
    """Whether two clauses say by themselves, in the same words, of what name their values are.

    Where a word of one title stands in place of a word of the other they must name a year as well, and titles of
    different names or dates are of two things, as is what will be and what was.
    """
    one, other = clause.sentence, against.sentence
    counted = {word for kind in kinds for word in kind.split()}
    same = names_in(one.text) == names_in(other.text) != set() and clause.words(counted) == against.words(counted)
    turned = (_TURNS.intersection(text.lower().split()) for text in (one.text, other.text))
    titles = [(part(one.title), part(other.title)) for part in (names_in, dates_in)]
    if not same or any(apart(*parts) for parts in titles) or len(set(map(frozenset, turned))) > 1:
        return False
    dated = "date" not in kinds and bool(clause.years)
    return ("date" in kinds or dates_in(one.text) == dates_in(other.text)) and (
        dated or not in_one_place(one.title, other.title)
    )


def _compared(values: Sequence[Value], rivals: Sequence[Value]) -> set[str]:
    """The kinds of which both give values, as many each, and limits against limits only."""
    one, other = (Counter((value.kind, value.is_limit) for value in side) for side in (values, rivals))
    return {kind for (kind, limit), count in one.items() if other[kind, limit] == count}


def _of_one_thing(clause: Clause, against: Clause, kinds: set[str]) -> bool:
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


def _of_one_cell(clause: Clause, against: Clause, kinds: set[str]) -> bool:
    """Whether each source has all the words, numbers, days and seasons that stand beside the values of the other.

    A row is short: most of its words are not enough, what a sentence says more is a condition, and one word that they
    share tells of one thing only under titles that share one.
    """
    counted = {word for kind in kinds for word in kind.split()}
    sides = ((clause, against), (against, clause))
    first, second = (side.words(counted) - NAMES_A_VALUE for side in (clause, against))
    return (
        not first.isdisjoint(second)
        and len(first & second | counted & clause.told) >= FEWEST
        and (len(first & second) >= FEWEST or share_a_word(clause.sentence.title, against.sentence.title))
        and all((side.words(counted) | side.conditions) - NAMES_A_VALUE <= other.source for side, other in sides)
        and all(_marks(side.sentence.text, kinds) <= _marks(other.said, set()) for side, other in sides)
    )


def _of_one_time(clause: Clause, against: Clause, kinds: set[str]) -> bool:
    """Whether nothing tells that the values are of different times; a year that one gives must be the other source's.

    What tells itself that it has changed differs from what was before.
    """
    one, other = clause.sentence, against.sentence
    if apart(seasons_in(one.text), seasons_in(other.text)):
        return False
    if "date" in kinds:
        return True
    if bool(_CHANGE.search(one.text)) != bool(_CHANGE.search(other.text)):
        return False
    if apart(months_in(one.text), months_in(other.text)):
        return False
    if clause.years and against.years:
        return not apart(clause.years, against.years)
    if not clause.years and not against.years:
        return not apart(years_in(one.title) | months_in(one.title), years_in(other.title) | months_in(other.title))
    year = years_in(clause.text) | years_in(against.text)
    return not year or bool(year & (against.dated if clause.years else clause.dated))


def source_of(sentence: Evidence, index: Index) -> str:
    """The path of its document, or of the one whose near-copy that is: copies of one report are one source."""
    document = index.documents.get(sentence.document)
    return (document.copy_of if document else "") or sentence.document


def _marks(text: str, kinds: set[str]) -> set[str]:
    """The numbers, months, weekdays, seasons and `_TURNS` of a text beside those of its values of some kinds."""
    values = [value for value in find_values(text) if value.kind in kinds]
    numbers = {f"{number:.12g}" for value in values for number in (value.low, value.high, (value.low + value.high) / 2)}
    beside = numbers.union(*(value.parts for value in values))
    words = {re.sub(r"days$", "day", word) for word in normalise(read_times(text)).split()} - beside
    return {
        word
        for word in words
        if (word[0].isdigit() and not ("time" in kinds and re.fullmatch(r"\d+h\d\d", word)))
        or word in _TURNS.union(SEASONS, MONTHS)
        or (word in WEEKDAYS and "weekday" not in kinds)
    }
