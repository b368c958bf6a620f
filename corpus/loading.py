"""From a file to a `Document`: finding, reading, front matter, and the checks on untrusted files."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from corpus.document import Document, Span
from corpus.errors import CorpusError, DocumentError
from corpus.extracted import Extracted, Reader
from corpus.extraction import ExtractionLimits, Extractor
from corpus.normalise import normalise
from corpus.provenance import MAX_BYTES as MAX_PROVENANCE
from corpus.provenance import decode_provenance, is_provenance, provenance_path
from corpus.readers import check_kind, read_docx, read_eml, read_epub, read_html, read_pdf
from corpus.tables import close_rows

MAX_BYTES = 64 * 2**20
"""Largest file that is read: a book of plain text has 1 MB; beyond 64 MB it is a log or a mistake."""
MAX_CHARACTERS = ExtractionLimits().characters
MAX_FRONT_MATTER = 64 * 2**10
"""Characters of YAML that are parsed; the longest of the shipped corpus has 1,500."""
MAX_TITLE = 150
"""Characters of a first line that may serve as a title; longer ones are paragraphs."""

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<yaml>.*?)(?:^|\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(?P<text>\S.*?)[ \t]*(?:[ \t]#+[ \t]*)?$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")


def find_headings(text: str) -> tuple[Span, ...]:
    """Spans of the texts of Markdown headings (`## Heading` without its marks), outside code fences."""
    spans: list[Span] = []
    fenced = False
    start = 0
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (match := _HEADING.match(line)):
            spans.append((start + match.start("text"), start + match.end("text")))
        start += len(line) + 1
    return tuple(spans)


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{path} is not UTF-8 text (byte {error.start} is 0x{data[error.start]:02x}). Save it as UTF-8."
        ) from error


def _split_front_matter(text: str, path: Path) -> tuple[dict[str, Any], str]:
    match = _FRONT_MATTER.match(text)
    if match is None:
        return {}, text
    if len(match["yaml"]) > MAX_FRONT_MATTER:
        raise DocumentError(
            f"{path}: the front matter has {len(match['yaml']):,} characters, {MAX_FRONT_MATTER:,} allowed."
        )
    import yaml

    try:
        metadata = yaml.safe_load(match["yaml"])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DocumentError(f"{path}: the front matter is not valid YAML ({reason}). Mend it or remove it.") from error
    if metadata is None:
        return {}, text[match.end() :]
    if not isinstance(metadata, dict):
        return {}, text  # a thematic break, not front matter
    return metadata, text[match.end() :]


def read_markdown(data: bytes, path: Path) -> Extracted:
    """Markdown with optional YAML front matter; the marks stay in the text, and the rows of tables get outer bars."""
    metadata, body = _split_front_matter(normalise(_decode(data, path)), path)
    body = close_rows(body.strip())
    return Extracted(body, metadata, headings=find_headings(body))


def read_text(data: bytes, path: Path) -> Extracted:
    """Plain text; the rows of tables get outer bars as in Markdown."""
    return Extracted(close_rows(normalise(_decode(data, path)).strip()))


READERS: dict[str, Reader] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".epub": read_epub,
    ".eml": read_eml,
}
"""Reader by lower-case ending."""
TRUSTED = {".md", ".markdown", ".txt"}
"""Endings whose readers decode text and nothing more; all others run in a process of their own (`Extractor`)."""


def _metadata_text(value: object) -> str:
    """A front matter value in one line; YAML dates as ISO dates; lists and mappings are not shown."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return " ".join(normalise(str(value)).split())
    return ""


def _title(extracted: Extracted, path: Path) -> str:
    title = _metadata_text(extracted.metadata.get("title"))
    if title:
        return title
    line = extracted.text.split("\n", 1)[0].strip()
    if (match := _HEADING.match(line)) is not None:
        line = match["text"]
    if line and len(line) <= MAX_TITLE:
        return line
    return " ".join(re.split(r"[\W_]+", path.stem)).strip() or path.name


def document_path(path: Path, root: Path) -> str:
    """The name of a file in citations: relative to the corpus folder, with forward slashes, in NFC.

    Raises:
        DocumentError: The file lies outside `root`, or its name cannot be shown (not UTF-8, control characters).
    """
    try:
        relative = path.relative_to(root)
    except ValueError as error:
        raise DocumentError(f"{path} is not inside the corpus folder {root}.") from error
    if ".." in relative.parts:
        raise DocumentError(f"{relative.as_posix()!r} leaves the corpus folder {root}.")
    name = relative.as_posix()
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DocumentError(f"The file name {name!r} is not UTF-8. Rename the file.") from error
    if normalise(name) != unicodedata.normalize("NFC", name) or "\n" in name or "\t" in name:
        raise DocumentError(f"The file name {name!r} holds characters that cannot be shown. Rename the file.")
    return name


def find_documents(root: Path, most: float = math.inf) -> list[Path]:
    """Every file below the corpus folder that is not hidden, whatever its ending, sorted by path.

    Hidden files and folders (leading dot) and the provenance beside documents are passed over, folders behind symbolic
    links are not entered.

    Args:
        root: The corpus folder.
        most: Files that it may hold.

    Raises:
        CorpusError: `root` is not a folder, cannot be read, or holds more files.
    """
    if not root.is_dir():
        raise CorpusError(f"There is no corpus folder {root}. Name one with --corpus.")

    def walk(folder: Path) -> Iterator[Path]:
        try:
            with os.scandir(folder) as entries:
                visible = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            raise CorpusError(f"The corpus folder {folder} cannot be read: {error.strerror}.") from error
        for entry in visible:
            if entry.is_dir(follow_symlinks=False):
                yield from walk(Path(entry.path))
            elif not is_provenance(entry.name) and not (entry.is_symlink() and entry.is_dir()):
                yield Path(entry.path)

    found: list[Path] = []
    for path in walk(root):
        if len(found) >= most:
            raise CorpusError(
                f"The corpus folder {root} holds more than {most:,} files. Name a smaller folder with --corpus."
            )
        found.append(path)
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def read_file(path: Path, root: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a regular file inside the corpus folder, the same before and after reading.

    Raises:
        DocumentError: It lies outside the folder (symbolic links included), is no regular file, is too large,
            changed while it was read, or cannot be read.
    """
    try:
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(root.resolve(strict=True)):
            raise DocumentError(f"{path} is a symbolic link out of the corpus folder. Copy the file into the folder.")
        before = resolved.stat()
        if not stat.S_ISREG(before.st_mode):
            raise DocumentError(f"{path} is not a regular file.")
        if before.st_size > max_bytes:
            raise DocumentError(f"{path} has {before.st_size:,} bytes, {max_bytes:,} are allowed. Split it.")
        with resolved.open("rb") as file:
            data = file.read(max_bytes + 1)
            after = os.fstat(file.fileno())
    except (OSError, RuntimeError, ValueError) as error:
        raise DocumentError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if len(data) != before.st_size or (before.st_mtime_ns, before.st_ino) != (after.st_mtime_ns, after.st_ino):
        raise DocumentError(f"{path} changed while it was read. Build again when it is complete.")
    return data


_SHOWN = tuple(
    f.name for f in fields(Document) if f.name not in {"path", "text", "content_hash", "headings", "pages", "copy_of"}
)
_HASHED_WHERE_GIVEN = {"author", "retrieved"}
"""Fields that came later: where they are empty, a document keeps the hash that it had without them."""


def make_document(extracted: Extracted, path: Path, root: Path) -> Document:
    """A document from what a reader took from its file.

    Raises:
        DocumentError: It has no text or too much, or its name cannot be shown.
    """
    name = document_path(path, root)
    text = extracted.text if extracted.headings or extracted.pages else normalise(extracted.text)
    if not any(character.isalnum() for character in text):
        raise DocumentError(f"{path} holds no text.")
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(f"{path} has {len(text):,} characters, {MAX_CHARACTERS:,} are allowed. Split it.")
    about = extracted.metadata.get("about_document")
    about = about if isinstance(about, dict) else {}
    shown = {key: _metadata_text(extracted.metadata.get(key)) for key in _SHOWN}
    shown["title"] = _title(extracted, path)
    shown |= {f"about_{key}": _metadata_text(about.get(key)) for key in ("title", "publisher", "date")}
    said = {key: value for key, value in shown.items() if value or key not in _HASHED_WHERE_GIVEN}
    hashed = json.dumps([text, said, extracted.headings, extracted.pages], sort_keys=True, ensure_ascii=False)
    return Document(
        path=name,
        text=text,
        content_hash=hashlib.sha256(hashed.encode("utf-8")).hexdigest(),
        headings=extracted.headings,
        pages=extracted.pages,
        **shown,
    )


def load_document(path: Path, root: Path, max_bytes: int = MAX_BYTES, extractor: Extractor | None = None) -> Document:
    """Read one file of the corpus, and its provenance where there is one.

    Args:
        path: The file, inside `root`.
        root: The corpus folder.
        max_bytes: Largest file that is read.
        extractor: Reads the formats that are not plain text; one of its own for this file when None.

    Raises:
        DocumentError: The file cannot be used; the message gives the reason and what to do. A build skips it.
    """
    reader_of(path)
    return parse_document(read_file(path, root, max_bytes), path, root, extractor, read_provenance(path, root))


def read_provenance(path: Path, root: Path) -> bytes | None:
    """What lies beside a document and says where it is from, or None.

    Raises:
        DocumentError: It is there and cannot be read.
    """
    beside = provenance_path(path)
    return read_file(beside, root, MAX_PROVENANCE) if os.path.lexists(beside) else None


def reader_of(path: Path) -> Reader:
    """The reader for a file's ending.

    Raises:
        DocumentError: There is none.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        endings = ", ".join(sorted(READERS))
        raise DocumentError(f"{path} has an ending that Dossier does not read. It reads {endings}.")
    return reader


def parse_document(
    data: bytes,
    path: Path,
    root: Path,
    extractor: Extractor | None = None,
    provenance: bytes | None = None,
) -> Document:
    """A document from the bytes of its file and those of its provenance.

    Raises:
        DocumentError: As `load_document`.
    """
    reader = reader_of(path)
    document_path(path, root)
    if not data:
        raise DocumentError(f"{path} is empty: it holds no text.")
    check_kind(data, path)
    if path.suffix.lower() in TRUSTED:
        extracted = reader(data, path)
    elif extractor is not None:
        extracted = extractor.extract(data, path)
    else:
        with Extractor() as own:
            extracted = own.extract(data, path)
    found = decode_provenance(provenance, path, data) if provenance else None
    if found is not None:
        extracted = replace(extracted, metadata={**extracted.metadata, **found.metadata})
    return make_document(extracted, path, root)
