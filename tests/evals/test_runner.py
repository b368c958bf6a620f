"""Runs: resuming, caching, faults, and what is written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import DossierError
from evals.errors import EvaluationError
from evals.questions import Question, Turn
from evals.runner import run
from evals.summary import read_scores
from qa.answer import Answer, Passage

MakeQuestion = Callable[..., Question]
MakeAnswer = Callable[..., Answer]
SIZE = "USFJ has about 54,000 military personnel."


@dataclass
class ScriptedAnswerer:
    """Gives the same answer to everything, and keeps what it was asked."""

    answer: Answer
    fingerprint: str = "f1"
    failing: tuple[str, ...] = ()
    asked: list[tuple[str, list[Mapping[str, str]]]] = field(default_factory=list)

    def ask(self, question: str, history: Sequence[Mapping[str, str]]) -> Answer:
        self.asked.append((question, list(history)))
        if question in self.failing:
            raise DossierError(f"no engine for {question}")
        return replace(self.answer, question=question)

    def search(self, question: str, k: int) -> list[Passage]:
        self.asked.append((question, []))
        return list(self.answer.passages[:k])


@pytest.fixture
def questions(make_question: MakeQuestion) -> list[Question]:
    return [
        make_question("first", question="one?"),
        make_question("second", question="two?", nuggets=["240"], quotes=["It has about 240 people."]),
        make_question("third", question="three?", nuggets=(), tags=("off-corpus",)),
        make_question("fourth", question="one?", history=(Turn("user", "Before?"), Turn("assistant", "Yes."))),
    ]


@pytest.fixture
def answer(make_answer: MakeAnswer) -> Answer:
    return make_answer(("It has 54,000 people.", [SIZE]))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_run_is_written_scored_and_reported(
    tmp_path: Path, documents: dict[str, str], questions: list[Question], answer: Answer
) -> None:
    answerer = ScriptedAnswerer(answer)
    scores = run(questions, documents, answerer, tmp_path / "out", cache_folder=tmp_path / "cache")
    assert [question for question, _ in answerer.asked] == ["one?", "two?", "three?", "one?"]
    assert answerer.asked[3][1] == [
        {"role": "user", "content": "Before?"},
        {"role": "assistant", "content": "Yes."},
    ]
    assert [line["id"] for line in lines(tmp_path / "out")] == ["first", "second", "third", "fourth"]
    assert lines(tmp_path / "out")[0]["answer"] == json.loads(json.dumps(answer_json(answer, "one?")))
    assert lines(tmp_path / "out")[0]["scores"]["answer"]["correct"] is True
    assert scores.primary["accuracy"].value == pytest.approx(2 / 3)
    assert scores.primary["balanced_abstention_accuracy"].value == pytest.approx(0.5)
    assert scores.primary["supported_answer_rate"].value == pytest.approx(2 / 3)
    assert [result.failure for result in scores.questions] == [
        None,
        "retrieved and not used",
        "answered the unanswerable",
        None,
    ]
    assert (scores.run.asked, scores.run.model, scores.run.generation) == (4, "scripted", "g1")
    assert scores.latency is not None
    assert scores.latency.total_p50 == 1200.0
    assert scores.latency.tokens_per_second == pytest.approx(30.0)
    assert read_scores(tmp_path / "out") == scores
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "answers.jsonl",
        "scores.json",
        "report.md",
        "report.html",
    }


def answer_json(answer: Answer, question: str) -> dict[str, Any]:
    return replace(answer, question=question).to_json()


def test_nothing_is_asked_twice(
    tmp_path: Path, documents: dict[str, str], questions: list[Question], answer: Answer
) -> None:
    first = ScriptedAnswerer(answer)
    scores = run(questions, documents, first, tmp_path / "out", limit=2, cache_folder=tmp_path / "cache")
    assert len(first.asked) == len(scores.questions) == 2
    rest = ScriptedAnswerer(answer)
    run(questions, documents, rest, tmp_path / "out", cache_folder=tmp_path / "cache")
    assert [question for question, _ in rest.asked] == ["three?", "one?"]
    again = ScriptedAnswerer(answer)
    elsewhere = run(questions, documents, again, tmp_path / "other", cache_folder=tmp_path / "cache")
    repeated = run(questions, documents, again, tmp_path / "other", cache_folder=tmp_path / "empty")
    assert again.asked == []
    assert elsewhere.groups == repeated.groups


def test_another_pipeline_is_asked_again_and_its_answers_replace_the_old(
    tmp_path: Path, documents: dict[str, str], questions: list[Question], answer: Answer
) -> None:
    run(questions, documents, ScriptedAnswerer(answer), tmp_path / "out", cache_folder=tmp_path / "cache")
    other = ScriptedAnswerer(replace(answer, abstained=True), fingerprint="f2")
    scores = run(questions, documents, other, tmp_path / "out", cache_folder=tmp_path / "cache")
    assert len(other.asked) == 4
    assert scores.primary["accuracy"].value == 0.0
    assert [line["answer"]["abstained"] for line in lines(tmp_path / "out")] == [True] * 4


def test_a_torn_last_line_is_mended(
    tmp_path: Path, documents: dict[str, str], questions: list[Question], answer: Answer
) -> None:
    out = tmp_path / "out"
    run(questions, documents, ScriptedAnswerer(answer), out, cache_folder=tmp_path / "cache")
    whole = (out / "answers.jsonl").read_bytes()
    kept = whole.splitlines(keepends=True)
    (out / "answers.jsonl").write_bytes(b"".join(kept[:2]) + kept[2][:100])
    answerer = ScriptedAnswerer(answer)
    run(questions, documents, answerer, out, cache_folder=tmp_path / "empty")
    assert [question for question, _ in answerer.asked] == ["three?", "one?"]
    assert (out / "answers.jsonl").read_bytes() == whole


def test_a_fault_counts_against_its_question_and_is_tried_again(
    tmp_path: Path, documents: dict[str, str], questions: list[Question], answer: Answer
) -> None:
    failing = ScriptedAnswerer(answer, failing=("two?", "three?"))
    scores = run(questions, documents, failing, tmp_path / "out", cache_folder=tmp_path / "cache")
    assert scores.run.faults == {"second": "no engine for two?", "third": "no engine for three?"}
    assert [result.failure for result in scores.questions] == [None, "fault", "fault", None]
    assert scores.overall.rates["refused_answerable"].value == pytest.approx(1 / 3)
    assert scores.overall.rates["answered_unanswerable"].value == 1.0
    assert "no engine for two?" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    mended = ScriptedAnswerer(answer)
    scores = run(questions, documents, mended, tmp_path / "out", cache_folder=tmp_path / "cache")
    assert [question for question, _ in mended.asked] == ["two?", "three?"]
    assert scores.run.faults == {}
    assert [line["id"] for line in lines(tmp_path / "out")] == ["first", "second", "third", "fourth"]


def test_faults_in_a_row_stop_the_run(
    tmp_path: Path, documents: dict[str, str], questions: list[Question], answer: Answer
) -> None:
    failing = ScriptedAnswerer(answer, failing=("one?", "two?", "three?"))
    with pytest.raises(DossierError, match=r"no engine for three\?"):
        run(questions, documents, failing, tmp_path / "out", cache_folder=tmp_path / "cache")


def test_retrieval_alone(tmp_path: Path, documents: dict[str, str], questions: list[Question], answer: Answer) -> None:
    scores = run(
        questions, documents, ScriptedAnswerer(answer), tmp_path / "out", None, True, cache_folder=tmp_path / "cache"
    )
    assert scores.primary == {}
    assert (scores.confidence, scores.latency) == (None, None)
    assert scores.overall.rates["recall@1"].value == pytest.approx(2 / 3)
    assert lines(tmp_path / "out")[0]["passages"][0]["document"] == "forces.md"
    assert "Retrieval alone" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_the_bar_is_on_standard_error(
    tmp_path: Path,
    documents: dict[str, str],
    questions: list[Question],
    answer: Answer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(questions, documents, ScriptedAnswerer(answer), tmp_path / "out", progress=True, cache_folder=tmp_path / "c")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "4/4" in captured.err


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, documents: dict[str, str], questions: list[Question], answer: Answer
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="--out"):
        run(questions, documents, ScriptedAnswerer(answer), tmp_path / "file", cache_folder=tmp_path / "cache")


def test_scores_of_another_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="dossier eval run"):
        read_scores(tmp_path)
    (tmp_path / "scores.json").write_text('{"run": {"version": 0}}')
    with pytest.raises(EvaluationError, match="format 0"):
        read_scores(tmp_path)
    (tmp_path / "scores.json").write_text("[]")
    with pytest.raises(EvaluationError, match="holds no scores"):
        read_scores(tmp_path)


KILLED = """
import sys, time
from pathlib import Path
from evals.questions import Question
from evals.runner import run
from qa.answer import Answer, IndexInfo

class Slow:
    fingerprint = "slow"
    def ask(self, question, history):
        with open(sys.argv[1] + "/asked", "a") as asked:
            print(question, file=asked, flush=True)
        time.sleep(float(sys.argv[2]))
        index = IndexInfo("g", "c")
        return Answer(question, question, True, "not_in_documents", "No.", (), (), (), 0.1, (), "m", "e", index)
    def search(self, question, k):
        return []

questions = [Question(f"q{n}", f"question {n}", False, (), (), ("off-corpus",), ()) for n in range(12)]
scores = run(questions, {}, Slow(), Path(sys.argv[1], "out"), cache_folder=Path(sys.argv[1], sys.argv[3]))
assert len(scores.questions) == 12
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_killed_run_started_again_answers_each_question_exactly_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    written = tmp_path / "out" / "answers.jsonl"
    killed = subprocess.Popen([*command, "0.2", "cache"], start_new_session=True)
    deadline = time.monotonic() + 200
    while not written.exists() or written.read_bytes().count(b"\n") < 4:
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    done = len(list(lines(tmp_path / "out")))
    assert 4 <= done < 12
    subprocess.run([*command, "0", "no-cache"], check=True)
    assert [line["id"] for line in lines(tmp_path / "out")] == [f"q{number}" for number in range(12)]
    asked = (tmp_path / "asked").read_text().splitlines()
    # The question that was being asked at the kill may be asked again; no answered one is.
    assert len(asked) - 12 <= 1
    assert asked[:done] == [f"question {number}" for number in range(done)]
    assert asked[-(12 - done) :] == [f"question {number}" for number in range(done, 12)]
