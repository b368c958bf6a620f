"""Serves the page with uvicorn: its own files, exports, the shield around Gradio, and nothing else."""

from __future__ import annotations

import errno
import json
import re
import socket
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import DossierError
from corpus.loading import MAX_BYTES
from ui.adding import Adder
from ui.conversations import ConversationError, Conversations
from ui.desk import REPORT_FILE, Desk
from ui.export import conversation_json, conversation_markdown
from ui.login import Guard, Login, read_passwords
from ui.ownership import HEADER, Ownership
from ui.shield import LOOPBACK, Shield
from ui.warming import start_warming

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from qa.settings import Settings

STATIC = Path(__file__).parent / "static"
OWN_FILES = {"page.css": "text/css", "page.js": "text/javascript"}
HEAD = (
    '<link rel="stylesheet" href="dossier/page.css"><script src="dossier/page.js" defer></script>'
    '<meta name="color-scheme" content="light dark">'
)
RUN_NAME = re.compile(r"\w[\w.-]*")


class ServeError(DossierError):
    """The page cannot be served at the address that was asked for."""


def build_app(desk: Desk, hosts: tuple[str, ...] = (), guard: Guard | None = None) -> FastAPI:
    """The whole application: Gradio's page, the page's own files, the exports, behind the shield and the login."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gradio's dependencies deprecate parts of each other on import
        import gradio as gr
        from fastapi import FastAPI

        from ui.page import build_page, theme

        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        _add_own_routes(app, desk)
        page = build_page(desk)
        page.queue(default_concurrency_limit=None)
        gr.mount_gradio_app(
            app,
            page,
            path="/",
            server_name="127.0.0.1",
            theme=theme(),
            head=HEAD,
            footer_links=[],
            run_history=False,
            allowed_paths=[],
            show_error=False,
            ssr_mode=False,
            max_file_size=MAX_BYTES,
            app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        )
    app.add_middleware(Ownership)
    if guard is not None:
        app.add_middleware(Login, guard=guard)
    app.add_middleware(Shield, hosts=hosts)
    return app


def _add_own_routes(app: FastAPI, desk: Desk) -> None:
    from fastapi import Request
    from starlette.responses import HTMLResponse, PlainTextResponse, Response

    def own_file(name: str) -> Response:
        if name not in OWN_FILES:
            return PlainTextResponse("Not found.", 404)
        return Response((STATIC / name).read_bytes(), media_type=OWN_FILES[name], headers={"cache-control": "no-cache"})

    def export(name: str, request: Request) -> Response:
        try:
            return _export(desk, name, request.headers[HEADER])
        except ConversationError as fault:
            return PlainTextResponse(str(fault), 404)

    def report(name: str) -> Response:
        file = desk.runs_folder / name / REPORT_FILE
        if not RUN_NAME.fullmatch(name) or not file.is_file():
            return PlainTextResponse("There is no such report.", 404)
        return HTMLResponse(file.read_bytes())

    # The routes are added with real types: FastAPI reads them, and this module's annotations are strings.
    export.__annotations__["request"] = Request
    app.add_api_route("/dossier/report/{name}", report, response_model=None)
    app.add_api_route("/dossier/export/{name}", export, response_model=None)
    app.add_api_route("/dossier/{name}", own_file, response_model=None)


def _export(desk: Desk, name: str, owner: str) -> Response:
    from starlette.responses import PlainTextResponse, Response

    conversation, _, kind = name.partition(".")
    if kind not in {"md", "json"}:
        return PlainTextResponse("Not found.", 404)
    title = desk.conversations.title(owner, conversation)
    turns = desk.conversations.turns(owner, conversation)
    headers = {"content-disposition": f'attachment; filename="dossier-{conversation}.{kind}"'}
    if kind == "md":
        return Response(conversation_markdown(title, turns), media_type="text/markdown", headers=headers)
    text = json.dumps(conversation_json(title, turns), ensure_ascii=False, indent=1)
    return Response(text, media_type="application/json", headers=headers)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    :raises ServeError: the port is taken, or the address is not of this machine.
    """
    try:
        info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(info[4][:2], family=info[0], backlog=128)
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            raise ServeError(
                f"Port {port} is in use, perhaps by another Dossier at http://{host}:{port}. "
                f"Use that one, end it, or run `dossier serve --port {port + 1 if port < 65535 else 7861}`."
            ) from fault
        if fault.errno == errno.EACCES:
            raise ServeError(f"Port {port} needs rights that you do not have. Use one above 1023.") from fault
        raise ServeError(
            f"Cannot listen on {host} port {port}: {fault.strerror or fault}. Use --host 127.0.0.1."
        ) from fault


def serve_page(settings: Settings, *, auth: Path | None, announce: Callable[[str], object]) -> None:
    """Open the pipeline and serve until interrupted; `announce` gets the address once it answers.

    :raises DossierError: the address, the corpus, the index or the model cannot be used.
    """
    host = settings.host
    if host not in LOOPBACK and auth is None:
        raise ServeError(f"{host} can be reached from other machines: name a file of passwords with --auth first.")
    guard = Guard(read_passwords(auth)) if auth else None
    listener = listen(host, settings.port)
    from ui.wiring import conversations_path, open_pipeline, runs_folder

    pipeline = open_pipeline(settings)
    adder = Adder(settings.corpus, settings.index, pipeline.index.embedder, settings.vectors)
    desk = Desk(pipeline, Conversations(conversations_path()), runs_folder(), adder)
    start_warming(pipeline, desk.line)
    run_app(build_app(desk, (host,), guard), listener, announce)


def run_app(app: FastAPI, listener: socket.socket, announce: Callable[[str], object]) -> None:
    """Serve `app` on `listener` until interrupted."""
    import uvicorn

    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, ws="none")
    server = uvicorn.Server(config)

    def tell() -> None:
        while not server.started and not server.should_exit:
            threading.Event().wait(0.05)
        announce(f"Dossier answers at {address}  (Ctrl+C ends it)")

    threading.Thread(target=tell, daemon=True).start()
    server.run(sockets=[listener])
