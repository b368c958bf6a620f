"""BM25 over stemmed words, for the exact names and numbers that a vector blurs.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), in the Lucene variant of bm25s.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamagedError
from index.store import READING_NPY
from index.terms import TermRows
from index.vectors import Rows, Scores

K1 = 1.2
B = 0.75
"""Lucene's defaults; chunks are of similar length, so neither matters much."""

BM25_FOLDER = "bm25"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
"""Soft hyphens, zero-width spaces and joiners: where a line may break, and no part of a word."""
_NOTE_MARK = re.compile(r"(?<!\b[^\W\d_])(?<!\b[^\W\d_]{2})(?<!\b10)(?<!\b10⁻)[⁰¹²³⁴-⁹]+")
"""A superscript that neither a unit (m², km²) nor 10 stands before: the number of a note."""
_WORD = re.compile(r"\d+(?:[.,]\d+)+|(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’][^\W_]+)?")
_WIDE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]")
"""Scripts written without spaces: each character is a word."""
_ASKING = frozenset(
    {"what", "which", "who", "whom", "whose", "when", "where", "why", "how", "does", "did", "do", "has", "have", "had"}
    | {"he", "she", "his", "her", "its", "our", "we", "you", "i", "about", "were", "been", "from"}
)
"""Words that questions are made of, and documents are not about."""


@lru_cache(maxsize=1)
def _stemmer() -> Any:  # noqa: ANN401 - PyStemmer ships no annotations
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=1)
def _stop_words() -> frozenset[str]:
    from bm25s.stopwords import STOPWORDS_EN

    return frozenset(STOPWORDS_EN) | _ASKING


@lru_cache(maxsize=200_000)
def _terms(word: str) -> tuple[str, ...]:
    if word[0].isdigit():
        return (word.replace(",", ""),)
    word = word.replace("’", "'").split("'")[0].replace(".", "")
    if word in _stop_words() or not word:
        return ()
    if _WIDE.search(word):
        return tuple(word)
    return (_stemmer().stemWord(word),)


def fold(text: str) -> str:
    """Text in NFKC, in which words are compared, without invisible characters and superscript note marks."""
    return unicodedata.normalize("NFKC", _NOTE_MARK.sub("", _INVISIBLE.sub("", text)))


def tokenise(text: str) -> list[str]:
    """Stemmed terms of a folded text: lower case, no stop words; 54,000 is 54000, U.S. us, Japan's japan."""
    folded = fold(text).lower()
    terms: list[str] = []
    for match in _WORD.finditer(folded):
        terms.extend(_terms(match.group()))
    return terms


class LexicalIndex:
    """BM25 scores of all rows for a query."""

    def __init__(self, bm25: Any, size: int) -> None:  # noqa: ANN401 - bm25s ships no annotations
        self._bm25 = bm25
        self._size = size

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> LexicalIndex:
        """Index a few texts in row order, in memory."""
        import bm25s

        numbers: dict[str, int] = {}
        rows = [[numbers.setdefault(term, len(numbers)) for term in tokenise(text)] for text in texts]
        if not numbers:
            return cls(None, len(rows))
        bm25 = bm25s.BM25(method="lucene", k1=K1, b=B)
        bm25.scores = bm25.build_index_from_ids(range(len(numbers)), rows, show_progress=False)
        bm25.vocab_dict = numbers
        bm25.unique_token_ids_set = set(numbers.values())
        return cls(bm25, len(rows))

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Map the files that `write_lexical` wrote.

        Raises:
            IndexDamagedError: One is missing or unreadable.
        """
        import bm25s

        target = folder / BM25_FOLDER
        try:
            size = json.loads((target / "size.json").read_text(encoding="utf-8"))
            if not size["terms"]:
                return cls(None, int(size["rows"]))
            with READING_NPY:
                bm25 = bm25s.BM25.load(str(target), mmap=True, show_progress=False, allow_pickle=False)
            return cls(bm25, int(size["rows"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamagedError(f"The BM25 index {target} cannot be read. Run: dossier index build") from error

    def __len__(self) -> int:
        return self._size

    def scores(self, query: str) -> NDArray[np.float32]:
        """BM25 scores of all rows, (n,), 0 where no term of the query occurs.

        Raises:
            IndexDamagedError: A row that does not exist is named.
        """
        terms = tokenise(query)
        if not terms or self._bm25 is None:
            return np.zeros(self._size, np.float32)
        try:
            scores: NDArray[np.float32] = np.asarray(self._bm25.get_scores(terms), dtype=np.float32)
        except (IndexError, ValueError) as error:  # a flipped byte in a file too large to be hashed on opening
            raise IndexDamagedError(f"The BM25 index is damaged ({error}). Run: dossier index build") from error
        return scores

    def search(self, query: str, k: int) -> tuple[Scores, Rows]:
        """Up to `k` rows with a score above 0, best first, equal scores in row order."""
        return best_rows(self.scores(query), k)


def best_rows(scores: NDArray[np.float32], k: int) -> tuple[Scores, Rows]:
    """The `k` largest scores above 0 and their rows, equal scores in row order."""
    rows = np.flatnonzero(scores > 0)
    if len(rows) > k:
        threshold = np.partition(scores[rows], len(rows) - k)[len(rows) - k]
        rows = rows[scores[rows] >= threshold]
    rows = rows[np.lexsort((rows, -scores[rows]))][:k].astype(np.int64)
    return scores[rows], rows


def write_lexical(folder: Path, rows: TermRows) -> None:
    """Write the BM25 index of rows of terms into `folder/bm25`, as bm25s reads it, without holding it in memory.

    Raises:
        OSError: The disk is full, among others; the space is taken before the files are mapped, so that this is raised
            instead of the process ending with SIGBUS.
    """
    import bm25s

    target = folder / BM25_FOLDER
    target.mkdir(parents=True, exist_ok=True)
    (target / "size.json").write_text(json.dumps({"rows": len(rows), "terms": bool(rows.total)}), encoding="utf-8")
    if not rows.total:
        return
    vocabulary = rows.vocabulary
    holding = np.zeros(len(vocabulary), np.int64)
    for _, flat, lengths in rows.blocks():
        holding += np.bincount(_counted(flat, lengths, len(vocabulary))[1], minlength=len(vocabulary))
    begins = np.concatenate([[0], np.cumsum(holding)])  # (terms + 1,)
    idf = np.log(1 + (len(rows) - holding + 0.5) / (holding + 0.5))
    mean_length = rows.total / len(rows)
    data = _preallocated(target / "data.csc.index.npy", np.dtype(np.float32), int(begins[-1]))
    indices = _preallocated(target / "indices.csc.index.npy", np.dtype(np.int32), int(begins[-1]))
    free = begins[:-1].copy()
    for start, flat, lengths in rows.blocks():
        local, terms, counts = _counted(flat, lengths, len(vocabulary))
        scores = idf[terms] * counts / (counts + K1 * (1 - B + B * lengths[local] / mean_length))
        order = np.argsort(terms, kind="stable")
        terms = terms[order]
        first = np.searchsorted(terms, terms)  # where the run of each term begins in this block
        places = free[terms] + np.arange(len(terms)) - first
        data[places] = scores[order]
        indices[places] = start + local[order]
        free += np.bincount(terms, minlength=len(vocabulary))
    np.save(target / "indptr.csc.index.npy", begins, allow_pickle=False)
    numbers = {term: number for number, term in enumerate(vocabulary)}
    (target / "vocab.index.json").write_text(json.dumps(numbers, ensure_ascii=False), encoding="utf-8")
    empty = bm25s.BM25(method="lucene", k1=K1, b=B)
    names = ("k1", "b", "delta", "method", "idf_method", "dtype", "int_dtype", "backend")
    parameters = {name: getattr(empty, name) for name in names}
    parameters |= {"num_docs": len(rows), "version": bm25s.__version__}
    (target / "params.index.json").write_text(json.dumps(parameters, indent=4), encoding="utf-8")


def _counted(
    flat: NDArray[np.int32], lengths: NDArray[np.int64], terms: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row (from 0), term and count of each term of each row, in row order."""
    row_of = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    pairs, counts = np.unique(row_of * terms + flat, return_counts=True)
    return pairs // terms, pairs % terms, counts


def _preallocated(path: Path, kind: np.dtype[Any], size: int) -> NDArray[Any]:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (size,)}
        )
        file.flush()
        os.posix_fallocate(file.fileno(), file.tell(), size * kind.itemsize)
    with READING_NPY:
        mapped: NDArray[Any] = np.load(path, mmap_mode="r+", allow_pickle=False)
    return mapped
