"""The lists of the page as HTML: the banner, the welcome, past conversations, the documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from corpus.document import Document
from ui.conversations import Conversation
from ui.examples import example_questions
from ui.render import text_html
from ui.words import date_words


def banner_html(documents: int, generation: str, model: str, engine: str, news: str = "") -> str:
    """Which index and which model serve, in one quiet line."""
    count = "1 document" if documents == 1 else f"{documents:,} documents"
    number = generation.split("-", maxsplit=1)[0].lstrip("0") or generation
    said = f' <span class="news" role="status">{text_html(news)}</span>' if news else ""
    return (
        '<header class="top"><h1>Dossier</h1><p class="banner">'
        f'<span title="Index generation {text_html(generation)}"><b>{count}</b> · index {text_html(number)}</span> '
        f"<span>{text_html(model)} on {text_html(engine)}</span>{said}</p></header>"
    )


def welcome_html(documents: Mapping[str, Document]) -> str:
    """What an empty conversation shows: what this is, and questions to begin with."""
    buttons = "".join(
        f'<li><button type="button" data-action="example" data-question="{text_html(question)}" dir="auto">'
        f"{text_html(question)}</button></li>"
        for question in example_questions(documents)
    )
    return (
        '<section class="welcome"><h2>Ask the documents</h2>'
        "<p>Every sentence of an answer points at the words that support it. "
        "What the documents do not say is not answered.</p>"
        f'<ul class="examples" aria-label="Example questions">{buttons}</ul></section>'
    )


def conversations_html(conversations: Sequence[Conversation], open_now: str) -> str:
    """Past conversations, newest first, each to open, take away or delete."""
    if not conversations:
        return '<p class="quiet">No conversations yet.</p>'
    items = []
    for conversation in conversations:
        current = ' aria-current="true"' if conversation.id == open_now else ""
        key = text_html(conversation.id)
        title = text_html(conversation.title)
        items.append(
            f'<li{current}><button type="button" class="open" data-action="open" data-conversation="{key}" dir="auto">'
            f"{title}</button>"
            f'<span class="quiet">{date_words(conversation.updated[:10])} · {conversation.turns} '
            f"{'turn' if conversation.turns == 1 else 'turns'}</span>"
            '<span class="tools">'
            f'<a href="dossier/export/{key}.md" download aria-label="Export as Markdown: {title}">MD</a>'
            f'<a href="dossier/export/{key}.json" download aria-label="Export as JSON: {title}">JSON</a>'
            f'<button type="button" data-action="delete" data-conversation="{key}" aria-label="Delete: {title}">Delete'
            "</button></span></li>"
        )
    return f'<ul class="conversations">{"".join(items)}</ul>'


def documents_html(documents: Sequence[Document], chunks: Mapping[str, int]) -> str:
    """A table of the documents that the page can sort and filter, and their dates in a row."""
    kinds = sorted({document.kind for document in documents if document.kind})
    options = "".join(f'<option value="{text_html(kind)}">{text_html(kind)}</option>' for kind in kinds)
    heads = "".join(
        f'<th scope="col" aria-sort="none"><button type="button" data-action="sort">{name}</button></th>'
        for name in ("Title", "Date", "Kind", "Publisher", "Chunks")
    )
    rows = "".join(_row(document, chunks.get(document.path, 0)) for document in documents)
    return (
        '<div class="filters"><label>Search '
        '<input type="search" data-action="filter" placeholder="title, publisher, words"></label>'
        f'<label>Kind <select data-action="filter"><option value="">all</option>{options}</select></label>'
        f'<span class="quiet" role="status" data-count>{len(documents)} documents</span></div>'
        f'{_timeline(documents)}<div class="scroll" tabindex="0" role="region" aria-label="Documents">'
        f'<table class="documents"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(document: Document, chunks: int) -> str:
    publisher = document.publisher or document.about_publisher
    words = text_html(" ".join((document.title, publisher, document.path, document.about_title)).casefold())
    dated = text_html(document.published or document.about_date)
    return (
        f'<tr data-words="{words}" data-kind="{text_html(document.kind)}">'
        f'<td data-value="{text_html(document.title.casefold())}">{_link(document)}</td>'
        f'<td data-value="{dated}">{text_html(date_words(document.published or document.about_date) or "undated")}</td>'
        f'<td data-value="{text_html(document.kind)}">{text_html(document.kind)}</td>'
        f'<td data-value="{text_html(publisher.casefold())}" dir="auto">{text_html(publisher)}</td>'
        f'<td data-value="{chunks:09d}" class="figure">{chunks}</td></tr>'
    )


def _timeline(documents: Sequence[Document]) -> str:
    """The dated documents in order of their dates, grouped by year."""
    dated = sorted((d for d in documents if (d.published or d.about_date)[:4].isdigit()), key=_date)
    years: dict[str, list[str]] = {}
    for document in dated:
        years.setdefault(_date(document)[:4], []).append(
            f"<li><time>{text_html(date_words(_date(document)))}</time> {_link(document)}</li>"
        )
    parts = "".join(f"<li><b>{escape(year)}</b><ol>{''.join(items)}</ol></li>" for year, items in years.items())
    return f'<details class="timeline"><summary>Timeline</summary><ol>{parts}</ol></details>' if parts else ""


def _link(document: Document) -> str:
    """The title as a button that opens the document in the source panel."""
    return (
        f'<button type="button" class="card-link" data-document="{text_html(document.path)}" data-start="0" '
        f'data-end="0" dir="auto">{text_html(document.title or document.path)}</button>'
    )


def _date(document: Document) -> str:
    return document.published or document.about_date


def reports_html(names: Sequence[str]) -> str:
    """The runs to choose from, and a frame for the report; a report has no script and the frame would run none."""
    if not names:
        return '<p class="quiet reports-none">No evaluation has been run here. Run: <code>dossier eval run</code></p>'
    buttons = "".join(
        f'<li><button type="button" data-action="report" data-run="{text_html(name)}">{text_html(name)}</button></li>'
        for name in names
    )
    first = text_html(names[0])
    return (
        f'<ul class="runs" aria-label="Runs of the evaluation">{buttons}</ul>'
        f'<iframe title="Report of the evaluation" sandbox src="dossier/report/{first}" tabindex="0"></iframe>'
    )
