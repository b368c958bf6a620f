"""Sound generations that a build takes documents and vectors over from."""

from __future__ import annotations

import hashlib
import logging
from itertools import accumulate
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corpus.document import Document
from index.embedder import Embedder
from index.engines import open_engine
from index.errors import IndexDamagedError, IndexFaultError, IndexMismatchError
from index.generations import generation_folder, generation_names, read_current
from index.index import check_fit
from index.manifest import Manifest, check_files, read_manifest
from index.store import CHUNKS_FILE, DOCUMENTS_FILE, READING_NPY, JsonLines, decode_document
from index.terms import TermRows
from index.vectors import Rows

KEYS_FILE = "keys.npy"
"""`context_key` of each chunk, (chunks,)."""
SIGNATURES_FILE = "signatures.npy"
"""`corpus.copies.signature` of each document, (documents,)."""
KEY_BYTES = 16

Bytes: TypeAlias = NDArray[np.void]
"""Byte strings of one width."""

logger = logging.getLogger(__name__)


def as_bytes(content: bytes | bytearray, width: int) -> Bytes:
    """The byte strings of one width that follow each other in `content`."""
    strings: Bytes = np.frombuffer(content, np.dtype((np.void, width)))
    return strings


def load_bytes(path: Path) -> Bytes:
    """Map an array of byte strings.

    Raises:
        IndexDamagedError: The file is missing or unreadable.
    """
    try:
        with READING_NPY:
            strings: Bytes = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise IndexDamagedError(f"{path} cannot be read. Run: dossier index build") from error
    return strings


def _sortable(strings: Bytes) -> NDArray[np.bytes_]:
    """The same strings of one width as a kind that numpy can search; zeros at the end compare as they should."""
    return np.ascontiguousarray(strings).view(f"S{strings.dtype.itemsize}")


def first_of_each(strings: Bytes) -> NDArray[np.int64]:
    """For each string the place of the first that equals it, (n,)."""
    _, first, of = np.unique(_sortable(strings), return_index=True, return_inverse=True)
    places: NDArray[np.int64] = first[of].astype(np.int64)
    return places


class Source:
    """A sound generation to take documents and vectors from."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.documents = JsonLines(folder / DOCUMENTS_FILE)
        self.chunks = JsonLines(folder / CHUNKS_FILE)
        self.terms = TermRows.load(folder)
        self.vectors = open_engine(folder, manifest)
        self.keys = load_bytes(folder / KEYS_FILE)
        self.signatures = load_bytes(folder / SIGNATURES_FILE)
        self.folder = folder
        self.numbers = {entry.path: number for number, entry in enumerate(manifest.documents)}
        self._first_rows = list(accumulate((entry.chunks for entry in manifest.documents), initial=0))

    def find(self, keys: Bytes) -> Rows:
        """The row of each key, or -1; (len(keys),)."""
        if not len(self.keys):
            return np.full(len(keys), -1, np.int64)
        mine, wanted = _sortable(self.keys), _sortable(keys)
        order = np.argsort(mine, kind="stable")
        rows = order[np.minimum(np.searchsorted(mine, wanted, sorter=order), len(mine) - 1)]
        return np.where(mine[rows] == wanted, rows, -1).astype(np.int64)

    def rows_of(self, number: int) -> tuple[int, int]:
        """The rows of a document: the first, and the one after the last."""
        return self._first_rows[number], self._first_rows[number + 1]

    def document(self, number: int) -> Document:
        """A document, without `copy_of`."""
        return decode_document(self.documents.record(number))[0]


def _open_source(folder: Path, name: str, embedder: Embedder) -> Source | None:
    """A generation whose every file is as it was written, or None."""
    path = generation_folder(folder, name)
    try:
        manifest = read_manifest(path)
        check_fit(manifest, embedder, None)
        problems = check_files(path, manifest)
        if problems:
            raise IndexDamagedError(problems[0])
        return Source(path, manifest)
    except IndexMismatchError:
        return None
    except IndexFaultError as error:
        logger.warning("Nothing is taken over from index generation %s: %s", name, error)
        return None


def sound_sources(folder: Path, embedder: Embedder) -> list[Source]:
    """The current generation, and the newest where that is another (after a rollback), as far as they are sound.

    Where neither is, the newest that is.
    """
    names = generation_names(folder)
    first = [name for name in dict.fromkeys([read_current(folder), *names[-1:]]) if name]
    sources = [source for name in first if (source := _open_source(folder, name, embedder)) is not None]
    for name in reversed(names):
        if sources:
            break
        if name not in first and (source := _open_source(folder, name, embedder)) is not None:
            sources.append(source)
    return sources


def context_key(context: str, embedder: Embedder) -> bytes:
    """What a vector is kept under: hash of the embedder's weights and of the text that it read."""
    return hashlib.sha256(f"{embedder.weights_hash}\0{context}".encode()).digest()[:KEY_BYTES]
