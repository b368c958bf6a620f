"""How well sentences are ranked before the model reads any, and weights fitted to that: `python -m evals.ranking`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from corpus.errors import DossierError
from evals.questions import Question, load_questions
from evals.scores import Gold
from qa.abbreviations import expand
from qa.antecedents import with_antecedents
from qa.lists import with_lists
from qa.ranking import rank_sentences, read_sentences, within_budget
from qa.settings import Settings

DEPTHS = (1, 2, 8)
RIDGE = 0.5
"""Strength of the L2 penalty on the weights, in log-likelihood."""
READINGS = ("sentence", "chunk", "words", "chunk's words")

_log = logging.getLogger(__name__)


@click.command()
@click.option("--questions", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--corpus", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--half", "only", type=click.Choice(["dev", "test", "both"]), default="dev", show_default=True)
@click.option("--limit", default=None, type=int, help="Take the first questions only.")
def main(questions: Path, corpus: Path, only: str, limit: int | None) -> None:
    """Print where the evidence of answerable questions without a history stands, and the weights that fit them."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        _run(questions, Settings.load({"corpus": corpus}), only, limit)
    except DossierError as error:
        raise click.ClickException(str(error)) from error


def _run(file: Path, settings: Settings, only: str, limit: int | None) -> None:
    from qa.pipeline import open_index

    with closing(open_index(settings)) as index:
        texts = index.texts()
        asked = [
            question
            for question in load_questions(file, texts)[:limit]
            if question.answerable and not question.history and only in ("both", question.half)
        ]
        if not asked:
            raise click.ClickException(f"{file} has no answerable question without a history to rank for.")
        ranks, facts, fitting = [], [], []
        for question in tqdm(asked, unit="question"):
            gold = Gold.locate(question, texts)
            hits = index.search(expand(question.question, index), settings.candidates)
            ranked = rank_sentences(question.question, hits, index)
            is_gold = [bool(gold.covered(evidence)) for evidence in ranked]
            ranks.append([any(is_gold[:depth]) for depth in DEPTHS])
            read = within_budget(
                ranked, settings.passage_sentences, settings.evidence_words, filled=settings.passage_words
            )
            facts.append(
                stated(
                    question,
                    " ".join(evidence.as_read for evidence in with_lists(with_antecedents(read, index), index)),
                )
            )
            candidates, readings = read_sentences(question.question, hits, index)
            fitting.append((readings, np.array([bool(gold.covered(evidence)) for evidence in candidates])))
    _log.info("%d questions", len(asked))
    for depth, share in zip(DEPTHS, np.mean(ranks, axis=0), strict=True):
        _log.info("evidence among the first %d sentences: %.3f", depth, share)
    _log.info("vital facts in the passage: %.3f; of questions with all of them: %.3f", *_both(facts))
    for name, weight in zip(READINGS, fit_weights(fitting), strict=True):
        _log.info("weight of %s: %.2f", name, weight)


def stated(question: Question, text: str) -> float:
    """Share of the question's vital facts that a text states."""
    vital = [question.nuggets[place] for place in question.vital_nuggets]
    return float(np.mean([nugget.is_stated(text) for nugget in vital]))


def fit_weights(
    questions: Sequence[tuple[NDArray[np.floating], NDArray[np.bool_]]], ridge: float = RIDGE
) -> NDArray[np.float64]:
    """Weights under which the evidence is likeliest to be drawn from the softmax of the scores (conditional logit).

    Args:
        questions: For each, the readings of its candidates, (candidates, readings), and which of them are evidence.
        ridge: Strength of the L2 penalty.

    Raises:
        ValueError: No question has evidence among its candidates.
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp, softmax

    usable = [(readings, gold) for readings, gold in questions if gold.any()]
    if not usable:
        raise ValueError("No question has its evidence among the candidates, so there is nothing to fit.")

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, slope = ridge * float(weights @ weights), 2 * ridge * weights
        for readings, gold in usable:
            scores = readings @ weights
            total += float(logsumexp(scores) - logsumexp(scores[gold]))
            slope = slope + softmax(scores) @ readings - softmax(scores[gold]) @ readings[gold]
        return total, slope

    start = np.zeros(usable[0][0].shape[1])
    found: NDArray[np.float64] = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return found


def _both(facts: Sequence[float]) -> tuple[float, float]:
    return float(np.mean(facts)), float(np.mean(np.array(facts) == 1.0))


if __name__ == "__main__":
    main()
