"""What each part of the answering path is worth: every part off, one at a time. `python -m evals.ablation --out DIR`.

The replies of the model are kept in DIR by prompt: a part that changes no prompt costs no model time, and a stopped run
goes on where it was.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import click
from tqdm import tqdm

if TYPE_CHECKING:
    from evals.questions import Question
    from evals.statistics import Rate
    from evals.summary import Scores
    from index import IndexReader
    from qa.confidence import Calibration
    from qa.generator import Generator
    from qa.settings import Settings

READINGS = Path(__file__).parent / "readings" / "2026-11-25.jsonl"
COLUMNS = {
    "accuracy": "accuracy",
    "balanced": "balanced_abstention_accuracy",
    "supported": "supported_answer_rate",
    "precision": "citation_precision",
    "answered unanswerable": "answered_unanswerable",
    "refused answerable": "refused_answerable",
    "recall@10": "recall@10",
    "unsupported names": "unsupported_names",
}
SHOWN = 0.005
"""Least difference that a table shows."""


@dataclass(frozen=True, slots=True)
class Variant:
    """The path with one part off: names of modules' attributes with what stands in their place, and settings."""

    name: str
    patches: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    readings: tuple[str, ...] = ()
    """Readings that the confidence is fitted to instead of the usual ones."""


def variants() -> list[Variant]:
    """The whole path first."""
    import math

    def unchanged(first: Any, *_: Any) -> Any:  # noqa: ANN401 - stands in for several functions
        return first

    def as_written(draft: str, quotes: Sequence[Any], _: str) -> tuple[list[Any], list[Any]]:
        return ([(draft, list(quotes))] if draft else []), []

    return [
        Variant("everything on"),
        Variant("abbreviations not spelt out", {"qa.pipeline.expand": unchanged}),
        Variant("follow-ups as they were asked", {"qa.pipeline.make_standalone": unchanged}),
        Variant("chunks in the order of the search", {"qa.pipeline.order_hits": unchanged}),
        Variant("pronouns read without what they lean on", {"qa.pipeline.with_antecedents": unchanged}),
        Variant("no refusal", settings={"refuse_below": 0.0}),
        Variant("confidence from the verdict alone", readings=("verdict",)),
        Variant("the draft is no query", {"qa.quotes.DRAFT_MEANING": 0.0, "qa.quotes.DRAFT_WORDS": 0.0}),
        Variant("quotes without their neighbours", {"qa.quotes.NEIGHBOUR_LEAD": -math.inf}),
        Variant("one quote", settings={"quoted_sentences": 1, "quoted_for_several": 1}),
        Variant("no more quotes where several things are asked for", settings={"quoted_for_several": 2}),
        Variant("quotes alone, no draft", settings={"written_answers": False}),
        Variant("the draft unchecked", {"qa.pipeline.verify": as_written}),
    ]


@contextmanager
def switched(variant: Variant) -> Iterator[None]:
    """The variant's parts off, for as long as the block runs."""
    with ExitStack() as stack:
        for name, value in variant.patches.items():
            stack.enter_context(mock.patch(name, value))
        yield


def calibrated(readings: Sequence[str]) -> Calibration | None:
    """The confidence fitted to these readings of the committed questions; None for the usual one."""
    from evals.calibrate import fit_calibration
    from qa.confidence import Calibration

    if not readings:
        return None
    records = [json.loads(line) for line in READINGS.read_text(encoding="utf-8").splitlines()]
    return Calibration(**fit_calibration(records, readings)[0])


def run_variant(
    variant: Variant,
    questions: Sequence[Question],
    reader: IndexReader,
    generator: Generator,
    settings: Settings,
    *,
    progress: bool = False,
) -> Scores:
    """Answer and score the questions with the variant's parts off."""
    from evals.scores import Gold, score_question
    from evals.summary import RunInfo, summarise
    from qa.pipeline import Pipeline

    pipeline = Pipeline(reader, generator, replace(settings, **dict(variant.settings)), calibrated(variant.readings))
    documents = {path: document.text for path, document in pipeline.index.documents.items()}
    results = []
    with switched(variant):
        for question in tqdm(questions, desc=variant.name, unit="question", disable=not progress):
            history = [{"role": turn.role, "content": turn.content} for turn in question.history]
            answer = pipeline.ask(question.question, history)
            results.append(score_question(Gold.locate(question, documents), documents, answer.passages, answer))
    index = pipeline.index
    info = RunInfo(
        "", generator.name, generator.engine, index.generation, index.corpus_hash, "", False, 0.0, 0, None, {}
    )
    return summarise(results, [], info)


def table(scores: Mapping[str, Scores]) -> str:
    """A Markdown table: one row a variant, and its differences from the first."""
    lines = [f"| part | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]
    first = next(iter(scores.values())).overall.rates
    for name, of_variant in scores.items():
        rates = of_variant.overall.rates
        cells = [_cell(rates.get(rate), first.get(rate)) for rate in COLUMNS.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(rate: Rate | None, first: Rate | None) -> str:
    if rate is None or rate.value is None:
        return ""
    change = rate.value - first.value if first and first.value is not None else 0.0
    return f"{rate.value:.2f}" + (f" ({change:+.2f})" if abs(change) >= SHOWN else "")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the replies and the table.")
@click.option("--questions", type=click.Path(path_type=Path), default=Path(__file__).with_name("questions.jsonl"))
@click.option("--half", type=click.Choice(["dev", "test", "both"]), default="dev")
@click.option("--only", multiple=True, help="Names of variants; all of them by default.")
@click.option("--corpus", type=click.Path(path_type=Path), help="Folder of documents.")
@click.option("--limit", type=int, help="Ask only the first questions.")
def main(out: Path, questions: Path, half: str, only: tuple[str, ...], limit: int | None, **flags: object) -> None:
    """Score the path with each part off."""
    from evals.questions import load_questions
    from evals.remembering import RememberingGenerator
    from index import BuildSettings, IndexReader, SentenceTransformerEmbedder, ensure_index
    from index.weights import ANSWERING_MODEL
    from qa.engines import load_generator
    from qa.settings import Settings

    settings = Settings.load(flags)
    out.mkdir(parents=True, exist_ok=True)
    embedder = SentenceTransformerEmbedder.default()
    ensure_index(settings.corpus, settings.index, embedder, BuildSettings(vectors=settings.vectors)).close()
    reader = IndexReader(settings.index, embedder)
    documents = {path: document.text for path, document in reader.current().documents.items()}
    asked = [q for q in load_questions(questions, documents) if half in ("both", q.half)][:limit]
    name = settings.model or ANSWERING_MODEL.name
    generator = RememberingGenerator(
        lambda: load_generator(settings.model, settings.engine), out / "replies.sqlite", name
    )
    scores = {}
    for variant in variants():
        if not only or variant.name in only:
            shown = sys.stderr.isatty()
            scores[variant.name] = run_variant(variant, asked, reader, generator, settings, progress=shown)
            (out / "ablation.md").write_text(table(scores) + "\n", encoding="utf-8")
    click.echo(table(scores))
    click.echo(f"{len(asked)} questions; the model read {generator.asked} prompts.", err=True)


if __name__ == "__main__":
    main()
