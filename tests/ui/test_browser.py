# ruff: noqa: ANN401  the served page is a class of conftest, which importlib mode does not let a test import
"""What a reader does on the page, in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright

pytestmark = pytest.mark.browser
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000
"""Milliseconds: the machine may be busy with other tests."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, served: Any) -> Page:
    return open_page(context, served)


def open_page(context: BrowserContext, served: Any, query: str = "") -> Page:
    page = context.new_page()
    page.goto(f"{served.address}/{query}")
    expect(page.locator(".examples button, #past .turn").first).to_be_visible()
    return page


def ask(page: Page, question: str, *, wait: bool = True) -> None:
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    if wait:
        expect(page.locator("#current .turn h2")).to_have_text(question)
        expect(page.locator("#current .actions")).to_be_visible()


def test_ask_evidence_answer_citation_source(page: Page) -> None:
    ask(page, "Who lauded it, slowly?", wait=False)
    expect(page.locator("#current .evidence .card mark").first).to_contain_text("Lloyd Austin lauded")
    expect(page.locator("#current .draft")).to_be_visible()
    expect(page.locator("button#stop")).to_be_visible()
    expect(page.locator("#current .actions")).to_be_visible()
    expect(page.locator("button#stop")).to_be_hidden()

    number = page.locator("#current .said .number").first
    number.hover()
    expect(page.locator("#current .said .tip").first).to_be_visible()
    expect(page.locator("#current .said .tip").first).to_contain_text("U.S. Secretary of Defense Lloyd Austin lauded")
    number.click()
    mark = page.locator("#panel mark.cited")
    expect(mark).to_have_text(re.compile("^U.S. Secretary of Defense Lloyd Austin lauded .* tomorrow.”$"))
    expect(mark).to_be_in_viewport()
    expect(page.locator("#panel h2")).to_be_focused()
    expect(page.locator("#panel h2")).to_contain_text("Japan and U.S. solidify alliance")
    expect(page.locator("#panel")).to_contain_text("1 of 2")

    page.keyboard.press("n")
    expect(mark).to_contain_text("54,000")
    expect(page.locator("#panel a")).to_have_attribute("href", "https://www.usfj.mil/About-USFJ/")
    page.get_by_role("button", name="Previous citation").click()
    expect(mark).to_contain_text("Lloyd Austin")
    page.keyboard.press("Escape")
    expect(page.locator("#panel .source")).to_be_hidden()
    expect(number).to_be_focused()


def test_stop_ends_the_work(page: Page, served: Any) -> None:
    stopped = served.lines.count("stopped")
    ask(page, "endless and slowly", wait=False)
    expect(page.locator("#current .draft")).to_be_visible()
    page.click("button#stop")
    expect(page.locator("#current .stopped")).to_contain_text("was not checked")
    expect(page.locator("button#ask")).to_be_visible()
    deadline = time.monotonic() + 5
    while served.lines.count("stopped") == stopped and time.monotonic() < deadline:
        time.sleep(0.02)
    assert served.lines.count("stopped") == stopped + 1


def test_enter_while_an_answer_is_written_asks_next_in_the_same_conversation(page: Page) -> None:
    ask(page, "endless and slowly", wait=False)
    expect(page.locator("#current .draft")).to_be_visible()
    page.fill("#question textarea", "Who lauded it?")
    page.keyboard.press("Enter")
    expect(page.locator("#queued")).to_have_text("Asked as soon as this answer is there.")
    expect(page.locator("#question textarea")).to_have_value("Who lauded it?")
    page.click("button#stop")
    expect(page.locator("#current .turn h2")).to_have_text("Who lauded it?")
    expect(page.locator("#current .actions")).to_be_visible()
    expect(page.locator("#queued")).to_have_count(0)
    expect(page.locator("#question textarea")).to_have_value("")

    ask(page, "Who lauded it, slowly?", wait=False)
    expect(page.locator("#current .draft")).to_be_visible()
    page.fill("#question textarea", "Who was it?")
    page.keyboard.press("Enter")
    expect(page.locator("#current .turn h2")).to_have_text("Who was it?")
    expect(page.locator("#current .actions")).to_be_visible()
    expect(page.locator("#past .turn h2")).to_have_text(["Who lauded it?", "Who lauded it, slowly?"])


def test_a_queued_question_that_is_taken_back_is_not_asked(page: Page) -> None:
    ask(page, "endless and slowly", wait=False)
    expect(page.locator("#current .draft")).to_be_visible()
    page.fill("#question textarea", "Who lauded it?")
    page.keyboard.press("Enter")
    expect(page.locator("#queued")).to_be_visible()
    page.fill("#question textarea", "")
    page.click("button#stop")
    expect(page.locator("#current .stopped")).to_be_visible()
    expect(page.locator("#queued")).to_have_count(0)
    expect(page.locator("#current .turn h2")).to_have_text("endless and slowly")


def test_a_reload_while_answering_gives_the_question_back(context: BrowserContext, served: Any) -> None:
    page = open_page(context, served)
    ask(page, "endless and slowly", wait=False)
    expect(page.locator("#current .draft")).to_be_visible()
    page.reload()
    box = page.locator("#question textarea")
    expect(box).to_have_value("endless and slowly")
    box.fill("Who lauded it?")
    page.keyboard.press("Enter")
    expect(page.locator("#current .actions")).to_be_visible()
    page.reload()
    expect(page.locator("#past .turn")).to_have_count(1)
    expect(box).to_have_value("")


def test_a_question_is_edited_and_asked_again(page: Page) -> None:
    ask(page, "Who lauded it?")
    before = page.locator(".turn").count()
    page.locator("#current").get_by_role("button", name="Ask again").click()
    box = page.locator("#question textarea")
    expect(box).to_be_focused()
    expect(box).to_have_value("Who lauded it?")
    box.fill("How many troops?")
    page.keyboard.press("Enter")
    expect(page.locator("#current .turn h2")).to_have_text("How many troops?")
    expect(page.locator("#current .said")).to_contain_text("54,000")
    expect(page.locator(".turn")).to_have_count(before + 1)


def test_closing_the_tab_ends_the_work(context: BrowserContext, served: Any) -> None:
    stopped = served.lines.count("stopped")
    page = open_page(context, served)
    ask(page, "endless and slowly", wait=False)
    expect(page.locator("#current .draft")).to_be_visible()
    page.close()
    deadline = time.monotonic() + 30
    while served.lines.count("stopped") == stopped and time.monotonic() < deadline:
        time.sleep(0.05)
    assert served.lines.count("stopped") == stopped + 1


def test_no_other_host_is_asked_for_anything(context: BrowserContext, served: Any) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = open_page(context, served)
    ask(page, "Who lauded it?")
    page.locator("#current .number").first.click()
    expect(page.locator("#panel mark.cited")).to_be_visible()
    page.keyboard.press("Escape")
    for name in ("Documents", "Evaluation"):
        page.get_by_role("tab", name=name).click()
    expect(page.locator("#reports")).to_contain_text("dossier eval run")
    assert len(asked) > 20
    assert [url for url in asked if not url.startswith((served.address, "data:", "blob:"))] == []


def test_hostile_text_is_shown_and_never_runs(context: BrowserContext, served: Any) -> None:
    complaints: list[str] = []
    failed: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 400:
            failed.append(response.url)

    context.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    context.on("response", note)
    page = open_page(context, served)
    ask(page, "hostile <img src=x onerror='window.hacked = 9'>?")
    expect(page.locator("#current .answer")).to_contain_text("<script>window.hacked = 1</script>")
    page.locator("#current .number").first.click()
    expect(page.locator("#panel mark.cited")).to_contain_text("<img src=x")
    assert page.locator("#panel a").count() == 0
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("table.documents")).to_contain_text("Evil <script>")
    assert page.evaluate("window.hacked") is None
    assert page.locator("#current img, #current svg, #current script, #panel img, #documents img").count() == 0
    # A violated policy would be a console error: the text never even tried.
    assert complaints == []
    assert failed == []


def test_an_inline_script_would_be_stopped_by_the_policy(page: Page) -> None:
    page.evaluate("""() => {
        const image = document.createElement("div");
        image.innerHTML = "<img src=x onerror='window.hacked = 1'>";
        document.body.append(image);
        const script = document.createElement("script");
        script.textContent = "window.hacked = 2";
        document.body.append(script);
    }""")
    page.wait_for_timeout(500)
    assert page.evaluate("window.hacked") is None
    with pytest.raises(Exception, match="Failed to fetch"):
        page.evaluate("fetch('https://example.org/')")


def test_a_conversation_survives_a_reload_and_is_found_opened_exported_and_deleted(
    context: BrowserContext, served: Any
) -> None:
    page = open_page(context, served)
    ask(page, "Who lauded it?")
    ask(page, "And what did he say?")
    expect(page.locator("#current .understood")).to_contain_text("Understood as: Who lauded the agreement of July 2024")
    expect(page).to_have_url(re.compile(r"\?c=[0-9a-f]{16}$"))
    page.reload()
    expect(page.locator("#past .turn")).to_have_count(2)
    page.get_by_role("button", name="Toggle Sidebar").click()
    entry = page.locator(".conversations .open")
    expect(entry).to_have_text("Who lauded it?")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".examples")).to_be_visible()
    entry.click()
    expect(page.locator("#past .turn")).to_have_count(2)
    page.get_by_label("Search conversations").fill("nothing like it")
    expect(page.locator("#conversations")).to_contain_text("No conversations")
    page.get_by_label("Search conversations").fill("lauded")
    expect(entry).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Export as JSON")).click()
    exported = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert [answer["question"] for answer in exported["answers"]] == ["Who lauded it?", "And what did he say?"]
    cited = exported["answers"][0]["citations"][0]
    assert re.fullmatch("[0-9a-f]{64}", exported["answers"][0]["documents"][cited["document"]])
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Export as Markdown")).click()
    written = Path(download.value.path()).read_text("utf-8")
    assert "SHA\\-256" in written or "SHA-256" in written
    assert f"{cited['start']}-{cited['end']}" in written
    page.get_by_role("button", name=re.compile("^Delete")).click()
    page.get_by_text("Really delete?").click()
    expect(entry).to_have_count(0)


def test_people_do_not_see_each_other(browser: Browser, page: Page, served: Any) -> None:
    ask(page, "Who lauded it?")
    address = page.url
    other = browser.new_context()
    stranger = other.new_page()
    stranger.goto(address)
    expect(stranger.locator(".examples")).to_be_visible(timeout=PATIENCE)
    assert stranger.locator(".turn").count() == 0
    other.close()


def test_a_vote_and_a_comment_are_kept(page: Page, served: Any) -> None:
    ask(page, "Who lauded it?")
    page.get_by_role("button", name="Not helpful").click()
    page.get_by_label("Comment on this answer").fill("the date is missing")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#current .comment")).to_contain_text("Kept")
    deadline = time.monotonic() + 10
    found: list[Any] = []
    while not found and time.monotonic() < deadline:
        found = [turn for turn in served.conversations.voted() if turn.comment == "the date is missing"]
    assert found[0].vote == -1
    page.reload()
    expect(page.locator("#past .turn")).to_contain_text("Your comment: the date is missing")
    expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")


def test_copy_has_the_sources(context: BrowserContext, served: Any) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.address)
    page = open_page(context, served)
    ask(page, "Who lauded it?")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "[1] Japan and U.S. solidify alliance" in page.evaluate("navigator.clipboard.readText()")


def test_refusal_premise_disagreement_and_fault_have_their_own_looks(page: Page) -> None:
    ask(page, "Who is the emperor?")
    expect(page.locator("#current .refusal .verdict")).to_have_text("The documents do not state this.")
    expect(page.locator("#current .evidence h3")).to_contain_text("Related reading, not an answer")
    ask(page, "What did the treaty of 1990 say?")
    expect(page.locator("#current .premise .number")).to_have_count(1)
    ask(page, "How many troops?")
    expect(page.locator("#current .note.disagree .beside li")).to_have_count(2)
    expect(page.locator("#current .note.old")).to_be_visible()
    expect(page.locator("#current .unsupported .flag")).to_have_text("not supported by the documents")
    ask(page, "Is it broken?", wait=False)
    expect(page.locator("#current .fault .verdict")).to_have_text("Something went wrong; this is no answer.")
    expect(page.locator("#current .fault")).to_contain_text("dossier models verify")
    page.fill("#question textarea", "   ")
    page.keyboard.press("Enter")
    expect(page.locator("#current .fault")).to_contain_text("The question is empty")


def test_the_documents_are_sorted_filtered_and_opened(page: Page) -> None:
    page.get_by_role("tab", name="Documents").click()
    rows = page.locator("table.documents tbody tr:visible")
    expect(rows).to_have_count(7)
    page.get_by_role("button", name="Title").click()
    titles = page.locator("table.documents tbody tr:visible td:first-child").all_inner_texts()
    assert titles == sorted(titles, key=str.casefold)
    page.get_by_label("Search", exact=True).fill("joint operations")
    expect(rows).to_have_count(1)
    page.get_by_label("Search", exact=True).fill("")
    page.get_by_label("Kind").select_option("article")
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button").first.click()
    expect(page.locator("#panel h2")).to_contain_text("Japan and U.S. solidify alliance")


def test_the_keyboard_alone_does_everything(page: Page) -> None:
    page.locator("body").click(position={"x": 5, "y": 700})
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    expect(page.locator("#question textarea")).to_be_focused()
    page.keyboard.type("Who lauded it?")
    page.keyboard.press("Enter")
    expect(page.locator("#current .actions")).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('#current .said .number')"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    expect(page.locator("#current .said .number:focus + .tip")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#panel mark.cited")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#panel .source")).to_be_hidden()


def test_screen_readers_are_told(page: Page) -> None:
    live = page.locator("#live [role=status]")
    expect(live).to_have_attribute("aria-live", "polite")
    ask(page, "Who lauded it?")
    expect(live).to_contain_text("Lloyd Austin, the U.S. Secretary of Defense")


def test_place_in_line_is_shown_and_the_evidence_does_not_wait(browser: Browser, page: Page, served: Any) -> None:
    ask(page, "endless and slowly", wait=False)
    expect(page.locator("#current .draft")).to_be_visible()
    second = browser.new_context()
    second.set_default_timeout(PATIENCE)
    other = open_page(second, served)
    ask(other, "Who lauded it?", wait=False)
    expect(other.locator("#current .evidence .card mark").first).to_be_visible()
    expect(other.locator("#current .waiting")).to_have_text("In line: 1 question is before yours.")
    page.click("button#stop")
    expect(other.locator("#current .actions")).to_be_visible()
    second.close()


def test_a_conversation_survives_a_restart_of_the_server(context: BrowserContext, served: Any, restarted: Any) -> None:
    page = open_page(context, served)
    ask(page, "Who lauded it?")
    expect(page).to_have_url(re.compile(r"\?c=[0-9a-f]{16}$"))
    query = page.url.partition("?")[2]
    again = open_page(context, restarted, f"?{query}")
    expect(again.locator("#past .turn h2")).to_have_text("Who lauded it?")


def test_reports_are_read_in_place(page: Page, served: Any) -> None:
    runs = served.conversations.path.parent / "runs"
    for name in ("2026-01-01-1200", "2026-02-01-1200"):
        (runs / name).mkdir(parents=True)
        (runs / name / "report.html").write_text(f"<h1>Run {name}</h1><script>parent.hacked = 1</script>")
    try:
        page.get_by_role("tab", name="Evaluation").click()
        expect(page.locator(".runs button")).to_have_count(2)
        page.locator(".runs button", has_text="2026-01").click()
        expect(page.frame_locator("#reports iframe").locator("h1")).to_have_text("Run 2026-01-01-1200")
        page.locator(".runs button", has_text="2026-02").click()
        expect(page.frame_locator("#reports iframe").locator("h1")).to_have_text("Run 2026-02-01-1200")
        assert page.evaluate("window.hacked") is None
    finally:
        shutil.rmtree(runs)


def test_other_scripts_and_directions_are_rendered(page: Page) -> None:
    ask(page, "كم عدد أفراد القوات في اليابان؟")
    heading = page.locator("#current h2")
    assert heading.evaluate("element => getComputedStyle(element).direction") == "rtl"
    expect(page.locator("#current .answer")).to_contain_text("約54,000人")
    expect(page.locator("#current .answer")).to_contain_text("القوات")
    ask(page, "日本語で何人ですか。")
    assert heading.evaluate("element => getComputedStyle(element).direction") == "ltr"
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_the_timeline_leads_to_the_sentence(page: Page) -> None:
    page.get_by_role("tab", name="Documents").click()
    page.locator(".timeline summary").click()
    expect(page.locator(".timeline .of-document").first).to_be_visible()
    event = page.locator(".timeline li li:not(.of-document)", has_text="USFJ was established").first
    expect(event.locator("time")).to_have_text("July 1, 1957")
    event.get_by_role("button").click()
    expect(page.locator("#panel mark.cited").first).to_contain_text("July 1, 1957")


def test_documents_are_added_removed_and_brought_back_by_keyboard(page: Page, served: Any, tmp_path: Path) -> None:
    corpus = served.conversations.path.parent / "corpus"
    path = "briefs/us-forces-japan.md"
    page.get_by_role("tab", name="Documents").click()
    (tmp_path / "pier.md").write_text("# The pier\n\nThe pier of Velm will cost 43 million krones.\n")
    page.locator("#add input[type=file]").set_input_files([tmp_path / "pier.md", corpus / path])
    expect(page.locator("#added")).to_contain_text("1 document added, 1 skipped.")
    expect(page.locator("#added")).to_contain_text("is there already")
    page.get_by_label("Or paste an address").fill("/etc/passwd")
    page.keyboard.press("Enter")
    expect(page.locator("#added .fault")).to_contain_text("begins with https://")
    page.get_by_label("Or paste an address").fill(f"{served.address}/x")
    page.keyboard.press("Enter")
    expect(page.locator("#added")).to_contain_text("0 documents added, 1 skipped.")

    remove = page.locator(f"button[data-remove='{path}']")
    remove.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Remove a document")).to_contain_text("can be brought back")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert (corpus / path).is_file()
    remove.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Remove").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#added")).to_contain_text(f"{path} removed.")
    assert not (corpus / path).exists()
    page.locator(".trash summary").click()
    expect(page.locator(".trash li")).to_contain_text(path)
    page.locator("#added .undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#added")).to_contain_text(f"{path} is back.")
    expect(page.locator(".trash")).to_have_count(0)
    assert (corpus / path).is_file()


def drop(page: Page, onto: str, files: dict[str, str]) -> None:
    """Drop files, given by their names and texts, onto an element."""
    page.evaluate(
        """([onto, files]) => {
            const data = new DataTransfer();
            for (const [name, text] of Object.entries(files)) data.items.add(new File([text], name));
            for (const kind of ["dragover", "drop"])
                document.querySelector(onto).dispatchEvent(
                    new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
        }""",
        [onto, files],
    )


def test_files_dropped_on_the_chat_are_added_without_leaving_it(page: Page) -> None:
    ask(page, "Who lauded it?")
    drop(
        page, "#current .said", {"quay.md": "# The quay\n\nThe quay of Velm is 43 metres long.\n", "quay.pdf": "no PDF"}
    )
    report = page.locator("#added")
    expect(report).to_contain_text("1 document added, 1 skipped.")
    expect(report).to_contain_text("quay.pdf")
    expect(report.locator("[role=status]")).to_have_attribute("aria-live", "polite")
    expect(page.locator("#current .turn h2")).to_have_text("Who lauded it?")
    report.get_by_role("button", name="Close this message").click()
    expect(report.locator(".change")).to_be_hidden()
    ask(page, "Who is the emperor?")


def test_a_file_that_is_too_large_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "large.txt"
    with file.open("wb") as large:
        large.truncate(65 * 2**20)
    page.get_by_role("tab", name="Documents").click()
    page.locator("#add input[type=file]").set_input_files(file)
    expect(page.get_by_text(re.compile("maximum allowed size of 64"))).to_be_visible()
    page.get_by_role("tab", name="Ask").click()


def test_ten_chats_at_once_neither_mix_nor_starve(browser: Browser, served: Any) -> None:
    questions = [
        ("Who lauded it?", "Lloyd Austin"),
        ("How many troops?", "54,000"),
        ("Who is the emperor?", "do not name the current emperor"),
        ("What did the treaty of 1990 say?", "July 1, 1957"),
        ("hostile", "window.hacked"),
    ] * 2
    pages = []
    for _ in questions:
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        pages.append(open_page(context, served))
    for page, (question, _) in zip(pages, questions, strict=True):
        ask(page, question, wait=False)
    for page, (question, words) in zip(pages, questions, strict=True):
        expect(page.locator("#current .actions")).to_be_visible(timeout=5 * PATIENCE)  # ten browsers on few cores
        expect(page.locator("#current .turn h2")).to_have_text(question)
        expect(page.locator("#current .answer")).to_contain_text(words)
        page.reload()
        expect(page.locator("#past .turn h2")).to_have_text(question)  # one turn, and it is its own
        page.context.close()


def test_the_shortcuts_are_listed_by_a_button_too(page: Page) -> None:
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("next, previous citation")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_scrolls_sideways(browser: Browser, served: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.set_default_timeout(PATIENCE)
    page = open_page(context, served)
    overflow = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0
    ask(page, "How many troops?")
    assert page.evaluate(overflow) <= 0
    ask(page, "hostile " + "x" * 300)
    assert page.evaluate(overflow) <= 0
    page.locator("#current .number").first.click()
    expect(page.locator("#panel mark.cited")).to_be_visible()
    assert page.evaluate(overflow) <= 0
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("table.documents")).to_be_visible()
    assert page.evaluate(overflow) <= 0
    context.close()


def test_a_login_by_hand(browser: Browser, guarded: Any) -> None:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(guarded.address)
    page.get_by_label("Name").fill("bob")
    page.get_by_label("Password").fill("left")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".examples")).to_be_visible()
    ask(page, "Who lauded it?")
    assert [entry.title for entry in guarded.conversations.find(f"user-{b'bob'.hex()}")] == ["Who lauded it?"]
    context.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds that is serious or critical, one line each."""
    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, served: Any, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = open_page(context, served)
    found = {"welcome": violations(page)}
    for name, question in (("troops", "How many troops?"), ("refusal", "Who is the emperor?"), ("fault", " ")):
        if name == "fault":
            page.fill("#question textarea", question)
            page.keyboard.press("Enter")
            expect(page.locator("#current .fault")).to_be_visible()
        else:
            ask(page, question)
        found[name] = violations(page)
    ask(page, "Who lauded it?")
    page.locator("#current .number").first.click()
    expect(page.locator("#panel mark.cited")).to_be_visible()
    found["source"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("table.documents")).to_be_visible()
    page.locator(".timeline summary").click()
    found["documents"] = violations(page)
    page.get_by_role("button", name="Toggle Sidebar").click()
    page.wait_for_timeout(500)
    found["sidebar"] = violations(page)
    context.close()
    assert {state: lines for state, lines in found.items() if lines} == {}
