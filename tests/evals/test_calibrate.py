"""How the confidence is fitted: weights of sets, and the choice of the threshold."""

from __future__ import annotations

import numpy as np
import pytest

from evals.calibrate import balanced_accuracy, choose_threshold, equal_shares


def test_each_set_and_each_kind_of_question_weighs_the_same() -> None:
    answerable = np.array([True, True, True, False, True, False])
    shares = equal_shares(["a", "a", "a", "a", "b", "b"], answerable)
    assert shares.sum() == pytest.approx(6)
    assert shares[:3].sum() == pytest.approx(shares[3]) == pytest.approx(shares[4]) == pytest.approx(shares[5])


def test_balanced_accuracy_by_hand() -> None:
    answerable = np.array([True, True, False, False])
    answered = np.array([True, False, False, True])
    assert balanced_accuracy(answered, answerable, np.ones(4)) == pytest.approx(0.5)
    assert balanced_accuracy(answered, answerable, np.array([3.0, 1.0, 3.0, 1.0])) == pytest.approx(0.75)


def test_the_threshold_separates_what_can_be_separated_and_answers_where_it_costs_nothing() -> None:
    probabilities = np.concatenate([np.linspace(0.7, 0.9, 50), np.linspace(0.1, 0.3, 50)])
    answerable = np.arange(100) < 50
    threshold = choose_threshold(probabilities, answerable, np.ones(100))
    assert 0.27 <= threshold <= 0.36  # anything from .3 to .7 costs nothing: the lowest, but for the tolerance


def test_the_cheaper_error_decides() -> None:
    probabilities = np.array([0.5] * 10 + [0.5] * 10)
    answerable = np.arange(20) < 10
    shares = np.ones(20)
    assert choose_threshold(probabilities, answerable, shares) == pytest.approx(0.02)
