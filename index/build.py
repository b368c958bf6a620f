"""Building: a complete new generation beside the old ones, then one atomic switch. Only what changed is embedded."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from corpus.errors import CorpusError
from corpus.extraction_cache import FOLDER, ExtractionCache
from corpus.loading import TRUSTED
from index.draft import Draft, finish, generation_name, write_documents, write_engine, write_vectors
from index.embedder import Embedder
from index.engines import check_setting, engine_problems, remove_orphans
from index.errors import IndexFaultError
from index.generations import (
    build_lock,
    collect,
    generations_folder,
    read_current,
    readable_manifests,
    remove_leftovers,
)
from index.index import Index, chunk_settings
from index.manifest import DocumentEntry, SkippedEntry
from index.reports import BuildReport, BuildSettings, Progress
from index.sources import Source, sound_sources
from index.status import status
from index.survey import survey

logger = logging.getLogger(__name__)


def build(
    corpus: Path,
    folder: Path,
    embedder: Embedder,
    settings: BuildSettings | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Bring the index in line with the corpus.

    Where nothing changed, nothing is written. Otherwise a new generation is written beside the others and becomes the
    current one at the end; killed at any moment, the old one serves on and the next build starts afresh.

    Args:
        corpus: The corpus folder.
        folder: The index folder; made where it is missing.
        embedder: Embeds what no sound generation holds the vector of.
        settings: How; the defaults when None.
        progress: Called as the work goes on.

    Raises:
        CorpusError: The corpus is missing, unreadable, or holds no document that can be read.
        IndexLockedError: Another builder did not finish in time.
        IndexFaultError: The folder cannot be written, the disk is full, or Milvus cannot be reached.
    """
    settings = settings or BuildSettings()
    check_setting(settings.vectors)
    started = time.monotonic()
    if not corpus.is_dir():
        raise CorpusError(f"There is no corpus folder {corpus}. Name one with --corpus.")
    if _is_visible_below(folder, corpus):
        raise IndexFaultError(
            f"The index {folder} would lie among the documents of {corpus}. Name another with --index."
        )
    with build_lock(folder, settings.lock_timeout):
        try:
            return _build_locked(corpus, folder, embedder, settings, progress, started)
        except OSError as error:
            raise _disk_fault(folder, error) from error
        finally:
            remove_leftovers(folder)


def _is_visible_below(folder: Path, corpus: Path) -> bool:
    """Whether the index would be read as documents."""
    folder, corpus = folder.resolve(), corpus.resolve()
    return folder.is_relative_to(corpus) and not any(p.startswith(".") for p in folder.relative_to(corpus).parts)


def _build_locked(
    corpus: Path,
    folder: Path,
    embedder: Embedder,
    settings: BuildSettings,
    progress: Progress | None,
    started: float,
) -> BuildReport:
    remove_leftovers(folder)
    current = read_current(folder)
    sources = sound_sources(folder, embedder)
    base = sources[0] if sources and sources[0].manifest.generation == current else None
    whole = base is not None and _engine_is_sound(base, settings)
    cache = ExtractionCache(folder / FOLDER)
    if base and whole and (skipped := _skipped_if_unchanged(corpus, base, settings, cache)) is not None:
        cache.keep_only(_data_hashes(base.manifest.documents))
        report = _compare(base.manifest.documents, skipped, base)
        return replace(report, seconds=time.monotonic() - started, bytes=base.manifest.size)
    draft = Draft(generations_folder(folder) / f".building-{os.getpid()}")
    draft.folder.mkdir()
    write_documents(draft, corpus, base, embedder, settings, progress, cache)
    if not draft.documents:
        reasons = "".join(f"\n  {entry.reason}" for entry in draft.skipped[:5])
        raise CorpusError(
            f"The corpus folder {corpus} holds no document that can be read. Put .md or .txt files there, or name "
            f"another folder with --corpus.{reasons}"
        )
    report = _compare(draft.documents, draft.skipped, base)
    built_from = (base.manifest.corpus_hash, base.manifest.settings) if base else None
    if base and whole and built_from == (draft.corpus_hash, chunk_settings(settings.chunking)):
        return replace(report, seconds=time.monotonic() - started, bytes=base.manifest.size)
    embedded, reused = write_vectors(draft, sources, embedder, progress)
    generation = generation_name(folder, draft.corpus_hash, embedder, settings)
    engine = write_engine(draft, folder, generation, sources, settings)
    del sources, base  # they map files of generations that may be collected
    manifest = finish(draft, folder, generation, embedder, settings, engine)
    cache.keep_only(_data_hashes(manifest.documents))
    before = readable_manifests(folder)
    collected = collect(folder, settings.keep)
    remove_orphans(folder, before)
    logger.info("Built %s: %d documents, %d chunks", manifest.generation, len(manifest.documents), manifest.chunks)
    return replace(
        report,
        generation=manifest.generation,
        built=True,
        chunks_embedded=embedded,
        chunks_reused=reused,
        seconds=time.monotonic() - started,
        bytes=manifest.size,
        collected=tuple(collected),
    )


def _data_hashes(documents: Sequence[DocumentEntry]) -> set[str]:
    """What the cache keeps the extracted documents' contents under."""
    extracted = (entry for entry in documents if PurePosixPath(entry.path).suffix.lower() not in TRUSTED)
    return {entry.raw_hash.partition("+")[0] for entry in extracted}


def _engine_is_sound(base: Source, settings: BuildSettings) -> bool:
    """Whether the vectors are searched as the settings say, and the engine still holds them."""
    if base.manifest.vectors.get("setting") != settings.vectors:
        return False
    problems = engine_problems(base.folder, base.manifest, contents=False)
    for problem in problems:
        logger.warning("%s. It is filled again.", problem)
    return not problems


def _skipped_if_unchanged(
    corpus: Path, base: Source, settings: BuildSettings, cache: ExtractionCache
) -> list[SkippedEntry] | None:
    """The files that are skipped, where all others are as `base` holds them; None where something changed."""
    if base.manifest.settings != chunk_settings(settings.chunking):
        return None
    known, skipped = 0, []
    for item in survey(corpus, base.manifest, settings, cache):
        if item.document is not None:
            return None
        if item.known is not None:
            known += 1
        else:
            skipped.append(SkippedEntry(item.path, item.reason, item.mark))
    return skipped if known == len(base.manifest.documents) else None


def _compare(documents: Sequence[DocumentEntry], skipped: Sequence[SkippedEntry], base: Source | None) -> BuildReport:
    """What differs from the current generation; nothing is embedded yet."""
    before = {entry.path: entry.content_hash for entry in base.manifest.documents} if base else {}
    now = {entry.path: entry.content_hash for entry in documents}
    added = {path: content_hash for path, content_hash in now.items() if path not in before}
    removed, renamed = _removed_and_renamed(base, added, set(now))
    moved = {new for _, new in renamed}
    chunks = sum(entry.chunks for entry in documents)
    return BuildReport(
        generation=base.manifest.generation if base else "",
        built=False,
        documents=len(documents),
        chunks=chunks,
        added=tuple(path for path in added if path not in moved),
        changed=tuple(path for path in now if path in before and before[path] != now[path]),
        removed=tuple(removed),
        renamed=tuple(renamed),
        unchanged=sum(before.get(path) == content_hash for path, content_hash in now.items()),
        skipped=tuple(skipped),
        copies=tuple((entry.path, entry.copy_of) for entry in documents if entry.copy_of),
        chunks_reused=chunks,
    )


def _removed_and_renamed(
    base: Source | None, added: dict[str, str], kept: set[str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Documents that are gone, and those of them whose content is now under another path."""
    by_hash: dict[str, list[str]] = {}
    for path, content_hash in sorted(added.items(), reverse=True):
        by_hash.setdefault(content_hash, []).append(path)
    removed, renamed = [], []
    for entry in base.manifest.documents if base else ():
        if entry.path in kept:
            continue
        now = by_hash.get(entry.content_hash)
        if now:
            renamed.append((entry.path, now.pop()))
        else:
            removed.append(entry.path)
    return removed, renamed


def _disk_fault(folder: Path, error: OSError) -> IndexFaultError:
    free = shutil.disk_usage(folder).free if folder.exists() else 0
    # numpy reports what it could not write without the reason: "1048576 requested and 245760 written".
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or (error.errno is None and free < 2**20):
        return IndexFaultError(
            f"The disk of {folder} is full ({free:,} bytes free). The index that was there still serves. "
            "Free some space, then run: dossier index build"
        )
    return IndexFaultError(f"The index {folder} cannot be written: {error.strerror or error}.")


def ensure_index(
    corpus: Path,
    folder: Path,
    embedder: Embedder,
    settings: BuildSettings | None = None,
    progress: Progress | None = None,
) -> Index:
    """Open the index; build it first where it is missing, damaged, stale, or built otherwise.

    After a rollback the older generation is opened until the corpus changes again or is built explicitly.

    Raises:
        CorpusError: As `build`.
        IndexFaultError: As `build`.
    """
    settings = settings or BuildSettings()
    found = status(corpus, folder, embedder, settings)
    if found.state == "current" or found.rolled_back:
        try:
            return Index.open(folder, embedder, settings.chunking)
        except IndexFaultError as error:
            logger.warning("%s Building it again.", error)
    report = build(corpus, folder, embedder, settings, progress)
    for entry in report.skipped:
        logger.warning("Skipped %s", entry.reason)
    return Index.open(folder, embedder, settings.chunking)
