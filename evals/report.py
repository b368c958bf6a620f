"""The report of a run: one page that needs nothing else, and the same in Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.answer_store import ANSWERS_FILE, outcome_of, read_records, scores_of, write_text
from evals.errors import EvaluationError
from evals.plots import plot_latency, plot_recall, plot_risk_coverage
from evals.questions import Question, locate_quote, question_from_json
from evals.scores import RECALL_DEPTHS, Failure, QuestionScores, without_marks
from evals.statistics import Rate
from evals.summary import PRIMARY, Group, Scores, read_scores
from qa.answer import Answer, Passage

if TYPE_CHECKING:
    from jinja2 import Environment

REPORT_FILE = "report.html"
SHOWN_PASSAGES = 5
LABELS = {
    "accuracy": "Accuracy",
    "balanced_abstention_accuracy": "Balanced abstention accuracy",
    "supported_answer_rate": "Supported-answer rate",
    "answered_unanswerable": "Unanswerable questions answered (H)",
    "refused_answerable": "Answerable questions refused (E)",
    "refused_with_evidence": "… although the evidence was retrieved",
    "refused_without_evidence": "… and the evidence was not retrieved",
    **{f"recall@{depth}": f"Evidence recall@{depth}" for depth in RECALL_DEPTHS},
    "mrr@10": "MRR@10",
    "ndcg@10": "nDCG@10",
    "citation_precision": "Citation precision",
    "cited_sentences": "Answer sentences with a citation",
    "unsupported_numbers": "Numbers not in the cited words",
    "unsupported_dates": "Dates not in the cited words",
    "unsupported_names": "Names not in the cited words",
    "marked_answers": "Answers with words marked as the answer",
    "rightly_marked": "… that state a vital fact",
}
MEANINGS = {
    "accuracy": "Answerable questions that were answered with every vital fact and no forbidden mix-up.",
    "balanced_abstention_accuracy": "1 − (H + E) / 2: the mean of the shares of unanswerable questions refused and of "
    "answerable ones not refused.",
    "supported_answer_rate": "Vital facts stated in a sentence that cites a passage which holds at least half of their "
    "evidence.",
}
REASONS: dict[Failure, str] = {
    "fault": "the program failed",
    "invalid citation": "a cited quote is not in the document at its place",
    "answered the unanswerable": "the documents do not hold the answer, and it gave one",
    "refused": "the evidence was retrieved, and it refused",
    "not retrieved": "the evidence was not among the first ten passages",
    "retrieved and not used": "the evidence was retrieved, and the answer cites other words",
    "wrong words": "it cites the evidence, but misses a vital fact, or states a forbidden one",
    "unsupported": "the answer is right, but the sentence with the fact does not cite its evidence",
}


@dataclass(frozen=True, slots=True)
class FailedQuestion:
    """A question that went wrong, with all that one needs to see why."""

    question: Question
    scores: QuestionScores
    passages: tuple[Passage, ...]
    """The first SHOWN_PASSAGES."""
    answer: Answer | None
    fault: str

    @property
    def unsupported(self) -> list[str]:
        """Numbers, dates and names of the answer that its cited words do not hold."""
        claims = self.scores.answer.claims if self.scores.answer else {}
        return [claim for kind in claims.values() for claim in kind.unsupported]

    @property
    def missing(self) -> list[str]:
        """The first wording of each vital nugget that the answer does not state."""
        places = self.scores.answer.missing if self.scores.answer else ()
        return [self.question.nuggets[place].any_of[0] for place in places]

    def holds_evidence(self, passage: Passage) -> bool:
        """Whether the passage has a whole evidence quote."""
        return any(
            entry.document == passage.document and locate_quote(passage.text, entry.quote)
            for entry in self.question.evidence
        )


def write_report(folder: Path) -> Path:
    """Write report.html and report.md from the scores and answers in a run's folder, and give the page's path.

    :raises EvaluationError: the folder holds no run.
    :raises OSError: it cannot be written.
    """
    scores = read_scores(folder)
    context = {
        "scores": scores,
        "overall": scores.overall,
        "primary": scores.primary,
        "columns": [group for group in scores.groups if group.name in ("all", "dev half", "test half")],
        "tags": [group for group in scores.groups[1:] if not group.name.endswith(" half")],
        "tag_rates": [
            name for name in (*PRIMARY, "answered_unanswerable", "recall@10") if name in scores.overall.rates
        ],
        "failures": _failures(folder, scores),
        "plots": _plots(scores),
        "labels": LABELS,
        "meanings": MEANINGS,
        "reasons": REASONS,
    }
    page = folder / REPORT_FILE
    for name, file in (("report.html.j2", page), ("report.md.j2", folder / "report.md")):
        write_text(file, _environment().get_template(name).render(context))
    return page


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("evals", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), disabled_extensions=("md.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "percent": _percent,
        "interval": _interval,
        "seconds": lambda milliseconds: f"{milliseconds / 1000:.2f} s",
        "cell": lambda text: " ".join(str(text).split()).replace("|", "\\|"),
        "without_marks": without_marks,
    }
    return environment


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _interval(rate: Rate) -> str:
    return "" if rate.low is None or rate.high is None else f"{100 * rate.low:.1f} to {100 * rate.high:.1f}"


def _failures(folder: Path, scores: Scores) -> dict[Failure, list[FailedQuestion]]:
    """The failed questions by reason, in the order of REASONS."""
    found: dict[Failure, list[FailedQuestion]] = defaultdict(list)
    try:
        records = {record["id"]: record for record in read_records(folder / ANSWERS_FILE)}
    except OSError as error:
        raise EvaluationError(f"no answers in {folder}: {error.strerror}; make them with dossier eval run") from error
    for result in scores.questions:
        if result.failure is None or result.id not in records:
            continue
        record = records[result.id]
        outcome = outcome_of(record)
        found[result.failure].append(
            FailedQuestion(
                question=question_from_json(record["question"]),
                scores=scores_of(record),
                passages=outcome.passages[:SHOWN_PASSAGES] if outcome else (),
                answer=outcome.answer if outcome else None,
                fault=record.get("fault", ""),
            )
        )
    return {reason: found[reason] for reason in REASONS if reason in found}


def _plots(scores: Scores) -> list[Mapping[str, Any]]:
    """Title, SVG and caption of each plot that the run has numbers for."""
    from markupsafe import Markup

    drawn: list[tuple[str, str, str]] = []
    overall: Group = scores.overall
    if scores.confidence and scores.confidence.risk_coverage:
        known = scores.confidence.auroc
        caption = "The surest answers first: a useful confidence starts low and rises."
        caption += "" if known is None else f" AUROC, answerable against unanswerable: {known:.2f}."
        drawn.append(("Risk and coverage", plot_risk_coverage(scores.confidence.risk_coverage), caption))
    recalls: Sequence[Rate] = [overall.rates[f"recall@{k}"] for k in RECALL_DEPTHS if f"recall@{k}" in overall.rates]
    if recalls:
        caption = "Share of the vital facts whose evidence is among the first k passages."
        drawn.append(("Evidence recall@k", plot_recall(recalls), caption))
    if scores.latency:
        times = scores.latency
        half, most = times.total_p50 / 1000, times.total_p95 / 1000
        caption = f"Half of the answers ended within {half:.1f} s, 95 % within {most:.1f} s."
        drawn.append(("Latency", plot_latency(times.totals, times.total_p50, times.total_p95), caption))
    # The SVG is drawn here from numbers alone, so it is no text to escape.
    return [{"title": title, "svg": Markup(svg), "caption": caption} for title, svg, caption in drawn]  # noqa: S704
