"""Fits the confidence: `python -m evals.calibrate read` takes readings, `fit` turns them into weights.

The questions are those of the dev half and of other folders (`--whole`); the test half is left out by its hash.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from evals.questions import half, load_questions
from qa.confidence import CALIBRATION_FILE

REFUSAL_COST = 1.0
"""What refusing an answerable question costs, answering an unanswerable one costing 1: a refusal names its reason and
shows the nearest passages, an answer its quotes, in which a reader sees what they do not say."""
REFUSE_BELOW = 1.0 / (1.0 + REFUSAL_COST)
"""The probability at which a refusal and an answer cost the same. A threshold that was searched for instead was
anything from .3 to .55 within its noise on a few hundred questions (evals/LOG.md)."""
FITTED = ("verdict", "coverage")
"""Readings that get a weight before a word is written. Coverage corrects the verdict, both ways: fitted on one set, it
raises the balanced accuracy on the other. Some thirty others did not raise the held-out AUROC (evals/LOG.md)."""
FITTED_DRAFTED = (*FITTED, "quoted_verdict", "quoted_news", "unfounded")
"""Readings that get a weight once the answer was drafted (evals/LOG.md, "A second look")."""
REFUSED_AT_ONCE = 0.02
"""Share of the answerable questions that may be refused before a word is written, for the seconds that it saves."""
KNOWN_QUANTILES = (0.02, 0.98)
"""Between which of its values a reading counts as it is; beyond them, as the nearer one: there the fit saw nothing."""
REGULARISATION = 0.1
"""Inverse strength of the L2 penalty of the logistic regression, on standardised readings."""
OFF_CORPUS_QUANTILE = 0.02
"""Share of the answerable questions whose best chunk is less similar than the limit for another subject."""

_log = logging.getLogger(__name__)


@click.group()
def main() -> None:
    """Fit the confidence of answers."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--questions", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--corpus", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--name", required=True, help="What the set is called; each is judged by the fit on the others.")
@click.option("--whole", is_flag=True, help="Read the test half too, of a set that nothing is tested on.")
@click.option("--skip", default=0, help="Leave out the first questions.")
@click.option("--limit", default=None, type=int)
def read(out: Path, questions: Path, corpus: Path, name: str, whole: bool, skip: int, limit: int | None) -> None:
    """Append the readings of each question to OUT (JSON Lines); questions that stand there are not asked again."""
    from qa.pipeline import open_pipeline
    from qa.settings import Settings

    pipeline = open_pipeline(Settings.load({"corpus": corpus}))
    texts = pipeline.index.texts()
    done = {record["id"] for record in read_records([out]) if record["set"] == name} if out.exists() else set()
    asked = [q for q in load_questions(questions, texts) if whole or half(q.id) == "dev"]
    with out.open("a", encoding="utf-8") as file:
        for question in tqdm(asked[skip:][:limit], unit="question"):
            if question.id in done:
                continue
            taken = pipeline.readings(question.question, question.messages)
            if taken is not None:
                readings = asdict(taken[0]) | asdict(taken[1])
                record = {"set": name, "id": question.id, "y": question.answerable, "readings": readings}
                file.write(json.dumps(record) + "\n")
                file.flush()


@main.command()
@click.argument("readings", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", default=CALIBRATION_FILE, type=click.Path(path_type=Path))
@click.option("--plot", default=None, type=click.Path(path_type=Path), help="Reliability and risk-coverage as SVG.")
@click.option("--drafted", multiple=True, default=FITTED_DRAFTED, help="A reading that gets a weight after the draft.")
def fit(readings: tuple[Path, ...], out: Path, plot: Path | None, drafted: tuple[str, ...]) -> None:
    """Fit the weights to READINGS files and write the calibration."""
    records = read_records(readings)
    calibration, held_out = fit_calibration(records, fitted_drafted=drafted)
    out.write_text(json.dumps(calibration, indent=1) + "\n", encoding="utf-8")
    _log.info("%s", json.dumps(calibration, indent=1))
    if plot is not None:
        _plot(held_out, np.array([record["y"] for record in records]), plot)


def fit_calibration(
    records: Sequence[Mapping[str, Any]],
    fitted: Sequence[str] = FITTED,
    fitted_drafted: Sequence[str] = FITTED_DRAFTED,
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """The fields of a `Calibration`, and the held-out probability of each record once it was drafted, (n,).

    Args:
        records: Lines of readings files, of two sets at least.
        fitted: Readings that get a weight before a word is written.
        fitted_drafted: Readings that get a weight after.
    """
    from sklearn.metrics import brier_score_loss, roc_auc_score

    answerable = np.array([record["y"] for record in records])  # (n,)
    sets = np.array([record["set"] for record in records])  # (n,)
    shares = equal_shares(sets.tolist(), answerable)  # (n,)
    found, found_apart = _regression(records, fitted, answerable, shares, sets)
    drafted, drafted_apart = _regression(records, fitted_drafted, answerable, shares, sets)
    similarity = [record["readings"]["passage_similarity"] for record in records if record["y"]]
    names = sorted(set(sets.tolist()))

    def score(probabilities: NDArray[np.float64], name: str) -> dict[str, float]:
        of = sets == name
        return {
            "auroc": round(float(roc_auc_score(answerable[of], probabilities[of])), 3),
            "balanced_accuracy": round(
                balanced_accuracy(probabilities[of] >= REFUSE_BELOW, answerable[of], shares[of]), 3
            ),
        }

    provenance: dict[str, Any] = {
        "command": "python -m evals.calibrate fit",
        "questions": {name: int((sets == name).sum()) for name in names},
        "answerable": int(answerable.sum()),
        "fitted_on_the_other_sets": {
            name: {"found": score(found_apart, name), "drafted": score(drafted_apart, name)} for name in names
        },
        "brier": round(float(brier_score_loss(answerable, drafted_apart, sample_weight=shares)), 3),
        "refusal_cost": REFUSAL_COST,
    }
    calibration = {
        "found": found,
        "drafted": drafted,
        "refuse_at_once_below": round(float(np.quantile(found_apart[answerable], REFUSED_AT_ONCE)), 3),
        "refuse_below": round(REFUSE_BELOW, 3),
        "off_corpus_below": round(float(np.quantile(similarity, OFF_CORPUS_QUANTILE)), 3),
        "provenance": provenance,
    }
    return calibration, drafted_apart


def _regression(
    records: Sequence[Mapping[str, Any]],
    fitted: Sequence[str],
    answerable: NDArray[np.bool_],
    shares: NDArray[np.float64],
    sets: NDArray[np.str_],
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """The fields of a `Regression`, and the probability of each record by one that did not see its set, (n,)."""
    rows = np.array([[record["readings"][name] for name in fitted] for record in records], dtype=float)  # (n, fitted)
    weights, intercept = _fit(rows, answerable, shares)
    regression = {
        "weights": dict(zip(fitted, np.round(weights, 4).tolist(), strict=True)),
        "ranges": dict(zip(fitted, np.quantile(rows, KNOWN_QUANTILES, axis=0).T.round(3).tolist(), strict=True)),
        "intercept": round(float(intercept), 4),
    }
    return regression, _held_out(rows, answerable, shares, sets)


def equal_shares(sets: Sequence[str], answerable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights by which every set, and in it the answerable and the unanswerable questions, count the same, (n,)."""
    cells = [(name, bool(yes)) for name, yes in zip(sets, answerable, strict=True)]
    sizes = Counter(cells)
    return np.array([len(cells) / len(sizes) / sizes[cell] for cell in cells])


def balanced_accuracy(answered: NDArray[np.bool_], answerable: NDArray[np.bool_], shares: NDArray[np.float64]) -> float:
    """1 - (H + E) / 2 with H the unanswerable that were answered and E the answerable that were refused, as shares."""
    kept = np.average(answered[answerable], weights=shares[answerable])
    refused = np.average(~answered[~answerable], weights=shares[~answerable])
    return float((kept + refused) / 2)


def read_records(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The lines of readings files."""
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line]


def _model() -> Any:  # noqa: ANN401 - scikit-learn has no types
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=REGULARISATION))


def _held_out(
    rows: NDArray[np.float64], answerable: NDArray[np.bool_], shares: NDArray[np.float64], sets: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Probabilities of each row by a model that did not see its set, (n,): what an unseen folder may expect."""
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

    predicted: NDArray[np.float64] = cross_val_predict(
        _model(),
        rows,
        answerable,
        groups=sets,
        cv=LeaveOneGroupOut(),
        method="predict_proba",
        params={"logisticregression__sample_weight": shares},
    )
    return predicted[:, 1]


def _fit(
    rows: NDArray[np.float64], answerable: NDArray[np.bool_], shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Weights (readings,) and intercept in the readings' own units."""
    model = _model().fit(rows, answerable, logisticregression__sample_weight=shares)
    scaler, regression = model[0], model[1]
    weights = regression.coef_[0] / scaler.scale_
    return weights, float(regression.intercept_[0] - weights @ scaler.mean_)


def _plot(probabilities: NDArray[np.float64], answerable: NDArray[np.bool_], path: Path) -> None:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from sklearn.calibration import calibration_curve

    figure = Figure(figsize=(9, 4), layout="constrained")
    FigureCanvasSVG(figure)
    left, right = figure.subplots(1, 2)
    observed, stated = calibration_curve(answerable, probabilities, n_bins=6, strategy="quantile")
    left.plot([0, 1], [0, 1], color="0.7", linestyle="--")
    left.plot(stated, observed, marker="o")
    left.axvline(REFUSE_BELOW, color="0.5", linestyle=":")
    left.set(xlabel="stated probability", ylabel="share answerable", title="Reliability (held out)")
    order = np.argsort(-probabilities)
    answered = np.arange(1, len(order) + 1)
    right.plot(answered / len(order), np.cumsum(~answerable[order]) / answered)
    right.set(xlabel="share of questions answered", ylabel="share of those unanswerable", title="Risk and coverage")
    figure.savefig(path, format="svg")


if __name__ == "__main__":
    main()
