from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus import contextualise, cut_chunks, document_sentences, find_documents, load_document
from index import Index, SentenceTransformerEmbedder, ensure_index
from index.cache import ModelError

SHIPPED = Path(__file__).resolve().parents[2] / "corpus" / "documents"
pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder.default()


@pytest.fixture(scope="module")
def index(embedder: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Index:
    return ensure_index(SHIPPED, tmp_path_factory.mktemp("shipped"), embedder)


def test_vectors_are_of_length_one_and_do_not_depend_on_the_batch(embedder: SentenceTransformerEmbedder) -> None:
    texts = ["The treaty.", "Japan's Joint Operations Command was set up in March 2025 at Ichigaya. " * 8]
    together = embedder.embed_documents(texts)
    assert together.shape == (2, embedder.dimension) and together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    alone = np.concatenate([embedder.embed_documents([text]) for text in texts])
    # bfloat16 rounds at the third digit; float32 is exact to 1e-6.
    assert float((together * alone).sum(axis=1).min()) > 0.999
    assert embedder.embed_documents([]).shape == (0, embedder.dimension)


def test_a_question_is_read_as_one_and_its_vector_kept(embedder: SentenceTransformerEmbedder) -> None:
    asked = embedder.embed_query("The treaty.")
    assert embedder.embed_query("The treaty.") is asked
    with pytest.raises(ValueError, match="read-only"):
        asked[0] = 1.0
    assert float(asked @ embedder.embed_documents(["The treaty."])[0]) < 0.999


def test_no_chunk_is_cut_by_the_embedder(embedder: SentenceTransformerEmbedder) -> None:
    for path in find_documents(SHIPPED):
        document = load_document(path, SHIPPED)
        for chunk in cut_chunks(document, document_sentences(document)):
            assert len(embedder._model.tokenizer(contextualise(document, chunk))["input_ids"]) <= 512


@pytest.mark.parametrize(
    ("question", "document"),
    [
        (
            "How many yen does the 2022 buildup program plan?",
            "briefs/national-defense-strategy-buildup-program-2022.md",
        ),
        ("What was Russia's warning to Japan about?", "briefs/defense-equipment-transfer-patriot-2023.md"),
        ("Who commands U.S. Forces Japan?", "briefs/us-forces-japan.md"),
    ],
)
def test_the_right_document_is_found(index: Index, question: str, document: str) -> None:
    assert document in [hit.chunk.document for hit in index.search(question, 3)]


def test_the_same_question_finds_the_same(index: Index) -> None:
    assert index.search("Where is the JJOC?") == index.search("Where is the JJOC?")


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        SentenceTransformerEmbedder.from_folder(tmp_path)
