"""What reading more costs and brings: `python -m evals.tradeoff` asks the same questions with more and more sentences.

The number of sentences is the user's setting (`passage_sentences`); this is the curve to choose it by.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evals.ablation import cell
from evals.answer_store import write_text
from evals.errors import EvaluationError
from evals.plots import plot_tradeoff
from evals.questions import Question
from evals.summary import Scores

if TYPE_CHECKING:
    from qa.pipeline import Pipeline

SENTENCES = (4, 8, 12, 16)
WORDS = 32.5
"""Budget of words for each sentence that is read: 260 for 8, as the default is."""


def table(scores: Mapping[int, Scores]) -> str:
    """A Markdown table: one row a setting."""
    lines = [
        "| sentences read | accuracy | balanced abstention | supported | precision | first word, s | whole, s |",
        "|---|---|---|---|---|---|---|",
    ]
    names = ("accuracy", "balanced_abstention_accuracy", "supported_answer_rate", "citation_precision")
    for sentences, run in scores.items():
        times = (run.latency.first_token_p50, run.latency.total_p50) if run.latency else ()
        cells = [cell(run.overall.rates.get(name)) for name in names] + [f"{time / 1000:.1f}" for time in times]
        lines.append(f"| {sentences} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the runs, the table and plot.")
@click.option("--sentences", type=click.IntRange(min=1), multiple=True, default=SENTENCES, show_default=True)
@click.option("--questions", type=click.Path(path_type=Path), default=Path(__file__).with_name("questions.jsonl"))
@click.option("--half", type=click.Choice(["dev", "test", "both"]), default="dev", show_default=True)
@click.option("--every", type=click.IntRange(min=1), default=1, help="Ask only every n-th question.")
@click.option("--corpus", type=click.Path(path_type=Path), help="Folder of documents.")
def main(out: Path, sentences: Sequence[int], questions: Path, half: str, every: int, corpus: Path | None) -> None:
    """Answer the questions with different numbers of sentences; a run that was stopped goes on in the same folder."""
    from corpus.errors import DossierError

    try:
        scores = _run(out, sorted(set(sentences)), questions, half, every, corpus)
    except DossierError as error:
        raise click.ClickException(str(error)) from error
    write_text(out / "tradeoff.md", table(scores))
    points = [(number, run.latency.total_p50, run.primary) for number, run in scores.items() if run.latency]
    write_text(out / "tradeoff.svg", plot_tradeoff(points))
    click.echo(table(scores), nl=False)


def _run(
    out: Path, sentences: Sequence[int], file: Path, half: str, every: int, corpus: Path | None
) -> dict[int, Scores]:
    from evals.questions import load_questions
    from qa.pipeline import open_pipeline
    from qa.settings import Settings

    pipeline = open_pipeline(Settings.load({"corpus": corpus}))
    documents = pipeline.index.texts()
    asked = [q for q in load_questions(file, documents) if half in ("both", q.half)][::every]
    if not asked:
        raise EvaluationError(f"{file} has no question of this half. Choose another with --half.")
    pipeline.generator.warm_up()
    return run_each(sentences, asked, documents, pipeline, out)


def run_each(
    sentences: Sequence[int],
    questions: Sequence[Question],
    documents: Mapping[str, str],
    pipeline: Pipeline,
    out: Path,
    cache_folder: Path | None = None,
) -> dict[int, Scores]:
    """The scores by the number of sentences read, each run in a folder of its own below `out`.

    Args:
        sentences: The settings, in the order of the runs.
        questions: As `load_questions` gave them.
        documents: The text of each document by its path.
        pipeline: Answers, with its other settings as they are.
        out: Made where it is missing.
        cache_folder: Where answers are cached; the user's cache folder by default.
    """
    from evals.runner import run

    scores = {}
    for number in sentences:
        reading = copy(pipeline)
        reading.settings = replace(
            pipeline.settings, passage_sentences=number, passage_words=0, evidence_words=int(WORDS * number)
        )
        folder = out / f"{number}-sentences"
        shown = sys.stderr.isatty()
        scores[number] = run(questions, documents, reading, folder, progress=shown, cache_folder=cache_folder)
    return scores


if __name__ == "__main__":
    main()
