"""The timeline of the corpus as HTML: its documents, and what they say of dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from corpus.document import Document
from qa.timeline import DatedEvent
from ui.render import source_html, text_html
from ui.words import date_words

LONGEST = 220
"""Characters of a sentence that the timeline shows."""


def timeline_html(documents: Mapping[str, Document], events: Sequence[DatedEvent]) -> str:
    """Dated documents and dated events in the order of their dates, grouped by year; empty where nothing is dated."""
    dated = [(date_of(document), _document(document)) for document in documents.values() if _is_dated(document)]
    entries = sorted([*dated, *((event.date, _event(event, documents)) for event in events)], key=lambda e: e[0])
    years: dict[str, list[str]] = {}
    for date, entry in entries:
        years.setdefault(date[:4], []).append(entry)
    parts = "".join(f"<li><b>{escape(year)}</b><ol>{''.join(items)}</ol></li>" for year, items in years.items())
    if not parts:
        return ""
    counts = f"{_count(len(dated), 'document')} and {_count(len(events), 'dated event')}"
    return (
        f'<details class="timeline"><summary>Timeline: {counts}</summary>'
        f'<ol tabindex="0" aria-label="Timeline">{parts}</ol></details>'
    )


def date_of(document: Document) -> str:
    """When it was published, or the document that it describes."""
    return document.published or document.about_date


def _is_dated(document: Document) -> bool:
    return date_of(document)[:4].isdigit()


def _document(document: Document) -> str:
    return (
        f'<li class="of-document"><time>{text_html(date_words(date_of(document)))}</time> <span>'
        f'<button type="button" class="card-link" data-document="{text_html(document.path)}" data-start="0" '
        f'data-end="0" dir="auto">{text_html(document.title or document.path)}</button> '
        f'<span class="quiet">document</span></span></li>'
    )


def _event(event: DatedEvent, documents: Mapping[str, Document]) -> str:
    text = event.text if len(event.text) <= LONGEST else event.text[:LONGEST].rsplit(" ", 1)[0] + " …"
    title = documents[event.document].title or event.document
    return (
        f'<li><time>{text_html(date_words(event.date))}</time> <span><button type="button" class="card-link plain" '
        f'data-document="{text_html(event.document)}" data-start="{event.start}" data-end="{event.end}" dir="auto">'
        f'{source_html(text)}</button> <span class="quiet" dir="auto">{text_html(title)}</span></span></li>'
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
