"""The terms of every chunk as numbers, kept so that a build tokenises only what is new; written and read in blocks."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamagedError
from index.store import READING_NPY

TERMS_FILE = "terms.npy"
ENDS_FILE = "terms.ends.npy"
VOCABULARY_FILE = "vocabulary.json"
_UNSORTED_FILE = "terms.unsorted"
_ROWS_AT_ONCE = 16_384
"""Rows handled at once: about a million terms."""


class TermRows:
    """For each row the numbers of its terms, in order, in one flat mapped array."""

    def __init__(self, vocabulary: list[str], flat: NDArray[np.int32], ends: NDArray[np.int64]) -> None:
        """Takes the terms by number, the numbers of all rows, and where each row ends in them, from 0."""
        self.vocabulary = vocabulary
        self._flat = flat
        self._ends = ends

    @classmethod
    def load(cls, folder: Path) -> TermRows:
        """Map what `TermWriter.finish` wrote.

        Raises:
            IndexDamagedError: A file is missing or unreadable.
        """
        try:
            vocabulary = json.loads((folder / VOCABULARY_FILE).read_text(encoding="utf-8"))
            with READING_NPY:
                flat = np.load(folder / TERMS_FILE, mmap_mode="r", allow_pickle=False)
                ends = np.load(folder / ENDS_FILE, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise IndexDamagedError(f"The terms in {folder} cannot be read. Run: dossier index build") from error
        return cls(vocabulary, flat, ends)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def total(self) -> int:
        """Terms of all rows."""
        return int(self._ends[-1])

    def slice(self, start: int, end: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The numbers of the rows `start` to `end` (exclusive), and how many each row has."""
        ends = np.asarray(self._ends[start : end + 1])
        return np.asarray(self._flat[ends[0] : ends[-1]]), np.diff(ends)

    def blocks(self) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int64]]]:
        """The first row, the numbers, and how many each row has, of some rows at a time."""
        for start in range(0, len(self), _ROWS_AT_ONCE):
            yield start, *self.slice(start, min(start + _ROWS_AT_ONCE, len(self)))


class TermWriter:
    """Writes rows of terms into a folder; memory holds the vocabulary and 8 bytes a row."""

    def __init__(self, folder: Path, vocabulary: Iterable[str] = ()) -> None:
        """Begins with the vocabulary that rows are copied from."""
        self._folder = folder
        self._numbers = {term: number for number, term in enumerate(vocabulary)}
        self._file = (folder / _UNSORTED_FILE).open("wb")
        self._ends = array("q", [0])

    def __enter__(self) -> TermWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, terms: Iterable[str]) -> None:
        """Append a row."""
        numbers = self._numbers
        row = array("i", [numbers.setdefault(term, len(numbers)) for term in terms])
        self._file.write(row.tobytes())
        self._ends.append(self._ends[-1] + len(row))

    def copy(self, rows: TermRows, start: int, end: int) -> None:
        """Append the rows `start` to `end` (exclusive) of others, whose vocabulary this one began with."""
        flat, lengths = rows.slice(start, end)
        self._file.write(flat.tobytes())
        self._ends.frombytes((self._ends[-1] + np.cumsum(lengths)).astype(np.int64).tobytes())

    def finish(self) -> TermRows:
        """Write JSON and npy files, with the terms that occur numbered alphabetically, however they came to be."""
        self._file.close()
        path = self._folder / _UNSORTED_FILE
        total = self._ends[-1]
        flat = np.memmap(path, np.int32, mode="r") if total else np.zeros(0, np.int32)
        used: NDArray[np.bool_] = np.zeros(len(self._numbers), np.bool_)
        for start in range(0, total, 1 << 20):
            used[flat[start : start + (1 << 20)]] = True
        terms = list(self._numbers)
        order = sorted(np.flatnonzero(used).tolist(), key=terms.__getitem__)
        new_numbers: NDArray[np.int32] = np.zeros(len(terms), np.int32)
        new_numbers[order] = np.arange(len(order), dtype=np.int32)
        with (self._folder / TERMS_FILE).open("wb") as file:
            header = {"descr": "<i4", "fortran_order": False, "shape": (total,)}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, total, 1 << 20):
                file.write(new_numbers[flat[start : start + (1 << 20)]].tobytes())
        np.save(self._folder / ENDS_FILE, np.frombuffer(self._ends, np.int64), allow_pickle=False)
        vocabulary = [terms[number] for number in order]
        (self._folder / VOCABULARY_FILE).write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        del flat
        path.unlink()
        return TermRows.load(self._folder)
