# ruff: noqa: ANN401  the scripted pipeline is a class of conftest, which importlib mode does not let a test import
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ui.server import ServeError, listen
from ui.shield import ALLOWED


@pytest.fixture
def client(served: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.address) as client:
        yield client


def test_only_the_routes_of_the_page_are_there() -> None:
    for path in ("/", "/config", "/assets/index-DphvyggB.js", "/dossier/page.css", "/gradio_api/queue/join"):
        assert ALLOWED.fullmatch(path), path
    for path in (
        "/gradio_api/file=/etc/passwd",
        "/file=/etc/passwd",
        "/gradio_api/proxy=https://example.org",
        "/gradio_api/stream/x",
        "/monitoring",
        "/docs",
        "/gradio_api/openapi.json",
        "/gradio_api/vibe-code",
    ):
        assert not ALLOWED.fullmatch(path), path


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=../../../../etc/passwd",
        "/gradio_api/file=%2Fetc%2Fpasswd",
        "/gradio_api/file%3D/etc/passwd",
        "/gradio_api/%66ile=/etc/passwd",
        "/file=/etc/passwd",
        "/file/etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/gradio_api//file=/etc/passwd",
        "/gradio_api/./file=/etc/passwd",
        "/gradio_api/file=https://example.org/x",
        "/gradio_api/file=file:///etc/passwd",
        "/gradio_api/proxy=http://169.254.169.254/",
        "/static/../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2f..%2fetc/passwd",
        "/assets/..%5c..%5cetc",
        "/dossier/../server.py",
        "/dossier/%2e%2e%2fserver.py",
        "/dossier/page.css/../../server.py",
        "/dossier/examples.json",
        "/dossier/export/x.exe",
        "/dossier/export/..%2f..%2fx.md",
        "/custom_component/x/y/z/w",
        "/gradio_api/custom_component/x/y/z/w",
        "/svelte/../../../../etc/passwd",
    ],
)
def test_no_file_but_its_own_is_served(served: Any, path: str) -> None:
    import http.client

    # http.client sends the path as it stands; httpx would tidy it up first.
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status in {403, 404, 400}, (response.status, body[:200])
    assert b"root:" not in body
    assert response.getheader("location") is None


def test_requests_from_elsewhere_are_refused(client: httpx.Client, served: Any) -> None:
    assert client.get("/").status_code == 200
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/config", headers={"origin": "http://evil.example"}).status_code == 403
    assert client.get("/config", headers={"origin": "null"}).status_code == 403
    assert client.get("/config", headers={"origin": served.address}).status_code == 200
    assert client.post("/gradio_api/queue/join", headers={"sec-fetch-site": "cross-site"}, json={}).status_code == 403
    assert client.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).status_code == 200
    assert client.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}).status_code == 403


def test_the_page_carries_its_policy_and_a_nonce(client: httpx.Client) -> None:
    first, second = client.get("/"), client.get("/")
    policy = first.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    (nonce,) = re.findall(r"'nonce-([^']+)'", policy)
    assert first.text.count(f'nonce="{nonce}"') == len(re.findall(r"<script[\s>]", first.text))
    assert nonce not in second.text
    assert first.headers["x-content-type-options"] == "nosniff"


def test_the_page_names_no_other_host(client: httpx.Client) -> None:
    loading = re.findall(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["']([^"']+)""", client.get("/").text)
    assert loading
    assert not [address for address in loading if address.startswith(("http:", "https:", "//"))]
    config = client.get("/config").json()
    assert not [sheet for sheet in config["stylesheets"] if sheet.startswith("http")]
    assert config["analytics_enabled"] is False


def test_a_browser_gets_an_owner_that_scripts_cannot_read(client: httpx.Client) -> None:
    cookie = client.get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "set-cookie" not in client.get("/config").headers


def test_an_owner_cannot_be_claimed_by_a_header(client: httpx.Client, served: Any, fake_pipeline: Any) -> None:
    conversation, _ = served.conversations.add("browser-" + "0" * 32, "", fake_pipeline.ask("Who lauded it?"))
    forged = client.get(f"/dossier/export/{conversation}.md", headers={"x-dossier-owner": "browser-" + "0" * 32})
    assert forged.status_code == 404
    with httpx.Client(base_url=served.address, cookies={"dossier_owner": "0" * 32}) as owner:
        exported = owner.get(f"/dossier/export/{conversation}.json")
        assert exported.json()["title"] == "Who lauded it?"
        assert exported.headers["content-disposition"].startswith("attachment")


def test_a_busy_port_says_what_to_do(served: Any) -> None:
    with pytest.raises(ServeError, match=rf"Port {served.port} is in use.*--port {served.port + 1}"):
        listen("127.0.0.1", served.port)


def test_an_address_that_is_not_this_machine(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"Cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 0)
