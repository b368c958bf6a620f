"""Vectors, BM25 and fusion against plain numpy and by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import IndexDamagedError
from index.fusion import fuse
from index.lexical import K1, B, LexicalIndex, best_rows, tokenise, write_lexical
from index.terms import TermWriter
from index.vectors import FlatVectors, VectorWriter


def unit(seed: int, n: int, dimension: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write(folder: Path, texts: list[str]) -> None:
    with TermWriter(folder) as terms:
        for text in texts:
            terms.add(tokenise(text))
        write_lexical(folder, terms.finish())


def test_flat_vectors_agree_with_brute_force_from_memory_and_from_disk(tmp_path: Path) -> None:
    vectors, queries = unit(0, 500, 24), unit(1, 20, 24)
    made = FlatVectors(vectors)
    with VectorWriter(tmp_path, 500, 24) as writer:
        for rows in (np.arange(100, 500), np.array([0, 1, 2, 50, 51]), np.arange(3, 50), np.arange(52, 100)):
            writer.write(rows, vectors[rows])
        np.testing.assert_array_equal(writer.read(np.array([7, 3])), vectors[[7, 3]])
    expected = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :10]
    for store in (made, FlatVectors.load(tmp_path)):
        scores, rows = store.search(queries, 10)
        assert np.array_equal(rows, expected)
        np.testing.assert_allclose(scores, np.take_along_axis(queries @ vectors.T, expected, 1), rtol=1e-5)
        np.testing.assert_array_equal(store.get(np.array([7, 3])), vectors[[7, 3]])
        assert len(store) == 500 and store.dimension == 24


def test_equal_scores_come_in_row_order() -> None:
    vectors = np.repeat(unit(0, 3, 8), 5, axis=0)
    _, rows = FlatVectors(vectors).search(vectors[[5]], 4)
    assert rows.tolist() == [[5, 6, 7, 8]]


def test_more_neighbours_than_vectors() -> None:
    scores, rows = FlatVectors(unit(0, 3, 8)).search(unit(1, 2, 8), 10)
    assert scores.shape == rows.shape == (2, 3)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01", b"\0" * 200])
def test_a_damaged_vector_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vectors.npy").write_bytes(content)
    with pytest.raises(IndexDamagedError, match="dossier index build"):
        FlatVectors.load(tmp_path)


def test_terms() -> None:
    assert tokenise("How many yen does Japan’s U.S. plan cost: 54,000 or 1.5 (2+2)?") == [
        "mani",
        "yen",
        "japan",
        "us",
        "plan",
        "cost",
        "54000",
        "1.5",
        "2",
        "2",
    ]
    assert tokenise("日本です") == list("日本です")
    assert tokenise("ﬁrst CAFÉ") == ["first", "café"]
    assert tokenise("co\u00adope\u200bra\u2060tion in 2024¹") == tokenise("cooperation in 2024")
    assert tokenise("می\u200cخواهم 50 m²") == tokenise("میخواهم 50 m2")


def test_bm25_agrees_with_the_formula(tmp_path: Path) -> None:
    texts = ["alliance command command", "alliance treaty", "treaty of Okinawa with a longer text", "nothing else"]
    index = LexicalIndex.from_texts(texts)
    write(tmp_path, texts)
    terms = [tokenise(text) for text in texts]
    mean = sum(map(len, terms)) / len(terms)

    def score(query: list[str], row: list[str]) -> float:
        total = 0.0
        for term in query:
            holding = sum(term in other for other in terms)
            frequency = row.count(term)
            if holding:
                idf = math.log(1 + (len(terms) - holding + 0.5) / (holding + 0.5))
                total += idf * frequency / (frequency + K1 * (1 - B + B * len(row) / mean))
        return total

    expected = [score(tokenise("command of the alliance"), row) for row in terms]
    for loaded in (index, LexicalIndex.load(tmp_path)):
        np.testing.assert_allclose(loaded.scores("command of the alliance"), expected, rtol=1e-5)
        assert loaded.search("command of the alliance", 5)[1].tolist() == [0, 1]
        assert loaded.search("the of unknownword", 5)[1].tolist() == []
    assert not [path for path in (tmp_path / "bm25").iterdir() if path.suffix not in (".json", ".npy")]


def test_bm25_of_texts_without_a_word(tmp_path: Path) -> None:
    write(tmp_path, ["the", "of"])
    assert LexicalIndex.load(tmp_path).search("the treaty", 3)[1].tolist() == []


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), max_size=40), st.integers(1, 12))
def test_best_rows_agree_with_sorting(values: list[float], k: int) -> None:
    scores = np.asarray(values, dtype=np.float32)
    expected = sorted((row for row, value in enumerate(values) if value > 0), key=lambda row: (-values[row], row))[:k]
    assert best_rows(scores, k)[1].tolist() == expected


def test_fusion_by_hand() -> None:
    assert fuse([[7, 3], [3, 9]]) == [(3, 1 / 62 + 1 / 61), (7, 1 / 61), (9, 1 / 62)]
    assert fuse([[2], [1]]) == [(1, 1 / 61), (2, 1 / 61)]
    assert fuse([]) == []
