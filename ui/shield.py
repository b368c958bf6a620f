"""What the server refuses before the page sees it, and the headers that keep the browser from going anywhere else."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALLOWED = re.compile(
    r"/(?:|config/?|theme\.css|robots\.txt|favicon\.ico|manifest\.json|login|logout"
    r"|(?:assets|static|svelte)/[\w./@-]+|dossier/[\w./-]+"
    r"|gradio_api/(?:queue/(?:join|data)|cancel|reset|heartbeat/\w+|startup-events|app_id|info|theme\.css"
    r"|run/predict|upload|upload_progress))"
)
"""The routes that the page uses; not Gradio's for files, proxies, streams, monitoring and recorded runs."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SCRIPT = re.compile(rb"<script(?=[\s>])")
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; frame-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
"""Inline scripts run only with the nonce of their response. Gradio compiles its templates with `Function`, hence
unsafe-eval; no text of a document or a model reaches one."""
REPORTS = "/dossier/report/"
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


class Shield:
    """Refuses requests for other hosts, from other sites and to routes that the page does not use."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = LOOPBACK | {host.casefold() for host in hosts}
        self.any_host = bool(self.hosts & {"0.0.0.0", "::"})  # noqa: S104  compared, not bound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 or 404 to what is refused; everything else gets the security headers."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        await self.app(scope, receive, self._guarded(scope, send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if not self.any_host and _name(f"//{host}") not in self.hosts:
            return 403, "This address does not belong to Dossier."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "Requests from other sites are refused."
        navigating = scope["method"] == "GET" and scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"
        if headers.get("sec-fetch-site") in {"cross-site", "same-site"} and not navigating:
            return 403, "Requests from other sites are refused."
        path = scope["path"]
        if not ALLOWED.fullmatch(path) or ".." in path:
            return 404, "Not found."
        return None

    def _guarded(self, scope: Scope, send: Send) -> Send:
        """Adds the headers; a page gets its nonce into the policy and into each of its own script elements."""
        report = scope["path"].startswith(REPORTS)
        nonce = secrets.token_urlsafe(18)
        started: list[Message] = []
        body = bytearray()

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), *HEADERS]
                policy = REPORT_POLICY if report else POLICY.format(nonce=nonce)
                headers.append((b"content-security-policy", policy.encode()))
                message = {**message, "headers": headers}
                if _is_html(headers) and not report:
                    started.append(message)
                    return
            elif started:
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                page = SCRIPT.sub(b'<script nonce="%s"' % nonce.encode(), bytes(body))
                first = started.pop()
                kept = [(name, value) for name, value in first["headers"] if name.lower() != b"content-length"]
                await send({**first, "headers": [*kept, (b"content-length", b"%d" % len(page))]})
                message = {"type": "http.response.body", "body": page}
            await send(message)

        return forward


def _is_html(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").casefold()
    except ValueError:
        return ""


async def _refuse(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})
