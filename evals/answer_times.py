"""How long engines take to answer, the same questions to each in turn: `python -m evals.answer_times`."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import click
import numpy as np
from tqdm import tqdm

from corpus.errors import DossierError
from evals.questions import half
from index import IndexReader
from qa.answer import Answer
from qa.engines import load_generator
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
    read = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    asked = [line["question"] for line in read if half(line["id"]) == "dev" and not line.get("history")][:limit]
    try:
        settings = Settings.load()
        searching = open_pipeline(settings, load_model=False)
        reader = IndexReader(settings.index, searching.index.embedder)
        pipelines = {
            name: Pipeline(reader, load_generator(settings.model, name), settings, searching.calibration)
            for name in engines
        }
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
            begun = perf_counter()
            answer: Answer = pipeline.ask(question)
            whole = perf_counter() - begun
            taken[name].append((answer.timings.first_token_ms / 1000, whole))
    return taken


if __name__ == "__main__":
    main()
