# ruff: noqa: ANN401  the served page is a class of conftest, which importlib mode does not let a test import
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from ui.cli import main
from ui.login import ATTEMPTS, PAUSE, Guard, LoginError, hash_password, read_passwords, verify_password
from ui.server import ServeError, serve_page


def test_a_password_is_found_right_by_its_hash_alone() -> None:
    line = hash_password("correct horse")
    assert verify_password("correct horse", line)
    assert not verify_password("correct hors", line)
    assert "correct" not in line
    assert hash_password("correct horse") != line


def test_the_file_is_read_with_care(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text(f"# who may\nann:{hash_password('a password')}\n")
    file.chmod(0o600)
    assert set(read_passwords(file)) == {"ann"}
    file.chmod(0o644)
    with pytest.raises(LoginError, match="chmod 600"):
        read_passwords(file)
    file.chmod(0o600)
    for text, reason in (("ann:plain", "line 1"), ("", "names nobody")):
        file.write_text(text)
        with pytest.raises(LoginError, match=reason):
            read_passwords(file)
    with pytest.raises(LoginError, match="cannot be read"):
        read_passwords(tmp_path / "none")


def test_the_command_makes_a_line() -> None:
    result = CliRunner().invoke(main, ["password", "ann"], input="long enough\nlong enough\n")
    name, _, line = result.stdout.strip().splitlines()[-1].partition(":")
    assert name == "ann"
    assert verify_password("long enough", line)
    assert CliRunner().invoke(main, ["password", "a:b"], input="long enough\nlong enough\n").exit_code == 2


def test_guessing_has_to_wait_and_sessions_end() -> None:
    clock = SimpleNamespace(now=100.0)
    guard = Guard({"ann": hash_password("right")}, now=lambda: clock.now)
    for _ in range(ATTEMPTS):
        assert guard.wait("ann", "1.2.3.4") == 0
        assert guard.login("ann", "wrong", "1.2.3.4") == ""
    assert 0 < guard.wait("ann", "5.6.7.8") <= PAUSE
    assert 0 < guard.wait("bob", "1.2.3.4") <= PAUSE
    assert guard.wait("bob", "5.6.7.8") == 0
    clock.now += PAUSE + 1
    assert guard.wait("ann", "1.2.3.4") == 0
    token = guard.login("ann", "right", "1.2.3.4")
    assert guard.user(token) == "ann"
    assert guard.user("other") == ""
    assert guard.login("nobody", "right", "9.9.9.9") == ""
    clock.now += 13 * 3600
    assert guard.user(token) == ""


def test_nothing_is_shown_before_a_login(guarded: Any) -> None:
    with httpx.Client(base_url=guarded.address) as client:
        assert client.get("/").headers["location"] == "/login"
        assert 'type="password"' in client.get("/login").text
        for path in ("/config", "/gradio_api/info", "/dossier/export/x.md", "/theme.css", "/gradio_api/queue/data"):
            assert client.get(path).status_code == 401, path
        assert client.post("/login", data={"name": "ann", "password": "wrong"}).status_code == 403
        assert client.post("/login", data={"name": "ann", "password": "right"}).status_code == 303
        assert client.get("/config").status_code == 200
        assert client.get("/logout").status_code == 303
        assert client.get("/config").status_code == 401


def test_each_user_has_their_own_conversations(guarded: Any, fake_pipeline: Any) -> None:
    conversation, _ = guarded.conversations.add(f"user-{b'ann'.hex()}", "", fake_pipeline.ask("Who lauded it?"))
    for name, password, status in (("ann", "right", 200), ("bob", "left", 404)):
        with httpx.Client(base_url=guarded.address) as client:
            client.post("/login", data={"name": name, "password": password})
            assert client.get(f"/dossier/export/{conversation}.md").status_code == status


def test_zz_guessing_is_stopped_by_the_server(guarded: Any) -> None:
    with httpx.Client(base_url=guarded.address) as client:
        for _ in range(ATTEMPTS):
            assert client.post("/login", data={"name": "ann", "password": "x"}).status_code == 403
        answer = client.post("/login", data={"name": "ann", "password": "right"})
        assert answer.status_code == 429
        assert "Wait" in answer.text


def test_only_loopback_is_bound_without_passwords() -> None:
    with pytest.raises(ServeError, match="--auth"):
        serve_page(SimpleNamespace(host="192.0.2.1", port=0), auth=None, announce=print)
