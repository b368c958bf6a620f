"""The manifest of a generation: what it was built from and with, and the hash of each of its files."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from index.errors import IndexDamagedError, IndexMismatchError, IndexMissingError

FORMAT_VERSION = 8
"""Raised whenever files, chunking, tokenising or normalising change in a way that old generations do not follow."""

MANIFEST_FILE = "manifest.json"

_Entry = TypeVar("_Entry", "DocumentEntry", "SkippedEntry")


@dataclass(frozen=True, slots=True)
class FileMark:
    """How to tell cheaply that a file of the corpus has not changed, as git does."""

    bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """One document of a generation."""

    path: str
    content_hash: str
    raw_hash: str
    """sha256 of the file's bytes, and after a plus sign that of its provenance where it has one."""
    mark: FileMark | None
    """None where the file was so new when it was read that its times cannot be trusted."""
    title: str
    published: str
    chunks: int
    copy_of: str = ""
    url: str = ""
    retrieved: str = ""
    """When it was fetched from `url` (UTC, ISO 8601); empty for a document that came as a file."""


@dataclass(frozen=True, slots=True)
class SkippedEntry:
    """A file that is no document, and why."""

    path: str
    reason: str
    mark: FileMark | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Written last into a generation's folder: a folder without it is no generation."""

    generation: str
    created: str
    """UTC, ISO 8601."""
    embedder: str
    weights_hash: str
    dimension: int
    settings: Mapping[str, Any]
    """What decides how documents are cut."""
    corpus_hash: str
    chunks: int
    vectors: Mapping[str, Any]
    """The setting `vectors` that the build was given, and the engine that came of it: see `index.engines`."""
    documents: tuple[DocumentEntry, ...]
    """In path order; their chunks follow each other in the same order."""
    skipped: tuple[SkippedEntry, ...] = ()
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Size in bytes and sha256 of each other file of the generation."""
    format_version: int = FORMAT_VERSION

    @property
    def size(self) -> int:
        """Bytes of the generation's files."""
        return sum(int(file["bytes"]) for file in self.files.values())


def hash_corpus(documents: Mapping[str, str]) -> str:
    """sha256 over the paths and content hashes of a corpus, in path order."""
    lines = "".join(f"{path}\0{content_hash}\n" for path, content_hash in sorted(documents.items()))
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()


_CHECKSUM = ',\n"checksum": "'
_DOCUMENT_COLUMNS = tuple(column.name for column in fields(DocumentEntry))
_SKIPPED_COLUMNS = tuple(column.name for column in fields(SkippedEntry))
_OTHERS = tuple(name for name in (column.name for column in fields(Manifest)) if name not in ("documents", "skipped"))


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write JSON that ends with a checksum over all before it; documents are rows of values, for there may be many.

    It is written piece by piece: the text of a million documents is never in memory.

    Raises:
        OSError: The disk is full, among others.
    """
    checksum = hashlib.sha256()
    with path.open("wb") as file:
        for piece in _pieces(manifest):
            encoded = piece.encode("utf-8")
            checksum.update(encoded)
            file.write(encoded)
        file.write(f'{_CHECKSUM}{checksum.hexdigest()}"\n}}\n'.encode())


def _pieces(manifest: Manifest) -> Iterator[str]:
    yield "{\n"
    for name in _OTHERS:
        yield f"{json.dumps(name)}: {json.dumps(getattr(manifest, name), ensure_ascii=False)},\n"
    yield from _table("documents", _DOCUMENT_COLUMNS, manifest.documents)
    yield ",\n"
    yield from _table("skipped", _SKIPPED_COLUMNS, manifest.skipped)


def _table(name: str, columns: tuple[str, ...], entries: Sequence[DocumentEntry | SkippedEntry]) -> Iterator[str]:
    yield f'"{name}": {{"columns": {json.dumps(columns)}, "rows": ['
    for number, entry in enumerate(entries):
        yield (",\n" if number else "\n") + json.dumps(_row(entry, columns), ensure_ascii=False)
    yield "]}"


def _row(entry: DocumentEntry | SkippedEntry, columns: tuple[str, ...]) -> list[Any]:
    values = [getattr(entry, name) for name in columns]
    mark = values[columns.index("mark")]
    values[columns.index("mark")] = None if mark is None else [mark.bytes, mark.mtime_ns, mark.ctime_ns, mark.inode]
    return values


def _entries(kind: type[_Entry], table: Mapping[str, Any], columns: tuple[str, ...]) -> tuple[_Entry, ...]:
    if tuple(table["columns"]) != columns:
        raise KeyError(f"columns {table['columns']}")
    place = columns.index("mark")
    for row in table["rows"]:
        row[place] = None if row[place] is None else FileMark(*row[place])
    return tuple(kind(*row) for row in table["rows"])


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a generation's folder.

    Raises:
        IndexMissingError: There is none.
        IndexDamagedError: It is not what was written.
        IndexMismatchError: Another version of Dossier wrote it.
    """
    path = folder / MANIFEST_FILE
    try:
        content = path.read_bytes()
        value = json.loads(content)
    except FileNotFoundError as error:
        raise IndexMissingError(f"{folder} holds no complete index. Run: dossier index build") from error
    except (OSError, ValueError) as error:
        raise IndexDamagedError(f"{path} cannot be read ({error}). Run: dossier index build") from error
    if not isinstance(value, dict) or "checksum" not in value:
        raise IndexDamagedError(f"{path} is not an index manifest. Run: dossier index build")
    if value.get("format_version") != FORMAT_VERSION:
        raise IndexMismatchError(
            f"The index in {folder} has format {value.get('format_version')}, this Dossier reads {FORMAT_VERSION}. "
            "Run: dossier index build"
        )
    body, _, _ = content.rpartition(_CHECKSUM.encode())
    if value.pop("checksum") != hashlib.sha256(body).hexdigest():
        raise IndexDamagedError(f"{path} is not as it was written (its checksum differs). Run: dossier index build")
    try:
        documents = _entries(DocumentEntry, value.pop("documents"), _DOCUMENT_COLUMNS)
        skipped = _entries(SkippedEntry, value.pop("skipped"), _SKIPPED_COLUMNS)
        return Manifest(**value, documents=documents, skipped=skipped)
    except (TypeError, KeyError) as error:
        raise IndexDamagedError(f"{path} lacks fields ({error}). Run: dossier index build") from error


def check_files(folder: Path, manifest: Manifest, hash_up_to: float = math.inf) -> list[str]:
    """What is wrong with the files of a generation, in words; empty where nothing is.

    Args:
        folder: The generation's folder.
        manifest: Its manifest.
        hash_up_to: Bytes that are read and hashed, the smallest files first; of the others only sizes are compared.
    """
    problems = []
    read = 0
    for name, expected in sorted(manifest.files.items(), key=lambda item: (item[1]["bytes"], item[0])):
        path = folder / name
        read += int(expected["bytes"])
        try:
            size = path.stat().st_size
            hashed = size == expected["bytes"] and read <= hash_up_to
            found = hash_bytes_of(path) if hashed else expected["sha256"]
        except OSError as error:
            problems.append(f"{path}: {error.strerror or error}")
            continue
        if size != expected["bytes"]:
            problems.append(f"{path} has {size:,} bytes, {expected['bytes']:,} were written")
        elif found != expected["sha256"]:
            problems.append(
                f"{path} is not as it was written: sha256 {found[:12]}… instead of {expected['sha256'][:12]}…"
            )
    return problems


def hash_bytes_of(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
