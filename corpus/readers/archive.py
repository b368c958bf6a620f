"""ZIP archives from strangers (.docx and .epub are such): checked as a whole before a byte is decompressed."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_UNPACKED = 256 * 2**20
"""Bytes of all files of an archive: picture books have 100 MB, decompression bombs gigabytes."""
MAX_TEXT_FILE = 64 * 2**20
"""Bytes of one file of an archive that is parsed, as many as a file of the corpus may have."""
MAX_FILES = 10_000
"""Files of an archive: an encyclopaedia as .epub has 3,000."""


@contextmanager
def open_archive(data: bytes, path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive whose directory promises no more than the limits; what holds more than promised is an error.

    Raises:
        DocumentError: It is damaged, encrypted or too large; also for what goes wrong while it is read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            if len(entries) > MAX_FILES or size > MAX_UNPACKED:
                raise DocumentError(
                    f"{path} unpacks to {len(entries):,} files of {size:,} bytes; {MAX_FILES:,} and {MAX_UNPACKED:,} "
                    "are allowed. It may be a decompression bomb."
                )
            if any(entry.flag_bits & 1 for entry in entries):
                raise DocumentError(f"{path} is encrypted. Save it without a password.")
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise DocumentError(f"{path} is damaged: {' '.join(str(error).split())[:200]}.") from error


def read_entry(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """One file of an archive.

    Raises:
        DocumentError: It is not there, or is too large.
    """
    try:
        entry = archive.getinfo(name)
    except KeyError as error:
        raise DocumentError(f"{path} lacks its part {name!r}: it is damaged, or has a wrong ending.") from error
    if entry.file_size > MAX_TEXT_FILE:
        raise DocumentError(
            f"{path}: its part {name!r} has {entry.file_size:,} bytes, {MAX_TEXT_FILE:,} are allowed. Split it."
        )
    return archive.read(entry)


def parse_xml(content: bytes, path: Path) -> _Element:
    """XML without entities of its own, external parts or network.

    Raises:
        DocumentError: It is not well-formed.
    """
    from lxml import etree

    try:
        return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (etree.LxmlError, ValueError) as error:
        raise DocumentError(f"{path} is damaged: {' '.join(str(error).split())[:200]}.") from error


def find_texts(tree: _Element, name: str) -> list[str]:
    """The texts of all elements of a local name, in order, without those that are empty."""
    found = ("".join(element.itertext()).strip() for element in tree.iter(f"{{*}}{name}", name))
    return [text for text in found if text]
