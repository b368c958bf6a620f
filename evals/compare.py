"""Two runs side by side: what changed question by question, and whether it is more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.errors import EvaluationError
from evals.scores import QuestionScores
from evals.statistics import holm, mcnemar, sign_flip
from evals.summary import PRIMARY, Scores, read_scores

LARGEST_DROP = 0.03
"""A primary score may fall by less than this."""
SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """A score in two runs over the same questions."""

    name: str
    base: float
    new: float
    p_value: float
    """Holm-corrected for the primary scores."""

    @property
    def change(self) -> float:
        """Above zero where the new run is higher."""
        return self.new - self.base

    @property
    def fails(self) -> bool:
        """Whether a primary score fell by LARGEST_DROP or more, and by more than chance."""
        return self.name in PRIMARY and self.change <= -LARGEST_DROP + 1e-12 and self.p_value < SIGNIFICANCE


@dataclass(frozen=True, slots=True)
class Change:
    """A question that one run got right and the other did not, or got wrong for another reason."""

    id: str
    base: str
    """The reason of the failure, or `right`."""
    new: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a new run changed."""

    questions: int
    """In both runs."""
    left_out: int
    """In only one of them."""
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    invalid_citations: int
    """Of the new run."""

    @property
    def failures(self) -> tuple[str, ...]:
        """Why the new run is not accepted; empty where it is."""
        fallen = [
            f"{each.name} fell by {-100 * each.change:.1f} points (p = {each.p_value:.3f})"
            for each in self.differences
            if each.fails
        ]
        if self.invalid_citations:
            plural = "s" if self.invalid_citations > 1 else ""
            fallen.append(f"{self.invalid_citations} invalid citation{plural}")
        return tuple(fallen)

    @property
    def exit_code(self) -> int:
        """1 where the new run is not accepted."""
        return 1 if self.failures else 0

    @property
    def text(self) -> str:
        """The comparison in words and columns, for a terminal or a Markdown page."""
        lines = [f"{self.questions} questions in both runs, {self.left_out} in only one of them.", ""]
        lines.append("| score | base | new | change | p |")
        lines.append("|---|---:|---:|---:|---:|")
        lines += [
            f"| {each.name} | {100 * each.base:.1f} % | {100 * each.new:.1f} % | {100 * each.change:+.1f} |"
            f" {each.p_value:.3f}{' (Holm)' if each.name in PRIMARY else ''} |"
            for each in self.differences
        ]
        for title, now_right in (("Mended", True), ("Broken", False)):
            named = [change for change in self.changes if (change.new == "right") is now_right]
            named = [change for change in named if now_right or change.base == "right"]
            lines += ["", f"{title}: {len(named)}"]
            lines += [f"- {change.id}: {change.base if now_right else change.new}" for change in named]
        others = [change for change in self.changes if "right" not in (change.base, change.new)]
        lines += ["", f"Wrong for another reason: {len(others)}"]
        lines += [f"- {change.id}: {change.base}, now {change.new}" for change in others]
        lines += ["", "Not accepted: " + "; ".join(self.failures) if self.failures else "Accepted."]
        return "\n".join(lines) + "\n"


def compare(base: Path, new: Path) -> Comparison:
    """Compare two runs, each a folder or its scores.json, over the questions that are in both.

    Accuracy, which is one yes or no a question, gets an exact McNemar test, the others a sign-flip permutation
    test; balanced abstention accuracy is the mean of a signed value for each question, with the weight of its side.
    Holm's correction is over the primary scores.

    :raises EvaluationError: a run cannot be read, the two have no question in common, or answers to compare with none.
    """
    return compare_scores(read_scores(base), read_scores(new))


def compare_scores(base: Scores, new: Scores) -> Comparison:
    """As `compare`, of scores that are in memory.

    :raises EvaluationError: as there.
    """
    if base.run.retrieval_only != new.run.retrieval_only:
        raise EvaluationError("one run is of the retrieval alone and the other is not; run both the same way")
    before = {result.id: result for result in base.questions}
    after = {result.id: result for result in new.questions}
    shared = [question_id for question_id in before if question_id in after]
    if not shared:
        raise EvaluationError("the two runs have no question in common; run both on the same questions")
    pairs = [(before[question_id], after[question_id]) for question_id in shared]
    if any(old.answerable != now.answerable for old, now in pairs):
        raise EvaluationError(
            "the two runs have different questions under the same ids; run both on the same questions"
        )
    if new.run.retrieval_only:
        differences = _retrieval_differences(pairs)
    else:
        primary = _primary_differences(pairs)
        corrected = holm([each.p_value for each in primary])
        primary = [
            Difference(each.name, each.base, each.new, p_value)
            for each, p_value in zip(primary, corrected, strict=True)
        ]
        differences = [*primary, *_retrieval_differences(pairs), *_citation_differences(pairs)]
    changes = [(old.id, old.failure or "right", now.failure or "right") for old, now in pairs]
    return Comparison(
        questions=len(shared),
        left_out=len(before) + len(after) - 2 * len(shared),
        differences=tuple(differences),
        changes=tuple(Change(*change) for change in changes if change[1] != change[2]),
        invalid_citations=sum(result.answer.invalid_citations for result in new.questions if result.answer),
    )


Pairs = Sequence[tuple[QuestionScores, QuestionScores]]
Value = Callable[[QuestionScores], float]


def _primary_differences(pairs: Pairs) -> list[Difference]:
    answerable = [(old, now) for old, now in pairs if old.answerable]
    unanswerable = len(pairs) - len(answerable)
    differences = []
    if answerable:
        old_right, new_right = ([_correct(result) for result in side] for side in zip(*answerable, strict=True))
        differences.append(Difference("accuracy", _mean(old_right), _mean(new_right), mcnemar(old_right, new_right)))
    if answerable and unanswerable:
        shares = {True: 1 / (2 * len(answerable)), False: 1 / (2 * unanswerable)}
        differences.append(
            _sums("balanced_abstention_accuracy", pairs, lambda r: shares[r.answerable] * _decided(r), 1)
        )
    vital = sum(old.answer.vital for old, _ in answerable if old.answer)
    if vital:
        differences.append(
            _sums("supported_answer_rate", answerable, lambda r: r.answer.supported if r.answer else 0, vital)
        )
    return differences


def _retrieval_differences(pairs: Pairs) -> list[Difference]:
    found = [(old, now) for old, now in pairs if old.retrieval and now.retrieval]
    values: dict[str, Value] = {
        "recall@10": lambda result: result.retrieval.recall[-1] if result.retrieval else 0.0,
        "ndcg@10": lambda result: result.retrieval.ndcg if result.retrieval else 0.0,
    }
    return [_sums(name, found, value, len(found)) for name, value in values.items() if found]


def _citation_differences(pairs: Pairs) -> list[Difference]:
    """Each question's own precision, over the questions in which both runs cite."""
    cited = [(old, now) for old, now in pairs if old.answer and now.answer and old.answer.cited and now.answer.cited]
    if not cited:
        return []
    return [
        _sums(
            "citation_precision",
            cited,
            lambda result: result.answer.precise / result.answer.cited if result.answer else 0.0,
            len(cited),
        )
    ]


def _sums(name: str, pairs: Pairs, value: Value, count: float) -> Difference:
    old, new = [value(old) for old, _ in pairs], [value(now) for _, now in pairs]
    changes = [after - before for before, after in zip(old, new, strict=True)]
    return Difference(name, math.fsum(old) / count, math.fsum(new) / count, sign_flip(changes))


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)


def _correct(result: QuestionScores) -> bool:
    return result.answer is not None and result.answer.correct


def _decided(result: QuestionScores) -> float:
    """Whether it was right to answer, or to refuse; a fault is neither."""
    if result.answer is None or result.failure == "fault":
        return 0.0
    return float(result.answer.abstained != result.answerable)
