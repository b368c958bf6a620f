"""Blocks: the paragraphs and headings that readers find, put together into one normalised text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpus.document import Span
from corpus.extracted import Extracted
from corpus.normalise import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6", "head"}
_CELLS = {"td", "th", "cell"}
_BLOCKS = _HEADINGS | {
    *("p", "div", "section", "article", "main", "header", "footer", "aside", "address", "body", "figure", "figcaption"),
    *("ul", "ol", "li", "dl", "dt", "dd", "list", "item", "blockquote", "quote", "q-block", "pre", "code-block", "hr"),
    *("table", "thead", "tbody", "tfoot", "caption", "tr", "row", "form", "fieldset", "details", "summary", "nav"),
}
_BREAKS = {"br", "lb"}
_SILENT = {"script", "style", "head-matter", "template", "noscript", "svg", "math", "object", "iframe", "title", "meta"}


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list line, table row or heading, with any white space inside."""

    text: str
    heading: bool = False


def join_blocks(blocks: Iterable[Block], metadata: Mapping[str, Any]) -> Extracted:
    """One normalised text, a blank line between two blocks, each block on a line of its own."""
    parts: list[str] = []
    headings: list[Span] = []
    at = 0
    for block in blocks:
        text = one_line(block.text)
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
            elif tag in _CELLS and _has_later_cell(element):
                words.append(" | ")
            words.append(element.tail or "" if element is not root else "")
            continue
        if not tag or tag in _SILENT or _is_note_link(element):
            words.append(element.tail or "" if element is not root else "")
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
