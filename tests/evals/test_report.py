"""The report: one page, self-contained, escaped, with each failed question and its reason."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evals.errors import EvaluationError
from evals.questions import Question, Turn
from evals.report import write_report
from evals.runner import run
from qa.answer import Answer, Passage

MakeQuestion = Callable[..., Question]
MakeAnswer = Callable[..., Answer]
SIZE = "USFJ has about 54,000 military personnel."


class Scripted:
    fingerprint = "f"

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = answers

    def ask(self, question: str, history: Sequence[Mapping[str, str]]) -> Answer:
        return self.answers[question]

    def search(self, question: str, k: int) -> list[Passage]:
        return []


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory,
    documents: dict[str, str],
    make_question: MakeQuestion,
    make_answer: MakeAnswer,
) -> Path:
    folder = tmp_path_factory.mktemp("report")
    questions = [
        make_question("right", question="right?"),
        make_question("hostile", question="<script>alert(1)</script>?", history=(Turn("user", "<i>Before</i>"),)),
        make_question("none", question="none | of it?", nuggets=(), tags=("off-corpus",)),
    ]
    answers = {
        "right?": make_answer(("It has 54,000 people.", [SIZE])),
        "<script>alert(1)</script>?": make_answer(("It has <b>55,000</b> people.", [SIZE])),
        "none | of it?": make_answer(("It is 240.", ["It has about 240 people."])),
    }
    run(questions, documents, Scripted(answers), folder / "out", cache_folder=folder / "cache")
    return folder / "out"


def test_the_page_is_whole_and_asks_for_nothing(folder: Path) -> None:
    page = write_report(folder).read_text(encoding="utf-8")
    outside = set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"'\s)>]+)""", page))
    assert all(target.startswith("#") for target in outside)
    assert set(re.findall(r"https?://[^\"' >]*", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert page.count("<svg") == 3
    assert "currentColor" in page
    assert not re.search(r"<script|<link|<img|<iframe", page)


def test_the_page_is_well_formed(folder: Path) -> None:
    class Checker(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []
            self.ids: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in {"meta", "br", "use", "path"}:
                self.open.append(tag)
            self.ids += [value for name, value in attrs if name == "id" and value]

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            if tag not in {"use", "path"}:
                assert self.open.pop() == tag

    checker = Checker()
    checker.feed((folder / "report.html").read_text(encoding="utf-8"))
    assert checker.open == []


def test_what_came_from_a_model_or_a_file_is_escaped(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;?" in page
    assert "&lt;b&gt;55,000&lt;/b&gt;" in page
    assert "&lt;i&gt;Before&lt;/i&gt;" in page


def test_each_failed_question_has_its_reason(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    failed = dict(re.findall(r'<article class="card failed" id="([^"]+)">(.*?)</article>', page, flags=re.DOTALL))
    assert set(failed) == {"hostile", "none"}
    assert page.index('id="answered-the-unanswerable"') < page.index('id="none"') < page.index('id="wrong-words"')
    assert "Not stated: 54,000" in failed["hostile"]
    assert "Not in the cited words: 55000" in failed["hostile"]
    assert "holds the evidence" in failed["hostile"]
    assert f"[1] {SIZE}" in failed["hostile"]
    assert "a refusal" in failed["none"]


def test_the_markdown_has_tables_that_hold(folder: Path) -> None:
    text = (folder / "report.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\|$\n)+", text, flags=re.MULTILINE)
    assert len(tables) == 3
    for table in tables:
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(columns) == 1
    assert "| Accuracy | 50.0 % |" in text
    assert "- **none \\| of it?** (none, " in text
    assert "### Wrong words (1)" in text


def test_a_folder_without_a_run_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(EvaluationError, match="dossier eval run"):
        write_report(tmp_path)
    shutil.copy(folder / "scores.json", tmp_path)
    with pytest.raises(EvaluationError, match=r"no answers in .*dossier eval run"):
        write_report(tmp_path)
