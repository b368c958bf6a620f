"""Two sources that give different values for the same thing, found by what their clauses share beside the values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from itertools import product
from typing import TypeAlias

from corpus.tables import HAS_UNIT, cells_of, find_table, with_unit
from index import Index
from index.lexical import tokenise
from qa.antecedents import asks
from qa.claims import find_names
from qa.evidence import Evidence, row_head
from qa.numbers import read_times
from qa.values import LEADS_TO_A_VALUE, NAMES_A_VALUE, Value, find_values, has_digit
from qa.wording import MONTHS, WEEKDAYS, normalise, without_dates

COMPARED = 32
"""Candidates that may disagree with what is cited: in a folder the other side often stands behind the best twenty."""
HELD = 0.8
"""Share of the words of each clause that the other source must have, with names and without."""
CAPTION = 200
"""Most characters of a line above a table that may say what it is of."""
INSIDE, FEWEST = 4, 2
"""Words that the clauses must share where all of one are in the other source, and otherwise, with what is counted."""
SAME_MATTER, SAME_WORDING = 0.6, 0.5
"""Share of its content words that the shorter and the longer of two texts must have in common with the other."""
Disagreement: TypeAlias = tuple[Evidence, Evidence]
"""A cited sentence, and one of another source that gives another value."""

_BETWEEN_CLAUSES = re.compile(
    r"[;!?()|\[\]]|:(?!\d)|,(?!\d)(?!\s+[12]\d{3}\b)|(?<=\w)\.(?=\s)|\s[–—-]\s|\b(?:that|which|who|where|because|but|while)\b"
    r"|\band(?=\s+\w+\s+(?:was|were|is|are|has|have|had)\b)"
)
_CHANGE = re.compile(
    r"\b(?:now|no longer|instead of|(?:from|until|as of|after|before)\s+(?:the end of\s+)?(?:\d{1,2}\s+)?"
    rf"(?:{'|'.join(month.capitalize() for month in MONTHS)}|[12]\d{{3}})\b)"
)
"""Words of a sentence that tells itself that its value was another one, or holds from a day on."""
_LABEL = re.compile(r"\b[A-Za-z]+-?\d[\w-]*")
"""`KP-300`, `A-07`: what tells one thing of a series from the next."""
_LETTER = re.compile(r"(?<=\w )(?:[A-Z]|[IVX]+)\b(?![.'’])")
"""`Pier A`, `Part II`."""
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
_SEASONS = frozenset({"spring", "summer", "autumn", "fall", "winter"})
_NO_MATTER = LEADS_TO_A_VALUE.union(
    tokenise(" ".join(("hundred thousand million billion trillion dozen", *MONTHS, *WEEKDAYS)))
)
"""What belongs to a value rather than to what it is of, and the verbs that lead to one."""


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
    told = {sentence: _readings(sentence, index) for sentence in (*chosen, *ranked[:COMPARED])}
    for sentence, other in product(chosen, ranked[:COMPARED]):
        if source_of(other, index) != source_of(sentence, index) and any(
            _disagree(one, rival) for one, rival in product(told[sentence], told[other])
        ):
            return sentence, other
    return None


def same_matter(one: str, other: str) -> bool:
    """Whether two sentences that give the same day tell of the same: of a same name, or in much the same words."""
    first, second = ({word for word in tokenise(text) if not word[0].isdigit()} for text in (one, other))
    return bool(_names(one) & _names(other)) or (min(len(first), len(second)) > 1 and _share(first, second))


def told_apart(one: Evidence, other: Evidence, kind: str) -> bool:
    """Whether a time, an occasion, a name or a title tells apart what the values of a kind in two sentences are of."""
    first, second = (_Clause(sentence.text, list(find_values(sentence.text)), sentence) for sentence in (one, other))
    occasions = (
        {_SAME_OCCASION.get(part, part) for found in _OCCASION.findall(sentence.text.lower()) for part in found if part}
        for sentence in (one, other)
    )
    return (
        _apart(*occasions)
        or not _of_one_time(first, second, {kind})
        or bool(first.new(second) and second.new(first))
        or _numbered_apart(one.title, other.title)
        or (_share_word(one.title, other.title) and _one_word_apart(one.title, other.title))
    )


def _about(sentence: Evidence) -> str:
    """A sentence with title and heading, which say what it is about."""
    return f"{sentence.title} {sentence.section} {sentence.text}"


@dataclass(frozen=True)
class _Reading:
    """A sentence, or a cell of a row of a table that gives a value, put as a sentence."""

    said: Evidence
    is_cell: bool = False
    row: tuple[Value, ...] = ()
    """The values of all cells of its row."""

    @cached_property
    def source(self) -> set[str]:
        return set(tokenise(normalise(_about(self.said))))

    @cached_property
    def needed(self) -> set[str]:
        """The words of a cell that another source must have to tell of the same; of a sentence none."""
        if not self.is_cell:
            return set()
        counted = {word for value in find_values(self.said.text) for word in value.kind.split()}
        words = tokenise(normalise(without_dates(self.said.text)))
        return {word for word in words if not word[0].isdigit()} - _NO_MATTER - NAMES_A_VALUE - counted


@dataclass(frozen=True)
class _Clause:
    """A part of a sentence that gives disputed values."""

    text: str
    values: list[Value]
    sentence: Evidence

    @cached_property
    def said(self) -> str:
        return _about(self.sentence)

    @cached_property
    def source(self) -> set[str]:
        return set(tokenise(normalise(self.said)))

    @cached_property
    def told(self) -> set[str]:
        return set(tokenise(normalise(self.sentence.text)))

    @cached_property
    def conditions(self) -> set[str]:
        """The words of the clauses of its sentence that give no value."""
        clauses = _BETWEEN_CLAUSES.split(self.sentence.text)
        return set(tokenise(" ".join(clause for clause in clauses if not find_values(clause)))) - _NO_MATTER

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


def _readings(sentence: Evidence, index: Index) -> list[_Reading]:
    """The sentence, or of a row under a head one reading a cell: `| Adults | 9 euros |` is `Price Adults is 9 euros`.

    The line and the heading above the table may limit what the value is of, and so stand in the reading. Where cells
    write their units (`310 euros`), a bare number is no value but tells one row from another (`Zone 2`).
    """
    if not (sentence.text.startswith("|") and has_digit(sentence.text)):
        return [_Reading(sentence)]
    document = index.documents[sentence.document].text
    head = row_head(document, (sentence.start, sentence.end))
    names, cells = cells_of(head), cells_of(sentence.text)
    if not head or len(names) != len(cells):
        return [_Reading(sentence)]
    if not cells[0]:  # the row above names what it is of
        return []
    start, end = find_table(document, sentence.start)
    rows = document[start:end].splitlines()
    label = _row_label(cells)
    if sum(label == _row_label(cells_of(row)) for row in rows if cells[0] in row) > 1:  # one of several departures
        return []
    above = document[:start].rstrip().rpartition("\n")[2]
    caption = "" if len(above) > CAPTION or above.startswith("#") or above == sentence.title else above
    around = [caption, sentence.section if sentence.section != sentence.title else ""]
    values = tuple(value for cell in cells[1:] for value in find_values(cell))
    in_cells = any(HAS_UNIT.search(cell) and has_digit(cell) for cell in cells[1:])
    readings = []
    for name, cell in list(zip(names, cells, strict=True))[1:]:
        is_bare = not HAS_UNIT.search(cell)
        column_of, value = with_unit(name, cell)
        if is_bare and value == cell:
            value = f"{cell} {name}"
        if not has_digit(cell) or not HAS_UNIT.search(value) or (is_bare and in_cells):
            continue
        others = [
            other if HAS_UNIT.search(other) else f"{column} {other}"
            for column, other in zip(names[1:], cells[1:], strict=True)
            if other is not cell and _limits(other, value, in_cells=in_cells)
        ]
        of = " ".join([column_of, cells[0], *others, *around])
        text = " is ".join(_BETWEEN_CLAUSES.sub(" ", part) for part in (of, value))
        reading = replace(sentence, text=text, section=f"{sentence.section} {names[0]}")
        readings.append(_Reading(reading, is_cell=True, row=values))
    return readings


def _row_label(cells: Sequence[str]) -> list[str]:
    """What tells a row from the others of its table."""
    return [*cells[:1], *(cell for cell in cells[1:] if not has_digit(cell))]


def _limits(other: str, value: str, *, in_cells: bool) -> bool:
    """Whether a cell tells of what a value of its row is: of which zone a price, of which day a time.

    It has no number, or a date where the value is none, or a bare number in a row whose cells write their units.
    """
    dated, is_date = (any(found.kind == "date" for found in find_values(text)) for text in (other, value))
    is_label = in_cells and not HAS_UNIT.search(other)
    return not has_digit(other) or is_label or (dated and not is_date)


def _disagree(read: _Reading, rival: _Reading) -> bool:
    """Whether a clause of each gives another value, where the clauses are about one thing at one time."""
    one, other = read.said, rival.said
    in_cell = read.is_cell or rival.is_cell
    if not (read.needed <= rival.source and rival.needed <= read.source):
        return False
    if not (_states(one.text) and _states(other.text)) or _numbered_apart(one.title, other.title):
        return False
    if in_cell and _of_two_names(one.title, other.title):
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
    for clause, against in product(_clauses(one, left), _clauses(other, right)):
        kinds = _compared(clause.values, against.values)
        if (
            kinds
            and (_of_one_cell if in_cell else _of_one_thing)(clause, against, kinds)
            and _of_one_time(clause, against, kinds)
            and (not _of_one_series(one.title, other.title) or _say_the_same(clause, against, kinds))
        ):
            return True
    return False


def _states(text: str) -> bool:
    """Whether a sentence states something: no question, and no table row without a digit, which is a heading."""
    text = text.strip()
    return not asks(text) and not (text.startswith("|") and not has_digit(text))


def _numbered_apart(title: str, other: str) -> bool:
    """Whether two titles with a word in common have each another number or letter: `Pier A, plan`, `Pier B, plan`."""
    labels = (
        {word for word in re.findall(r"[\w-]*\d[\w-]*", without_dates(t)) if not _years(word)} | set(_LETTER.findall(t))
        for t in (title, other)
    )
    return _share_word(title, other) and _apart(*labels)


def _share_word(title: str, other: str) -> bool:
    return not set(tokenise(title)).isdisjoint(tokenise(other))


def _of_one_series(title: str, other: str) -> bool:
    """Whether two titles share most of their words, so that the others may tell what the values of each are of."""
    first, second = set(tokenise(title)), set(tokenise(other))
    return _apart(first, second) and _share(first, second)


def _of_two_names(title: str, other: str) -> bool:
    """Whether two titles name other things, `Hotel Anna` and `Hotel Berta`, or `Orla baths` and `Velm baths`."""
    last = tokenise(title)[-1:]
    of_one_kind = bool(last) and last == tokenise(other)[-1:] and _in_one_place(title, other)
    return of_one_kind or _apart(_names(title), _names(other))


def _in_one_place(title: str, other: str) -> bool:
    """Whether a word of one title stands in place of a word of the other: `Brig Anna, plan`, `Brig Berta, plan`."""
    return any(change == "replace" for change, *_ in _changes(title, other))


def _one_word_apart(title: str, other: str) -> bool:
    """Whether two titles are the same but for single words: `Orla baths`, `Velm baths`, and no two headlines."""
    lengths = [(last - first, end - start) for _, first, last, start, end in _changes(title, other)]
    return set(lengths) == {(1, 1)}


def _changes(title: str, other: str) -> list[tuple[str, int, int, int, int]]:
    """How the words of one title become those of the other, as `difflib` tells it, without what stays."""
    opcodes = SequenceMatcher(None, tokenise(title), tokenise(other), autojunk=False).get_opcodes()
    return [opcode for opcode in opcodes if opcode[0] != "equal"]


def _say_the_same(clause: _Clause, against: _Clause, kinds: set[str]) -> bool:
    """Whether two clauses say by themselves, in the same words, of what name their values are.

    Where a word of one title stands in place of a word of the other they must name a year as well, and titles of
    different names or dates are of two things, as is what will be and what was.
    """
    one, other = clause.sentence, against.sentence
    counted = {word for kind in kinds for word in kind.split()}
    same = _names(one.text) == _names(other.text) != set() and clause.words(counted) == against.words(counted)
    turned = (_TURNS.intersection(text.lower().split()) for text in (one.text, other.text))
    titles = [(part(one.title), part(other.title)) for part in (_names, _dates)]
    if not same or any(_apart(*parts) for parts in titles) or len(set(map(frozenset, turned))) > 1:
        return False
    dated = "date" not in kinds and bool(clause.years)
    return ("date" in kinds or _dates(one.text) == _dates(other.text)) and (
        dated or not _in_one_place(one.title, other.title)
    )


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


def _of_one_cell(clause: _Clause, against: _Clause, kinds: set[str]) -> bool:
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
        and (len(first & second) >= FEWEST or _share_word(clause.sentence.title, against.sentence.title))
        and all((side.words(counted) | side.conditions) - NAMES_A_VALUE <= other.source for side, other in sides)
        and all(_marks(side.sentence.text, kinds) <= _marks(other.said, set()) for side, other in sides)
    )


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


def source_of(sentence: Evidence, index: Index) -> str:
    """The path of its document, or of the one whose near-copy that is: copies of one report are one source."""
    document = index.documents.get(sentence.document)
    return (document.copy_of if document else "") or sentence.document


def _names(text: str) -> set[str]:
    return {word for name in find_names(text) for word in normalise(name).split()}


def _years(text: str) -> set[str]:
    return {value.year for value in find_values(text)} - {""}


def _months(text: str) -> set[str]:
    return {part for value in find_values(text) for part in value.parts if part in MONTHS}


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
        or word in _TURNS.union(_SEASONS, MONTHS)
        or (word in WEEKDAYS and "weekday" not in kinds)
    }


def _dates(text: str) -> set[str]:
    """The years, months, seasons and places in an order of a text."""
    ordinals = {f"{value.low}" for value in find_values(text) if value.kind == "ordinal"}
    return _years(text) | _months(text) | _seasons(text) | ordinals


def _seasons(text: str) -> set[str]:
    return set(_SEASONS.intersection(normalise(text).split()))


def _apart(one: set[str], other: set[str]) -> bool:
    """Whether each of two sets has something that the other has not."""
    return bool(one - other) and bool(other - one)


def _share(first: set[str], second: set[str]) -> bool:
    smaller, larger = sorted((len(first), len(second)))
    shared = len(first & second)
    return smaller > 0 and shared >= SAME_MATTER * smaller and shared >= SAME_WORDING * larger
