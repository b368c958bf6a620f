"""Weights of readings, on candidates made up here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from evals.ranking import fit_weights, main


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


@pytest.mark.model
def test_the_command_tells_where_the_evidence_stands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "harbour.md").write_text("The harbour of Velm opened in 1994. It has 12 cranes.\n", "utf-8")
    question = {
        "id": "open",
        "question": "When did the harbour open?",
        "answerable": True,
        "nuggets": [{"any_of": ["1994"]}],
        "evidence": [{"document": "harbour.md", "quote": "The harbour of Velm opened in 1994."}],
        "tags": [],
        "history": [],
    }
    asked = tmp_path / "questions.jsonl"
    asked.write_text(json.dumps(question) + "\n", "utf-8")
    arguments = ["--questions", str(asked), "--corpus", str(corpus)]
    with caplog.at_level("INFO"):
        found = CliRunner().invoke(main, [*arguments, "--half", "both"], catch_exceptions=False)
    assert found.exit_code == 0
    assert "evidence among the first 2 sentences: 1.000" in caplog.text
    assert "vital facts in the passage: 1.000" in caplog.text
    asked.write_text(json.dumps(question | {"answerable": False, "nuggets": [], "evidence": []}) + "\n", "utf-8")
    none = CliRunner().invoke(main, [*arguments, "--half", "both"])
    assert none.exit_code == 1 and "no answerable question" in none.output
