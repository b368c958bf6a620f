"""Intervals and tests: a cluster bootstrap for one run, paired tests for two, and the quality of a confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Numbers = npt.NDArray[np.float64]
DRAWS = 10_000
_BATCH = 1000
"""Sign flips held in memory at once."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval; None where there was nothing to count or nothing to resample."""

    value: float | None
    low: float | None
    high: float | None
    count: int
    """What the share is of."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """Ratios of sums over questions (R of them), each with what it became in every draw of one bootstrap."""

    hits: Numbers
    """Sum of the numerators, shape (R,)."""
    counts: Numbers
    """Sum of the denominators, shape (R,)."""
    draws: Numbers
    """Shape (R, DRAWS); NaN where a draw had nothing to count."""

    def rate(self, row: int) -> Rate:
        """One of the ratios with its percentile interval."""
        return _rate(self._value(row), self.draws[row], self.counts[row])

    def balanced(self, answered_unanswerable: int, refused_answerable: int) -> Rate:
        """1 - (H + E) / 2 of the two rows, with its percentile interval."""
        first, second = self._value(answered_unanswerable), self._value(refused_answerable)
        value = None if first is None or second is None else 1 - (first + second) / 2
        rows = [answered_unanswerable, refused_answerable]
        return _rate(value, 1 - self.draws[rows].sum(axis=0) / 2, self.counts[rows].sum())

    def _value(self, row: int) -> float | None:
        return float(self.hits[row] / self.counts[row]) if self.counts[row] else None


def bootstrap_ratios(hits: Numbers, counts: Numbers, clusters: Sequence[str], strata: Sequence[bool]) -> Ratios:
    """Resample whole clusters DRAWS times, within each stratum apart, and recompute every ratio of sums in each draw.

    All ratios share the draws, so that 560 intervals take 1.3 s; `scipy.stats.bootstrap`, which gives the same, takes
    16 ms (23 clusters) to 230 ms (923 clusters) for each.

    Args:
        hits: numerators, shape (R, questions).
        counts: denominators, shape (R, questions).
        clusters: the cluster of each question.
        strata: the stratum of each question; the questions of a cluster have the same.
    """
    keys = np.asarray([f"{stratum:d} {cluster}" for stratum, cluster in zip(strata, clusters, strict=True)])
    names, inverse = np.unique(keys, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[order], np.arange(len(names)))
    both = np.stack([hits, counts])[:, :, order]  # (2, R, questions)
    sums = np.add.reduceat(both, starts, axis=2)  # (2, R, clusters)
    first_of_second = int(np.searchsorted(names, "1"))
    blocks = [block for block in (sums[:, :, :first_of_second], sums[:, :, first_of_second:]) if block.shape[2]]

    draws = np.full((len(hits), DRAWS), np.nan)
    if all(block.shape[2] > 1 for block in blocks):
        rng = np.random.default_rng(0)
        totals = np.zeros((2, len(hits), DRAWS))
        for block in blocks:
            clusters_drawn = block.shape[2]
            times = rng.multinomial(clusters_drawn, np.full(clusters_drawn, 1 / clusters_drawn), size=DRAWS)
            totals += block @ times.T.astype(np.float64)  # (2, R, clusters) @ (clusters, DRAWS)
        np.divide(totals[0], totals[1], out=draws, where=totals[1] > 0)
    alone = (sums[1] > 0).sum(axis=1) < 2
    draws[alone] = np.nan
    return Ratios(hits.sum(axis=1), counts.sum(axis=1), draws)


def _rate(value: float | None, draws: Numbers, count: float) -> Rate:
    drawn = draws[np.isfinite(draws)]
    if value is None or not drawn.size:
        return Rate(value, None, None, round(count))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Rate(value, float(low), float(high), round(count))


def mcnemar(base: Sequence[bool], new: Sequence[bool]) -> float:
    """The p-value of the exact McNemar test: are changes for the better and for the worse equally likely?"""
    worse = sum(before and not after for before, after in zip(base, new, strict=True))
    better = sum(after and not before for before, after in zip(base, new, strict=True))
    return float(stats.binomtest(worse, worse + better, 0.5).pvalue) if worse + better else 1.0


def sign_flip(differences: Sequence[float]) -> float:
    """The p-value of the sign-flip permutation test: exact up to 13 changes, else over DRAWS random flips."""
    changed = np.asarray([difference for difference in differences if difference], dtype=float)
    if changed.size < 2:
        return 1.0
    result = stats.permutation_test(
        (changed,),
        lambda sample, axis: sample.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=DRAWS,
        batch=_BATCH,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Holm 1979): adjusted p-values in the given order."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Probability that a positive scores above a negative, ties counted half (Mann-Whitney U); None without both."""
    if not positive or not negative:
        return None
    wins = stats.mannwhitneyu(positive, negative).statistic
    return float(wins) / (len(positive) * len(negative))


def risk_coverage(confidences: Sequence[float], wrong: Sequence[bool], total: int) -> list[tuple[float, float]]:
    """The risk-coverage curve (El-Yaniv and Wiener 2010) of the answers that were given.

    Args:
        confidences: of each answer given.
        wrong: whether it is wrong.
        total: the number of questions, answered or refused.

    Returns:
        For each confidence, from the highest down: the share of all questions answered with at least that confidence,
        and the share of those answers that are wrong.
    """
    order = np.argsort(-np.asarray(confidences, dtype=float), kind="stable")
    errors = np.cumsum(np.asarray(wrong, dtype=float)[order])
    ranked = np.asarray(confidences, dtype=float)[order]
    last_of_ties = [i for i in range(len(ranked)) if i + 1 == len(ranked) or ranked[i + 1] != ranked[i]]
    return [((i + 1) / total, float(errors[i]) / (i + 1)) for i in last_of_ties]
