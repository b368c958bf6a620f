"""The gate: a fixed slice, on the real model, against the last accepted run."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evals.errors import EvaluationError
from evals.gate import BASELINE, SLICE, choose_slice, read_slice, run_gate, write_slice
from evals.provenance import _meaning, code_hash
from evals.questions import Question, half, load_questions
from qa.answer import Answer, Passage

MakeQuestion = Callable[..., Question]
MakeAnswer = Callable[..., Answer]
SHIPPED = Path(__file__).parents[2]
PLAIN = {"railway": 16, "household": 16, "mixed": 27}
"""How many plain questions the folders have."""


def shipped_documents(root: Path = SHIPPED / "corpus" / "documents") -> dict[str, str]:
    from corpus.loading import document_path, find_documents, load_document

    return {document_path(path, root): load_document(path, root).text for path in find_documents(root)}


@pytest.mark.parametrize(
    ("folder", "questions"), [("railway", 70), ("household", 70), ("submarines", 80), ("mixed", 80)]
)
def test_the_questions_of_the_other_folders_fit_their_documents(folder: str, questions: int) -> None:
    root = SHIPPED / "evals" / "folders" / folder
    loaded = load_questions(root / "questions.jsonl", shipped_documents(root / "documents"))
    assert len(loaded) == questions
    assert 0.25 < sum(not question.answerable for question in loaded) / questions < 0.35


@pytest.mark.parametrize(
    ("folder", "documents", "questions"),
    [
        ("evals", "corpus/documents", 44),
        *((f"evals/folders/{name}", f"evals/folders/{name}/documents", count) for name, count in PLAIN.items()),
    ],
)
def test_the_plain_questions_fit_their_documents(folder: str, documents: str, questions: int) -> None:
    loaded = load_questions(SHIPPED / folder / "plain.jsonl", shipped_documents(SHIPPED / documents))
    assert len(loaded) == questions
    assert 0.45 < sum(question.answerable for question in loaded) / questions < 0.55


def test_the_questions_in_other_languages_fit_the_documents() -> None:
    questions = load_questions(SHIPPED / "evals" / "languages.jsonl", shipped_documents())
    assert len(questions) == 24
    assert sum(question.answerable for question in questions) == 12


def test_the_slice_is_balanced_and_does_not_depend_on_the_order(make_question: MakeQuestion) -> None:
    tags = ["single-document", "single-document", "single-document", "date", "conflict"]
    answerable = [make_question(f"a{n}", tags=(tags[n % 5],)) for n in range(100)]
    unanswerable = [
        make_question(f"u{n}", nuggets=(), tags=("off-corpus" if n % 3 else "injection",)) for n in range(60)
    ]
    questions = [*answerable, *unanswerable]
    chosen = choose_slice(questions)
    assert len(set(chosen)) == 24
    assert {half(question_id) for question_id in chosen} == {"dev"}
    known = {question.id: question for question in questions}
    assert sum(known[question_id].answerable for question_id in chosen) == 12
    counts = Counter(known[question_id].tags[0] for question_id in chosen)
    assert counts == {"single-document": 4, "date": 4, "conflict": 4, "off-corpus": 6, "injection": 6}
    assert choose_slice(questions[::-1]) == chosen


def test_a_slice_is_written_once_and_read_back(tmp_path: Path, make_question: MakeQuestion) -> None:
    questions = [make_question(f"a{n}") for n in range(60)]
    write_slice(questions, tmp_path / "slice.json")
    assert [question.id for question in read_slice(questions, tmp_path / "slice.json")] == choose_slice(questions)
    with pytest.raises(EvaluationError, match="not in the set"):
        read_slice(questions[:1], tmp_path / "slice.json")
    with pytest.raises(EvaluationError, match="write_slice"):
        read_slice(questions, tmp_path / "none.json")


def test_the_committed_slice_fits_the_set() -> None:
    questions = load_questions(SHIPPED / "evals" / "questions.jsonl", shipped_documents())
    chosen = read_slice(questions, SLICE)
    assert len(chosen) == 24
    assert {question.half for question in chosen} == {"dev"}
    assert sum(question.answerable for question in chosen) == 12


def test_code_hash_sees_what_code_does_and_nothing_else() -> None:
    first = 'def f(x):\n    """Say."""\n    return x  # one\n'
    second = "def f(x):\n\n    return x\n"
    third = "def f(x):\n    return -x\n"
    assert _meaning(first) == _meaning(second) != _meaning(third)
    assert ast.parse(second)
    assert code_hash(("evals",)) != code_hash(("corpus",))
    assert len(code_hash()) == 64


def test_the_gate_compares_the_slice_with_the_accepted_run(
    tmp_path: Path, documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    from evals.runner import run

    class Pipeline:
        fingerprint = "p"

        def __init__(self, answer: Answer) -> None:
            self.fingerprint = answer.text
            self.answer = answer

        def ask(self, question: str, history: object) -> Answer:
            return self.answer

        def search(self, question: str, k: int) -> list[Passage]:
            return []

    questions = [make_question(f"a{n}") for n in range(60)]
    write_slice(questions, tmp_path / "slice.json")
    right = make_answer(("It has 54,000 people.", ["USFJ has about 54,000 military personnel."]))
    wrong = replace(right, text="Many.")
    run(questions, documents, Pipeline(right), tmp_path / "base", cache_folder=tmp_path / "cache")
    places = {"baseline": tmp_path / "base" / "scores.json", "slice_file": tmp_path / "slice.json"}
    same = run_gate(questions, documents, Pipeline(right), tmp_path / "new", cache_folder=tmp_path / "cache", **places)
    assert (same.exit_code, same.questions, same.left_out) == (0, 12, 48)
    worse = run_gate(questions, documents, Pipeline(wrong), tmp_path / "new", cache_folder=tmp_path / "cache", **places)
    assert worse.exit_code == 1


@pytest.mark.model
@pytest.mark.timeout(2400)  # 24 answers of 5 to 30 s
@pytest.mark.skipif(not BASELINE.exists(), reason="no run has been accepted yet")
def test_the_real_pipeline_is_no_worse_than_the_accepted_run(tmp_path: Path) -> None:
    from qa.pipeline import open_pipeline
    from qa.settings import Settings

    documents = shipped_documents()
    questions = load_questions(SHIPPED / "evals" / "questions.jsonl", documents)
    pipeline = open_pipeline(Settings(index=tmp_path / "index"))
    comparison = run_gate(questions, documents, pipeline, tmp_path / "run", cache_folder=tmp_path / "cache")
    assert comparison.exit_code == 0, comparison.text
