"""Blocks: the paragraphs and headings that readers find, put together into one normalised text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpus.document import Span
from corpus.extracted import Extracted
from corpus.normalise import normalise
from corpus.sentences import TABLE_ROW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6", "head"}
_CELLS = {"td", "th", "cell"}
_ROWS = {"tr", "row"}
_BLOCKS = _HEADINGS | {
    *("p", "div", "section", "article", "main", "header", "footer", "aside", "address", "body", "figure", "figcaption"),
    *("ul", "ol", "li", "dl", "dt", "dd", "list", "item", "blockquote", "quote", "q-block", "pre", "code-block", "hr"),
    *("table", "thead", "tbody", "tfoot", "caption", "tr", "row", "form", "fieldset", "details", "summary", "nav"),
}
_BREAKS = {"br", "lb"}
_SILENT = {"script", "style", "head-matter", "template", "noscript", "svg", "math", "object", "iframe", "title", "meta"}


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list line, table or heading, with any white space inside."""

    text: str
    heading: bool = False
    table: bool = False
    """Its lines stay: they are the rows, as in Markdown."""


def join_blocks(blocks: Iterable[Block], metadata: Mapping[str, Any]) -> Extracted:
    """One normalised text, a blank line between two blocks, each block but a table on one line."""
    parts: list[str] = []
    headings: list[Span] = []
    at = 0
    for block in blocks:
        text = "\n".join(map(one_line, block.text.split("\n"))) if block.table else one_line(block.text)
        if not text:
            continue
        if block.heading:
            headings.append((at, at + len(text)))
        parts.append(text)
        at += len(text) + 2
    return Extracted("\n\n".join(parts), metadata, headings=tuple(headings))


def one_line(text: str) -> str:
    """Normalised text without line ends, and with single spaces."""
    return " ".join(normalise(text).split())


def blocks_of(root: _Element) -> Iterator[Block]:
    """The blocks of a tree of HTML, XHTML or trafilatura's own elements, in reading order.

    The tree is walked without recursion: its depth is the document's choice.
    """
    words: list[str] = []
    heading = False
    walker: list[tuple[_Element, bool]] = [(root, False)]
    while walker:
        element, leaving = walker.pop()
        tag = _name(element)
        if leaving:
            if tag in _BLOCKS:
                yield Block("".join(words), heading)
                words, heading = [], False
            elif tag in _CELLS and element is not root and _has_later_cell(element):
                words.append(" | ")
            words.append(element.tail or "" if element is not root else "")
            continue
        if not tag or tag in _SILENT or _is_note_link(element):
            words.append(element.tail or "" if element is not root else "")
            continue
        rows = _table_rows(element) if tag == "table" else []
        if rows:
            yield Block("".join(words), heading)
            yield from (Block(_text_of(part)) for part in element if _name(part) == "caption")
            yield Block("\n".join(rows), table=True)
            words, heading = [element.tail or "" if element is not root else ""], False
            continue
        if tag in _BLOCKS:
            yield Block("".join(words), heading)
            words, heading = [], tag in _HEADINGS
        elif tag in _BREAKS:
            words.append(" ")
        words.append(element.text or "")
        walker.append((element, True))
        walker.extend((child, False) for child in reversed(element))
    yield Block("".join(words), heading)


def _table_rows(table: _Element) -> list[str]:
    """The rows of a table as Markdown writes them, a rule under the head; none where it only lays out a page."""
    if any(_name(part) == "table" or _name(part) in _HEADINGS for part in table.iterdescendants()):
        return []
    rows = [[cell for cell in row if _name(cell) in _CELLS] for row in table.iterdescendants() if _name(row) in _ROWS]
    told = [[_text_of(cell).replace("|", "\\|") for cell in row] for row in rows if row]
    told = [row for row in told if any(row)]
    lines = [f"| {' | '.join(row)} |" for row in told]
    if len(told) < 2 or min(map(len, told[:2])) < 2 or max(map(len, lines)) > TABLE_ROW:
        return []
    first = next(row for row in rows if any(map(_text_of, row)))
    if _is_head(first, told):
        lines.insert(1, f"|{'---|' * len(told[0])}")
    return lines


def _is_head(first: Sequence[_Element], told: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it is marked so, bold, or alone has no digit in its later cells.

    The last only in three columns or more: `Phone | 555` under `Address | Harbour Road` has no head.
    """
    named = [cell for cell, text in zip(first, told[0], strict=True) if text]
    if all(_name(cell) == "th" or cell.get("role") == "head" or _is_bold(cell) for cell in named):
        return True
    digits = [any(map(str.isdigit, "".join(row[1:]))) for row in told]
    return len(told[0]) > 2 and not digits[0] and all(digits[1:])


def _is_bold(cell: _Element) -> bool:
    bold = "".join("".join(part.itertext()) for part in cell.iter() if _name(part) in ("b", "strong"))
    return one_line(bold) == _text_of(cell)


def _text_of(element: _Element) -> str:
    return one_line(" ".join(block.text for block in blocks_of(element)))


def _name(element: _Element) -> str:
    """The local name in lower case; empty for comments and processing instructions."""
    tag: object = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _has_later_cell(cell: _Element) -> bool:
    return any(_name(later) in _CELLS for later in cell.itersiblings())


def _is_note_link(element: _Element) -> bool:
    """The raised number of a footnote, and the arrow back from it, which are no words of the text."""
    if _name(element) != "a":
        return False
    places = f"{element.get('id', '')} {element.get('href', '')}"
    return "footnote-ref" in places or "endnote-ref" in places
