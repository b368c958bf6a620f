"""How long engines take to answer, the same questions to each in turn: `python -m evals.answer_times`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from corpus.errors import DossierError
from evals.questions import load_questions
from index import SentenceTransformerEmbedder
from qa.pipeline import Pipeline, open_pipeline
from qa.settings import Settings

QUESTIONS = Path(__file__).with_name("questions.jsonl")


@click.command()
@click.argument("engines", nargs=-1, required=True)
@click.option("--limit", default=20, show_default=True, help="How many questions of the dev half without a history.")
def main(engines: Sequence[str], limit: int) -> None:
    """Print medians of each of the ENGINES, and the ratio to the first; the machine's other work meets them all alike.

    They are loaded together: 3 GiB each.
    """
    logging.basicConfig(level=logging.WARNING)
    try:
        settings, embedder = Settings.load(), SentenceTransformerEmbedder.default()
        pipelines = {name: open_pipeline(replace(settings, engine=name), embedder=embedder) for name in engines}
        read = load_questions(QUESTIONS, pipelines[engines[0]].index.texts())
        asked = [question.question for question in read if question.half == "dev" and not question.history][:limit]
        times = _times(pipelines, asked)
    except DossierError as error:
        raise click.ClickException(str(error)) from error
    first = np.median(times[engines[0]], axis=0)
    for name, taken in times.items():
        word, whole = median = np.median(taken, axis=0)
        ratios = ", ".join(f"{ratio:.2f}" for ratio in median / first)
        click.echo(f"{name}: first word {word:.1f} s, whole answer {whole:.1f} s; by those of {engines[0]}: {ratios}")


def _times(pipelines: dict[str, Pipeline], asked: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
    """Seconds to the first word and to the end of every answer, by engine."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in pipelines}
    for question in tqdm(asked, unit="question"):
        for name, pipeline in pipelines.items():
            timings = pipeline.ask(question).timings
            taken[name].append((timings.first_token_ms / 1000, timings.total_ms / 1000))
    return taken


if __name__ == "__main__":
    main()
