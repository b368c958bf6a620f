"""Writing a generation: documents and chunks, then vectors, then what searches them, and the manifest last."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.chunks import contextualise, cut_chunks
from corpus.copies import SIGNATURE_BYTES, find_copies, signature
from corpus.document import Document
from corpus.extraction_cache import ExtractionCache
from corpus.sentences import document_sentences
from index.embedder import Embedder, Vectors
from index.engines import make_engine
from index.errors import IndexFaultError
from index.generations import generation_folder, generation_names, generations_folder, switch, sync
from index.index import chunk_settings
from index.lexical import tokenise, write_lexical
from index.manifest import (
    FORMAT_VERSION,
    MANIFEST_FILE,
    DocumentEntry,
    Manifest,
    SkippedEntry,
    hash_bytes_of,
    hash_corpus,
    write_manifest,
)
from index.reports import BuildSettings, Progress
from index.sources import KEY_BYTES, KEYS_FILE, SIGNATURES_FILE, Source, as_bytes, context_key, first_of_each
from index.store import (
    CHUNKS_FILE,
    DOCUMENTS_FILE,
    JsonLines,
    JsonLinesWriter,
    decode_chunk,
    decode_document,
    encode_chunk,
    encode_document,
)
from index.survey import Surveyed, survey
from index.terms import TermRows, TermWriter
from index.vectors import BLOCK, Rows, VectorWriter

EMBED_AT_ONCE = 256
"""Chunks handed to the embedder at once: between two of them progress is shown and a stop is noticed."""


@dataclass
class Draft:
    """The generation that is being written, in a folder whose name no reader looks at.

    Text, terms and vectors go to disk as they come: memory holds about 50 bytes a chunk and 2 KB a document.
    """

    folder: Path
    documents: list[DocumentEntry] = field(default_factory=list)
    skipped: list[SkippedEntry] = field(default_factory=list)
    signatures: bytearray = field(default_factory=bytearray)
    """Of each document: see `corpus.copies.signature`."""
    keys: bytearray = field(default_factory=bytearray)
    """Of each chunk: see `context_key`."""
    base_rows: array[int] = field(default_factory=lambda: array("q"))
    """Of each chunk: its row in the generation that the build started from, or -1."""

    @property
    def corpus_hash(self) -> str:
        """See `hash_corpus`."""
        return hash_corpus({entry.path: entry.content_hash for entry in self.documents})


class _DocumentWriter:
    """Appends documents and their chunks to a draft, one document in memory at a time."""

    def __init__(
        self, draft: Draft, documents: JsonLinesWriter, chunks: JsonLinesWriter, terms: TermWriter, embedder: Embedder
    ) -> None:
        self._draft = draft
        self._documents = documents
        self._chunks = chunks
        self._terms = terms
        self._embedder = embedder

    def copy(self, base: Source, item: Surveyed) -> None:
        """Take a document that has not changed over from `base`, without reading it."""
        draft, number = self._draft, base.numbers[item.path]
        start, end = base.rows_of(number)
        self._documents.copy(base.documents, number, number + 1)
        self._chunks.copy(base.chunks, start, end)
        self._terms.copy(base.terms, start, end)
        draft.keys += base.keys[start:end].tobytes()
        draft.base_rows.extend(range(start, end))
        draft.signatures += base.signatures[number].tobytes()
        draft.documents.append(replace(base.manifest.documents[number], mark=item.mark))

    def write(self, document: Document, item: Surveyed, settings: BuildSettings) -> None:
        """Cut a document into sentences and chunks."""
        draft = self._draft
        sentences = document_sentences(document)
        chunks = cut_chunks(document, sentences, settings.chunking)
        self._documents.write(encode_document(document, sentences))
        for chunk in chunks:
            context = contextualise(document, chunk)
            self._chunks.write(encode_chunk(chunk))
            self._terms.add(tokenise(context))
            draft.keys += context_key(context, self._embedder)
            draft.base_rows.append(-1)
        draft.signatures += signature(document)
        draft.documents.append(
            DocumentEntry(
                path=document.path,
                content_hash=document.content_hash,
                raw_hash=item.raw_hash,
                mark=item.mark,
                title=document.title,
                published=document.published,
                url=document.url,
                retrieved=document.retrieved,
                chunks=len(chunks),
            )
        )


def write_documents(
    draft: Draft,
    corpus: Path,
    base: Source | None,
    embedder: Embedder,
    settings: BuildSettings,
    progress: Progress | None,
    cache: ExtractionCache,
) -> None:
    """First pass: documents and chunks, their terms, keys and MinHashes, and which documents repeat which."""
    same_cut = base is not None and base.manifest.settings == chunk_settings(settings.chunking)
    expected = len(base.manifest.documents) if base else 0
    with (
        JsonLinesWriter(draft.folder / DOCUMENTS_FILE) as documents,
        JsonLinesWriter(draft.folder / CHUNKS_FILE) as chunks,
        TermWriter(draft.folder, base.terms.vocabulary if base else ()) as terms,
    ):
        writer = _DocumentWriter(draft, documents, chunks, terms, embedder)
        for item in survey(corpus, base.manifest if base else None, settings, cache):
            if item.reason:
                draft.skipped.append(SkippedEntry(item.path, item.reason, item.mark))
            elif item.document is not None:
                writer.write(item.document, item, settings)
            elif base and same_cut:
                writer.copy(base, item)
            elif base:
                writer.write(base.document(base.numbers[item.path]), item, settings)
            if progress:
                done = len(draft.documents)
                progress("Reading documents", done, max(done, expected))
        terms.finish()
    copies = find_copies(draft.documents, draft.signatures)
    for number, entry in enumerate(draft.documents):
        if entry.copy_of != (original := copies.get(entry.path, "")):
            draft.documents[number] = replace(entry, copy_of=original)


def _texts(folder: Path, entries: list[DocumentEntry], wanted: NDArray[np.bool_]) -> Iterator[tuple[int, str]]:
    """What the embedder reads of the wanted rows, from the files of the first pass."""
    documents, chunks = JsonLines(folder / DOCUMENTS_FILE), JsonLines(folder / CHUNKS_FILE)
    row = 0
    for number, entry in enumerate(entries):
        rows = row + np.flatnonzero(wanted[row : row + entry.chunks])
        if len(rows):
            document, _ = decode_document(documents.record(number))
            for wanted_row in rows.tolist():
                yield wanted_row, contextualise(document, decode_chunk(chunks.record(wanted_row)))
        row += entry.chunks


def _embed(texts: list[str], embedder: Embedder) -> Vectors:
    vectors = np.asarray(embedder.embed_documents(texts), dtype=np.float32)
    if vectors.shape != (len(texts), embedder.dimension) or not np.isfinite(vectors).all():
        raise IndexFaultError(
            f"The embedder {embedder.name} gave vectors of shape {vectors.shape}, or with values that are no numbers, "
            f"instead of {(len(texts), embedder.dimension)}. Run: dossier models verify"
        )
    return vectors


def write_vectors(
    draft: Draft, sources: list[Source], embedder: Embedder, progress: Progress | None
) -> tuple[int, int]:
    """Second pass: vectors taken over where a source has the text, and embedded, once each, where none has.

    Returns:
        Number of chunks whose text was embedded, and whose vector was taken over.
    """
    keys = as_bytes(draft.keys, KEY_BYTES)
    base_rows = np.frombuffer(draft.base_rows, np.int64)
    with VectorWriter(draft.folder, len(keys), embedder.dimension) as writer:
        if sources:
            _take_over(writer, sources[0], np.flatnonzero(base_rows >= 0), base_rows[base_rows >= 0])
        new = np.flatnonzero(base_rows < 0)
        for source in sources:
            found = source.find(keys[new])
            _take_over(writer, source, new[found >= 0], found[found >= 0])
            new = new[found < 0]
        originals = new[first_of_each(keys[new])]  # (new,): the first row with the same text
        wanted = np.zeros(len(keys), np.bool_)
        wanted[originals] = True
        texts = _texts(draft.folder, draft.documents, wanted)
        done, total = 0, int(wanted.sum())
        while batch := list(islice(texts, EMBED_AT_ONCE)):
            if progress:
                progress("Embedding chunks", done, total)
            writer.write(np.array([row for row, _ in batch]), _embed([text for _, text in batch], embedder))
            done += len(batch)
        if progress and total:
            progress("Embedding chunks", done, total)
        repeated = np.flatnonzero(new != originals)
        for start in range(0, len(repeated), BLOCK):
            some = repeated[start : start + BLOCK]
            writer.write(new[some], writer.read(originals[some]))
    return len(new), len(keys) - len(new)


def _take_over(writer: VectorWriter, source: Source, rows: Rows, there: Rows) -> None:
    for start in range(0, len(rows), BLOCK):
        writer.write(rows[start : start + BLOCK], source.vectors.get(there[start : start + BLOCK]))


def write_engine(
    draft: Draft, folder: Path, generation: str, sources: list[Source], settings: BuildSettings
) -> dict[str, Any]:
    """Third pass: what searches the vectors. Returns what the manifest says of it."""
    base_rows = np.frombuffer(draft.base_rows, np.int64)
    earlier = (sources[0].vectors, base_rows) if sources and bool((base_rows >= 0).any()) else None
    unclustered = int(sources[0].manifest.vectors.get("unclustered", 0)) if sources else 0
    return make_engine(folder, draft.folder, generation, settings.vectors, earlier, unclustered)


def generation_name(folder: Path, corpus_hash: str, embedder: Embedder, settings: BuildSettings) -> str:
    """Name of the next generation: its number, and a hash of what it is built from and with."""
    names = generation_names(folder)
    number = int(names[-1].split("-")[0]) + 1 if names else 1
    made_with = [embedder.name, embedder.weights_hash, chunk_settings(settings.chunking), settings.vectors]
    identity = json.dumps([FORMAT_VERSION, corpus_hash, *made_with], sort_keys=True)
    return f"{number:06d}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def finish(
    draft: Draft, folder: Path, generation: str, embedder: Embedder, settings: BuildSettings, vectors: dict[str, Any]
) -> Manifest:
    """Write BM25, sync every file, write the manifest, give the folder its name, and switch to it."""
    write_lexical(draft.folder, TermRows.load(draft.folder))
    np.save(draft.folder / KEYS_FILE, as_bytes(draft.keys, KEY_BYTES), allow_pickle=False)
    np.save(draft.folder / SIGNATURES_FILE, as_bytes(draft.signatures, SIGNATURE_BYTES), allow_pickle=False)
    files = {}
    for path in sorted(path for path in draft.folder.rglob("*") if path.is_file()):
        sync(path)
        name = path.relative_to(draft.folder).as_posix()
        files[name] = {"bytes": path.stat().st_size, "sha256": hash_bytes_of(path)}
    manifest = Manifest(
        generation=generation,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        embedder=embedder.name,
        weights_hash=embedder.weights_hash,
        dimension=embedder.dimension,
        settings=chunk_settings(settings.chunking),
        corpus_hash=draft.corpus_hash,
        chunks=len(draft.keys) // KEY_BYTES,
        vectors=vectors,
        documents=tuple(draft.documents),
        skipped=tuple(draft.skipped),
        files=files,
    )
    write_manifest(draft.folder / MANIFEST_FILE, manifest)
    sync(draft.folder / MANIFEST_FILE)
    for path in [draft.folder, *(path for path in draft.folder.rglob("*") if path.is_dir())]:
        sync(path)
    draft.folder.rename(generation_folder(folder, manifest.generation))
    sync(generations_folder(folder))
    switch(folder, manifest.generation)
    return manifest
