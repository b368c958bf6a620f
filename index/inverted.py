"""An inverted file over the vectors: a search reads the lists of a few centroids instead of everything.

Jégou, Douze and Schmid, Product Quantization for Nearest Neighbor Search (2011), section IV, without the quantization:
the lists hold row numbers, and the vectors stay where they are, so a large index costs 4 bytes a row more than a flat
one.
"""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedder import Vectors
from index.errors import IndexDamagedError
from index.store import READING_NPY
from index.vectors import BLOCK, FlatVectors, Rows, Scores

FROM_SIZE = 50_000
"""Vectors from which on an inverted file pays: a flat search of 50,000 takes about 10 ms (evals/LOG.md, Sizes)."""
RECALL = 0.99
"""Share of the exact ten best that probing must find among stored vectors when an inverted file is made. Questions are
found a little worse than stored vectors are; the least that is promised is .98."""
REGROWN = 2.0
"""Growth since the centroids were trained, from which on they are trained anew."""
CENTROIDS_FILE = "ivf.centroids.npy"
LISTS_FILE = "ivf.lists.npy"
ENDS_FILE = "ivf.ends.npy"
PROBES_FILE = "ivf.json"

_SAMPLE = 40
"""Vectors a centroid that k-means sees: FAISS asks for 39 at least."""
_QUERIES = 200
"""Stored vectors that probing is tried with."""
_BEST = 10

logger = logging.getLogger(__name__)


def centroid_count(size: int) -> int:
    """Lists for so many vectors: twice the square root, so that ranking lists and reading a few cost the same."""
    return max(1, min(size, round(2 * math.sqrt(size))))


class InvertedVectors:
    """Searches the lists of the centroids nearest to a query; scores are exact, rows may be missed."""

    def __init__(
        self, flat: FlatVectors, centroids: Vectors, lists: NDArray[np.int32], ends: NDArray[np.int64], probes: int
    ) -> None:
        """Takes the rows list by list, and where each list ends."""
        self._flat = flat
        self._centroids = centroids
        self._lists = lists
        self._ends = ends
        self.probes = probes
        """Lists that a search reads."""

    @classmethod
    def load(cls, folder: Path, flat: FlatVectors) -> InvertedVectors:
        """Map the files that `save` wrote.

        Raises:
            IndexDamagedError: One is missing, cut off, or does not fit the vectors.
        """
        try:
            probes = int(json.loads((folder / PROBES_FILE).read_text(encoding="utf-8"))["probes"])
            with READING_NPY:
                centroids, lists, ends = (
                    np.load(folder / name, mmap_mode="r", allow_pickle=False)
                    for name in (CENTROIDS_FILE, LISTS_FILE, ENDS_FILE)
                )
        except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
            raise IndexDamagedError(
                f"The inverted file in {folder} cannot be read ({error}). Run: dossier index build"
            ) from error
        if len(lists) != len(flat) or len(ends) != len(centroids) or centroids.shape[1] != flat.dimension:
            raise IndexDamagedError(f"The inverted file in {folder} does not fit the vectors. Run: dossier index build")
        return cls(flat, np.array(centroids), lists, np.array(ends), probes)

    def save(self, folder: Path) -> None:
        """Write npy and JSON files into the folder."""
        np.save(folder / CENTROIDS_FILE, self._centroids, allow_pickle=False)
        np.save(folder / LISTS_FILE, self._lists, allow_pickle=False)
        np.save(folder / ENDS_FILE, self._ends, allow_pickle=False)
        (folder / PROBES_FILE).write_text(json.dumps({"probes": self.probes}), encoding="utf-8")

    @classmethod
    def build(cls, flat: FlatVectors, known: Assignment | None = None) -> InvertedVectors | None:
        """Cluster the vectors, and find how many lists must be read.

        Args:
            flat: The vectors.
            known: Centroids of an earlier generation and the lists of rows that were taken over from it; they are kept
                until the index has grown to `REGROWN` times the size that they were trained for.

        Returns:
            None where even a tenth of the lists does not give `RECALL`: such vectors are better searched whole.
        """
        if not len(flat):
            return None
        if known is None or not 1 / REGROWN < (centroid_count(len(flat)) / len(known.centroids)) ** 2 < REGROWN:
            known = Assignment(_train(flat), np.full(len(flat), -1, np.int32), probes=0)
        lists = _assign(flat, known)
        order = np.argsort(lists, kind="stable").astype(np.int32)
        ends = np.cumsum(np.bincount(lists, minlength=len(known.centroids)))
        made = cls(flat, known.centroids, order, ends, known.probes)
        if not made.probes and not made._choose_probes():
            return None
        return made

    def assignment(self) -> NDArray[np.int32]:
        """The list of each row, (n,)."""
        lists = np.empty(len(self._lists), np.int32)
        lists[self._lists] = np.repeat(
            np.arange(len(self._ends), dtype=np.int32), np.diff(np.concatenate([[0], self._ends]))
        )
        return lists

    @property
    def centroids(self) -> Vectors:
        """(lists, dimension)."""
        return self._centroids

    def _choose_probes(self) -> bool:
        rows = np.random.default_rng(0).choice(len(self._flat), min(_QUERIES, len(self._flat)), replace=False)
        queries = self._flat.get(np.sort(rows))
        _, exact = self._flat.search(queries, _BEST)
        probes = 4
        while probes <= max(4, len(self._centroids) // 10):
            self.probes = probes
            found = recall(exact, self.search(queries, _BEST)[1])
            logger.info("Reading %d of %d lists finds %.3f of the ten best", probes, len(self._centroids), found)
            if found >= RECALL:
                return True
            probes *= 2
        return False

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """See `VectorStore.search`."""
        k = min(k, len(self._flat))
        _, nearest = _nearest(queries, self._centroids, self.probes)  # (q, probes)
        found = [self._flat.rank(query, self._rows_of(lists), k) for query, lists in zip(queries, nearest, strict=True)]
        return np.stack([scores for scores, _ in found]), np.stack([rows for _, rows in found])

    def _rows_of(self, lists: NDArray[np.int64]) -> Rows:
        starts = np.where(lists > 0, self._ends[lists - 1], 0)
        parts = [self._lists[start:end] for start, end in zip(starts, self._ends[lists], strict=True)]
        return np.sort(np.concatenate(parts)).astype(np.int64)  # sorted: the file is read forwards

    def get(self, rows: Rows) -> Vectors:
        """See `VectorStore.get`."""
        return self._flat.get(rows)


class Assignment:
    """Centroids, the list of each row that is known already, and the lists that a search reads (0: to be found out)."""

    def __init__(self, centroids: Vectors, lists: NDArray[np.int32], probes: int) -> None:
        """Takes (lists, dimension), (n,) with -1 where a row is new, and a count."""
        self.centroids = centroids
        self.lists = lists
        self.probes = probes


def recall(exact: Rows, found: Rows) -> float:
    """Mean share of the exact rows that were found; both (q, k)."""
    return float(np.mean([np.isin(best, rows).mean() for best, rows in zip(exact, found, strict=True)]))


def _nearest(vectors: Vectors, centroids: Vectors, k: int) -> tuple[Scores, NDArray[np.int64]]:
    import faiss

    found: tuple[Scores, NDArray[np.int64]] = faiss.knn(
        np.ascontiguousarray(vectors, dtype=np.float32), centroids, k, metric=faiss.METRIC_INNER_PRODUCT
    )
    return found


def _train(flat: FlatVectors) -> Vectors:
    import faiss

    count = centroid_count(len(flat))
    rows = np.random.default_rng(0).choice(len(flat), min(len(flat), _SAMPLE * count), replace=False)
    kmeans = faiss.Kmeans(
        flat.dimension,
        count,
        niter=8,
        seed=1,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=_SAMPLE,
    )
    kmeans.train(flat.get(np.sort(rows)))
    return np.array(kmeans.centroids, dtype=np.float32).reshape(count, flat.dimension)


def _assign(flat: FlatVectors, known: Assignment) -> NDArray[np.int32]:
    lists = known.lists.copy()
    for start in range(0, len(lists), BLOCK):
        new = start + np.flatnonzero(lists[start : start + BLOCK] < 0)
        if len(new):
            lists[new] = _nearest(flat.get(new), known.centroids, 1)[1][:, 0]
    return lists
