"""The Gradio page: what stands where, and which handler an event reaches."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.adding import limits_html
from ui.desk import Desk
from ui.handlers import Handlers

BRIDGE = """
window.dossierSend = (kind, data) => trigger(kind, data);
window.dispatchEvent(new Event('dossier-ready'));
"""
STATUS = '<div role="status" aria-live="polite">${value}</div>'
LIVE = '<div role="status" aria-live="polite" class="visually-hidden">${value}</div>'
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
STAGES: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
FROM_ADDRESS = "() => new URLSearchParams(location.search).get('c') || ''"
UNDER_WAY = "() => sessionStorage.getItem('dossier-under-way') || ''"
TO_ADDRESS = "(id) => window.dossier && window.dossier.remember(id)"


def theme() -> gr.themes.Base:
    """Gradio's plain theme with the system's own fonts, so that none is fetched."""
    sans = ["system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "monospace"]
    return gr.themes.Base(font=sans, font_mono=mono)


def html(name: str, value: object = None, **more: Any) -> gr.HTML:  # noqa: ANN401  handed on to Gradio
    """A part of the page that handlers fill; its clicks are taken by the page's own script."""
    return gr.HTML(value, elem_id=name, **{"js_on_load": None, "apply_default_css": False, **more})


def build_page(desk: Desk) -> gr.Blocks:
    """The page over one desk; it is served by `ui.server`."""
    handlers = Handlers(desk)
    page = gr.Blocks(title="Dossier", analytics_enabled=False, fill_width=True)
    with page:
        with gr.Sidebar(label="Conversations", open=False, width=320, elem_id="history"):
            new = gr.Button("New conversation", elem_id="new", size="sm")
            words = gr.Textbox(label="Search conversations", placeholder="Search conversations", show_label=False)
            past_list = html("conversations")
        top = html("top", desk.banner)
        if desk.adder:  # above the views, so that whoever asks meanwhile sees it too
            added = html("added", "", html_template=STATUS)
            dropped = gr.File(visible="hidden", file_count="multiple", type="filepath", elem_id="dropped")
        with gr.Tabs(elem_id="views"):
            with gr.Tab("Ask", id="ask", elem_id="ask-view"):
                past, current = html("past"), html("current")
                with gr.Row(elem_id="composer", equal_height=True):
                    question = gr.Textbox(
                        label="Question",
                        show_label=False,
                        placeholder="Ask the documents…",
                        max_lines=6,
                        elem_id="question",
                        container=False,
                        autofocus=True,
                    )
                    ask = gr.Button("Ask", variant="primary", elem_id="ask", scale=0, min_width=88)
                    stop = gr.Button("Stop", elem_id="stop", scale=0, min_width=88, visible=False)
            with gr.Tab("Documents", id="documents") as documents_tab:
                if desk.adder:
                    with gr.Row(elem_id="adding", equal_height=True):
                        files = gr.File(
                            label="Add documents",
                            file_count="multiple",
                            type="filepath",
                            elem_id="add",
                            height=110,
                        )
                        with gr.Column(elem_id="fetching"):
                            address = gr.Textbox(
                                label="Or paste an address",
                                placeholder="https://…",
                                info="It is fetched once, from the open internet only.",
                                elem_id="address",
                                max_lines=1,
                            )
                            fetch = gr.Button("Add", elem_id="fetch", size="sm")
                    html("limits", limits_html())
                documents = html("documents")
            with gr.Tab("Evaluation", id="evaluation") as evaluation_tab:
                reports = html("reports")
        panel = html("panel")
        live = html("live", html_template=LIVE)
        bridge = html("bridge", js_on_load=BRIDGE)
        conversation = gr.Textbox(visible="hidden", elem_id="conversation", label="Conversation")

        gr.Timer(20).tick(desk.banner, None, top, **QUIET)
        opening = [past, current, conversation]
        gr.on(
            [question.submit, ask.click],
            handlers.answer,
            inputs=[question, conversation],
            outputs=[*opening, live, question, ask, stop],
            concurrency_limit=None,
            trigger_mode="once",
            show_progress="hidden",
            api_visibility="private",
        ).then(handlers.listed, [words, conversation], past_list, **QUIET).then(desk.banner, None, top, **QUIET)
        stop.click(handlers.halt, **QUIET)
        page.unload(handlers.halt)
        page.load(handlers.open_conversation, conversation, opening, js=FROM_ADDRESS, **QUIET).then(
            handlers.listed, [words, conversation], past_list, **QUIET
        )
        page.load(None, None, question, js=UNDER_WAY)
        bridge.select(handlers.source, None, panel, **QUIET)
        bridge.expand(handlers.open_chosen, None, opening, **QUIET)
        bridge.delete(handlers.delete_chosen, [words, conversation], past_list, **QUIET)
        bridge.like(handlers.vote, None, None, **QUIET)
        new.click(handlers.open_new, None, opening, **QUIET)
        words.change(handlers.listed, [words, conversation], past_list, **QUIET)
        conversation.change(None, conversation, None, js=TO_ADDRESS)
        if desk.adder:
            changes = (
                files.upload(handlers.add, files, [added, files], **STAGES),
                dropped.upload(handlers.add, dropped, [added, dropped], **STAGES),
                gr.on([address.submit, fetch.click], handlers.add_addresses, address, [added, address], **STAGES),
                bridge.clear(handlers.remove, None, added, **STAGES),
                bridge.undo(handlers.undo, None, added, **STAGES),
            )
            for change in changes:
                change.then(desk.list_documents, None, documents, **QUIET).then(desk.banner, None, top, **QUIET)
        evaluation_tab.select(desk.list_reports, None, reports, **QUIET)
        documents_tab.select(desk.list_documents, None, documents, **QUIET)
    return page
