"""What a click or a key does: each handler asks the desk and hands its HTML to the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from corpus.errors import DossierError
from ui.desk import Desk, View
from ui.ownership import owner_of
from ui.render import text_html


class Handlers:
    """The page's handlers over one desk. A fault is shown as a message, never as an answer."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def answer(self, asked: str, opened: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Stream the views of one question."""
        for view in self.desk.ask(asked, opened, owner_of(request), _session(request)):
            yield _update(view)

    def halt(self, request: gr.Request) -> None:
        """Stop what this tab asked."""
        self.desk.stop(_session(request))

    def open_conversation(self, opened: str, request: gr.Request) -> tuple[str, str, str]:
        """Values for past, current and conversation."""
        try:
            return self.desk.past(owner_of(request), opened), "", opened
        except DossierError as fault:
            raise gr.Error(str(fault)) from fault

    def open_new(self, request: gr.Request) -> tuple[str, str, str]:
        """An empty conversation; what was under way is stopped."""
        self.halt(request)
        return self.open_conversation("", request)

    def open_chosen(self, event: gr.EventData, request: gr.Request) -> tuple[str, str, str]:
        """The conversation that was clicked in the list."""
        self.halt(request)
        return self.open_conversation(str(event._data.get("conversation", "")), request)

    def listed(self, found: str, opened: str, request: gr.Request) -> str:
        """The list of conversations that hold the words `found`."""
        try:
            return self.desk.list_conversations(owner_of(request), found, opened)
        except DossierError as fault:
            raise gr.Error(str(fault)) from fault

    def delete_chosen(self, event: gr.EventData, found: str, opened: str, request: gr.Request) -> str:
        """Delete the conversation that was clicked; the new list."""
        try:
            self.desk.conversations.delete(owner_of(request), str(event._data.get("conversation", "")))
        except DossierError as fault:
            raise gr.Error(str(fault)) from fault
        return self.listed(found, opened, request)

    def vote(self, event: gr.EventData, request: gr.Request) -> None:
        """Keep a thumb and perhaps a comment."""
        value, comment = event._data.get("vote"), event._data.get("comment")
        try:
            self.desk.conversations.vote(
                owner_of(request),
                str(event._data.get("turn", "")),
                value if isinstance(value, int) else 0,
                comment if isinstance(comment, str) else None,
            )
        except DossierError as fault:
            raise gr.Error(str(fault)) from fault

    def add(self, files: list[str] | None) -> Iterator[tuple[Any, Any]]:
        """Stages of adding the dropped files; the drop zone is emptied at the end."""
        if self.desk.adder is None or not files:
            return
        for stage in self.desk.adder.add(files):
            yield stage, gr.skip()
        yield gr.skip(), None
        for file in files:
            Path(file).unlink(missing_ok=True)

    def add_addresses(self, text: str) -> Iterator[tuple[Any, Any]]:
        """Stages of adding what the pasted addresses give; the field is emptied at the end."""
        if self.desk.adder is None:
            return
        for stage in self.desk.adder.add_addresses(text):
            yield stage, gr.skip()
        yield gr.skip(), ""

    def remove(self, event: gr.EventData) -> Iterator[str]:
        """Stages of removing the document that was confirmed."""
        if self.desk.adder is not None:
            yield from self.desk.adder.remove(str(event._data.get("document", "")))

    def undo(self, event: gr.EventData) -> Iterator[str]:
        """Stages of bringing back a removed document."""
        if self.desk.adder is not None:
            yield from self.desk.adder.undo(str(event._data.get("key", "")))

    def source(self, event: gr.EventData) -> str:
        """The panel for the citation, card or document that was clicked."""
        return self.desk.source(event._data)


def _session(request: gr.Request) -> str:
    return f"{owner_of(request)} {request.session_hash}"


def _update(view: View) -> tuple[Any, ...]:
    """The view as values for past, current, conversation, live, question, ask and stop."""
    first = view.past is not None
    changes_buttons = first or view.ended
    return (
        view.past if first else gr.skip(),
        view.current,
        view.conversation or gr.skip(),
        text_html(view.said) if view.said else gr.skip(),
        "" if first else gr.skip(),
        gr.update(visible=view.ended) if changes_buttons else gr.skip(),
        gr.update(visible=not view.ended) if changes_buttons else gr.skip(),
    )
