"""The scores of a run: every rate over all questions, each half and each tag, with what was measured beside them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from pydantic import TypeAdapter, ValidationError

from evals.errors import EvaluationError
from evals.scores import RECALL_DEPTHS, AnswerScores, QuestionScores, RetrievalScores
from evals.statistics import Rate, auroc, bootstrap_ratios, risk_coverage
from qa.answer import Timings

FORMAT_VERSION = 1
SCORES_FILE = "scores.json"
PRIMARY = ("accuracy", "balanced_abstention_accuracy", "supported_answer_rate")
Fraction: TypeAlias = tuple[float, float]
"""Numerator and denominator."""
_NOTHING: Fraction = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Group:
    """The rates over some of the questions."""

    name: str
    """`all`, `dev`, `test`, or a tag."""
    questions: int
    answerable: int
    invalid_citations: int
    rates: Mapping[str, Rate]


@dataclass(frozen=True, slots=True)
class Confidence:
    """How well `Answer.confidence` tells the answerable questions from the others, and right answers from wrong."""

    auroc: float | None
    """Answerable against unanswerable."""
    risk_coverage: tuple[tuple[float, float], ...]
    """Share answered, share of those wrong; it ends where the program refuses the rest."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, at the median and the 95th percentile, as they were when each question was asked."""

    search_p50: float
    search_p95: float
    first_token_p50: float
    first_token_p95: float
    total_p50: float
    total_p95: float
    tokens_per_second: float | None
    """Answer tokens by the time from the first to the last, over all answers."""
    totals: tuple[float, ...]
    """To the end of each answer."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What was run."""

    fingerprint: str
    """Hash of the answerer's fingerprint and of the answering code."""
    model: str
    engine: str
    generation: str
    corpus_hash: str
    questions_hash: str
    """sha256 of the questions, so that two runs can be seen to have the same."""
    retrieval_only: bool
    seconds: float
    """Wall-clock time of the questions that this run asked; those it found answered cost nothing."""
    asked: int
    peak_memory_bytes: int | None
    """Of the process, where it asked anything and the system tells."""
    faults: Mapping[str, str]
    """The message of each question that ended in a fault, by id."""
    version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class Scores:
    """All that a run gave; `scores.json` holds it."""

    run: RunInfo
    groups: tuple[Group, ...]
    confidence: Confidence | None
    latency: Latency | None
    questions: tuple[QuestionScores, ...]

    @property
    def overall(self) -> Group:
        """The rates over all questions."""
        return self.groups[0]

    @property
    def primary(self) -> dict[str, Rate]:
        """The three primary scores over all questions; empty for a run of the retrieval alone."""
        return {name: self.overall.rates[name] for name in PRIMARY if name in self.overall.rates}

    def to_json(self) -> dict[str, Any]:
        """The object of `scores.json`."""
        record: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return record


def summarise(results: Sequence[QuestionScores], timings: Sequence[Timings], run: RunInfo) -> Scores:
    """Put the scores of the questions together.

    Args:
        results: one for each question.
        timings: of the answers that there are.
        run: what was run.
    """
    return Scores(
        run=run,
        groups=group(results),
        confidence=_confidence(results),
        latency=_latency(timings),
        questions=tuple(results),
    )


def read_scores(path: Path) -> Scores:
    """Read `scores.json`, given the file or the folder that holds it.

    :raises EvaluationError: there is none, or it is of another version of the format.
    """
    file = path / SCORES_FILE if path.is_dir() else path
    try:
        record = json.loads(file.read_bytes())
        version = record.get("run", {}).get("version")
        if version != FORMAT_VERSION:
            raise EvaluationError(f"{file} has format {version}, this program reads {FORMAT_VERSION}; run it again")
        return _adapter().validate_json(json.dumps(record))
    except OSError as error:
        raise EvaluationError(f"no scores in {file}: {error.strerror}; make them with dossier eval run") from error
    except (ValueError, AttributeError, ValidationError) as error:
        raise EvaluationError(f"{file} holds no scores; make them again with dossier eval run") from error


@cache
def _adapter() -> TypeAdapter[Scores]:
    return TypeAdapter(Scores)


def _of_answers(
    fraction: Callable[[AnswerScores], Fraction], *, answerable: bool | None = None
) -> Callable[[QuestionScores], Fraction]:
    def measure(result: QuestionScores) -> Fraction:
        if result.answer is None or (answerable is not None and result.answerable != answerable):
            return _NOTHING
        return fraction(result.answer)

    return measure


def _of_retrieval(value: Callable[[RetrievalScores], float]) -> Callable[[QuestionScores], Fraction]:
    return lambda result: _NOTHING if result.retrieval is None else (value(result.retrieval), 1.0)


def _refused(result: QuestionScores, *, found: bool | None = None) -> Fraction:
    """A refusal of an answerable question, or a fault; `found` keeps those whose evidence was (not) retrieved."""
    if result.answer is None or not result.answerable:
        return _NOTHING
    retrieved = result.retrieval is not None and result.retrieval.found
    if found is not None and retrieved != found:
        return _NOTHING
    return float(result.answer.abstained or result.failure == "fault"), 1.0


def _unsupported(kind: str) -> Callable[[QuestionScores], Fraction]:
    def fraction(answer: AnswerScores) -> Fraction:
        claims = answer.claims.get(kind)
        return (len(claims.unsupported), claims.stated) if claims else _NOTHING

    return _of_answers(fraction)


def _recall(place: int) -> Callable[[QuestionScores], Fraction]:
    return _of_retrieval(lambda retrieval: retrieval.recall[place])


_RATES: dict[str, Callable[[QuestionScores], Fraction]] = {
    "accuracy": _of_answers(lambda answer: (answer.correct, 1), answerable=True),
    "supported_answer_rate": _of_answers(lambda answer: (answer.supported, answer.vital)),
    "answered_unanswerable": _of_answers(lambda answer: (not answer.abstained, 1), answerable=False),
    "refused_answerable": _refused,
    "refused_with_evidence": lambda result: _refused(result, found=True),
    "refused_without_evidence": lambda result: _refused(result, found=False),
    **{f"recall@{depth}": _recall(place) for place, depth in enumerate(RECALL_DEPTHS)},
    "mrr@10": _of_retrieval(lambda retrieval: retrieval.reciprocal_rank),
    "ndcg@10": _of_retrieval(lambda retrieval: retrieval.ndcg),
    "citation_precision": _of_answers(lambda answer: (answer.precise, answer.cited)),
    "cited_sentences": _of_answers(lambda answer: (answer.cited_sentences, answer.sentences)),
    **{f"unsupported_{kind}": _unsupported(kind) for kind in ("numbers", "dates", "names")},
    "marked_answers": _of_answers(lambda answer: (answer.marked, not answer.abstained)),
    "rightly_marked": _of_answers(lambda answer: (answer.rightly_marked, answer.marked)),
}


def group(results: Sequence[QuestionScores]) -> tuple[Group, ...]:
    """The rates over all questions first, then those over each half and each tag."""
    tags = [tag for tag, _ in Counter(tag for result in results for tag in result.tags).most_common()]
    members: dict[str, list[bool]] = {"all": [True] * len(results)}
    members |= {f"{half} half": [result.half == half for result in results] for half in ("dev", "test")}
    members |= {tag: [tag in result.tags for result in results] for tag in tags}
    masks = np.asarray(list(members.values()))  # (groups, questions)
    fractions = np.asarray([[measure(result) for result in results] for measure in _RATES.values()], dtype=float)
    rows = masks[:, None, :, None] * fractions[None]  # (groups, rates, questions, 2)
    rows = rows.reshape(-1, len(results), 2)
    ratios = bootstrap_ratios(
        rows[:, :, 0],
        rows[:, :, 1],
        [result.cluster for result in results],
        [result.answerable for result in results],
    )
    groups = []
    for index, (name, mask) in enumerate(members.items()):
        inside = [result for result, member in zip(results, mask, strict=True) if member]
        places = {rate: index * len(_RATES) + place for place, rate in enumerate(_RATES)}
        rates = {rate: ratios.rate(place) for rate, place in places.items()}
        balance = ratios.balanced(places["answered_unanswerable"], places["refused_answerable"])
        rates = {PRIMARY[0]: rates.pop(PRIMARY[0]), PRIMARY[1]: balance, **rates}
        groups.append(
            Group(
                name=name,
                questions=len(inside),
                answerable=sum(result.answerable for result in inside),
                invalid_citations=sum(result.answer.invalid_citations for result in inside if result.answer),
                rates={rate: value for rate, value in rates.items() if value.value is not None},
            )
        )
    return tuple(group for group in groups if group.questions)


def _confidence(results: Sequence[QuestionScores]) -> Confidence | None:
    answered = [(result, result.answer) for result in results if result.answer and result.failure != "fault"]
    if not answered:
        return None
    given = [answer for _, answer in answered if not answer.abstained]
    curve = risk_coverage([a.confidence for a in given], [not a.correct for a in given], total=len(answered))
    sides = {
        side: [answer.confidence for result, answer in answered if result.answerable is side] for side in (True, False)
    }
    return Confidence(auroc(sides[True], sides[False]), tuple(curve))


def _latency(timings: Sequence[Timings]) -> Latency | None:
    if not timings:
        return None

    def percentiles(values: list[float]) -> tuple[float, float]:
        return float(np.percentile(values, 50)), float(np.percentile(values, 95))

    search = percentiles([timing.search_ms for timing in timings])
    first = percentiles([timing.first_token_ms for timing in timings])
    total = percentiles([timing.total_ms for timing in timings])
    seconds = sum(timing.total_ms - timing.first_token_ms for timing in timings if timing.answer_tokens) / 1000
    tokens = sum(timing.answer_tokens for timing in timings)
    rate = tokens / seconds if seconds > 0 else None
    return Latency(*search, *first, *total, rate, tuple(timing.total_ms for timing in timings))
