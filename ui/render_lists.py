"""The lists of the page as HTML: the banner, the welcome, past conversations, the documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corpus.document import Document
from corpus.removing import Removed
from qa.timeline import DatedEvent
from ui.conversations import Conversation
from ui.examples import example_questions
from ui.render import text_html
from ui.render_timeline import date_of, timeline_html
from ui.words import date_words


def banner_html(documents: int, generation: str, model: str, engine: str, news: str = "") -> str:
    """Which index and which model serve, in one quiet line."""
    count = "1 document" if documents == 1 else f"{documents:,} documents"
    number = generation.split("-", maxsplit=1)[0].lstrip("0") or generation
    said = f' <span class="news" role="status">{text_html(news)}</span>' if news else ""
    return (
        '<header class="top"><h1>Dossier</h1><p class="banner">'
        f'<span title="Index generation {text_html(generation)}"><b>{count}</b> · index {text_html(number)}</span> '
        f"<span>{text_html(model)} on {text_html(engine)}</span>{said}</p>"
        '<button type="button" class="help" data-action="help" aria-label="Keyboard shortcuts" '
        'aria-keyshortcuts="?" title="Keyboard shortcuts (?)">?</button></header>'
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
            f'<a href="dossier/export/{key}.md" download aria-label="Export as Markdown: {title}">Markdown</a>'
            f'<a href="dossier/export/{key}.json" download aria-label="Export as JSON: {title}">JSON</a>'
            f'<button type="button" data-action="delete" data-conversation="{key}" aria-label="Delete: {title}">Delete'
            "</button></span></li>"
        )
    return f'<ul class="conversations">{"".join(items)}</ul>'


def documents_html(
    documents: Mapping[str, Document],
    chunks: Mapping[str, int],
    events: Sequence[DatedEvent] = (),
    removed: Sequence[Removed] | None = None,
) -> str:
    """A table of the documents that the page can sort and filter, and a timeline.

    With `removed`, the documents in the trash, each row can be removed and each removed document be brought back.
    """
    kinds = sorted({document.kind for document in documents.values() if document.kind})
    options = "".join(f'<option value="{text_html(kind)}">{text_html(kind)}</option>' for kind in kinds)
    heads = "".join(
        f'<th scope="col" aria-sort="none"><button type="button" data-action="sort">{name}</button></th>'
        for name in ("Title", "Date", "Kind", "Publisher", "Chunks")
    )
    changing = removed is not None
    heads += '<th scope="col"><span class="visually-hidden">Remove</span></th>' if changing else ""
    rows = "".join(_row(document, chunks.get(document.path, 0), changing) for document in documents.values())
    return (
        '<div class="filters"><label>Search '
        '<input type="search" data-action="filter" placeholder="title, publisher, words"></label>'
        f'<label>Kind <select data-action="filter"><option value="">all</option>{options}</select></label>'
        f'<span class="quiet" role="status" data-count>{len(documents)} documents</span></div>'
        f'{timeline_html(documents, events)}<div class="scroll" tabindex="0" role="region" aria-label="Documents">'
        f'<table class="documents"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"{_trash(removed or ())}"
    )


def _trash(removed: Sequence[Removed]) -> str:
    """The removed documents, each to be brought back."""
    if not removed:
        return ""
    items = "".join(
        f'<li><span dir="auto">{text_html(entry.path)}</span> <button type="button" class="undo" data-action="undo" '
        f'data-key="{text_html(entry.key)}" aria-label="Bring back {text_html(entry.path)}">Bring back</button></li>'
        for entry in removed
    )
    return f'<details class="trash"><summary>Removed documents: {len(removed)}</summary><ul>{items}</ul></details>'


def _row(document: Document, chunks: int, changing: bool) -> str:
    publisher = document.publisher or document.about_publisher
    words = text_html(" ".join((document.title, publisher, document.path, document.about_title)).casefold())
    dated = text_html(date_of(document))
    title = text_html(document.title or document.path)
    remove = (
        f'<td><button type="button" class="remove" data-action="remove" data-remove="{text_html(document.path)}" '
        f'data-title="{title}" aria-label="Remove {title}">Remove</button></td>'
    )
    return (
        f'<tr data-words="{words}" data-kind="{text_html(document.kind)}">'
        f'<td data-value="{text_html(document.title.casefold())}">{_link(document)}</td>'
        f'<td data-value="{dated}">{text_html(date_words(date_of(document)) or "undated")}</td>'
        f'<td data-value="{text_html(document.kind)}">{text_html(document.kind)}</td>'
        f'<td data-value="{text_html(publisher.casefold())}" dir="auto">{text_html(publisher)}</td>'
        f'<td data-value="{chunks:09d}" class="figure">{chunks}</td>{remove if changing else ""}</tr>'
    )


def _link(document: Document) -> str:
    """The title as a button that opens the document in the source panel."""
    return (
        f'<button type="button" class="card-link" data-document="{text_html(document.path)}" data-start="0" '
        f'data-end="0" dir="auto">{text_html(document.title or document.path)}</button>'
    )


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
