from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from corpus import ChunkSettings, contextualise, normalise
from index import (
    BuildSettings,
    Index,
    IndexMismatchError,
    IndexMissingError,
    IndexReader,
    build,
    ensure_index,
    rollback,
)
from index.fusion import fuse

if TYPE_CHECKING:
    from tests.conftest import ToyEmbedder


@pytest.fixture
def index(corpus: Path, folder: Path, toy_embedder: ToyEmbedder) -> Index:
    return ensure_index(corpus, folder, toy_embedder)


def test_search_agrees_with_brute_force(index: Index, toy_embedder: ToyEmbedder) -> None:
    contexts = [contextualise(index.documents[chunk.document], chunk) for chunk in index.chunks]
    vectors = toy_embedder.embed(contexts)
    for query in ("Who opposes the runway at Henoko?", "43 trillion yen", "command upgrade Washington"):
        dense = np.argsort(-(vectors @ toy_embedder.embed([query])[0]), kind="stable")
        lexical = index._lexical.search(query, 50)[1]
        expected = fuse([dense.tolist(), lexical.tolist()])
        hits = index.search(query, 10)
        assert [(hit.row, hit.score) for hit in hits] == expected
        for hit in hits:
            assert index.chunks[hit.row] == hit.chunk
            assert hit.dense_score == pytest.approx(vectors[hit.row] @ toy_embedder.embed([query])[0], abs=1e-6)


def test_the_right_passage_is_first_and_a_slice_of_its_document(index: Index) -> None:
    (hit,) = index.search("Who opposes the runway at Henoko?", 1)
    assert hit.chunk.section == "Governor"
    assert index.text(hit.chunk) == "Governor Tamaki opposes the new runway at Henoko."
    document = index.documents["briefs/okinawa.md"]
    assert document.text[hit.chunk.start : hit.chunk.end] == index.text(hit.chunk)
    assert [document.text[s.start : s.end] for s in index.sentences(document.path)] == [
        "The island hosts many bases.",
        "Marines are stationed there.",
        "Governor Tamaki opposes the new runway at Henoko.",
    ]
    np.testing.assert_array_equal(index.vector(hit.row), index.vectors.get(np.array([hit.row]))[0])


def test_documents_come_back_as_they_were_loaded(index: Index) -> None:
    assert list(index.documents) == ["articles/summit.md", "briefs/okinawa.md", "briefs/yen.txt"]
    summit = index.documents["articles/summit.md"]
    assert (summit.title, summit.published) == ("The summit", "2024-04-10")
    okinawa = index.documents["briefs/okinawa.md"]
    assert [okinawa.text[start:end] for start, end in okinawa.headings] == ["Bases", "Governor"]
    assert all(normalise(document.text) == document.text for document in index.documents.values())
    assert index.documents.get("briefs/none.md") is None


def test_many_searches_are_as_one_each(index: Index) -> None:
    queries = ["yen", "", "runway", "  "]
    assert index.search_many(queries, 3) == [index.search(query, 3) for query in queries]
    assert index.search("") == [] and index.search("yen", 0) == []


def test_a_question_in_another_alphabet_or_of_great_length_is_answered(index: Index) -> None:
    assert len(index.search("Кто против?", 2)) == 2
    assert len(index.search("runway " * 20_000, 2)) == 2


def test_an_index_of_another_embedder_or_chunking_is_refused(
    index: Index, folder: Path, toy_embedder: ToyEmbedder
) -> None:
    for other in (
        replace(toy_embedder, name="other"),
        replace(toy_embedder, weights_hash="other"),
        replace(toy_embedder, dimension=32),
    ):
        with pytest.raises(IndexMismatchError, match="dossier index build"):
            Index.open(folder, other)
    with pytest.raises(IndexMismatchError, match=r"target_words 110.* 50"):
        Index.open(folder, toy_embedder, ChunkSettings(target_words=50))
    assert Index.open(folder, toy_embedder, ChunkSettings()).generation == index.generation


def test_a_mismatch_is_mended_by_building(corpus: Path, folder: Path, index: Index, toy_embedder: ToyEmbedder) -> None:
    other = replace(toy_embedder, name="other", weights_hash="other", dimension=32)
    assert ensure_index(corpus, folder, other).vector(0).shape == (32,)
    short = ensure_index(corpus, folder, other, BuildSettings(chunking=ChunkSettings(target_words=5)))
    assert len(short.chunks) > len(index.chunks)


def test_no_index(folder: Path, toy_embedder: ToyEmbedder) -> None:
    with pytest.raises(IndexMissingError, match="dossier index build"):
        Index.open(folder, toy_embedder)


def test_a_reader_takes_the_new_generation_at_the_next_question(
    corpus: Path, folder: Path, toy_embedder: ToyEmbedder
) -> None:
    build(corpus, folder, toy_embedder)
    reader = IndexReader(folder, toy_embedder)
    old = reader.current()
    assert reader.current() is old
    (corpus / "new.txt").write_text("The emperor visited the ministry.")
    build(corpus, folder, toy_embedder)
    new = reader.current()
    assert new is not old and "new.txt" in new.documents
    assert old.search("emperor")[0].chunk.document != "new.txt"
    rollback(folder)
    assert reader.current().generation == old.generation


def test_a_reader_stays_with_a_sound_generation(corpus: Path, folder: Path, toy_embedder: ToyEmbedder) -> None:
    build(corpus, folder, toy_embedder)
    reader = IndexReader(folder, toy_embedder)
    old = reader.current()
    (corpus / "new.txt").write_text("The emperor visited the ministry.")
    report = build(corpus, folder, toy_embedder)
    (folder / "generations" / report.generation / "chunks.jsonl").write_bytes(b"")
    assert reader.current() is old and reader.current() is old


def test_near_copies_are_counted_once(corpus: Path, folder: Path, toy_embedder: ToyEmbedder) -> None:
    (corpus / "briefs" / "okinawa-again.md").write_bytes((corpus / "briefs" / "okinawa.md").read_bytes())
    report = build(corpus, folder, toy_embedder)
    assert report.copies == (("briefs/okinawa.md", "briefs/okinawa-again.md"),)
    index = Index.open(folder, toy_embedder)
    assert index.documents["briefs/okinawa.md"].copy_of == "briefs/okinawa-again.md"
    found = [hit.chunk for hit in index.search("Who opposes the runway at Henoko?", 10)]
    assert len([chunk for chunk in found if chunk.section == "Governor"]) == 1
