"""Vectors on disk, mapped, and the nearest of them by exact inner product.

Every generation holds all its vectors in one npy file, in row order. What searches faster than reading them all
(`index.inverted`) or elsewhere (`index.milvus`) only proposes rows: their scores are always computed here.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.embedder import Vector, Vectors
from index.errors import IndexDamagedError
from index.store import READING_NPY

Rows: TypeAlias = NDArray[np.int64]
"""Row numbers of chunks in an index generation."""
Scores: TypeAlias = NDArray[np.float32]

VECTORS_FILE = "vectors.npy"
BLOCK = 16384
"""Vectors handled at once: 24 MiB at 384 dimensions."""
DEEPER = 16
"""Rows looked at beyond those asked for: engines may leave any of the rows that tie at the end out."""


class VectorStore(Protocol):
    """Vectors by row number, and the rows nearest to a query."""

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """The `k` best rows of each query, scores falling; equal scores in row order.

        Args:
            queries: (q, dimension).
            k: At least 1; more than there are vectors gives all of them.

        Returns:
            Exact inner products and rows, both (q, min(k, n)). An engine that does not look at every vector may miss
            rows; where it finds fewer than asked for, the last rows are -1 with a score of minus infinity.
        """
        ...

    def get(self, rows: Rows) -> Vectors:
        """The vectors of `rows`, (len(rows), dimension)."""
        ...


class FlatVectors:
    """All vectors of a generation, mapped; searched by FAISS, exactly."""

    def __init__(self, vectors: Vectors) -> None:
        """Takes (n, dimension) vectors, mapped or in memory."""
        self._vectors = vectors

    @classmethod
    def load(cls, folder: Path) -> FlatVectors:
        """Map the file that a `VectorWriter` wrote.

        Raises:
            IndexDamagedError: It is missing, cut off, or of another kind.
        """
        path = folder / VECTORS_FILE
        try:
            with READING_NPY:
                vectors = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise IndexDamagedError(f"{path} cannot be read ({error}). Run: dossier index build") from error
        if vectors.dtype != np.float32 or vectors.ndim != 2:
            raise IndexDamagedError(
                f"{path} holds {vectors.dtype} of {vectors.ndim} dimensions, not float32 of 2. Run: dossier index build"
            )
        return cls(vectors)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._vectors.shape[1])

    def __len__(self) -> int:
        return len(self._vectors)

    def __getitem__(self, row: int) -> Vector:
        return np.array(self._vectors[row])

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """See `VectorStore.search`; no row is missed."""
        k = min(k, len(self))
        if k == 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        import faiss

        deeper = min(len(self), k + DEEPER)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        scores, rows = faiss.knn(queries, self._vectors, deeper, metric=faiss.METRIC_INNER_PRODUCT)  # (q, deeper)
        order = np.lexsort((rows, -scores), axis=1)[:, :k]
        return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)

    def rank(self, query: Vector, rows: Rows, k: int) -> tuple[Scores, Rows]:
        """The best of proposed rows by their exact scores, both (k,); filled up with minus infinity and -1."""
        best, found = np.full(k, -np.inf, np.float32), np.full(k, -1, np.int64)
        scores = self.get(rows) @ query  # (len(rows),)
        if len(rows) > k + DEEPER:
            near = np.argpartition(-scores, k + DEEPER)[: k + DEEPER]
            rows, scores = rows[near], scores[near]
        order = np.lexsort((rows, -scores))[:k]
        best[: len(order)], found[: len(order)] = scores[order], rows[order]
        return best, found

    def get(self, rows: Rows) -> Vectors:
        """See `VectorStore.get`."""
        return np.asarray(self._vectors[rows], dtype=np.float32)

    def block(self, start: int, end: int) -> Vectors:
        """The vectors of the rows `start` to `end` (exclusive), without a copy."""
        return self._vectors[start:end]


class VectorWriter:
    """Writes the vectors of a generation in any order of rows, without holding them.

    A mapped file on a full disk ends the whole process with SIGBUS, so this writes: a full disk is an `OSError`.
    """

    def __init__(self, folder: Path, size: int, dimension: int) -> None:
        self._size, self._dimension = size, dimension
        self._file = (folder / VECTORS_FILE).open("w+b")
        header = {"descr": "<f4", "fortran_order": False, "shape": (size, dimension)}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._start = self._file.tell()

    def __enter__(self) -> VectorWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        self._file.close()

    def write(self, rows: Rows, vectors: Vectors) -> None:
        """Write `vectors`, (len(rows), dimension), as the rows `rows`, which rise; neighbours are written at once."""
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        cuts = np.flatnonzero(np.diff(rows) != 1) + 1
        for run in np.split(np.arange(len(rows)), cuts):
            if len(run):
                self._write_at(int(rows[run[0]]), vectors[run[0] : run[-1] + 1].tobytes())

    def _write_at(self, row: int, content: bytes) -> None:
        self._file.seek(self._start + row * self._dimension * 4)
        self._file.write(content)

    def read(self, rows: Rows) -> Vectors:
        """Vectors that were written before, (len(rows), dimension)."""
        self._file.flush()
        vectors = np.empty((len(rows), self._dimension), np.float32)
        for place, row in enumerate(rows.tolist()):
            content = os.pread(self._file.fileno(), self._dimension * 4, self._start + row * self._dimension * 4)
            vectors[place] = np.frombuffer(content, np.float32)
        return vectors
