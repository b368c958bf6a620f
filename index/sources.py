"""Sound generations that a build takes documents and vectors over from."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np

from corpus.document import Chunk, Document, Sentence
from index.embedder import Embedder
from index.errors import IndexDamagedError, IndexFaultError, IndexMismatchError
from index.generations import generation_folder, generation_names, read_current
from index.index import check_fit
from index.manifest import Manifest, check_files, read_manifest
from index.store import CHUNKS_FILE, DOCUMENTS_FILE, JsonLines, decode_chunk, decode_document
from index.vectors import FlatVectors

logger = logging.getLogger(__name__)


class Source:
    """A sound generation to take documents and vectors from."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.documents = JsonLines(folder / DOCUMENTS_FILE)
        self.chunks = JsonLines(folder / CHUNKS_FILE)
        self.vectors = FlatVectors.load(folder)
        self.numbers = {entry.path: number for number, entry in enumerate(manifest.documents)}
        first_rows = np.cumsum([0, *(entry.chunks for entry in manifest.documents)])
        self.first_rows = [int(row) for row in first_rows]
        self.rows = {record["key"]: row for row, record in enumerate(self.chunks)}

    def document(self, path: str) -> tuple[Document, list[Sentence], list[Chunk]]:
        """A document with its sentences and chunks."""
        number = self.numbers[path]
        document, sentences = decode_document(self.documents.record(number))
        rows = range(self.first_rows[number], self.first_rows[number + 1])
        return document, sentences, [decode_chunk(self.chunks.record(row)) for row in rows]

    def signature(self, path: str) -> str:
        """See `corpus.copies.signature`."""
        return str(self.documents.record(self.numbers[path])["signature"])


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


def context_key(context: str, embedder: Embedder) -> str:
    """What a vector is kept under: hash of the embedder's weights and of the text that it read."""
    return hashlib.sha256(f"{embedder.weights_hash}\0{context}".encode()).hexdigest()[:32]
