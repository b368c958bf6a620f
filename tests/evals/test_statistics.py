"""Intervals and tests against values worked out by hand or by another way of computing them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evals.statistics import Rate, auroc, bootstrap_ratios, holm, mcnemar, risk_coverage, sign_flip


def one_ratio(hits: list[float], counts: list[float], clusters: list[str]) -> Rate:
    return bootstrap_ratios(np.array([hits]), np.array([counts]), clusters, [True] * len(hits)).rate(0)


def test_a_ratio_of_sums_and_its_interval() -> None:
    # Clusters (1 of 2), (1 of 1), (1 of 1): three times the first gives 1/2, none of it gives 1.
    assert one_ratio([1, 0, 1, 1], [1, 1, 1, 1], ["a", "a", "b", "c"]) == Rate(0.75, 0.5, 1.0, 4)


def test_the_interval_is_that_of_a_plain_cluster_bootstrap() -> None:
    rng = np.random.default_rng(7)
    clusters = [f"c{number}" for number in rng.integers(0, 40, 400)]
    hits = rng.random(400) < 0.6
    rate = one_ratio(hits.tolist(), [1] * 400, clusters)
    names = sorted(set(clusters))
    sums = np.array([[hits[np.array(clusters) == n].sum(), clusters.count(n)] for n in names])
    draws = rng.multinomial(len(names), [1 / len(names)] * len(names), size=20_000) @ sums
    low, high = np.quantile(draws[:, 0] / draws[:, 1], [0.025, 0.975])
    assert rate.low == pytest.approx(low, abs=0.005)
    assert rate.high == pytest.approx(high, abs=0.005)


def test_the_interval_of_questions_of_their_own_is_that_of_scipy() -> None:
    hits = np.arange(60) % 3 == 0
    rate = one_ratio(hits.astype(float).tolist(), [1] * 60, [f"q{number}" for number in range(60)])
    plain = stats.bootstrap((hits,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(3))
    assert rate.low == pytest.approx(plain.confidence_interval.low, abs=0.02)
    assert rate.high == pytest.approx(plain.confidence_interval.high, abs=0.02)


def test_questions_with_nothing_to_count_are_left_out() -> None:
    assert one_ratio([1, 0, 0], [1, 1, 0], ["a", "b", "c"]).count == 2
    assert one_ratio([0, 0], [0, 0], ["a", "b"]) == Rate(None, None, None, 0)
    assert one_ratio([1, 1], [1, 1], ["a", "a"]) == Rate(1.0, None, None, 2)
    assert one_ratio([1, 1, 0], [1, 1, 0], ["a", "a", "b"]) == Rate(1.0, None, None, 2)


def test_balanced_abstention_resamples_the_unanswerable_apart() -> None:
    answered = [1.0, 0, 0, 0, 0, 0]
    unanswerable = [1.0, 1, 1, 1, 0, 0]
    refused = [0.0, 0, 0, 0, 1, 0]
    answerable = [0.0, 0, 0, 0, 1, 1]
    clusters = ["q1", "q2", "q3", "q4", "a", "b"]
    ratios = bootstrap_ratios(
        np.array([answered, refused]), np.array([unanswerable, answerable]), clusters, [False] * 4 + [True] * 2
    )
    rate = ratios.balanced(0, 1)
    assert (rate.value, rate.count) == (1 - (0.25 + 0.5) / 2, 6)
    assert np.isfinite(ratios.draws).all()
    assert rate.low is not None
    assert rate.high == 1.0
    assert rate.low < 0.625
    assert ratios.rate(0).count == 4


def test_mcnemar_is_the_exact_binomial() -> None:
    base = [True] * 6 + [False] * 1 + [True] * 3
    new = [False] * 6 + [True] * 1 + [True] * 3
    # 6 worse, 1 better: 2 * (1 + 7) / 2**7
    assert mcnemar(base, new) == pytest.approx(2 * 8 / 128)
    assert mcnemar([True, False], [True, False]) == 1.0


def test_sign_flip_is_exact_for_few_changes() -> None:
    # Of the 2**4 sign patterns of (1, 1, 1, 1), two are as extreme as all plus.
    assert sign_flip([1, 1, 1, 1, 0, 0]) == pytest.approx(2 / 16)
    assert sign_flip([0.5, -0.5]) == pytest.approx(1.0)
    assert sign_flip([0, 0]) == sign_flip([1]) == 1.0
    assert sign_flip([-0.5] * 40) < 0.001


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1))
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, adjusted, strict=True))
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert all(first[1] <= second[1] for first, second in itertools.pairwise(pairs))


def test_auroc() -> None:
    assert auroc([0.9, 0.8], [0.1, 0.85]) == pytest.approx(3 / 4)
    assert auroc([0.5], [0.5]) == 0.5
    assert auroc([], [0.5]) is None


def test_risk_coverage() -> None:
    curve = risk_coverage([0.9, 0.2, 0.5, 0.5], [False, True, True, False], total=8)
    assert curve == [(1 / 8, 0.0), (3 / 8, pytest.approx(1 / 3)), (4 / 8, 0.5)]
    assert risk_coverage([], [], total=3) == []
