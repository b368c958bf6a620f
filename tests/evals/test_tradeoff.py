"""What reading more costs and brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evals.plots import plot_tradeoff
from evals.questions import load_questions
from evals.tradeoff import run_each, table
from index import IndexReader, ensure_index
from qa.pipeline import Pipeline
from qa.settings import Settings


def test_two_depths_and_their_table(tmp_path: Path, toy_embedder: Any, scripted: Any) -> None:  # noqa: ANN401
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    text = "The Velm harbour has 12 cranes. A museum stands beside the Velm harbour. Velm opened in 1994."
    (corpus / "velm.txt").write_text(f"Velm\n\n{text}\n", encoding="utf-8")
    (tmp_path / "questions.jsonl").write_text(
        '{"id": "a", "question": "When did Velm open?", "answerable": true, "tags": [], "history": [], '
        '"nuggets": [{"any_of": ["1994"]}], "evidence": [{"document": "velm.txt", "quote": "opened in 1994"}]}\n',
        encoding="utf-8",
    )
    index = ensure_index(corpus, tmp_path / "index", toy_embedder)
    documents = {path: document.text for path, document in index.documents.items()}
    questions = load_questions(tmp_path / "questions.jsonl", documents)
    settings = Settings(corpus=corpus, index=tmp_path / "index", refuse_below=0.0)
    model = scripted(replies=["Velm opened in 1994."], scores=[[-0.1, -9.0, -9.0, -9.0]])
    pipeline = Pipeline(IndexReader(tmp_path / "index", toy_embedder), model, settings)
    scores = run_each((1, 3), questions, documents, pipeline, tmp_path / "out", tmp_path / "cache")
    first, second = [prompts[-1].content for prompts in (model.prompts[0], model.prompts[-1])]
    assert len(first) < len(second)  # more is read
    assert pipeline.settings == settings
    rows = table(scores).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| 1", "| 3"]
    assert rows[3].split(" | ")[1] == "1.00"
    assert "supported answer rate" in plot_tradeoff([1, 3], [900.0, 1500.0], [run.primary for run in scores.values()])
