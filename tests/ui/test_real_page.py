"""The page as `dossier serve` gives it: the shipped documents, the default model, a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.timeout(900)]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE = 180_000
"""Milliseconds: the machine may be busy with other tests."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("real")
    command = [sys.executable, "-m", "ui", "serve", "--port", "0", "--index", str(folder / "index")]
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "share")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder) as process:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield found[0]
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page = context.new_page()
        foreign: list[str] = []
        page.on("request", lambda request: foreign.append(request.url))
        page.goto(address)
        expect(page.locator(".examples button")).to_have_count(4)
        yield page
        assert [url for url in foreign if not url.startswith((address, "data:", "blob:"))] == []
        browser.close()


def ask(page: Page, question: str) -> None:
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    expect(page.locator("#current .turn h2")).to_have_text(question)


def test_the_banner_tells_index_and_model(page: Page) -> None:
    expect(page.locator(".banner")).to_contain_text("23 documents")
    expect(page.locator(".banner")).to_contain_text("qwen2.5-coder-1.5b", ignore_case=True)


def test_an_answer_points_at_the_words_in_the_document(page: Page) -> None:
    ask(page, "Who lauded the agreement as a historic step, and what did he say?")
    expect(page.locator("#current .evidence .card mark").first).to_be_visible()
    expect(page.locator("#current .actions")).to_be_visible()
    expect(page.locator("#current .said")).to_contain_text("Austin")
    page.locator("#current .said .number").first.click()
    mark = page.locator("#panel mark.cited").first
    expect(mark).to_be_in_viewport()
    expect(mark).to_contain_text("historic")
    page.keyboard.press("Escape")


def test_a_question_that_the_documents_do_not_answer_is_refused(page: Page) -> None:
    ask(page, "Who is the current emperor of Japan?")
    expect(page.locator("#current .refusal .verdict")).to_be_visible()
    expect(page.locator("#current .evidence h3")).to_contain_text("Related reading, not an answer")


def test_stop_leaves_the_processor_idle(page: Page, address: str) -> None:
    ask(page, "What is the difference between JFHQ and JJOC?")
    expect(page.locator("#current .evidence .card").first).to_be_visible()
    page.click("button#stop")
    expect(page.locator("#current .stopped")).to_be_visible()
    # The next question is answered: the model was let go.
    ask(page, "When was Japan's Joint Operations Command launched?")
    expect(page.locator("#current .said")).to_contain_text("2025")


def test_the_conversation_is_still_there_after_a_reload(page: Page) -> None:
    page.reload()
    expect(page.locator("#past .turn")).to_have_count(3)


def test_a_busy_port_is_one_message(address: str, tmp_path: Path) -> None:
    port = address.rsplit(":", 1)[1]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "ui", "serve", "--port", port], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"dossier: Port {port} is in use")
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 60
