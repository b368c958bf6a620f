"""Writing a generation: documents and chunks, then vectors, then BM25, and the manifest last."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np

from corpus.chunks import contextualise, cut_chunks
from corpus.copies import SIGNATURE_BYTES, find_copies, signature
from corpus.document import Document
from corpus.sentences import document_sentences
from index.embedder import Embedder, Vectors
from index.errors import IndexFaultError
from index.generations import generation_folder, generation_names, generations_folder, switch, sync
from index.index import chunk_settings
from index.lexical import LexicalIndex, tokenise
from index.manifest import (
    FORMAT_VERSION,
    MANIFEST_FILE,
    DocumentEntry,
    Manifest,
    SkippedEntry,
    encode_manifest,
    hash_bytes_of,
    hash_corpus,
)
from index.reports import BuildSettings, Progress
from index.sources import KEY_BYTES, KEYS_FILE, SIGNATURES_FILE, Source, context_key, save_bytes
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
from index.terms import TermRows
from index.vectors import BLOCK, FlatVectors

EMBED_AT_ONCE = 256
"""Chunks handed to the embedder at once: between two of them progress is shown and a stop is noticed."""


@dataclass
class Draft:
    """The generation that is being written, in a folder whose name no reader looks at."""

    folder: Path
    documents: list[DocumentEntry] = field(default_factory=list)
    skipped: list[SkippedEntry] = field(default_factory=list)
    signatures: list[bytes] = field(default_factory=list)
    """Of each document: see `corpus.copies.signature`."""
    terms: TermRows = field(default_factory=TermRows)
    """Of each chunk, for BM25."""
    keys: list[bytes] = field(default_factory=list)
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
        self, draft: Draft, documents: JsonLinesWriter, chunks: JsonLinesWriter, base: Source | None, embedder: Embedder
    ) -> None:
        self._draft = draft
        self._documents = documents
        self._chunks = chunks
        self._base = base
        self._embedder = embedder
        if base:
            draft.terms = TermRows(base.terms.vocabulary)

    def copy(self, base: Source, item: Surveyed) -> None:
        """Take a document that has not changed over from `base`, without reading it."""
        draft, number = self._draft, base.numbers[item.path]
        start, end = base.rows_of(number)
        self._documents.copy(base.documents, number, number + 1)
        self._chunks.copy(base.chunks, start, end)
        draft.terms.copy(base.terms, start, end)
        draft.keys.extend(base.keys[start:end])
        draft.base_rows.extend(range(start, end))
        draft.signatures.append(base.signatures[number])
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
            draft.terms.add(tokenise(context))
            draft.keys.append(context_key(context, self._embedder))
            draft.base_rows.append(-1)
        draft.signatures.append(signature(document))
        draft.documents.append(
            DocumentEntry(
                path=document.path,
                content_hash=document.content_hash,
                raw_hash=item.raw_hash,
                mark=item.mark,
                title=document.title,
                published=document.published,
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
) -> None:
    """First pass: documents and chunks, their terms, keys and MinHashes, and which documents repeat which."""
    same_cut = base is not None and base.manifest.settings == chunk_settings(settings.chunking)
    expected = len(base.manifest.documents) if base else 0
    with (
        JsonLinesWriter(draft.folder / DOCUMENTS_FILE) as documents,
        JsonLinesWriter(draft.folder / CHUNKS_FILE) as chunks,
    ):
        writer = _DocumentWriter(draft, documents, chunks, base, embedder)
        for item in survey(corpus, base.manifest if base else None, settings.max_bytes):
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
    dated = zip(draft.documents, draft.signatures, strict=True)
    copies = find_copies({entry.path: (entry.published, minhash) for entry, minhash in dated})
    draft.documents = [replace(entry, copy_of=copies.get(entry.path, "")) for entry in draft.documents]


def _texts(folder: Path, entries: list[DocumentEntry], wanted: set[int]) -> Iterator[tuple[int, str]]:
    """What the embedder reads of the wanted rows, from the files of the first pass."""
    documents, chunks = JsonLines(folder / DOCUMENTS_FILE), JsonLines(folder / CHUNKS_FILE)
    row = 0
    for number, entry in enumerate(entries):
        rows = [r for r in range(row, row + entry.chunks) if r in wanted]
        if rows:
            document, _ = decode_document(documents.record(number))
            for wanted_row in rows:
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
    path = draft.folder / "vectors.f32"
    vectors = np.memmap(path, dtype=np.float32, mode="w+", shape=(len(draft.keys), embedder.dimension))
    base_rows = np.asarray(draft.base_rows, dtype=np.int64)
    for start in range(0, len(base_rows), BLOCK):
        known = start + np.flatnonzero(base_rows[start : start + BLOCK] >= 0)
        if len(known):
            vectors[known] = sources[0].vectors.get(base_rows[known])
    rows_of: dict[bytes, list[int]] = {}
    for row in np.flatnonzero(base_rows < 0).tolist():
        key = draft.keys[row]
        source = next((source for source in sources if key in source.rows), None)
        if source is not None:
            vectors[row] = source.vectors[source.rows[key]]
        else:
            rows_of.setdefault(key, []).append(row)
    texts = _texts(draft.folder, draft.documents, {rows[0] for rows in rows_of.values()})
    done, total = 0, len(rows_of)
    while batch := list(islice(texts, EMBED_AT_ONCE)):
        if progress:
            progress("Embedding chunks", done, total)
        for (row, _), vector in zip(batch, _embed([text for _, text in batch], embedder), strict=True):
            vectors[rows_of[draft.keys[row]]] = vector
        done += len(batch)
    if progress and total:
        progress("Embedding chunks", done, total)
    FlatVectors.from_array(vectors).save(draft.folder)
    del vectors
    path.unlink()
    embedded = sum(len(rows) for rows in rows_of.values())
    return embedded, len(draft.keys) - embedded


def _generation_name(folder: Path, corpus_hash: str, embedder: Embedder, settings: dict[str, int]) -> str:
    names = generation_names(folder)
    number = int(names[-1].split("-")[0]) + 1 if names else 1
    identity = json.dumps([FORMAT_VERSION, corpus_hash, embedder.name, embedder.weights_hash, settings], sort_keys=True)
    return f"{number:06d}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def finish(draft: Draft, folder: Path, embedder: Embedder, settings: BuildSettings) -> Manifest:
    """Write BM25, sync every file, write the manifest, give the folder its name, and switch to it."""
    terms = draft.terms.sorted()
    terms.save(draft.folder)
    LexicalIndex.from_rows(terms).save(draft.folder)
    save_bytes(draft.folder / KEYS_FILE, draft.keys, KEY_BYTES)
    save_bytes(draft.folder / SIGNATURES_FILE, draft.signatures, SIGNATURE_BYTES)
    files = {}
    for path in sorted(path for path in draft.folder.rglob("*") if path.is_file()):
        sync(path)
        name = path.relative_to(draft.folder).as_posix()
        files[name] = {"bytes": path.stat().st_size, "sha256": hash_bytes_of(path)}
    chunking = chunk_settings(settings.chunking)
    manifest = Manifest(
        generation=_generation_name(folder, draft.corpus_hash, embedder, chunking),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        embedder=embedder.name,
        weights_hash=embedder.weights_hash,
        dimension=embedder.dimension,
        settings=chunking,
        corpus_hash=draft.corpus_hash,
        chunks=len(draft.keys),
        documents=tuple(draft.documents),
        skipped=tuple(draft.skipped),
        files=files,
    )
    (draft.folder / MANIFEST_FILE).write_text(encode_manifest(manifest), encoding="utf-8")
    sync(draft.folder / MANIFEST_FILE)
    for path in [draft.folder, *(path for path in draft.folder.rglob("*") if path.is_dir())]:
        sync(path)
    draft.folder.rename(generation_folder(folder, manifest.generation))
    sync(generations_folder(folder))
    switch(folder, manifest.generation)
    return manifest
