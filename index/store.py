"""Documents and chunks of a generation on disk: JSON Lines that are mapped, and parsed one record at a time."""

from __future__ import annotations

import json
import mmap
import threading
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np

from corpus.document import Chunk, Document, Sentence
from index.errors import IndexDamagedError

DOCUMENTS_FILE = "documents.jsonl"
CHUNKS_FILE = "chunks.jsonl"

READING_NPY = threading.Lock()
"""numpy reads npy headers with ast.literal_eval, which fails in threads on CPython 3.11 (python/cpython#106905)."""

_DOCUMENT_FIELDS = tuple(f.name for f in fields(Document))


def encode_document(document: Document, sentences: Sequence[Sentence]) -> dict[str, Any]:
    """A document with its sentences, as JSON holds it; sections are numbered to keep it short."""
    sections = list(dict.fromkeys(s.section for s in sentences))
    numbers = {section: number for number, section in enumerate(sections)}
    record = {name: getattr(document, name) for name in _DOCUMENT_FIELDS}
    record["sections"] = sections
    record["sentences"] = [[s.start, s.end, numbers[s.section]] for s in sentences]
    return record


def decode_document(record: Mapping[str, Any]) -> tuple[Document, list[Sentence]]:
    """The inverse of `encode_document`."""
    values = {name: record[name] for name in _DOCUMENT_FIELDS}
    values["headings"] = tuple((start, end) for start, end in values["headings"])
    values["pages"] = tuple(values["pages"])
    sections = record["sections"]
    return Document(**values), [Sentence(start, end, sections[number]) for start, end, number in record["sentences"]]


def encode_chunk(chunk: Chunk) -> dict[str, Any]:
    """A chunk, as JSON holds it."""
    return {
        "id": chunk.id,
        "document": chunk.document,
        "start": chunk.start,
        "end": chunk.end,
        "section": chunk.section,
        "sentences": chunk.sentences,
    }


def decode_chunk(record: Mapping[str, Any]) -> Chunk:
    """The inverse of `encode_chunk`."""
    return Chunk(
        id=record["id"],
        document=record["document"],
        start=record["start"],
        end=record["end"],
        section=record["section"],
        sentences=tuple((start, end) for start, end in record["sentences"]),
    )


class JsonLinesWriter:
    """Writes records, and the offset and the checksum of each beside them; memory holds 12 bytes a record."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._offsets = array("q", [0])
        self._checksums = array("I")

    def __enter__(self) -> JsonLinesWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()
        if exception[0] is None:
            np.save(offsets_path(self._path), np.frombuffer(self._offsets, np.int64), allow_pickle=False)
            np.save(checksums_path(self._path), np.asarray(self._checksums, dtype=np.uint32), allow_pickle=False)

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"
        self._file.write(line)
        self._offsets.append(self._offsets[-1] + len(line))
        self._checksums.append(zlib.crc32(line))

    def copy(self, lines: JsonLines, start: int, end: int) -> None:
        """Append the records `start` to `end` (exclusive) of another file, without parsing them."""
        content, ends, checksums = lines.raw(start, end)
        self._file.write(content)
        written = self._offsets[-1]
        self._offsets.extend(written + end_in_content for end_in_content in ends)
        self._checksums.extend(checksums)

    def __len__(self) -> int:
        return len(self._offsets) - 1


def offsets_path(path: Path) -> Path:
    """Where the offsets of a JSON Lines file are."""
    return path.with_name(f"{path.name}.offsets.npy")


def checksums_path(path: Path) -> Path:
    """Where the CRC-32 of each record of a JSON Lines file is."""
    return path.with_name(f"{path.name}.crc32.npy")


class JsonLines:
    """Records by number, read from a mapped file. Each is checked when it is read: none with a flipped bit is used."""

    def __init__(self, path: Path) -> None:
        """Map the file.

        Raises:
            IndexDamagedError: It or its offsets are missing or do not fit each other.
        """
        self.path = path
        try:
            with READING_NPY:
                self._offsets = np.load(offsets_path(path), mmap_mode="r", allow_pickle=False)
                self._checksums = np.load(checksums_path(path), mmap_mode="r", allow_pickle=False)
            with path.open("rb") as file:
                size = file.seek(0, 2)
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except (OSError, ValueError, EOFError) as error:
            raise IndexDamagedError(f"{path} cannot be read ({error}). Run: dossier index build") from error
        if len(self._offsets) != len(self._checksums) + 1 or int(self._offsets[-1]) != size:
            raise IndexDamagedError(
                f"{path} has {size:,} bytes, which its offsets do not fit. Run: dossier index build"
            )

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def record(self, number: int) -> dict[str, Any]:
        """One record.

        Raises:
            IndexDamagedError: It is not what was written.
        """
        line = self._map[int(self._offsets[number]) : int(self._offsets[number + 1])]
        if zlib.crc32(line) != int(self._checksums[number]):
            raise IndexDamagedError(f"Record {number} of {self.path} is damaged. Run: dossier index build")
        record: dict[str, Any] = json.loads(line)
        return record

    def raw(self, start: int, end: int) -> tuple[bytes, list[int], list[int]]:
        """The bytes of the records `start` to `end` (exclusive), where each ends in them, and their checksums."""
        first = int(self._offsets[start])
        ends = [int(offset) - first for offset in self._offsets[start + 1 : end + 1]]
        return self._map[first : int(self._offsets[end])], ends, self._checksums[start:end].tolist()


class StoredChunks(Sequence[Chunk]):
    """The chunks of a generation in row order."""

    def __init__(self, lines: JsonLines) -> None:
        self._lines = lines
        self._chunk = lru_cache(maxsize=8192)(self._read)

    def _read(self, row: int) -> Chunk:
        return decode_chunk(self._lines.record(row))

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, row: int) -> Chunk: ...

    @overload
    def __getitem__(self, row: slice) -> list[Chunk]: ...

    def __getitem__(self, row: int | slice) -> Chunk | list[Chunk]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        if row < 0:
            row += len(self)
        if not 0 <= row < len(self):
            raise IndexError(row)
        return self._chunk(row)


class StoredDocuments(Mapping[str, Document]):
    """The documents of a generation by path."""

    def __init__(self, lines: JsonLines, originals: Mapping[str, str]) -> None:
        """Takes the paths in the order of `lines`, each with the path of the document that it copies, or nothing."""
        self._lines = lines
        self._originals = originals
        self._numbers = {path: number for number, path in enumerate(originals)}
        self._record = lru_cache(maxsize=512)(self._read)

    def _read(self, path: str) -> tuple[Document, list[Sentence]]:
        document, sentences = decode_document(self._lines.record(self._numbers[path]))
        return replace(document, copy_of=self._originals[path]), sentences

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __contains__(self, path: object) -> bool:
        return path in self._numbers

    def __getitem__(self, path: str) -> Document:
        return self._record(path)[0]

    def sentences(self, path: str) -> list[Sentence]:
        """All sentences of a document, in order."""
        return list(self._record(path)[1])
