"""Intervals and tests: a cluster bootstrap for one run, paired tests for two, and the quality of a confidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Numbers = npt.NDArray[np.float64]
DRAWS = 10_000
_BATCH = 1000
"""Draws held in memory at once."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval; None where there was nothing to count or nothing to resample."""

    value: float | None
    low: float | None
    high: float | None
    count: int
    """What the share is of."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Numerator and denominator of a ratio for each question, with the cluster that the question belongs to."""

    hits: Sequence[float]
    counts: Sequence[float]
    clusters: Sequence[str]

    @property
    def ratio(self) -> float | None:
        """All hits by all counts, or None where there is nothing to count."""
        total = sum(self.counts)
        return sum(self.hits) / total if total else None

    def by_cluster(self) -> Numbers:
        """Hits and counts summed within each cluster that counts something: shape (2, clusters)."""
        _, inverse = np.unique(np.asarray(self.clusters, dtype=str), return_inverse=True)
        weights = np.asarray([self.hits, self.counts], dtype=np.float64)
        sums: Numbers = np.stack([np.bincount(inverse, weights=row) for row in weights]).astype(np.float64)
        return sums[:, sums[1] > 0]


def ratio(tally: Tally) -> Rate:
    """A ratio of sums with its bootstrap interval, clusters resampled."""
    low, high = _interval([tally], lambda ratios: ratios[0]) if tally.ratio is not None else (None, None)
    return Rate(tally.ratio, low, high, round(sum(tally.counts)))


def balanced(answered_unanswerable: Tally, refused_answerable: Tally) -> Rate:
    """1 - (H + E) / 2 with its interval; questions with and without an answer are resampled apart."""
    tallies = [answered_unanswerable, refused_answerable]
    count = round(sum(sum(tally.counts) for tally in tallies))
    first, second = (tally.ratio for tally in tallies)
    if first is None or second is None:
        return Rate(None, None, None, count)
    low, high = _interval(tallies, lambda ratios: 1 - (ratios[0] + ratios[1]) / 2)
    return Rate(1 - (first + second) / 2, low, high, count)


def _interval(
    tallies: list[Tally], combine: Callable[[list[Numbers]], Numbers]
) -> tuple[float, float] | tuple[None, None]:
    """Percentile interval of DRAWS draws; (None, None) where a tally has a single cluster."""
    sums = [tally.by_cluster() for tally in tallies]
    if any(each.shape[1] < 2 for each in sums):
        return None, None

    def statistic(*drawn: npt.NDArray[np.int64], axis: int) -> Numbers:
        totals = [each[:, indices].sum(axis=axis) for each, indices in zip(sums, drawn, strict=True)]  # (2, draws)
        return combine([hits / counts for hits, counts in totals])

    result = stats.bootstrap(
        tuple(np.arange(each.shape[1]) for each in sums),
        statistic,
        n_resamples=DRAWS,
        batch=_BATCH,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


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
