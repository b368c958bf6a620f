"""How the confidence is fitted: the weights of sets and questions."""

from __future__ import annotations

import numpy as np
import pytest

from evals.calibrate import balanced_accuracy, equal_shares


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
