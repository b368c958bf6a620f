"""The source panel: a whole document as HTML, with the cited words highlighted in place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from html import escape

from corpus.document import Document, Span
from ui.render import Mark, marked_html, text_html
from ui.words import date_words

WEB = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)


def panel_html(document: Document, cited: Span, also: Sequence[Span] = (), place: str = "") -> str:
    """The panel for the words `cited`; `also` are further citations of the document, marked fainter.

    `place` says which citation of the answer this is, "2 of 5".
    """
    page = document.page_of(cited[0])
    facts = [
        document.author,
        document.publisher,
        date_words(document.published) or document.published_note,
        f"page {page}" if page else "",
    ]
    about = ", ".join(
        part for part in (document.about_title, document.about_publisher, date_words(document.about_date)) if part
    )
    return (
        f'<section class="source" role="region" aria-label="Source" data-label="{text_html(place)}" '
        f'data-key="{text_html(document.path)}:{cited[0]}:{cited[1]}">'
        '<header><nav aria-label="Citations">'
        f"{_button('previous', 'Previous citation', 'p', '←')}"
        f'<span class="quiet" aria-live="polite">{escape(place)}</span>'
        f"{_button('next', 'Next citation', 'n', '→')}"
        '<span class="spread"></span>'
        f"{_button('close', 'Close the source', 'Escape', '✕')}</nav>"
        f'<h2 tabindex="-1" dir="auto">{text_html(document.title or document.path)}</h2>'
        f'<p class="facts">{" · ".join(text_html(fact) for fact in facts if fact)}</p>'
        + (f'<p class="facts" dir="auto">About: {text_html(about)}</p>' if about else "")
        + f"{_original(document)}</header>"
        f'<div class="text" tabindex="0" role="document" aria-label="Text of the document">'
        f"{text_with_marks(document, cited, also)}</div></section>"
    )


def gone_html(message: str) -> str:
    """The panel where there is no document to show."""
    return (
        '<section class="source" role="region" aria-label="Source" data-key="" data-label=""><header>'
        '<nav aria-label="Citations"><span class="spread"></span>'
        f"{_button('close', 'Close the source', 'Escape', '✕')}</nav>"
        f'<h2 tabindex="-1">{text_html(message)}</h2></header></section>'
    )


def _button(action: str, name: str, key: str, sign: str) -> str:
    return (
        f'<button type="button" data-action="{action}" aria-label="{name}" title="{name} ({key})" '
        f'aria-keyshortcuts="{key}">{sign}</button>'
    )


def _original(document: Document) -> str:
    path = f'<span class="path">{text_html(document.path)}</span>'
    if not WEB.fullmatch(document.url):
        return f'<p class="facts">{path}</p>'
    link = f'<a href="{text_html(document.url)}" target="_blank" rel="noopener noreferrer">Open the original ↗</a>'
    return f'<p class="facts">{link} {path}</p>'


def text_with_marks(document: Document, cited: Span, also: Iterable[Span] = ()) -> str:
    """Every line of the document as a paragraph or heading, the marked spans inside them; nothing else is added.

    A heading shows without the marks that `Document.headings` leaves out.
    """
    headings = sorted(document.headings)
    heading_starts = [start for start, _ in headings]
    marks = _disjoint([(cited, "cited"), *((span, "also") for span in also)])
    blocks: list[str] = []
    pages_shown = 0
    start = 0
    for line in document.text.split("\n"):
        end = start + len(line)
        reached = bisect_right(document.pages, start)
        blocks.extend(f'<div class="page">Page {page}</div>' for page in range(pages_shown + 1, reached + 1))
        pages_shown = reached
        place = bisect_left(heading_starts, start)
        if place < len(headings) and headings[place][0] < end:
            shown = marked_html(document.text, headings[place], marks)
            blocks.append(f'<h3 dir="auto">{shown}</h3>')
        elif line.strip():
            inside = list(enumerate(document.pages[reached : bisect_left(document.pages, end)], start=reached + 1))
            blocks.append(f'<p dir="auto">{_with_pages(document.text, (start, end), marks, inside)}</p>')
            pages_shown += len(inside)
        start = end + 1
    return "".join(blocks)


def _with_pages(text: str, line: Span, marks: Sequence[Mark], pages: Sequence[tuple[int, int]]) -> str:
    """A line with the numbers of the pages that begin inside it, each where it begins."""
    at, shown = line[0], ""
    for number, begin in pages:
        shown += f'{marked_html(text, (at, begin), marks)}<small class="page">Page {number}</small> '
        at = begin
    return shown + marked_html(text, (at, line[1]), marks)


def _disjoint(marks: Sequence[tuple[Span, str]]) -> list[Mark]:
    """The spans without overlap, in order; the cited one keeps its whole length."""
    taken: list[Mark] = []
    for (start, end), kind in marks:
        if start < end and all(end <= other[0] or start >= other[1] for other in taken):
            taken.append((start, end, kind))
    return sorted(taken)
