"""Takes the pictures under docs/ of every main state of the page: wide and phone, light and dark.

python tests/ui/take_pictures.py            # serves the shipped documents with the default model, and the scripts
python tests/ui/take_pictures.py disagreement fault   # only these
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
SIZES = {"wide": (1280, 860), "phone": (390, 844)}
SCHEMES = ("light", "dark")
PATIENCE = 600_000
ANSWERED = "To whom will the new joint force headquarters report?"
REFUSED = "Who is the current emperor of Japan?"


def welcome(page: Page) -> None:
    """An empty conversation."""


def evidence(page: Page) -> None:
    """The evidence, before the model has said a word."""
    ask(page, "Who lauded the agreement as a historic step, and what did he say?")
    expect(page.locator("#current .evidence .card").first).to_be_visible()
    expect(page.locator("#current .waiting")).to_be_visible()


def answer(page: Page) -> None:
    """A finished answer."""
    page.locator("#past .turn").first.scroll_into_view_if_needed()
    page.locator("#past .turn h2").first.evaluate("element => element.scrollIntoView()")


def source(page: Page) -> None:
    """The source beside the answer."""
    page.locator("#past .turn .said .number").first.click()
    expect(page.locator("#panel mark.cited").first).to_be_in_viewport()


def refusal(page: Page) -> None:
    """A question that the documents do not answer."""
    page.locator("#past .turn:has(.refusal) h2").evaluate("element => element.scrollIntoView()")


def history(page: Page) -> None:
    """Past conversations."""
    for question in ("Who lauded the agreement?", "How many troops are there?"):
        page.get_by_role("button", name="New conversation").dispatch_event("click")
        expect(page.locator(".examples")).to_be_visible()
        ask(page, question)
        expect(page.locator("#current .actions")).to_be_visible()
    page.get_by_role("button", name="Toggle Sidebar").click()
    expect(page.locator(".conversations .open").first).to_be_visible()


def documents(page: Page) -> None:
    """The corpus with its timeline."""
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("table.documents")).to_be_visible()
    page.locator(".timeline summary").click()


def evaluation(page: Page) -> None:
    """The last reports."""
    page.get_by_role("tab", name="Evaluation").click()
    expect(page.frame_locator("#reports iframe").locator("h1").first).to_be_visible()


def disagreement(page: Page) -> None:
    """Two values side by side."""
    ask(page, "How many troops?")
    expect(page.locator("#current .note.disagree")).to_be_visible()


def fault(page: Page) -> None:
    """What went wrong, never mistaken for an answer."""
    ask(page, "Does it answer with a broken model?")
    expect(page.locator("#current .fault")).to_be_visible()


OPENED = (answer, source, refusal)
"""These look at a conversation that was held once."""
REAL: tuple[Callable[[Page], None], ...] = (welcome, evidence, *OPENED, documents, evaluation)
SCRIPTED: tuple[Callable[[Page], None], ...] = (disagreement, fault, history)


def ask(page: Page, question: str) -> None:
    """Type a question and send it."""
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    expect(page.locator("#current .turn h2")).to_be_visible()


@contextmanager
def served(command: list[str], folder: Path) -> Iterator[str]:
    """The address of a page that `command` serves."""
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "share"), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield re.findall(r"http://\S+", line)[0]
        finally:
            process.terminate()


def take(context: BrowserContext, address: str, state: Callable[[Page], None], name: str) -> None:
    """One picture."""
    page = context.new_page()
    page.goto(address)
    expect(page.locator(".examples button, #past .turn").first).to_be_visible()
    state(page)
    page.wait_for_timeout(500)  # what moves has arrived
    page.screenshot(path=DOCS / f"{state.__name__}-{name}.png")
    if page.locator("button#stop").is_visible():
        page.click("button#stop")
        expect(page.locator("button#ask")).to_be_visible()
    page.close()


def main() -> None:
    """Take the pictures that are named, or all."""
    wanted = set(sys.argv[1:]) or {state.__name__ for state in (*REAL, *SCRIPTED)}
    folder = Path(tempfile.mkdtemp())
    expect.set_options(timeout=PATIENCE)
    shutil.copytree(ROOT / "corpus" / "documents", folder / "corpus")
    dossier = [sys.executable, "-m", "ui"]
    options = ["--corpus", str(folder / "corpus"), "--index", str(folder / "index")]
    if "evaluation" in wanted:
        run = [
            *dossier,
            "eval",
            "run",
            "--retrieval-only",
            "--limit",
            "12",
            "--out",
            "evals/runs/2026-11-22-0900",
            *options,
        ]
        subprocess.run(run, cwd=folder, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    servers = (
        ([*dossier, "serve", "--port", "0", *options], REAL),
        ([sys.executable, str(ROOT / "tests" / "ui" / "serve_scripted.py"), str(folder)], SCRIPTED),
    )
    for command, states in servers:
        chosen = [state for state in states if state.__name__ in wanted]
        if chosen:
            with served(command, folder) as address:
                take_all(address, chosen)
    shutil.rmtree(folder)


def take_all(address: str, states: list[Callable[[Page], None]]) -> None:
    """Every state in every size and scheme, by one reader who asks as little as possible."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        first = browser.new_context()
        first.set_default_timeout(PATIENCE)
        held = address
        if set(OPENED) & set(states):
            page = first.new_page()
            page.goto(address)
            for question in (ANSWERED, REFUSED):
                ask(page, question)
                expect(page.locator("#current .turn h2")).to_have_text(question)
                expect(page.locator("#current .actions")).to_be_visible()
            held = page.url
        for size, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                    reduced_motion="reduce",
                    storage_state=first.storage_state(),
                )
                context.set_default_timeout(PATIENCE)
                for state in states:
                    take(context, held if state in OPENED else address, state, f"{size}-{scheme}")
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
