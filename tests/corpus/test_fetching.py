"""Fetching, against a real HTTP server on loopback that behaves badly on purpose."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corpus import CorpusError, DocumentError, load_document
from corpus.adding import add_sources, safe_name
from corpus.extraction import Extractor
from corpus.fetching import FetchLimits, fetch, is_public
from corpus.provenance import provenance_path
from corpus.public import public_documents

BRIEFS = Path(__file__).resolve().parents[2] / "corpus" / "documents"
PAGE = b"<html><head><title>A page</title></head><body><p>The minister opened a bridge on Monday.</p></body></html>"
Answer = Callable[[BaseHTTPRequestHandler], None]


def send(handler: BaseHTTPRequestHandler, body: bytes, kind: str = "text/html", status: int = 200, **more: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    for name, value in more.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in more:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def to(location: str) -> Answer:
    return lambda handler: send(handler, b"", status=302, Location=location)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    while not handler.server.stopping:  # type: ignore[attr-defined]
        handler.wfile.write(b"x" * 65536)


def slow(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    while not handler.server.stopping:  # type: ignore[attr-defined]
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def slow_head(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
    while not handler.server.stopping:  # type: ignore[attr-defined]
        handler.wfile.write(b"X-A: b\r\n")
        time.sleep(0.05)


def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(2**20)) for _ in range(64)), packer.flush()])


WAYS: dict[str, Answer] = {
    "/page": lambda handler: send(handler, PAGE),
    "/moved": to("/moved-again"),
    "/moved-again": to("page"),
    "/loop": to("/loop"),
    "/to-file": to("file:///etc/passwd"),
    "/to-ftp": to("ftp://example.org/a"),
    "/to-private": to("http://10.0.0.1/"),
    "/endless": endless,
    "/slow": slow,
    "/slow-head": slow_head,
    "/declared": lambda handler: send(handler, b"x", Content_Length="99999999"),
    "/picture": lambda handler: send(handler, b"\x89PNG", "image/png"),
    "/gone": lambda handler: send(handler, PAGE, status=404),
    "/gzip": lambda handler: send(handler, gzip.compress(PAGE), Content_Encoding="gzip"),
    "/cut-gzip": lambda handler: send(handler, gzip.compress(PAGE)[:40], Content_Encoding="gzip"),
    "/bad-gzip": lambda handler: send(handler, b"no gzip", Content_Encoding="gzip"),
    "/bomb": lambda handler: send(handler, bomb(), Content_Encoding="gzip"),
    "/brotli": lambda handler: send(handler, b"x", Content_Encoding="br"),
    "/notes.md": lambda handler: send(handler, b"# Notes\n\nThe words.", "text/plain; charset=utf-8"),
    "/report.pdf": lambda handler: send(handler, b"no PDF", "application/octet-stream"),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Host"]))  # type: ignore[attr-defined]
        with suppress(BrokenPipeError, ConnectionResetError):
            WAYS[self.path.split("?")[0]](self)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    stopping = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.stopping = True
        running.shutdown()
        thread.join()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


def test_redirects_are_followed_and_the_page_comes_whole(server: Server) -> None:
    found = fetch(f"{server.address}/moved?a=b#part", allow_private=True)
    assert (found.data, found.content_type, found.name) == (PAGE, "text/html", "page.html")
    assert found.final_address == f"{server.address}/page"
    assert [path for path, _ in server.asked] == ["/moved?a=b", "/moved-again", "/page"]
    assert fetch(f"{server.address}/gzip", allow_private=True).data == PAGE
    assert fetch(f"{server.address}/notes.md", allow_private=True).name == "notes.md"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/loop", "redirects more than 5 times"),
        ("/to-file", "only these are fetched"),
        ("/to-ftp", "only these are fetched"),
        ("/endless", "larger than 1,000,000 bytes"),
        ("/declared", "larger than 1,000,000 bytes"),
        ("/bomb", "larger than 1,000,000 bytes"),
        ("/cut-gzip", "broke off"),
        ("/bad-gzip", "cannot be fetched"),
        ("/brotli", "sent as br"),
        ("/picture", "image/png, which Dossier does not read"),
        ("/gone", "status 404"),
    ],
)
def test_what_is_refused(server: Server, path: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        fetch(server.address + path, allow_private=True, limits=FetchLimits(bytes=1_000_000, seconds=60))


@pytest.mark.parametrize("path", ["/slow", "/slow-head"])
def test_a_host_that_drips_is_left(server: Server, path: str) -> None:
    began = time.monotonic()
    with pytest.raises(DocumentError, match=r"longer than 0\.5 seconds"):
        fetch(server.address + path, allow_private=True, limits=FetchLimits(seconds=0.5))
    assert time.monotonic() - began < 20


def test_this_machine_and_private_networks_are_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (server.address, server.address.replace("127.0.0.1", "localhost"), "http://[::1]:1/"):
        with pytest.raises(DocumentError, match="--allow-private"):
            fetch(address)
    assert server.asked == []
    # A public host that redirects inwards: only the first name is taken for public.
    resolve = socket.getaddrinfo
    checked: list[str] = []

    def public_once(address: str) -> bool:
        checked.append(address)
        return len(checked) == 1

    monkeypatch.setattr("corpus.fetching.is_public", public_once)
    with pytest.raises(DocumentError, match=r"10\.0\.0\.1, which is in a private network"):
        fetch(f"{server.address}/to-private")
    assert checked == ["127.0.0.1", "10.0.0.1"]
    assert socket.getaddrinfo is resolve


def test_a_name_is_resolved_once_and_the_checked_address_is_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebind(host: str, *rest: object, **more: object) -> object:
        asked.append(str(host))
        return resolve("127.0.0.1" if len(asked) == 1 else "127.0.0.9", *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    found = fetch(f"http://rebinding.example:{server.server_port}/page", allow_private=True)
    assert found.data == PAGE
    assert asked.count("rebinding.example") == 1
    assert server.asked == [("/page", f"rebinding.example:{server.server_port}")]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("64:ff9b::808:808", True),
        *((address, False) for address in ("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254")),
        *((address, False) for address in ("0.1.2.3", "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255")),
        *((address, False) for address in ("::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1")),
        *((address, False) for address in ("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:a00:1::")),
    ],
)
def test_which_addresses_are_of_the_open_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("address", ["http://", "http://a:b@example.org/", "https://user@example.org/", "http://[::1"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(DocumentError):
        fetch(address)


def test_a_fetched_page_keeps_where_it_is_from(server: Server, corpus: Path, extractor: Extractor) -> None:
    address = f"{server.address}/moved"
    dry = add_sources([address], corpus, allow_private=True, dry_run=True)
    assert [entry.path for entry in dry.added] == ["added/page.html"]
    assert not list(corpus.iterdir())
    about = {address: {"title": "The bridge", "publisher": "The Ministry", "published": "2024-05-06"}}
    report = add_sources([address, f"{server.address}/page"], corpus, allow_private=True, about=about)
    assert [entry.path for entry in report.added] == ["added/page.html"]
    assert "there already, as added/page.html" in report.skipped[0].reason
    stored = corpus / "added" / "page.html"
    assert stored.read_bytes() == PAGE
    document = load_document(stored, corpus, extractor=extractor)
    assert (document.url, document.title, document.publisher) == (address, "The bridge", "The Ministry")
    said = json.loads(provenance_path(stored).read_bytes())
    assert said["final_address"] == f"{server.address}/page"
    assert said["retrieved"] == document.retrieved != ""
    stored.write_bytes(PAGE.replace(b"Monday", b"Sunday"))
    assert load_document(stored, corpus, extractor=extractor).url == ""
    provenance_path(stored).write_text("[]")
    assert load_document(stored, corpus, extractor=extractor).title == "A page"
    stored.unlink()
    again = add_sources([f"{server.address}/page"], corpus, allow_private=True)
    assert [entry.path for entry in again.added] == ["added/page-2.html"]


def test_what_an_address_gives_is_read_before_it_is_kept(server: Server, corpus: Path) -> None:
    report = add_sources([f"{server.address}/report.pdf", f"{server.address}/gone"], corpus, allow_private=True)
    assert report.added == ()
    assert "not a PDF" in report.skipped[0].reason
    assert "404" in report.skipped[1].reason
    assert not list(corpus.iterdir())


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("a\nb\u202e.PDF", "a-b.pdf"),
        ("...", "document"),
        ("ж" * 300 + ".html", "ж" * 100 + ".html"),
    ],
)
def test_names_become_safe(given: str, name: str) -> None:
    assert safe_name(given) == name


def test_public_documents_are_those_of_the_briefs() -> None:
    import yaml

    listed = {entry.name: entry for entry in public_documents()}
    for path in sorted((BRIEFS / "briefs").glob("*.md")):
        front = yaml.safe_load(path.read_text(encoding="utf-8").split("---\n")[1])
        entry = listed.pop(path.stem, None)
        assert (entry is not None) == bool(front["url"]), path
        if entry is not None:
            about = front["about_document"]
            assert (entry.title, entry.publisher, entry.date) == (about["title"], about["publisher"], about["date"])
            assert entry.address == front["url"]
    assert listed == {}
    assert [entry.name for entry in public_documents(["us-forces-japan"])] == ["us-forces-japan"]
    with pytest.raises(CorpusError, match="no-such"):
        public_documents(["no-such"])
