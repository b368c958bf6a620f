"""Measures a page that is being served: first paint, time to evidence, and every request that it makes.

dossier serve --port 7860 &
python tests/ui/measure_page.py http://127.0.0.1:7860
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

ROUNDS = 5
QUESTIONS = (
    "Who lauded the agreement as a historic step?",
    "To whom will the new joint force headquarters report?",
    "How many yen does the 2022 buildup program plan?",
    "When was Japan's Joint Operations Command launched?",
    "What was Russia's warning to Japan about?",
)
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
READY = ".examples button, #past .turn"
EVIDENCE = "#current .evidence .card"


def first_paint(page: Page, address: str) -> tuple[float, float]:
    """Milliseconds until something is painted, and until the page can be used."""
    begun = time.perf_counter()
    page.goto(address)
    page.locator(READY).first.wait_for()
    return float(page.evaluate(PAINT)), (time.perf_counter() - begun) * 1000


def evidence(page: Page, question: str) -> float:
    """Milliseconds from Enter until the evidence is on the page; the answer is stopped then."""
    page.get_by_role("button", name="New conversation").dispatch_event("click")
    page.locator(".examples button").first.wait_for()
    page.fill("#question textarea", question)
    begun = time.perf_counter()
    page.keyboard.press("Enter")
    page.locator(EVIDENCE).first.wait_for()
    taken = (time.perf_counter() - begun) * 1000
    stop = page.locator("button#stop")
    if stop.is_visible():
        stop.click()
    page.locator("button#ask").wait_for()
    return taken


def main() -> None:
    """Print the measurements as one JSON object."""
    address = sys.argv[1]
    asked: Counter[str] = Counter()
    paints, ready, found = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for place in range(ROUNDS):
            context = browser.new_context(viewport={"width": 1280, "height": 900})  # with an empty cache
            context.set_default_timeout(300_000)
            page = context.new_page()
            page.on("request", lambda request: asked.update([_shown(request.url)]))
            painted, usable = first_paint(page, address)
            paints.append(painted)
            ready.append(usable)
            found.append(evidence(page, QUESTIONS[place % len(QUESTIONS)]))
            context.close()
        browser.close()
    report = {
        "first_paint_ms": _spread(paints),
        "usable_ms": _spread(ready),
        "evidence_ms": _spread(found),
        "hosts": dict(Counter(urlsplit(url).netloc for url in asked.elements())),
        "requests_a_visit": {url: round(count / ROUNDS, 1) for url, count in sorted(asked.items())},
    }
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


def _shown(url: str) -> str:
    """The address without what differs from visit to visit."""
    parts = urlsplit(url)
    path = parts.path if len(parts.path) < 60 else f"{parts.path[:60]}…"
    tail = path.rsplit("/", 1)
    return (
        f"{parts.scheme}://{parts.netloc}{tail[0]}/…"
        if "heartbeat" in path
        else f"{parts.scheme}://{parts.netloc}{path}"
    )


def _spread(values: list[float]) -> dict[str, int]:
    return {"median": round(statistics.median(values)), "least": round(min(values)), "most": round(max(values))}


if __name__ == "__main__":
    main()
