"""Vector stores: the nearest chunks by exact inner product."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.embedder import Vector, Vectors
from index.errors import IndexDamagedError

Rows: TypeAlias = NDArray[np.int64]
"""Row numbers of chunks in an index generation."""
Scores: TypeAlias = NDArray[np.float32]

VECTORS_FILE = "vectors.faiss"
BLOCK = 16384
"""Vectors copied at once: 24 MiB at 384 dimensions."""


class VectorStore(Protocol):
    """Vectors by row number, and the rows nearest to a query."""

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """The `k` best rows of each query, scores falling; equal scores in row order.

        Args:
            queries: (q, dimension).
            k: At least 1; more than there are vectors gives all of them.

        Returns:
            Scores and rows, both (q, min(k, n)).
        """
        ...

    def get(self, rows: Rows) -> Vectors:
        """The vectors of `rows`, (len(rows), dimension)."""
        ...


class FlatVectors:
    """FAISS IndexFlatIP: exact, and memory-mapped when it is read from a file."""

    def __init__(self, index: Any) -> None:  # noqa: ANN401 - faiss ships no annotations
        self._index = index

    @classmethod
    def from_array(cls, vectors: Vectors) -> FlatVectors:
        """Copy (n, dimension) vectors, which may be memory-mapped, block by block."""
        import faiss

        index = faiss.IndexFlatIP(vectors.shape[1])
        for start in range(0, len(vectors), BLOCK):
            index.add(np.ascontiguousarray(vectors[start : start + BLOCK], dtype=np.float32))
        return cls(index)

    @classmethod
    def load(cls, folder: Path) -> FlatVectors:
        """Map the file that `save` wrote.

        Raises:
            IndexDamagedError: It is missing, cut off, or of another kind.
        """
        import faiss

        path = folder / VECTORS_FILE
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise IndexDamagedError(f"{path} cannot be read by FAISS. Run: dossier index build") from error
        if not isinstance(index, faiss.IndexFlat):
            raise IndexDamagedError(f"{path} holds {type(index).__name__}, not IndexFlat. Run: dossier index build")
        return cls(index)

    def save(self, folder: Path) -> None:
        """Write `vectors.faiss` into the folder."""
        import faiss

        faiss.write_index(self._index, str(folder / VECTORS_FILE))

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def __getitem__(self, row: int) -> Vector:
        vector: Vector = self._index.reconstruct(int(row))
        return vector

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """See `VectorStore.search`."""
        k = min(k, len(self))
        if k == 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        # FAISS breaks ties by heap order, and may leave any of the rows that tie at the end out: look a little further.
        deeper = min(len(self), k + 16)
        scores, rows = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), deeper)  # both (q, deeper)
        order = np.lexsort((rows, -scores), axis=1)[:, :k]
        return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)

    def get(self, rows: Rows) -> Vectors:
        """See `VectorStore.get`."""
        if len(rows) == 0:
            return np.zeros((0, self.dimension), np.float32)
        vectors: Vectors = self._index.reconstruct_batch(np.ascontiguousarray(rows, dtype=np.int64))
        return vectors
