"""What a file is by its first bytes, so that a wrong ending is told instead of read."""

from __future__ import annotations

from pathlib import Path

from corpus.errors import DocumentError

_ZIP = b"PK\x03\x04"
_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF"),
    (_ZIP, "a ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file, or an encrypted new one"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a RIFF file (picture, sound or film)"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"{\\rtf", "a rich text file (RTF)"),
    (b"SQLite format 3\x00", "a database"),
)
_EXPECTED = {".pdf": "a PDF", ".docx": "a ZIP archive", ".epub": "a ZIP archive"}
"""What the files of an ending must be. Others are text, and must be none of the marked kinds."""
_PDF_WITHIN = 1024
"""Bytes before which a PDF's mark must come: PDF readers allow for as much before it."""


def kind_of(data: bytes) -> str:
    """What a file is by its first bytes, in words; empty for text and for what is not known."""
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "a PDF"
    return next((kind for mark, kind in _MARKS if data.startswith(mark)), "")


def check_kind(data: bytes, path: Path) -> None:
    """Compare a file's first bytes with its ending.

    Raises:
        DocumentError: They do not fit; the message says what the file is.
    """
    ending = path.suffix.lower()
    expected, found = _EXPECTED.get(ending, ""), kind_of(data)
    if ending == ".eml" and found == "a PDF":
        return  # a short message whose attachment is a PDF
    if found == expected:
        return
    if not expected and found == "a PDF" and not data.startswith(b"%PDF-"):
        return  # text that speaks of the mark
    if found.startswith("an old Office file"):
        raise DocumentError(f"{path} is {found}. Open it in a word processor and save it as .docx without a password.")
    if found:
        raise DocumentError(f"{path} is {found}, whatever its ending says. Rename it, or remove it.")
    raise DocumentError(f"{path} is not {expected}, which its ending needs. It is damaged, or has a wrong ending.")
