"""What each part of the answering path is worth: every part off, one at a time. `python -m evals.ablation --out DIR`.

The replies of the model are kept in DIR by prompt: a part that changes no prompt costs no model time, and a stopped run
goes on where it was.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import click
from tqdm import tqdm

if TYPE_CHECKING:
    from evals.questions import Question
    from evals.statistics import Rate
    from evals.summary import Group
    from index import IndexReader
    from qa.confidence import Calibration
    from qa.generator import Generator
    from qa.settings import Settings

READINGS = Path(__file__).parent / "readings" / "2026-11-27.jsonl"
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
    readings: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Readings that the confidence is fitted to instead of the usual ones, before a word is written and after."""


def variants() -> list[Variant]:
    """The whole path first."""
    from evals.calibrate import FITTED

    def unchanged(first: Any, *_: Any) -> Any:  # noqa: ANN401 - stands in for several functions
        return first

    def as_written(draft: str, quotes: Sequence[Any], *_: object) -> tuple[list[Any], list[Any]]:
        return ([(draft, list(quotes))] if draft else []), []

    return [
        Variant("everything on"),
        Variant("abbreviations not spelt out", {"qa.pipeline.expand": unchanged}),
        Variant("follow-ups as they were asked", {"qa.pipeline.make_standalone": unchanged}),
        Variant("chunks in the order of the search", {"qa.pipeline.order_hits": unchanged}),
        Variant("pronouns read without what they lean on", {"qa.pipeline.with_antecedents": unchanged}),
        Variant("judged from all eight sentences", settings={"judged_until": 1.0}),
        Variant("no refusal", settings={"refuse_below": 0.0}),
        Variant("confidence from the verdict alone", readings=(("verdict",), ("verdict",))),
        Variant("no second look, at the draft", readings=(FITTED, FITTED)),
        Variant("the draft is no query", {"qa.quotes.DRAFT_MEANING": 0.0, "qa.quotes.DRAFT_WORDS": 0.0}),
        Variant("quotes without their neighbours", {"qa.extents.NEIGHBOUR_LEAD": -math.inf}),
        Variant("further quotes by score alone", {"qa.quotes.NEWS_GAIN": 0.0, "qa.quotes.SEVERAL_NEWS": 0.0}),
        Variant("quotes not weighed by the model", settings={"weigh_quotes": False}),
        Variant("one quote", settings={"quoted_sentences": 1, "quoted_for_several": 1}),
        Variant("sentences compared without the adapter", {"qa.ranking.sentence_embedder": unchanged}),
        Variant(
            "sentences embedded without their titles", {"qa.evidence.Evidence.titled": property(lambda e: e.as_read)}
        ),
        Variant("no more quotes where several things are asked for", settings={"quoted_for_several": 2}),
        Variant("quotes alone, no draft", settings={"written_answers": False}),
        Variant("the draft unchecked", {"qa.quoting.verify": as_written}),
    ]


@contextmanager
def switched(variant: Variant) -> Iterator[None]:
    """The variant's parts off, for as long as the block runs."""
    with ExitStack() as stack:
        for name, value in variant.patches.items():
            stack.enter_context(mock.patch(name, value))
        yield


def calibrated(readings: tuple[Sequence[str], Sequence[str]] | None) -> Calibration | None:
    """The confidence fitted to these readings of the committed questions; None for the usual one."""
    from evals.calibrate import fit_calibration, read_records
    from qa.confidence import Calibration

    if readings is None:
        return None
    return Calibration.from_json(fit_calibration(read_records([READINGS]), *readings)[0])


def run_variant(
    variant: Variant,
    questions: Sequence[Question],
    reader: IndexReader,
    generator: Generator,
    settings: Settings,
    *,
    progress: bool = False,
) -> Group:
    """The rates of the questions, answered with the variant's parts off."""
    from evals.scores import Gold, score_question
    from evals.summary import group
    from qa.pipeline import Pipeline

    pipeline = Pipeline(reader, generator, replace(settings, **variant.settings), calibrated(variant.readings))
    documents = pipeline.index.texts()
    results = []
    with switched(variant):
        for question in tqdm(questions, desc=variant.name, unit="question", disable=not progress):
            answer = pipeline.ask(question.question, question.messages)
            results.append(score_question(Gold.locate(question, documents), documents, answer.passages, answer))
    return group(results)[0]


def table(groups: Mapping[str, Group]) -> str:
    """A Markdown table: one row a variant, and its differences from the first."""
    lines = [f"| part | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]
    first = next(iter(groups.values())).rates
    for name, of_variant in groups.items():
        cells = [cell(of_variant.rates.get(rate), first.get(rate)) for rate in COLUMNS.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(rate: Rate | None, first: Rate | None = None) -> str:
    """A rate as a table shows it, with its difference from the first where that shows; empty where there is none."""
    if rate is None or rate.value is None:
        return ""
    change = rate.value - first.value if first and first.value is not None else 0.0
    return f"{rate.value:.2f}" + (f" ({change:+.2f})" if abs(change) >= SHOWN else "")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the replies and the table.")
@click.option("--questions", type=click.Path(path_type=Path), default=Path(__file__).with_name("questions.jsonl"))
@click.option("--half", type=click.Choice(["dev", "test", "both"]), default="dev")
@click.option("--only", multiple=True, type=click.Choice([v.name for v in variants()]), help="All by default.")
@click.option("--corpus", type=click.Path(path_type=Path), help="Folder of documents.")
@click.option("--limit", type=int, help="Ask only the first questions.")
def main(out: Path, questions: Path, half: str, only: tuple[str, ...], limit: int | None, **flags: object) -> None:
    """Score the path with each part off."""
    from corpus.errors import DossierError
    from qa.settings import Settings

    try:
        _run(out, questions, half, only, limit, Settings.load(flags))
    except DossierError as error:
        raise click.ClickException(str(error)) from error


def _run(out: Path, file: Path, half: str, only: Sequence[str], limit: int | None, settings: Settings) -> None:
    from evals.questions import load_questions
    from evals.remembering import RememberingGenerator
    from index import IndexReader
    from index.adapter import adapted_file
    from index.weights import ANSWERING_MODEL
    from qa.engines import load_generator
    from qa.engines.choosing import engine_for
    from qa.pipeline import open_index

    out.mkdir(parents=True, exist_ok=True)
    with closing(open_index(settings)) as index:
        reader = IndexReader(settings.index, index.embedder)
        documents = index.texts()
    asked = [q for q in load_questions(file, documents) if half in ("both", q.half)][:limit]
    engine = engine_for(settings.engine, shipped=True)
    name = f"{settings.model or adapted_file(Path(ANSWERING_MODEL.file_name)).stem} on {engine}"
    model = RememberingGenerator(lambda: load_generator(settings.model, settings.engine), out / "replies.sqlite", name)
    groups = {}
    with closing(model):
        for variant in variants():
            if not only or variant.name in only:
                shown = sys.stderr.isatty()
                groups[variant.name] = run_variant(variant, asked, reader, model, settings, progress=shown)
                (out / "ablation.md").write_text(table(groups) + "\n", encoding="utf-8")
    click.echo(table(groups))
    click.echo(f"{len(asked)} questions; the model read {model.asked} prompts.", err=True)


if __name__ == "__main__":
    main()
