"""An opened index generation: its documents and chunks, and hybrid search over them."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.chunks import ChunkSettings
from corpus.document import Chunk, Document, Sentence
from index.embedder import Embedder, Vector, Vectors
from index.engines import open_engine
from index.errors import IndexDamagedError, IndexFaultError, IndexMismatchError, IndexMissingError
from index.fusion import fuse
from index.generations import (
    CURRENT_FILE,
    HASH_UP_TO,
    ReaderHold,
    generation_folder,
    generation_names,
    read_current,
)
from index.lexical import LexicalIndex, best_rows
from index.manifest import MANIFEST_FILE, Manifest, check_files, read_manifest
from index.store import CHUNKS_FILE, DOCUMENTS_FILE, JsonLines, StoredChunks, StoredDocuments

POOL = 50
"""Candidates that each of the two searches gives to the fusion."""
SAME_PASSAGE = 0.95
"""Cosine from which on a chunk of a near-copy is taken for the original's chunk."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk found by a search."""

    chunk: Chunk
    score: float
    """Reciprocal rank fusion, up to 2 / 61; comparable within one search only."""
    dense_score: float
    """Cosine of query and chunk, -1 to 1."""
    lexical_score: float
    """BM25, 0 where no term of the query occurs."""
    row: int
    """Row of the chunk in `Index.chunks` and `Index.vectors`."""


class Index:
    """One generation, complete and unchanging. It stays on disk as long as the object lives, whatever is built."""

    def __init__(self, folder: Path, manifest: Manifest, hold: ReaderHold | None, embedder: Embedder) -> None:
        self.manifest = manifest
        self.embedder = embedder
        self._hold = hold
        originals = {entry.path: entry.copy_of for entry in manifest.documents}
        self._documents = StoredDocuments(JsonLines(folder / DOCUMENTS_FILE), originals)
        self._chunks = StoredChunks(JsonLines(folder / CHUNKS_FILE))
        self.vectors = open_engine(folder, manifest)
        self._lexical = LexicalIndex.load(folder)
        self._marks = {name: mark for name in (*manifest.files, MANIFEST_FILE) if (mark := _mark_of(folder / name))}
        self._folder = folder
        self._copies = {path: original for path, original in originals.items() if original}
        counts = {len(self._chunks), len(self._lexical), manifest.chunks}
        if len(counts) != 1:
            raise IndexDamagedError(f"The files of {folder} do not fit each other. Run: dossier index build")

    @classmethod
    def open(cls, folder: Path, embedder: Embedder, chunking: ChunkSettings | None = None) -> Index:
        """Open the current generation.

        Args:
            folder: The index folder.
            embedder: Must be the one that the index was built with.
            chunking: Refuse an index that was cut otherwise; None takes any.

        Raises:
            IndexMissingError: Nothing was built there.
            IndexMismatchError: It was built with another embedder, format or chunking.
            IndexDamagedError: A file is missing, cut off or changed.
        """
        for _ in range(5):  # a build may switch, and collect, between reading CURRENT and taking hold
            name = read_current(folder)
            if not name:
                break
            try:
                return cls._open_generation(generation_folder(folder, name), embedder, chunking, HASH_UP_TO)
            except IndexMissingError:
                if read_current(folder) == name:
                    raise
        raise IndexMissingError(f"There is no index in {folder}. Run: dossier index build")

    @classmethod
    def open_sound(cls, folder: Path, embedder: Embedder, chunking: ChunkSettings | None = None) -> Index:
        """Open the current generation, or the newest before it of which every file is as it was written.

        Raises:
            IndexMissingError: There is none.
        """
        current = read_current(folder)
        older = [name for name in reversed(generation_names(folder)) if name < current]
        for name in [current, *older] if current else []:
            try:
                return cls._open_generation(generation_folder(folder, name), embedder, chunking, hash_up_to=math.inf)
            except IndexFaultError as error:
                logger.warning("Index generation %s cannot serve: %s", name, error)
        raise IndexMissingError(f"No generation in {folder} is as it was written. Run: dossier index build")

    @classmethod
    def _open_generation(
        cls, folder: Path, embedder: Embedder, chunking: ChunkSettings | None, hash_up_to: float
    ) -> Index:
        hold = ReaderHold(folder)
        try:
            manifest = read_manifest(folder)
            check_fit(manifest, embedder, chunking)
            problems = check_files(folder, manifest, hash_up_to)
            if problems:
                raise IndexDamagedError(f"The index is damaged: {problems[0]}. Run: dossier index build")
            return cls(folder, manifest, hold, embedder)
        except BaseException:
            hold.release()
            raise

    @property
    def generation(self) -> str:
        """Name of the generation."""
        return self.manifest.generation

    @property
    def corpus_hash(self) -> str:
        """sha256 over the documents' paths and hashes."""
        return self.manifest.corpus_hash

    @property
    def documents(self) -> Mapping[str, Document]:
        """The documents by path, with the text that offsets point into; read from disk when asked for."""
        return self._documents

    def texts(self) -> dict[str, str]:
        """The text of each document by path, all read at once."""
        return {path: document.text for path, document in self._documents.items()}

    @property
    def chunks(self) -> Sequence[Chunk]:
        """The chunks in row order."""
        return self._chunks

    def vector(self, row: int) -> Vector:
        """The embedding of a chunk, (dimension,)."""
        vector: Vector = self.vectors.get(np.array([row]))[0]
        return vector

    def text(self, chunk: Chunk) -> str:
        """The text of a chunk."""
        return self._documents[chunk.document].text[chunk.start : chunk.end]

    def sentences(self, path: str) -> list[Sentence]:
        """All sentences of a document that can be cited, in order."""
        return self._documents.sentences(path)

    def search(self, query: str, k: int = 10) -> list[Hit]:
        """The `k` best chunks for a query, by reciprocal rank fusion of cosine and BM25.

        Args:
            query: A question or words; an empty one finds nothing.
            k: Most hits; 0 or less gives none.
        """
        return self.search_many([query], k)[0]

    def search_many(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        """`search` for each query."""
        asked = [number for number, query in enumerate(queries) if query.strip()] if k > 0 else []
        hits: list[list[Hit]] = [[] for _ in queries]
        if not asked or not len(self._chunks):
            return hits
        vectors: Vectors = np.stack(
            [self.embedder.embed_query(queries[number]) for number in asked]
        )  # (asked, dimension)
        _, dense = self.vectors.search(vectors, max(POOL, k))
        for number, vector, dense_rows in zip(asked, vectors, dense, strict=True):
            hits[number] = self._fuse(queries[number], vector, [int(row) for row in dense_rows if row >= 0], k)
        return hits

    def _fuse(self, query: str, vector: Vector, dense_rows: list[int], k: int) -> list[Hit]:
        lexical = self._lexical.scores(query)
        lexical_rows = [int(row) for row in best_rows(lexical, max(POOL, k))[1]]
        fused = fuse([dense_rows, lexical_rows])
        rows = np.asarray([row for row, _ in fused], dtype=np.int64)
        stored = self.vectors.get(rows)  # (candidates, dimension)
        cosines = stored @ vector  # (candidates,)
        hits: list[Hit] = []
        taken: list[tuple[str, Vector]] = []
        for place, (row, score) in enumerate(fused):
            if len(hits) == k:
                break
            chunk = self._chunks[row]
            if self._repeats(chunk.document, stored[place], taken):
                continue
            taken.append((chunk.document, stored[place]))
            hits.append(
                Hit(
                    chunk=chunk,
                    score=score,
                    dense_score=float(cosines[place]),
                    lexical_score=float(lexical[row]),
                    row=row,
                )
            )
        return hits

    def _repeats(self, path: str, vector: Vector, taken: Sequence[tuple[str, Vector]]) -> bool:
        """Whether a chunk says again what a hit from another copy of the same document said."""
        if not self._copies:
            return False
        original = self._copies.get(path, path)
        return any(
            other != path and self._copies.get(other, other) == original and float(vector @ seen) >= SAME_PASSAGE
            for other, seen in taken
        )

    def is_intact(self) -> bool:
        """Whether no file of the generation was written to since it was opened; costs a `stat` a file, 30 µs in all.

        The files are mapped: one that was cut off would end the process, one with other bytes would answer from them.
        """
        return all(_mark_of(self._folder / name) in (mark, None) for name, mark in self._marks.items())

    def close(self) -> None:
        """Let the generation be collected; the object must not be used again."""
        if self._hold is not None:
            self._hold.release()


def _mark_of(path: Path) -> tuple[int, int, int] | None:
    """Inode, size and time of a file; None where it is gone, which leaves what is mapped as it was."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def check_fit(
    manifest: Manifest, embedder: Embedder, chunking: ChunkSettings | None, vectors: str | None = None
) -> None:
    """Refuse an index that was built otherwise than it is to be read.

    Raises:
        IndexMismatchError: The message names both values.
    """
    pairs = [
        ("embedder", manifest.embedder, embedder.name),
        ("weights", manifest.weights_hash, embedder.weights_hash),
        ("dimension", manifest.dimension, embedder.dimension),
    ]
    if chunking is not None:
        pairs += [(name, manifest.settings.get(name), value) for name, value in chunk_settings(chunking).items()]
    if vectors is not None:
        pairs.append(("vectors", manifest.vectors.get("setting"), vectors))
    for name, built, asked in pairs:
        if built != asked:
            raise IndexMismatchError(
                f"The index was built with {name} {built}, and is to be opened with {asked}. Run: dossier index build"
            )


def chunk_settings(chunking: ChunkSettings) -> dict[str, int]:
    """The settings that a manifest records."""
    return {"target_words": chunking.target_words, "max_tokens": chunking.max_tokens}


class IndexReader:
    """The current index for a long-running process: takes a new generation at the next question."""

    def __init__(self, folder: Path, embedder: Embedder, chunking: ChunkSettings | None = None) -> None:
        """Open the current generation; raises as `Index.open`."""
        self._folder = folder
        self._embedder = embedder
        self._chunking = chunking
        self._lock = threading.Lock()
        self._seen = self._mark()
        self._index = Index.open(folder, embedder, chunking)

    def _mark(self) -> tuple[int, int]:
        try:
            found = (self._folder / CURRENT_FILE).stat()
        except OSError:
            return (0, 0)
        return (found.st_ino, found.st_mtime_ns)

    def current(self) -> Index:
        """The index to answer the next question from. Costs one `stat` where nothing changed.

        A generation that cannot be opened is passed over, and the one before goes on serving. Where files of the opened
        generation have been changed on disk, the newest sound one serves.

        Raises:
            IndexMissingError: No sound generation is left.
        """
        with self._lock:
            mark = self._mark()
            if mark not in (self._seen, (0, 0)):
                try:
                    if read_current(self._folder) != self._index.generation:
                        self._index = Index.open(self._folder, self._embedder, self._chunking)
                        logger.info("Now answering from index generation %s", self._index.generation)
                    self._seen = mark
                except IndexFaultError as error:
                    self._seen = mark
                    logger.warning("Still answering from index generation %s: %s", self._index.generation, error)
            if not self._index.is_intact():
                logger.warning("Files of index generation %s were changed on disk", self._index.generation)
                self._index = Index.open_sound(self._folder, self._embedder, self._chunking)
                logger.warning("Now answering from index generation %s", self._index.generation)
            return self._index
