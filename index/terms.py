"""The terms of every chunk as numbers, kept so that a build tokenises only what is new."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamagedError
from index.store import READING_NPY

TERMS_FILE = "terms.npy"
ENDS_FILE = "terms.ends.npy"
VOCABULARY_FILE = "vocabulary.json"


class TermRows:
    """For each row the numbers of its terms, in order, in one flat array."""

    def __init__(self, vocabulary: Iterable[str] = ()) -> None:
        self._numbers = {term: number for number, term in enumerate(vocabulary)}
        self._flat = array("i")
        self._ends = array("q", [0])

    @property
    def vocabulary(self) -> list[str]:
        """The terms by their number."""
        return list(self._numbers)

    def add(self, terms: Iterable[str]) -> None:
        """Append a row."""
        numbers = self._numbers
        self._flat.extend(numbers.setdefault(term, len(numbers)) for term in terms)
        self._ends.append(len(self._flat))

    def copy(self, rows: TermRows, start: int, end: int) -> None:
        """Append the rows `start` to `end` (exclusive) of others, whose vocabulary this one began with."""
        first = rows._ends[start]
        shift = len(self._flat) - first
        self._flat.extend(rows._flat[first : rows._ends[end]])
        self._ends.extend(rows._ends[row] + shift for row in range(start + 1, end + 1))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[list[int]]:
        for row in range(len(self)):
            yield self._flat[self._ends[row] : self._ends[row + 1]].tolist()

    def sorted(self) -> TermRows:
        """The same rows with the terms that occur numbered in alphabetical order, however they came to be."""
        flat = np.frombuffer(self._flat, dtype=np.int32) if self._flat else np.zeros(0, np.int32)
        used = np.unique(flat)
        terms = self.vocabulary
        order = sorted(used.tolist(), key=terms.__getitem__)
        new_numbers: NDArray[np.int32] = np.zeros(len(terms), dtype=np.int32)
        new_numbers[order] = np.arange(len(order), dtype=np.int32)
        rows = TermRows(terms[number] for number in order)
        rows._flat = array("i", new_numbers[flat].tobytes())
        rows._ends = self._ends
        return rows

    def save(self, folder: Path) -> None:
        """Write JSON and npy files into the folder."""
        np.save(folder / TERMS_FILE, np.frombuffer(self._flat, dtype=np.int32) if self._flat else np.zeros(0, np.int32))
        np.save(folder / ENDS_FILE, np.frombuffer(self._ends, dtype=np.int64))
        (folder / VOCABULARY_FILE).write_text(json.dumps(self.vocabulary, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> TermRows:
        """Read what `save` wrote.

        Raises:
            IndexDamagedError: A file is missing or unreadable.
        """
        try:
            rows = cls(json.loads((folder / VOCABULARY_FILE).read_text(encoding="utf-8")))
            with READING_NPY:
                rows._flat = array("i", np.load(folder / TERMS_FILE, allow_pickle=False).tobytes())
                rows._ends = array("q", np.load(folder / ENDS_FILE, allow_pickle=False).tobytes())
        except (OSError, ValueError, EOFError) as error:
            raise IndexDamagedError(f"The terms in {folder} cannot be read. Run: dossier index build") from error
        return rows
