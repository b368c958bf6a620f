"""One suite over everything that searches vectors, and what each of them keeps elsewhere."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from index import (
    BuildSettings,
    Index,
    IndexFaultError,
    IndexMismatchError,
    build,
    ensure_index,
    rollback,
    status,
    verify,
)
from index import draft as draft_module
from index.engines import make_engine, open_engine
from index.generations import generation_folder, generation_names
from index.inverted import FROM_SIZE, InvertedVectors, centroid_count, recall
from index.manifest import read_manifest, write_manifest
from index.vectors import FlatVectors, VectorWriter

if TYPE_CHECKING:
    from tests.conftest import ToyEmbedder

with_milvus = pytest.mark.skipif(importlib.util.find_spec("milvus_lite") is None, reason="the extra milvus is missing")
ENGINES = ["flat", "ivf", pytest.param("milvus", marks=with_milvus)]
QUESTIONS = ("Who opposes the runway at Henoko?", "43 trillion yen", "command upgrade Washington", "Biden met Kishida")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A milvus-lite file, the same for all tests: starting it takes seconds."""
    folder = tmp_path_factory.mktemp("milvus")
    yield str(folder / "vectors.db")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=ENGINES)
def how(request: pytest.FixtureRequest, server: str) -> BuildSettings:
    return BuildSettings(vectors=server if request.param == "milvus" else request.param)


def clustered(count: int, dimension: int, seed: int = 0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(9).normal(size=(40, dimension))
    vectors = centres[chance.integers(0, 40, count)] + 0.5 * chance.normal(size=(count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_every_engine_finds_what_an_exact_search_finds(
    corpus: Path, folder: Path, tmp_path: Path, toy_embedder: ToyEmbedder, how: BuildSettings
) -> None:
    exact = ensure_index(corpus, tmp_path / "exact", toy_embedder, BuildSettings(vectors="flat"))
    index = ensure_index(corpus, folder, toy_embedder, how)
    for question in QUESTIONS:
        assert index.search(question) == exact.search(question)
    vectors = toy_embedder.embed(QUESTIONS)
    for k in (1, 3, 100):
        scores, rows = index.vectors.search(vectors, k)
        np.testing.assert_array_equal(rows, exact.vectors.search(vectors, k)[1])
        np.testing.assert_allclose(scores, exact.vectors.search(vectors, k)[0], rtol=1e-5)
    rows = np.array([2, 0])
    np.testing.assert_array_equal(index.vectors.get(rows), exact.vectors.get(rows))
    assert verify(folder).ok and status(corpus, folder, toy_embedder, how).state == "current"


def test_generations_of_every_engine_follow_the_corpus_and_go_back(
    corpus: Path, folder: Path, toy_embedder: ToyEmbedder, how: BuildSettings
) -> None:
    first = ensure_index(corpus, folder, toy_embedder, how)
    (corpus / "new.txt").write_text("An emperor visited the ministry of the sea.")
    report = build(corpus, folder, toy_embedder, how)
    assert (report.chunks_embedded, report.chunks_reused) == (1, 4)
    assert Index.open(folder, toy_embedder).search("emperor of the sea", 1)[0].chunk.document == "new.txt"
    assert all(hit.chunk.document != "new.txt" for hit in first.search("emperor of the sea"))
    assert rollback(folder) == first.generation
    assert all(hit.chunk.document != "new.txt" for hit in Index.open(folder, toy_embedder).search("emperor of the sea"))
    assert not build(corpus, folder, toy_embedder, how).chunks_embedded
    assert verify(folder).ok


class CrashError(BaseException):
    """Nothing that runs catches it, as nothing catches SIGKILL."""


def test_a_builder_that_dies_leaves_what_serves(
    corpus: Path, folder: Path, toy_embedder: ToyEmbedder, how: BuildSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = build(corpus, folder, toy_embedder, how).generation
    (corpus / "new.txt").write_text("An emperor visited the ministry of the sea.")

    def die(*arguments: object) -> None:
        raise CrashError

    with monkeypatch.context() as patch, pytest.raises(CrashError):
        patch.setattr(draft_module, "write_manifest", die)
        build(corpus, folder, toy_embedder, how)
    index = Index.open(folder, toy_embedder)
    assert index.generation == old and index.search("runway at Henoko", 1)[0].chunk.section == "Governor"
    assert verify(folder).ok
    assert "new.txt" in ensure_index(corpus, folder, toy_embedder, how).documents
    assert len(generation_names(folder)) == 2


def test_another_engine_is_built_without_embedding_again(
    corpus: Path, folder: Path, toy_embedder: ToyEmbedder, how: BuildSettings
) -> None:
    build(corpus, folder, toy_embedder)
    assert status(corpus, folder, toy_embedder, how).state == "mismatch"
    report = build(corpus, folder, toy_embedder, how)
    assert report.built and report.chunks_embedded == 0 and not report.changed
    assert read_manifest(generation_folder(folder, report.generation)).vectors["setting"] == how.vectors
    assert not build(corpus, folder, toy_embedder, how).built


def test_an_engine_that_there_is_not_is_refused(corpus: Path, folder: Path, toy_embedder: ToyEmbedder) -> None:
    with pytest.raises(IndexFaultError, match=r"'annoy'.*auto, flat, ivf.*19530"):
        build(corpus, folder, toy_embedder, BuildSettings(vectors="annoy"))
    assert not folder.exists()


def test_an_inverted_file_finds_nearly_all_and_reads_little(tmp_path: Path) -> None:
    flat = FlatVectors(clustered(4_000, 32))
    made = InvertedVectors.build(flat)
    assert made is not None
    made.save(tmp_path)
    queries = clustered(50, 32, seed=1)
    exact = flat.search(queries, 10)[1]
    loaded = InvertedVectors.load(tmp_path, flat)
    for store in (made, loaded):
        scores, rows = store.search(queries, 10)
        assert recall(exact, rows) >= 0.98
        assert (np.diff(scores, axis=1) <= 0).all()
    assert loaded.probes < centroid_count(4_000) / 4
    np.testing.assert_array_equal(loaded.assignment(), made.assignment())
    assert sorted(made._lists.tolist()) == list(range(4_000))


def test_an_inverted_file_grows_without_new_centroids_until_it_has_doubled() -> None:
    vectors = clustered(4_000, 32)
    small = InvertedVectors.build(FlatVectors(vectors[:3_000]))
    assert small is not None
    from index.engines import _known

    for size, kept in ((3_500, True), (1_000, False)):
        base_rows = np.arange(size)
        base_rows[3_000:] = -1
        grown = InvertedVectors.build(FlatVectors(vectors[:size]), _known((small, base_rows)))
        assert grown is not None and (grown.centroids is small.centroids) is kept
        assert sorted(grown._lists.tolist()) == list(range(size))


def test_vectors_without_clusters_are_searched_whole() -> None:
    drawn = np.random.default_rng(0).normal(size=(1_500, 128)).astype(np.float32)
    assert InvertedVectors.build(FlatVectors(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))) is None


def test_the_default_goes_over_to_the_inverted_file_by_size(
    corpus: Path, folder: Path, toy_embedder: ToyEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FROM_SIZE > 1_000
    name = build(corpus, folder, toy_embedder).generation
    assert read_manifest(generation_folder(folder, name)).vectors == {"setting": "auto", "engine": "flat"}
    monkeypatch.setattr("index.engines.FROM_SIZE", 5)
    (corpus / "new.txt").write_text("An emperor visited the ministry of the sea.")
    name = build(corpus, folder, toy_embedder).generation
    assert read_manifest(generation_folder(folder, name)).vectors == {"setting": "auto", "engine": "ivf"}
    assert Index.open(folder, toy_embedder).search("emperor of the sea", 1)[0].chunk.document == "new.txt"


def test_clusters_that_were_not_found_are_looked_for_again_when_the_index_has_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = np.random.default_rng(0).normal(size=(1_200, 128)).astype(np.float32)
    asked: list[int] = []
    monkeypatch.setattr("index.engines.FROM_SIZE", 400)
    monkeypatch.setattr(InvertedVectors, "build", lambda flat, known=None: asked.append(len(flat)))
    said = 0
    for size in (500, 600, 1_001, 1_100, 450, 460):
        with VectorWriter(tmp_path, size, 128) as writer:
            writer.write(np.arange(size), drawn[:size])
        found = make_engine(tmp_path, tmp_path, "g", "auto", None, said)
        said = found.pop("unclustered")
        assert found == {"setting": "auto", "engine": "flat"}
    assert asked == [500, 1_001, 450]
    assert said == 450


@pytest.mark.parametrize("file", ["ivf.centroids.npy", "ivf.lists.npy", "ivf.ends.npy", "ivf.json"])
def test_a_damaged_inverted_file_is_refused_and_mended(
    corpus: Path, folder: Path, toy_embedder: ToyEmbedder, file: str
) -> None:
    how = BuildSettings(vectors="ivf")
    name = build(corpus, folder, toy_embedder, how).generation
    path = generation_folder(folder, name) / file
    path.write_bytes(path.read_bytes()[:-2])
    assert not verify(folder).ok
    with pytest.raises(IndexFaultError, match="dossier index build"):
        open_engine(path.parent, read_manifest(path.parent))
    assert ensure_index(corpus, folder, toy_embedder, how).generation > name
    assert verify(folder).ok


@with_milvus
def test_collections_follow_the_generations(
    corpus: Path, folder: Path, server: str, toy_embedder: ToyEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pymilvus import MilvusClient

    from index.milvus import collection_name, collection_prefix

    how = BuildSettings(vectors=server, keep=2)
    opened = ensure_index(corpus, folder, toy_embedder, how)
    for number in range(3):
        (corpus / "new.txt").write_text(f"The emperor visited ministry {number}.")
        build(corpus, folder, toy_embedder, how)
    client = MilvusClient(server)
    mine = {name for name in client.list_collections() if name.startswith(collection_prefix(folder))}
    assert mine == {collection_name(folder, name) for name in generation_names(folder)} and len(mine) == 3
    assert opened.search("Biden met Kishida", 1)[0].chunk.document == "articles/summit.md"
    lost = collection_name(folder, generation_names(folder)[-1])
    client.drop_collection(lost)
    assert verify(folder).problems == (f"Milvus at {server} holds no collection {lost}",)
    with pytest.raises(IndexFaultError, match="dossier index build"):
        Index.open(folder, toy_embedder).search("emperor")
    report = build(corpus, folder, toy_embedder, how)
    assert report.built and report.chunks_embedded == 0 and verify(folder).ok
    current = collection_name(folder, report.generation)
    client.upsert(current, [{"row": 0, "vector": toy_embedder.embed(["wrong"])[0]}])
    assert "not as they were written" in verify(folder).problems[0]
    opened.close()
    build(corpus, folder, toy_embedder)
    (corpus / "new.txt").write_text("The emperor left.")
    build(corpus, folder, toy_embedder, BuildSettings(keep=1))
    assert not [name for name in client.list_collections() if name.startswith(collection_prefix(folder))]
    client.close()


@with_milvus
def test_a_server_that_does_not_answer_is_named(
    corpus: Path, folder: Path, toy_embedder: ToyEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.milvus.TIMEOUT", 1.0)
    with pytest.raises(IndexFaultError, match=r"Milvus at http://127\.0\.0\.1:9 .*dossier index build"):
        build(corpus, folder, toy_embedder, BuildSettings(vectors="http://127.0.0.1:9"))
    assert not generation_names(folder)


def test_an_index_of_another_version_is_built_again(corpus: Path, folder: Path, toy_embedder: ToyEmbedder) -> None:
    name = build(corpus, folder, toy_embedder).generation
    path = generation_folder(folder, name)
    older = replace(read_manifest(path), format_version=2)
    write_manifest(path / "manifest.json", older)
    with pytest.raises(IndexMismatchError, match="format 2"):
        Index.open(folder, toy_embedder)
    assert ensure_index(corpus, folder, toy_embedder).generation > name
