"""What a corpus folder holds now, compared with a generation: the cheap part of `build` and all of `status`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus.document import Document
from corpus.errors import DocumentError, PassingDocumentError
from corpus.extraction import Extractor
from corpus.extraction_cache import ExtractionCache, hash_data
from corpus.loading import document_path, find_documents, parse_document, read_file, read_provenance, reader_of
from corpus.provenance import provenance_path
from index.manifest import DocumentEntry, FileMark, Manifest
from index.reports import BuildSettings

_TOO_NEW = 2_000_000_000
"""Nanoseconds: a file changed this short before it was read may change again without its times showing it."""
_READS = 3
"""Times that a file is read which changes meanwhile, a tenth of a second apart."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One file of the corpus. Exactly one of `known`, `document`, `reason` says what it is."""

    path: str
    mark: FileMark | None
    raw_hash: str = ""
    known: DocumentEntry | None = None
    """The generation's entry, where the file has not changed since."""
    document: Document | None = None
    """The document, where the file is new or changed."""
    reason: str = ""
    """Why the file is skipped."""


def _mark_of(path: Path) -> tuple[FileMark | None, bool]:
    """The mark of a file with its provenance, and whether both are old enough to be trusted later."""
    now = time.time_ns()
    try:
        found = path.stat()
    except OSError:
        return None, False
    mark = FileMark(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    try:
        beside = provenance_path(path).stat()
    except OSError:
        pass  # most files have none
    else:
        mark = FileMark(
            mark.bytes + beside.st_size,
            max(mark.mtime_ns, beside.st_mtime_ns),
            max(mark.ctime_ns, beside.st_ctime_ns),
            mark.inode ^ beside.st_ino,
        )
    return mark, max(mark.mtime_ns, mark.ctime_ns) < now - _TOO_NEW


def _read(path: Path, root: Path, max_bytes: int) -> tuple[bytes, bytes | None, FileMark | None]:
    """The bytes of a file and of its provenance, and its mark where that can be trusted later."""
    for attempt in range(_READS):
        mark, settled = _mark_of(path)
        try:
            data, provenance = read_file(path, root, max_bytes), read_provenance(path, root)
        except DocumentError:
            if attempt + 1 == _READS or _mark_of(path)[0] == mark:
                raise
            time.sleep(0.1)
        else:
            return data, provenance, mark if settled else None
    raise AssertionError  # the loop returns or raises


def _raw_hash(data: bytes, provenance: bytes | None) -> str:
    """sha256 of a file's bytes, and after a plus sign that of its provenance where it has one."""
    return hash_data(data) if provenance is None else f"{hash_data(data)}+{hash_data(provenance)}"


def survey(
    root: Path, manifest: Manifest | None, settings: BuildSettings, cache: ExtractionCache
) -> Iterator[Surveyed]:
    """Look at every file of the corpus, and read those that are new or may have changed.

    Args:
        root: The corpus folder.
        manifest: What to compare with; None takes every file for new.
        settings: How much is read at most.
        cache: Keeps what was extracted.

    Raises:
        CorpusError: The folder is missing or unreadable, or holds too many files.
    """
    with Extractor(settings.limits, cache) as extractor:
        yield from _survey(root, manifest, settings, extractor)


def _survey(root: Path, manifest: Manifest | None, settings: BuildSettings, extractor: Extractor) -> Iterator[Surveyed]:
    known = {entry.path: entry for entry in manifest.documents} if manifest else {}
    skipped = {entry.path: entry for entry in manifest.skipped} if manifest else {}
    seen: set[str] = set()
    for path in find_documents(root, settings.max_files):
        shown = path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode("utf-8")
        mark, _ = _mark_of(path)
        try:
            name = document_path(path, root)
            if name in seen:
                raise DocumentError(f"{path} has the same name as another file, in another Unicode form. Rename it.")
            seen.add(name)
            entry, past = known.get(name), skipped.get(name)
            if entry is not None and mark is not None and entry.mark == mark:
                yield Surveyed(name, mark, entry.raw_hash, known=entry)
                continue
            if past is not None and mark is not None and past.mark == mark:
                yield Surveyed(name, mark, reason=past.reason)
                continue
            reader_of(path)
            data, provenance, settled_mark = _read(path, root, settings.max_bytes)
            raw_hash = _raw_hash(data, provenance)
            if entry is not None and entry.raw_hash == raw_hash:
                yield Surveyed(name, settled_mark, raw_hash, known=entry)
            else:
                document = parse_document(data, path, root, extractor, provenance)
                yield Surveyed(name, settled_mark, raw_hash, document=document)
        except DocumentError as error:
            lasting = _mark_of(path) == (mark, True) and not isinstance(error, PassingDocumentError)
            yield Surveyed(shown, mark if lasting else None, reason=str(error))
