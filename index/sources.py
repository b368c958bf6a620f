"""Sound generations that a build takes documents and vectors over from."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np

from corpus.copies import SIGNATURE_BYTES
from corpus.document import Document
from index.embedder import Embedder
from index.errors import IndexDamagedError, IndexFaultError, IndexMismatchError
from index.generations import generation_folder, generation_names, read_current
from index.index import check_fit
from index.manifest import Manifest, check_files, read_manifest
from index.store import CHUNKS_FILE, DOCUMENTS_FILE, READING_NPY, JsonLines, decode_document
from index.terms import TermRows
from index.vectors import FlatVectors

KEYS_FILE = "keys.npy"
"""(chunks, 16) bytes: `context_key` of each chunk."""
SIGNATURES_FILE = "signatures.npy"
"""(documents, 512) bytes: `corpus.copies.signature` of each document."""
KEY_BYTES = 16

logger = logging.getLogger(__name__)


def save_bytes(path: Path, items: Sequence[bytes], width: int) -> None:
    """Write byte strings of one width as a (len(items), width) array."""
    np.save(path, np.frombuffer(b"".join(items), dtype=np.uint8).reshape(len(items), width), allow_pickle=False)


def load_bytes(path: Path, width: int) -> list[bytes]:
    """Read what `save_bytes` wrote.

    Raises:
        IndexDamagedError: The file is missing or unreadable.
    """
    try:
        with READING_NPY:
            content = np.load(path, allow_pickle=False).tobytes()
    except (OSError, ValueError, EOFError) as error:
        raise IndexDamagedError(f"{path} cannot be read. Run: dossier index build") from error
    return [content[start : start + width] for start in range(0, len(content), width)]


class Source:
    """A sound generation to take documents and vectors from."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.documents = JsonLines(folder / DOCUMENTS_FILE)
        self.chunks = JsonLines(folder / CHUNKS_FILE)
        self.terms = TermRows.load(folder)
        self.vectors = FlatVectors.load(folder)
        self.keys = load_bytes(folder / KEYS_FILE, KEY_BYTES)
        self.signatures = load_bytes(folder / SIGNATURES_FILE, SIGNATURE_BYTES)
        self.numbers = {entry.path: number for number, entry in enumerate(manifest.documents)}
        self._first_rows = list(accumulate((entry.chunks for entry in manifest.documents), initial=0))

    @cached_property
    def rows(self) -> dict[bytes, int]:
        """The row of each key; not needed where nothing is new."""
        return {key: row for row, key in enumerate(self.keys)}

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
        problems = check_files(path, manifest, contents=True)
        if problems:
            raise IndexDamagedError(problems[0])
        return Source(path, manifest)
    except IndexMismatchError:
        return None
    except IndexFaultError as error:
        logger.warning("Nothing is taken over from index generation %s: %s", name, error)
        return None


def sound_sources(folder: Path, embedder: Embedder) -> list[Source]:
    """The current generation, and the newest where that is another (after a rollback), as far as they are sound."""
    names = list(dict.fromkeys([read_current(folder), *generation_names(folder)[-1:]]))
    return [source for name in names if name and (source := _open_source(folder, name, embedder)) is not None]


def context_key(context: str, embedder: Embedder) -> bytes:
    """What a vector is kept under: hash of the embedder's weights and of the text that it read."""
    return hashlib.sha256(f"{embedder.weights_hash}\0{context}".encode()).digest()[:KEY_BYTES]
