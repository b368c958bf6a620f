"""Writes docs/growing.md: an article is added from an HTML file while the page is open, asked about, and rolled back.

python tests/ui/take_transcript.py
The article is a release of the White House (12 April 2024, a work of the U.S. government); `dossier add` runs beside
the server, and the page is the same one throughout.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
ARTICLE = Path(__file__).parent / "joint-readout-3-plus-3.html"
QUESTION = "Which Philippine officials took part in the 3+3 meeting in Washington?"
PATIENCE = 1_800_000
"""Milliseconds: the machine may be busy."""


@dataclass
class Transcript:
    """What was done and seen, as Markdown."""

    folder: Path
    lines: list[str] = field(default_factory=list)

    def command(self, *words: str) -> None:
        """Run a command of Dossier's on the same corpus and index, and keep what it prints."""
        options = ["--corpus", str(self.folder / "corpus"), "--index", str(self.folder / "index")]
        if words[0] == "index":
            options = options[2:]
        done = subprocess.run(
            [sys.executable, "-m", "ui", *words, *options], capture_output=True, text=True, check=True, cwd=ROOT
        )
        shown = " ".join(Path(word).name if "/" in word else word for word in words)
        printed = done.stdout.replace(str(self.folder), "…").replace(str(ARTICLE.parent), "…").strip()
        self.lines += ["```", f"$ dossier {shown}", printed, "```", ""]

    def ask(self, page: Page) -> None:
        """Ask on the page, and keep what it shows at the end."""
        before = page.locator(".turn").count()
        started = time.monotonic()
        page.fill("#question textarea", QUESTION)
        page.keyboard.press("Enter")
        # The question is the same each time, so the turn before must have left its place first.
        expect(page.locator("#current .said .actions")).to_have_count(0)
        expect(page.locator(".turn")).to_have_count(before + 1)
        expect(page.locator("#current .turn h2")).to_have_text(QUESTION)
        expect(page.locator("#current .said .actions")).to_be_visible()
        said = page.locator("#current .said .answer").inner_text()
        banner = " · ".join(page.locator(".banner").inner_text().split("\n"))
        self.lines += [
            f"On the page (*{banner}*), after {time.monotonic() - started:.0f} s:",
            "",
            f"> **{QUESTION}**",
            ">",
        ]
        self.lines += [f"> {line}" for line in said.splitlines() if line.strip()]
        for number in page.locator("#current .said .number").all()[:1]:
            number.click()
            mark = page.locator("#panel mark.cited").first
            expect(mark).to_be_visible()
            self.lines += [">", f"> [1] cites: “{' '.join(mark.inner_text().split())}”"]
            page.wait_for_timeout(500)  # what moves has arrived
            page.screenshot(path=ROOT / "docs" / "growing.png")
            page.keyboard.press("Escape")
        self.lines.append("")


def main() -> None:
    """Serve, ask, add, ask, roll back, ask, and write it down."""
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place)
        shutil.copytree(ROOT / "corpus" / "documents", folder / "corpus")
        transcript = Transcript(folder)
        command = [sys.executable, "-m", "ui", "serve", "--port", "0"]
        options = ["--corpus", str(folder / "corpus"), "--index", str(folder / "index")]
        with subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "XDG_DATA_HOME": str(folder / "share")},
        ) as server:
            assert server.stdout
            address = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
            assert address
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.set_default_timeout(PATIENCE)
            expect.set_options(timeout=PATIENCE)
            page.goto(address[0])
            expect(page.locator(".examples button")).to_have_count(4)
            for title, words in (
                ("Before", ()),
                ("The article is added, while the page stays open", ("add", str(ARTICLE))),
                ("Rolled back, while the page stays open", ("index", "rollback")),
            ):
                transcript.lines += [f"## {title}", ""]
                if words:
                    transcript.command(*words)
                    transcript.command("index", "list")
                transcript.ask(page)
            transcript.command("index", "verify")
            browser.close()
            server.terminate()
            server.wait(60)
    head = (
        "# A document added, asked about, and rolled back\n\n"
        "Written by `python tests/ui/take_transcript.py`: the shipped documents, the default model, one page that is "
        "open all the time. The article is a [release of the White House]"
        "(../tests/ui/joint-readout-3-plus-3.html) as an HTML page.\n\n"
    )
    (ROOT / "docs" / "growing.md").write_text(head + "\n".join(transcript.lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
