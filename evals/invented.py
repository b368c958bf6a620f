"""The invented folders that the models' adapters are trained on (`evals/worlds`), opened as a user's folder is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from corpus.document import Span
from evals.questions import locate_quote
from index import Embedder
from qa.evidence import Evidence
from qa.pipeline import Pipeline, open_pipeline
from qa.settings import Settings

WORLDS = Path(__file__).parent / "worlds"


@contextmanager
def open_world(path: Path, embedder: Embedder) -> Iterator[tuple[Pipeline, Sequence[Mapping[str, Any]]]]:
    """A pipeline, without a model, over the documents of one folder, and its questions; both end with the context."""
    world = json.loads(path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "documents"
        corpus.mkdir()
        for document in world["documents"]:
            (corpus / document["name"]).write_text(document["text"], encoding="utf-8")
        settings = Settings.load({"corpus": corpus, "index": Path(folder) / "index"})
        yield open_pipeline(settings, load_model=False, embedder=embedder), world["questions"]


def evidence_places(question: Mapping[str, Any], pipeline: Pipeline) -> list[tuple[str, Span]]:
    """Where the evidence of a question stands.

    Raises:
        click.ClickException: A document does not hold it.
    """
    places = []
    for evidence in question.get("evidence", ()):
        found = locate_quote(pipeline.index.documents[evidence["document"]].text, evidence["quote"])
        if not found:
            raise click.ClickException(f"{evidence['document']} does not hold {evidence['quote']!r}")
        places.append((evidence["document"], found[0]))
    return places


def characters_held(sentence: Evidence, place: tuple[str, Span]) -> int:
    """How many characters of the evidence at a place stand in a sentence."""
    document, (start, end) = place
    return max(0, min(sentence.end, end) - max(sentence.start, start)) if sentence.document == document else 0
