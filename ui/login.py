"""Names and passwords: a file of scrypt hashes, a login page, sessions in cookies, and a limit on guessing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from corpus.errors import DossierError
from ui.ownership import cookies_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

COST, BLOCK, PARALLEL = 2**15, 8, 1
"""scrypt (RFC 7914): 32 MiB of memory and about 0.1 s for each guess."""
ATTEMPTS = 5
"""Wrong passwords for one name, or from one address, before both wait."""
PAUSE = 60.0
"""Seconds that they wait."""
SESSION = 12 * 3600.0
"""Seconds that a login lasts."""
COOKIE = "dossier_session"
LONGEST_FORM = 4096
"""Bytes of the login form that are read."""
OPEN_PATHS = frozenset({"/login", "/dossier/page.css"})


class LoginError(DossierError):
    """The file of names and passwords cannot be used."""


def hash_password(password: str, salt: bytes | None = None) -> str:
    """`scrypt$N$r$p$salt$hash`, as a line of the file holds it after the name and a colon."""
    salt = salt or secrets.token_bytes(16)
    digest = _scrypt(password, salt, COST, BLOCK, PARALLEL)
    return f"scrypt${COST}${BLOCK}${PARALLEL}${_encode(salt)}${_encode(digest)}"


def verify_password(password: str, line: str) -> bool:
    """Whether `password` is the one that `line` was made of."""
    _, cost, block, parallel, salt, digest = line.split("$")
    found = _scrypt(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(found, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    memory = 256 * cost * block
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=memory, dklen=32)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def read_passwords(path: Path) -> dict[str, str]:
    """The file's `name:scrypt$…` lines by name; lines that begin with # are passed over.

    :raises LoginError: it cannot be read, holds a malformed line, or can be read by everybody.
    """
    how = f"Make a line with: dossier password NAME >> {path}"
    try:
        text = path.read_text("utf-8")
        if path.stat().st_mode & 0o007:
            raise LoginError(f"{path} can be read by every user of this machine. Run: chmod 600 {path}")
    except (OSError, UnicodeDecodeError) as fault:
        raise LoginError(f"{path} cannot be read: {fault}. {how}") from fault
    passwords = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        if not name or not re.fullmatch(r"scrypt\$\d{1,7}\$\d{1,3}\$\d{1,2}\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+", rest):
            raise LoginError(f"{path}, line {number} is not name:scrypt$…. {how}")
        passwords[name] = rest
    if not passwords:
        raise LoginError(f"{path} names nobody. {how}")
    return passwords


class Guard:
    """Checks passwords, and makes whoever guesses wait: by name and by address."""

    def __init__(self, passwords: Mapping[str, str], now: Callable[[], float] = time.monotonic) -> None:
        self._passwords = dict(passwords)
        self._now = now
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._sessions: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._nobody = hash_password(secrets.token_hex(16))

    def wait(self, name: str, address: str) -> float:
        """Seconds until this name from this address may try again; 0 when it may now."""
        with self._lock:
            now = self._now()
            counts = [self._wrong.get(key, (0, now)) for key in _keys(name, address)]
            return max(0.0, *(since + PAUSE - now for count, since in counts if count >= ATTEMPTS), 0.0)

    def login(self, name: str, password: str, address: str) -> str:
        """A session's token, or an empty string. An unknown name takes as long as a wrong password."""
        right = verify_password(password, self._passwords.get(name, self._nobody)) and name in self._passwords
        keys = _keys(name, address)
        with self._lock:
            now = self._now()
            if not right:
                for key in keys:
                    count, since = self._wrong.pop(key, (0, now))
                    self._wrong[key] = (1, now) if now - since > PAUSE else (count + 1, now)
                while len(self._wrong) > 10_000:
                    self._wrong.popitem(last=False)
                return ""
            for key in keys:
                self._wrong.pop(key, None)
            token = secrets.token_urlsafe(32)
            self._sessions[token] = (name, now + SESSION)
            while len(self._sessions) > 10_000:
                self._sessions.popitem(last=False)
            return token

    def user(self, token: str) -> str:
        """Who is logged in with this token; empty for nobody."""
        with self._lock:
            name, until = self._sessions.get(token, ("", 0.0))
            return name if self._now() < until else ""

    def logout(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(token, None)


def _keys(name: str, address: str) -> tuple[str, str]:
    return f"name {name[:200]}", f"address {address}"


class Login:
    """Lets in who is logged in, and shows everybody else the login page."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self.app = app
        self.guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer /login and /logout; hand on what has a session, with its name in the scope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        token = cookies_of(scope).get(COOKIE, "")
        path = scope["path"]
        if path == "/logout":
            self.guard.logout(token)
            await _answer(send, 303, b"", (b"location", b"/login"), _cookie("", 0))
        elif path == "/login" and scope["method"] == "POST":
            await self._log_in(scope, receive, send)
        elif path == "/login":
            await _answer(send, 200, login_page(""))
        elif user := self.guard.user(token):
            await self.app({**scope, "dossier.user": user}, receive, send)
        elif path in OPEN_PATHS:
            await self.app(scope, receive, send)
        elif path == "/":
            await _answer(send, 303, b"", (b"location", b"/login"))
        else:
            await _answer(send, 401, b"Log in first.")

    async def _log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        import anyio.to_thread

        body = b""
        more = True
        while more and len(body) <= LONGEST_FORM:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        form = parse_qs(body[:LONGEST_FORM].decode("utf-8", "replace"))
        name, password = (form.get(key, [""])[0] for key in ("name", "password"))
        address = (scope.get("client") or ("unknown", 0))[0]
        if wait := self.guard.wait(name, address):
            await _answer(send, 429, login_page(f"Too many tries. Wait {wait:.0f} seconds."))
            return
        token = await anyio.to_thread.run_sync(self.guard.login, name, password, address)
        if token:
            await _answer(send, 303, b"", (b"location", b"/"), _cookie(token, int(SESSION)))
        else:
            await _answer(send, 403, login_page("Name or password is wrong."))


def login_page(message: str) -> bytes:
    """The form, with what went wrong before."""
    alert = f'<p role="alert" class="login-alert">{escape(message)}</p>' if message else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Dossier</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="dossier/page.css"></head><body class="login"><main><h1>Dossier</h1>'
        f'{alert}<form method="post" action="login">'
        '<label>Name <input name="name" autocomplete="username" required autofocus></label>'
        '<label>Password <input name="password" type="password" autocomplete="current-password" required></label>'
        "<button>Log in</button></form></main></body></html>"
    ).encode()


def _cookie(token: str, seconds: int) -> tuple[bytes, bytes]:
    return b"set-cookie", f"{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict".encode()


async def _answer(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    kind = b"text/html; charset=utf-8" if body.startswith(b"<!doctype") else b"text/plain; charset=utf-8"
    start = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
