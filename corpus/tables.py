"""Tables as Markdown writes them: rows between bars, and a rule under the head."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from corpus.document import Span
from corpus.sentences import LIST_MARK

_RULE = re.compile(r"\|[ \t:|]*-[ \t:|-]*")
"""The line under a head."""
_TABLE = re.compile(
    rf"^[ \t]*(?:{LIST_MARK}[ \t]+)?(?P<head>\|[^\n]*)\n[ \t]*{_RULE.pattern}(?:\n[ \t]*\|[^\n]*)*$", re.MULTILINE
)
"""A head, the rule under it and the rows that follow."""
_UNIT = re.compile(r"\(([^()]+)\)\s*$|\bin\s+(\S+)\s*$")
"""What the name of a column says of its bare numbers: `Price (euros)`, `Weight in kg`."""
HAS_UNIT = re.compile(r"[^\W\d]|[$€£¥%]")
"""`310 euros`, `$5`, and not `310`."""
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")


def is_head(text: str, start: int) -> bool:
    """Whether the head of a table stands at a place of a text."""
    head = find_head(text, start)
    return head[0] == start != head[1]


def find_head(text: str, start: int) -> Span:
    """Where the head is of the table that has a row at a place, which may be the head; an empty place without one."""
    top, end, _ = _table_of(text, start)
    return top, end


def find_table(text: str, start: int) -> Span:
    """Where the table is that has a row at a place, its head first; an empty place without one."""
    top, _, end = _table_of(text, start)
    return top, end


def _table_of(text: str, start: int) -> tuple[int, int, int]:
    tables = _tables(text) if text.startswith("|", start) else ()
    before = bisect_right(tables, (start, len(text), len(text)))
    top, _, end = found = tables[before - 1] if before else (start, start, start)
    begins_row = start == top or not text[text.rfind("\n", 0, start) + 1 : start].strip()  # not inside a long one
    return found if begins_row and start < end else (start, start, start)


@lru_cache(maxsize=16)
def _tables(text: str) -> tuple[tuple[int, int, int], ...]:
    """Where each table with a head begins, where its head ends, and where its last row does.

    They are looked for once a document, since a question may find hundreds of rows of one table.
    """
    return tuple(
        (table.start("head"), table.start("head") + len(table["head"].rstrip()), table.start() + len(table[0].rstrip()))
        for table in _TABLE.finditer(text)
    )


def tell_rows(text: str, head: str = "") -> str:
    """The text with each row of a table as `Member: Bo Lind, Since: 2001`, or without a head as `Bo Lind – 2001`.

    Args:
        text: A part of a document.
        head: The head of the table whose rows the text begins with, if it does not hold it.
    """
    if "|" not in text:
        return text
    lines: list[str] = []
    for line, below, names, cells in _read_lines(text, head):
        if not cells:
            lines.append(line)
        else:
            named = zip(names, cells, strict=False) if not line.endswith("|") or len(names) == len(cells) else ()
            told = [f"{name.rstrip(' :')}: {cell}" if name else cell for name, cell in named if cell]
            lines.append((", ".join(told) or " – ".join(filter(None, cells))) + ";" * below.startswith("|"))
    return "\n".join(lines)


def rows_under_heads(text: str, head: str = "") -> Iterator[tuple[list[str], list[str]]]:
    """The names of the columns and the cells of each row that has as many; arguments as for `tell_rows`."""
    return ((names, cells) for *_, names, cells in _read_lines(text, head) if cells and len(names) == len(cells))


def _read_lines(text: str, head: str) -> Iterator[tuple[str, str, list[str], list[str]]]:
    """Each line but heads, rules and empty rows: itself, the next one, the names of its columns, and its cells.

    What is no row has no cells, and neither has a piece of a long one.
    """
    names = cells_of(head)
    rows = [line.strip() for line in text.splitlines()]
    for line, below in zip(rows, [*rows[1:], ""], strict=False):
        cells, cut = cells_of(line), not line.endswith("|")
        if not line.startswith("|") or (cut and len(cells) > len(names)):
            names = names if line.startswith("|") else []  # the next table has others
            yield line, below, names, []
        elif not names and _RULE.fullmatch(below):
            names = cells
        elif any(cells) and not _RULE.fullmatch(line):
            yield line, below, names, cells


def with_unit(name: str, cell: str) -> tuple[str, str]:
    """The name of a column and a cell, with the unit that the name says of its bare numbers in the cell."""
    unit = None if HAS_UNIT.search(cell) else _UNIT.search(name)
    return (name[: unit.start()], f"{cell} {unit[1] or unit[2]}") if unit else (name, cell)


def cells_of(row: str) -> list[str]:
    """The cells of a row of a table; none of an empty one."""
    inner = row.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in _BETWEEN_CELLS.split(inner)] if row else []
