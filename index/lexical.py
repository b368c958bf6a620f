"""BM25 over stemmed words, for the exact names and numbers that a vector blurs.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), in the Lucene variant of bm25s.
"""

from __future__ import annotations

import json
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


def tokenise(text: str) -> list[str]:
    """Stemmed terms of a text: NFKC, lower case, no stop words; 54,000 is 54000, U.S. us, Japan's japan."""
    folded = unicodedata.normalize("NFKC", text).lower()
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
        """Index texts in row order."""
        rows = TermRows()
        for text in texts:
            rows.add(tokenise(text))
        return cls.from_rows(rows)

    @classmethod
    def from_rows(cls, rows: TermRows) -> LexicalIndex:
        """Index rows of terms."""
        import bm25s

        bm25 = bm25s.BM25(method="lucene", k1=K1, b=B)
        vocabulary = rows.vocabulary
        if not vocabulary:
            return cls(None, len(rows))
        numbers = range(len(vocabulary))
        bm25.scores = bm25.build_index_from_ids(numbers, rows, show_progress=False)
        bm25.vocab_dict = dict(zip(vocabulary, numbers, strict=True))
        bm25.unique_token_ids_set = set(numbers)
        return cls(bm25, len(rows))

    def save(self, folder: Path) -> None:
        """Write JSON and npy files, without pickle, into `folder/bm25`."""
        target = folder / BM25_FOLDER
        target.mkdir(parents=True, exist_ok=True)
        size = {"rows": self._size, "terms": self._bm25 is not None}
        (target / "size.json").write_text(json.dumps(size), encoding="utf-8")
        if self._bm25 is not None:
            self._bm25.save(str(target), show_progress=False, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Map the files that `save` wrote.

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
        """BM25 scores of all rows, (n,), 0 where no term of the query occurs."""
        terms = tokenise(query)
        if not terms or self._bm25 is None:
            return np.zeros(self._size, np.float32)
        scores: NDArray[np.float32] = np.asarray(self._bm25.get_scores(terms), dtype=np.float32)
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
