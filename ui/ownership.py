"""Whose conversation it is: the name that was logged in, or a random cookie of this browser."""

from __future__ import annotations

import re
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-dossier-owner"
"""Set by the server alone; one that a client sends is thrown away."""
COOKIE = "dossier_owner"
YEAR = 365 * 24 * 3600


def owner_of(request: gr.Request) -> str:
    """The owner that the server wrote into the request."""
    return str(request.request.headers[HEADER]) if request.request else "local"


def cookies_of(scope: Scope) -> dict[str, str]:
    """The cookies of a request by name; malformed ones are none."""
    jar: SimpleCookie = SimpleCookie()
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                jar.load(value.decode("latin-1"))
            except CookieError:
                continue
    return {name: morsel.value for name, morsel in jar.items()}


class Ownership:
    """Gives every browser an owner that no other browser can guess, unless `Login` has named one before."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the owner into the request's headers, and the cookie of a new browser into the response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name != HEADER.encode()]
        logged_in = scope.get("dossier.user", "")
        owner = cookies_of(scope).get(COOKIE, "")
        known = bool(logged_in) or re.fullmatch(r"[0-9a-f]{32}", owner) is not None
        if not known:
            owner = secrets.token_hex(16)
        name = f"user-{logged_in.encode().hex()}" if logged_in else f"browser-{owner}"
        headers.append((HEADER.encode(), name.encode()))

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{COOKIE}={owner}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Strict"
                message["headers"] = [*message.get("headers", []), (b"set-cookie", cookie.encode())]
            await send(message)

        await self.app({**scope, "headers": headers}, receive, send if known else with_cookie)
