"""The page as `dossier serve` gives it: the shipped documents, the default model, a real browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.timeout(900)]
DOCUMENTS = Path(__file__).parents[2] / "corpus" / "documents"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE = 180_000
"""Milliseconds: the machine may be busy with other tests."""


@dataclass
class Served:
    """The page's address, its process, and the folder with its corpus, index, conversations and reports."""

    address: str
    process: int
    folder: Path

    def processor_seconds(self) -> float:
        """Processor time that the process has taken."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("real")
    shutil.copytree(DOCUMENTS, folder / "corpus")
    command = [sys.executable, "-m", "ui", "serve", "--port", "0"]
    options = ["--corpus", str(folder / "corpus"), "--index", str(folder / "index")]
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "share")}
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield Served(found[0], process.pid, folder)
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def address(served: Served) -> str:
    return served.address


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


def until_idle(served: Served) -> float:
    """Wait until the server does nothing; the processor seconds that it had used by then."""
    while True:
        before = served.processor_seconds()
        time.sleep(1)
        if served.processor_seconds() - before < 0.3:
            return before


def test_stop_leaves_the_processor_idle(page: Page, served: Served) -> None:
    until_idle(served)  # warming up goes on in the background, and after a stop too
    ask(page, "What is the difference between JFHQ and JJOC?")
    expect(page.locator("#current .evidence .card").first).to_be_visible()
    page.locator("button#stop").dispatch_event("click")
    stopped = served.processor_seconds()
    expect(page.locator("#current .stopped")).to_be_visible()
    # In processor time, not by the clock: the machine may be busy. Answering would take 20 to 40 s of it.
    assert until_idle(served) - stopped < 8
    # The next question is answered: the model was let go.
    ask(page, "When was Japan's Joint Operations Command launched?")
    expect(page.locator("#current .actions")).to_be_visible()  # the whole answer is there, and kept
    expect(page.locator("#current .said")).to_contain_text("2025")


def test_the_conversation_is_still_there_after_a_reload(page: Page) -> None:
    page.reload()
    expect(page.locator("#past .turn")).to_have_count(3)


def test_a_document_is_added_asked_about_removed_and_brought_back(page: Page, served: Served) -> None:
    file = served.folder / "The lighthouse of Velm.md"
    file.write_text(
        "# The lighthouse of Velm\n\nThe lighthouse of Velm was lit for the first time on May 4, 1994, by Ilse Brandt."
    )
    page.get_by_role("tab", name="Documents").click()
    rows = page.locator("table.documents tbody tr")
    expect(rows).to_have_count(23)
    page.locator("#add input[type=file]").set_input_files(file)
    expect(page.locator("#added")).to_contain_text("1 document added.")
    expect(rows).to_have_count(24)
    page.get_by_label("Or paste an address").fill(f"{served.address}/secret")
    page.keyboard.press("Enter")
    expect(page.locator("#added")).to_contain_text("0 documents added, 1 skipped.")
    expect(page.locator("#added")).to_contain_text("private network")
    page.locator(".timeline summary").click()
    expect(page.locator(".timeline")).to_contain_text("May 4, 1994")

    remove = page.get_by_role("button", name="Remove The lighthouse of Velm")
    remove.click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(rows).to_have_count(24)
    remove.click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#added")).to_contain_text("added/The-lighthouse-of-Velm.md removed.")
    expect(rows).to_have_count(23)
    assert not (served.folder / "corpus" / "added" / "The-lighthouse-of-Velm.md").exists()
    page.locator("#added").get_by_role("button", name="Undo").click()
    expect(page.locator("#added")).to_contain_text("is back.")
    expect(rows).to_have_count(24)
    page.get_by_role("tab", name="Ask").click()
    ask(page, "Who lit the lighthouse of Velm for the first time?")
    expect(page.locator("#current .evidence .card").first).to_contain_text("Ilse Brandt")
    expect(page.locator("#current .actions")).to_be_visible()


def test_a_report_is_read_in_place(page: Page, served: Served) -> None:
    run = served.folder / "evals" / "runs" / "2026-01-01-1200"
    run.mkdir(parents=True)
    (run / "report.html").write_text("<h1>What was measured</h1>")
    page.get_by_role("tab", name="Evaluation").click()
    expect(page.frame_locator("#reports iframe").locator("h1")).to_have_text("What was measured")


def test_two_people_at_once(page: Page, address: str) -> None:
    assert page.context.browser
    other = page.context.browser.new_context()
    other.set_default_timeout(PATIENCE)
    second = other.new_page()
    second.goto(address)
    expect(second.locator(".examples button")).to_have_count(4)
    page.get_by_role("tab", name="Ask").click()
    ask(page, "What is the difference between JFHQ and JJOC?")
    expect(page.locator("#current .evidence .card").first).to_be_visible()
    ask(second, "To whom will the new joint force headquarters report?")
    expect(second.locator("#current .evidence .card mark").first).to_be_visible()
    expect(second.locator("#current .waiting")).to_have_text("In line: 1 question is before yours.")
    page.locator("button#stop").dispatch_event("click")
    expect(page.locator("#current .stopped")).to_be_visible()
    expect(second.locator("#current .actions")).to_be_visible()
    expect(second.locator("#current .said")).to_contain_text("Indo-Pacific")
    assert second.locator(".turn").count() == 1  # nothing of the other's conversation
    other.close()


def test_a_phone_in_the_dark_by_keyboard(page: Page, address: str) -> None:
    assert page.context.browser
    phone = page.context.browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", reduced_motion="reduce"
    )
    phone.set_default_timeout(PATIENCE)
    reader = phone.new_page()
    reader.goto(address)
    expect(reader.locator(".examples button")).to_have_count(4)
    reader.evaluate("document.activeElement.blur()")
    reader.keyboard.press("/")
    reader.keyboard.type("When was Japan's Joint Operations Command launched?")
    reader.keyboard.press("Enter")
    card = reader.locator("#current .evidence .card").first
    expect(card).to_be_visible()
    reader.keyboard.press("Escape")
    expect(reader.locator("#current .stopped")).to_be_visible()
    card.focus()
    reader.keyboard.press("Enter")
    expect(reader.locator("#panel mark.cited").first).to_be_in_viewport()
    assert reader.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    reader.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8"))
    found = reader.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [violation["id"] for violation in found if violation["impact"] in {"serious", "critical"}] == []
    reader.keyboard.press("Escape")
    expect(card).to_be_focused()
    phone.close()


def test_hostile_documents_are_shown_and_never_run(page: Page, served: Served) -> None:
    run = "<img src=x onerror='window.hacked=1'><svg onload='window.hacked=2'></svg><script>window.hacked=3</script>"
    text = f"The kraken of Velm sank nine ferries in 1994. {run} [click](javascript:window.hacked=4)"
    files = [served.folder / "kraken.md", served.folder / "kraken.html"]
    files[0].write_text(f"# The kraken {run}\n\n{text}\n")
    files[1].write_text(f"<html><title>Kraken page</title><article><p>{text} It slept for a year.</p></article></html>")
    page.get_by_role("tab", name="Documents").click()
    page.locator("#add input[type=file]").set_input_files(files)
    expect(page.locator("#added")).to_contain_text("2 documents added.")
    page.get_by_role("tab", name="Ask").click()
    ask(page, "How many ferries did the kraken of Velm sink?")
    card = page.locator("#current .evidence .card").first
    expect(card).to_contain_text("nine ferries")
    card.click()
    expect(page.locator("#panel mark.cited").first).to_contain_text("kraken of Velm sank nine ferries")
    page.locator("button#stop").dispatch_event("click")
    expect(page.locator("#current .stopped")).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert page.locator("#current :is(img, svg, script), #panel :is(img, svg, script)").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    page.keyboard.press("Escape")


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
