"""Weights of readings, on candidates made up here."""

from __future__ import annotations

import numpy as np
import pytest

from evals.ranking import fit_weights


def test_a_reading_that_tells_the_evidence_gets_the_weight() -> None:
    random = np.random.default_rng(0)
    questions = []
    for _ in range(200):
        readings = random.normal(size=(10, 2))
        gold = np.zeros(10, dtype=bool)
        gold[random.choice(10, p=(odds := np.exp(2.0 * readings[:, 0])) / odds.sum())] = True
        questions.append((readings, gold))
    first, second = fit_weights(questions)
    assert first == pytest.approx(2.0, abs=0.4)
    assert second == pytest.approx(0.0, abs=0.3)


def test_questions_without_evidence_are_left_out() -> None:
    readings = np.array([[1.0], [-1.0]])
    some = [(readings, np.array([True, False])), (readings, np.array([False, False]))]
    np.testing.assert_allclose(fit_weights(some), fit_weights(some[:1]))
    with pytest.raises(ValueError, match="nothing to fit"):
        fit_weights(some[1:])
