"""Copying new files into the corpus: read first, refused when they are there already, never written over another."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import CorpusError, DocumentError
from corpus.loading import document_path, find_documents, parse_document, read_file

FOLDER = "added"
"""Below the corpus folder: where new files go."""
LONGEST_NAME = 120
"""Characters of a file's name that are kept; file systems allow 255 bytes."""
WEB = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Added:
    """A file that is in the corpus now."""

    source: str
    path: str
    """`Document.path`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not taken."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of each file."""

    added: tuple[Added, ...]
    skipped: tuple[Refused, ...]


def add_files(sources: Sequence[str], corpus: Path, *, dry_run: bool = False) -> AddReport:
    """Copy files, or all files below folders, into the corpus. With `dry_run`, only tell what would happen.

    Raises:
        CorpusError: The corpus folder is missing or cannot be written.
    """
    if not corpus.is_dir():
        raise CorpusError(f"There is no corpus folder {corpus}. Name one with --corpus.")
    added: list[Added] = []
    skipped: list[Refused] = []
    for source in sources:
        for file in _files(source):
            try:
                added.append(Added(str(file), _add(file, corpus, dry_run=dry_run)))
            except DocumentError as fault:
                skipped.append(Refused(str(file), str(fault)))
            except OSError as fault:
                raise CorpusError(
                    f"{file} cannot be copied into {corpus}: {fault.strerror or fault}. Name a folder that you can "
                    "write with --corpus."
                ) from fault
    return AddReport(tuple(added), tuple(skipped))


def _files(source: str) -> list[Path]:
    path = Path(source)
    return find_documents(path) if path.is_dir() and not path.is_symlink() else [path]


def _add(file: Path, corpus: Path, *, dry_run: bool) -> str:
    if WEB.match(str(file).replace(":/", "://", 1)):
        raise DocumentError("Addresses are not fetched. Save the page as a file, and add the file.")
    data = read_file(file, file.parent)
    for there in find_documents(corpus):
        if there.stat().st_size == len(data) and there.read_bytes() == data:
            raise DocumentError(f"{file.name} is there already, as {document_path(there, corpus)}.")
    stem = re.sub(r"[^\w.()-]+", "-", file.stem)[:LONGEST_NAME].strip(".-") or "document"
    target = corpus / FOLDER / f"{stem}{file.suffix.lower()}"
    parse_document(data, target, corpus)
    if dry_run:
        return document_path(target, corpus)
    return document_path(_write(data, target), corpus)


def _write(data: bytes, target: Path) -> Path:
    """Write beside the place and link into it, so that a reader sees all of it and nothing is written over."""
    target.parent.mkdir(exist_ok=True)
    draft = target.with_name(f".{os.getpid()}-{target.name}")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        place = target
        for number in range(2, 10_000):
            try:
                os.link(draft, place)
                break
            except FileExistsError:
                place = target.with_name(f"{target.stem}-{number}{target.suffix}")
        return place
    finally:
        draft.unlink(missing_ok=True)
