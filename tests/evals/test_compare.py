"""Comparing two runs question by question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evals.compare import compare, compare_scores
from evals.errors import EvaluationError
from evals.questions import Question
from evals.runner import run
from evals.scores import Gold, QuestionScores, score_question
from evals.summary import RunInfo, Scores, summarise
from qa.answer import Answer

MakeQuestion = Callable[..., Question]
MakeAnswer = Callable[..., Answer]
SIZE = "USFJ has about 54,000 military personnel."
INFO = RunInfo("f", "m", "e", "g", "c", "q", False, 1.0, 1, None, {})


class Maker:
    """Runs of forty answerable and twenty unanswerable questions, of which the first few are right."""

    def __init__(self, documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer) -> None:
        self.documents = documents
        self.right = make_answer(("It has 54,000 people.", [SIZE]))
        self.wrong = make_answer(("It has 55,000 people.", [SIZE]))
        self.refusal = make_answer(("The documents do not say.", []), abstained=True)
        self.answerable = [make_question(f"a{number}") for number in range(40)]
        self.unanswerable = [make_question(f"u{number}", nuggets=()) for number in range(20)]

    def scores(self, right: int, refused: int, invalid: int = 0) -> Scores:
        answers = [(q, self.right if place < right else self.wrong) for place, q in enumerate(self.answerable)]
        answers += [(q, self.refusal if place < refused else self.wrong) for place, q in enumerate(self.unanswerable)]
        return summarise([self.score(q, a, place < invalid) for place, (q, a) in enumerate(answers)], [], INFO)

    def score(self, question: Question, answer: Answer, shifted: bool) -> QuestionScores:
        if shifted:
            citation = answer.citations[0]
            answer = replace(answer, citations=(replace(citation, start=citation.start + 1),))
        return score_question(Gold.locate(question, self.documents), self.documents, answer.passages, answer)


@pytest.fixture
def maker(documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer) -> Maker:
    return Maker(documents, make_question, make_answer)


def test_the_same_run_twice_is_accepted(maker: Maker) -> None:
    comparison = compare_scores(maker.scores(30, 10), maker.scores(30, 10))
    assert (comparison.exit_code, comparison.changes, comparison.questions, comparison.left_out) == (0, (), 60, 0)
    assert all(each.change == 0 and each.p_value == 1.0 for each in comparison.differences)
    assert comparison.text.endswith("Accepted.\n")


def test_a_significant_drop_is_refused(maker: Maker) -> None:
    comparison = compare_scores(maker.scores(30, 10), maker.scores(20, 10))
    differences = {each.name: each for each in comparison.differences}
    accuracy = differences["accuracy"]
    assert (accuracy.base, accuracy.new) == (0.75, 0.5)
    # Ten questions broken and none mended: 2 / 2**10, times three for Holm.
    assert accuracy.p_value == pytest.approx(3 * 2 / 2**10)
    assert differences["supported_answer_rate"].change == pytest.approx(-0.25)
    assert differences["balanced_abstention_accuracy"].change == 0
    assert comparison.exit_code == 1
    assert "Broken: 10" in comparison.text
    assert "- a20: wrong words" in comparison.text
    assert "accuracy fell by 25.0 points" in comparison.text
    assert compare_scores(maker.scores(20, 10), maker.scores(30, 10)).exit_code == 0


def test_balanced_abstention_weighs_both_sides_alike(maker: Maker) -> None:
    comparison = compare_scores(maker.scores(30, 20), maker.scores(30, 8))
    differences = {each.name: each for each in comparison.differences}
    assert differences["balanced_abstention_accuracy"].base == pytest.approx(1.0)
    assert differences["balanced_abstention_accuracy"].new == pytest.approx(0.7)
    assert [each.name for each in comparison.differences if each.fails] == ["balanced_abstention_accuracy"]


def test_a_small_or_chance_drop_is_accepted(maker: Maker) -> None:
    assert compare_scores(maker.scores(30, 10), maker.scores(27, 10)).exit_code == 0  # 7.5 points, p = 0.25


def test_one_invalid_citation_is_refused(maker: Maker) -> None:
    comparison = compare_scores(maker.scores(30, 10), maker.scores(30, 10, invalid=1))
    assert comparison.exit_code == 1
    assert comparison.text.endswith("Not accepted: 1 invalid citation\n")


def test_only_shared_questions_count(maker: Maker) -> None:
    base, new = maker.scores(30, 10), maker.scores(30, 10)
    fewer = replace(new, questions=new.questions[:50])
    assert (compare_scores(base, fewer).questions, compare_scores(base, fewer).left_out) == (50, 10)
    with pytest.raises(EvaluationError, match="no question in common"):
        compare_scores(base, replace(new, questions=()))
    with pytest.raises(EvaluationError, match="retrieval alone"):
        compare_scores(base, replace(new, run=replace(INFO, retrieval_only=True)))
    other = (replace(new.questions[0], answerable=False), *new.questions[1:])
    with pytest.raises(EvaluationError, match="same ids"):
        compare_scores(base, replace(new, questions=other))


def test_folders_and_files_can_be_compared(tmp_path: Path, maker: Maker) -> None:
    class Right:
        fingerprint = "right"

        def ask(self, question: str, history: object) -> Answer:
            return maker.right

        def search(self, question: str, k: int) -> list[object]:
            return []

    run(maker.answerable[:3], maker.documents, Right(), tmp_path / "a", cache_folder=tmp_path / "cache")  # type: ignore[arg-type]
    assert compare(tmp_path / "a", tmp_path / "a" / "scores.json").exit_code == 0
    with pytest.raises(EvaluationError, match="no scores"):
        compare(tmp_path / "a", tmp_path / "b")
