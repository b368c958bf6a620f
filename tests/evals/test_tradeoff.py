"""What reading more costs and brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evals.plots import plot_tradeoff
from evals.tradeoff import run_each, table
from qa.pipeline import Pipeline


def test_two_depths_and_their_table(small_evaluation: Any, tmp_path: Path, scripted: Any) -> None:  # noqa: ANN401
    of = small_evaluation
    model = scripted(replies=["The Velm harbour opened in 1994."], scores=[[-0.1, -9.0, -9.0, -9.0]])
    pipeline = Pipeline(of.reader, model, of.settings)
    scores = run_each((1, 3), of.questions, of.documents, pipeline, tmp_path / "out", tmp_path / "cache")
    lengths = [len(messages[-1].content) for messages in model.prompts]
    assert max(lengths) > lengths[0]  # more is read
    assert pipeline.settings == of.settings
    rows = table(scores).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| 1", "| 3"]
    assert rows[3].split(" | ")[1] == "1.00"
    points = [(number, 900.0 * number, run.primary) for number, run in scores.items()]
    assert "supported answer rate" in plot_tradeoff(points)
