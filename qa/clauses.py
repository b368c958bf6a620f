"""What a sentence or a row of a table says beside its values, clause by clause."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from corpus.tables import HAS_UNIT, cells_of, find_table, with_unit
from index import Index
from index.lexical import tokenise
from qa.claims import find_names
from qa.evidence import Evidence, row_head
from qa.values import LEADS_TO_A_VALUE, NAMES_A_VALUE, Value, find_values, has_digit, years_in
from qa.wording import MONTHS, WEEKDAYS, normalise, without_dates

CAPTION = 200
"""Most characters of a line above a table that may say what it is of."""
_BETWEEN_CLAUSES = re.compile(
    r"[;!?()|\[\]]|:(?!\d)|,(?!\d)(?!\s+[12]\d{3}\b)|(?<=\w)\.(?=\s)|\s[–—-]\s|\b(?:that|which|who|where|because|but|while)\b"
    r"|\band(?=\s+\w+\s+(?:was|were|is|are|has|have|had)\b)"
)
NO_MATTER = LEADS_TO_A_VALUE.union(
    tokenise(" ".join(("hundred thousand million billion trillion dozen", *MONTHS, *WEEKDAYS)))
)
"""What belongs to a value rather than to what it is of, and the verbs that lead to one."""


@dataclass(frozen=True)
class Reading:
    """A sentence, or a cell of a row of a table that gives a value, put as a sentence."""

    said: Evidence
    is_cell: bool = False
    row: tuple[Value, ...] = ()
    """The values of all cells of its row."""

    @cached_property
    def source(self) -> set[str]:
        """Its content words with those of its title and heading."""
        return set(tokenise(normalise(_about(self.said))))

    @cached_property
    def needed(self) -> set[str]:
        """The words of a cell that another source must have to tell of the same; of a sentence none."""
        if not self.is_cell:
            return set()
        counted = {word for value in find_values(self.said.text) for word in value.kind.split()}
        words = tokenise(normalise(without_dates(self.said.text)))
        return {word for word in words if not word[0].isdigit()} - NO_MATTER - NAMES_A_VALUE - counted


@dataclass(frozen=True)
class Clause:
    """A part of a sentence that gives disputed values."""

    text: str
    values: list[Value]
    sentence: Evidence

    @cached_property
    def said(self) -> str:
        """Its sentence with title and heading."""
        return _about(self.sentence)

    @cached_property
    def source(self) -> set[str]:
        """The content words of that."""
        return set(tokenise(normalise(self.said)))

    @cached_property
    def told(self) -> set[str]:
        """The content words of its sentence."""
        return set(tokenise(normalise(self.sentence.text)))

    @cached_property
    def conditions(self) -> set[str]:
        """The words of the clauses of its sentence that give no value."""
        clauses = _BETWEEN_CLAUSES.split(self.sentence.text)
        return set(tokenise(" ".join(clause for clause in clauses if not find_values(clause)))) - NO_MATTER

    def words(self, kinds: set[str]) -> set[str]:
        """What it says beside values of some kinds; the whole sentence, where that is hardly anything."""
        noise = NO_MATTER | set(kinds)
        own, whole = (
            {word for word in tokenise(normalise(without_dates(text))) if not word[0].isdigit()} - noise
            for text in (self.text, self.sentence.text)
        )
        return own if len(own) > 1 else whole

    @cached_property
    def years(self) -> set[str]:
        """The years that it gives, or else its sentence."""
        return years_in(self.text) or years_in(self.sentence.text)

    @cached_property
    def dated(self) -> set[str]:
        """The years of its document."""
        return years_in(self.sentence.title) | {self.sentence.published[:4]}

    def new(self, other: Clause) -> set[str]:
        """The words of its names that the other source does not have."""
        return names_in(self.text) - set(normalise(other.said).split())


def readings_of(sentence: Evidence, index: Index) -> list[Reading]:
    """The sentence, or of a row under a head one reading a cell: `| Adults | 9 euros |` is `Price Adults is 9 euros`.

    The line and the heading above the table may limit what the value is of, and so stand in the reading. Where cells
    write their units (`310 euros`), a bare number is no value but tells one row from another (`Zone 2`).
    """
    if not (sentence.text.startswith("|") and has_digit(sentence.text)):
        return [Reading(sentence)]
    document = index.documents[sentence.document].text
    head = row_head(document, (sentence.start, sentence.end))
    names, cells = cells_of(head), cells_of(sentence.text)
    if not head or len(names) != len(cells):
        return [Reading(sentence)]
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
        readings.append(Reading(reading, is_cell=True, row=values))
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


def clauses_of(sentence: Evidence, disputed: Sequence[Value]) -> list[Clause]:
    """The clauses of a sentence that give any of some values, with these."""
    found = (
        Clause(clause, [value for value in find_values(clause) if value in disputed], sentence)
        for clause in _BETWEEN_CLAUSES.split(sentence.text)
    )
    return [clause for clause in found if clause.values]


def _about(sentence: Evidence) -> str:
    """A sentence with title and heading, which say what it is about."""
    return f"{sentence.title} {sentence.section} {sentence.text}"


def names_in(text: str) -> set[str]:
    """The words of the names in a text."""
    return {word for name in find_names(text) for word in normalise(name).split()}


def apart(one: set[str], other: set[str]) -> bool:
    """Whether each of two sets has something that the other has not."""
    return bool(one - other) and bool(other - one)
