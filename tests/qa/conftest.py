"""A small corpus with its index, evidence cut from text, and a pipeline over scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import settings

from index import Embedder, Index, IndexReader, build
from qa.confidence import Calibration, Regression
from qa.evidence import Evidence, row_head
from qa.generator import Generator, Message
from qa.pipeline import Pipeline
from qa.settings import Settings

settings.register_profile("unhurried", deadline=None)  # a machine that is busy is no fault
settings.load_profile("unhurried")

DOCUMENTS = {
    "harbour.md": "---\ntitle: The harbour of Velm\npublished: 2024-07-28\nurl: https://example.org/velm\n---\n\n"
    "Mayor Ilse Brandt opened the Velm harbour on May 4, 1994. The harbour has 12 cranes and 340 workers.\n\n"
    "## Plans\n\nThe Port Authority of Velm (PAV) will build a second pier by 2031. "
    "The pier will cost 43 million krones.\n",
    "museum.md": "---\ntitle: The museum of Orla\npublished: 2023-02-01\n---\n\n"
    "The museum of Orla shows ships from nine countries. Its director is Tomas Reyes, not his brother Luis.\n",
    "weather.txt": "Weather\nRain fell on the hills all winter. The river did not freeze.\n",
}

MakeEvidence: TypeAlias = Callable[..., Evidence]
MakeIndex: TypeAlias = Callable[[Mapping[str, str]], Index]
MakePipeline: TypeAlias = Callable[..., Pipeline]


def write_corpus(root: Path, documents: Mapping[str, str]) -> Path:
    for name, text in documents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def documents() -> dict[str, str]:
    """The small corpus by file name; a test may add to it before it asks for an index."""
    return dict(DOCUMENTS)


@pytest.fixture
def make_index(tmp_path: Path, toy_embedder: Embedder) -> Iterator[MakeIndex]:
    """Builds the index of some documents."""
    opened: list[Index] = []

    def make(documents: Mapping[str, str]) -> Index:
        root = tmp_path / f"corpus-{len(opened)}"
        folder = tmp_path / f"index-{len(opened)}"
        build(write_corpus(root, documents), folder, toy_embedder)
        opened.append(Index.open(folder, toy_embedder))
        return opened[-1]

    yield make
    for index in opened:
        index.close()


@pytest.fixture
def small_index(make_index: MakeIndex) -> Index:
    """The index of `DOCUMENTS`."""
    return make_index(DOCUMENTS)


@pytest.fixture
def evidence() -> MakeEvidence:
    """Evidence with a text; the place is made up unless it is given."""

    def make(text: str, document: str = "a.md", start: int = 0, **changes: Any) -> Evidence:  # noqa: ANN401
        values: dict[str, Any] = {
            **{"document": document, "start": start, "end": start + len(text), "text": text},
            **{"title": "", "section": "", "published": "", "score": 0.0},
        }
        return Evidence(**{**values, **changes})

    return make


def find(index: Index, document: str, quote: str, **changes: Any) -> Evidence:  # noqa: ANN401
    """The evidence that a quote of a document is."""
    source = index.documents[document]
    start = source.text.index(quote)
    values: dict[str, Any] = {
        **{"document": document, "start": start, "end": start + len(quote), "text": quote, "title": source.title},
        **{"section": "", "published": source.published, "score": 0.0},
        "head": row_head(source.text, (start, start + len(quote))),
    }
    return Evidence(**{**values, **changes})


@pytest.fixture
def quoted() -> Callable[..., Evidence]:
    """`find`."""
    return find


def calibration(**weights: float) -> Calibration:
    """A probability that follows the model's verdict alone, refused below one half, unless weights are given."""
    chosen = weights or {"verdict": 1.0}
    regression = Regression(chosen, ranges=dict.fromkeys(chosen, (-8.0, 8.0)), intercept=0.0)
    return Calibration(
        found=regression,
        drafted=regression,
        refuse_at_once_below=0.5,
        refuse_below=0.5,
        off_corpus_below=0.05,
        provenance={"note": "of a test"},
    )


@pytest.fixture
def trusting() -> Calibration:
    """`calibration()`: what the model says of the evidence decides."""
    return calibration()


@pytest.fixture
def make_pipeline(tmp_path: Path, toy_embedder: Embedder, trusting: Calibration) -> MakePipeline:
    """A pipeline over some documents, with a scripted model, whose verdict alone decides."""
    made: list[Pipeline] = []

    def make(
        generator: Generator | None,
        documents: Mapping[str, str] = DOCUMENTS,
        *,
        calibration: Calibration | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> Pipeline:
        root = write_corpus(tmp_path / f"asked-{len(made)}", documents)
        folder = tmp_path / f"asked-index-{len(made)}"
        build(root, folder, toy_embedder)
        chosen = Settings(corpus=root, index=folder, **settings)
        made.append(Pipeline(IndexReader(folder, toy_embedder), generator, chosen, calibration or trusting))
        return made[-1]

    return make


def script_replies(
    draft: str | Callable[[Sequence[Message]], str], rewritten: str = ""
) -> Callable[[Sequence[Message]], str]:
    """Replies to each kind of prompt: a draft, and a rewritten follow-up."""

    def reply(messages: Sequence[Message]) -> str:
        if "Last question: " in messages[-1].content:
            return rewritten
        return draft if isinstance(draft, str) else draft(messages)

    return reply


@pytest.fixture
def script() -> Callable[..., Callable[[Sequence[Message]], str]]:
    """`script_replies`."""
    return script_replies
