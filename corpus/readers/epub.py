"""E-books: a ZIP archive of XHTML chapters, read in the order of its spine (EPUB 3.3, W3C).

The usual library (EbookLib) is under the AGPL; an archive, two small XML files and chapters need none.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from corpus.errors import DocumentError
from corpus.extracted import Extracted
from corpus.readers.archive import find_texts, open_archive, parse_xml, read_entry
from corpus.readers.blocks import Block, blocks_of, join_blocks
from corpus.readers.html import decode_page

if TYPE_CHECKING:
    from lxml.etree import _Element

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
_FONT_OBFUSCATION = {"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"}
_CHAPTERS = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}


def read_epub(data: bytes, path: Path) -> Extracted:
    """The chapters of a book in reading order, and its title, authors, publisher and date.

    Raises:
        DocumentError: It is damaged, encrypted or too large, or no e-book.
    """
    with open_archive(data, path) as archive:
        _refuse_encrypted(archive, path)
        container = parse_xml(read_entry(archive, CONTAINER, path), path)
        package_name = next((e.get("full-path") for e in container.iter("{*}rootfile") if e.get("full-path")), None)
        if not package_name:
            raise DocumentError(f"{path} names no package document: it is damaged, or no e-book.")
        package = parse_xml(read_entry(archive, package_name, path), path)
        return join_blocks(_chapters(archive, package, posixpath.dirname(package_name), path), _metadata(package))


def _refuse_encrypted(archive: zipfile.ZipFile, path: Path) -> None:
    if ENCRYPTION in archive.namelist():
        methods = parse_xml(read_entry(archive, ENCRYPTION, path), path).iter("{*}EncryptionMethod")
        if any(method.get("Algorithm") not in _FONT_OBFUSCATION for method in methods):
            raise DocumentError(f"{path} is encrypted (DRM). Only books without it can be read.")


def _chapters(archive: zipfile.ZipFile, package: _Element, folder: str, path: Path) -> Iterator[Block]:
    from lxml import html

    files = {
        item.get("id"): item.get("href", "")
        for item in package.iter("{*}item")
        if item.get("media-type", "").lower() in _CHAPTERS and "nav" not in item.get("properties", "").split()
    }
    for reference in package.iter("{*}itemref"):
        href = files.get(reference.get("idref"))
        if not href:
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(href.split("#")[0])))
        page = decode_page(read_entry(archive, name, path)).encode("utf-8", "replace")
        if page.strip():
            tree = html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8"))
            body = tree.find(".//body")
            yield from blocks_of(tree if body is None else body)


def _metadata(package: _Element) -> dict[str, Any]:
    def first(name: str) -> str:
        return next(iter(find_texts(package, name)), "")

    return {
        "title": first("title"),
        "author": ", ".join(find_texts(package, "creator")),
        "publisher": first("publisher"),
        "published": first("date")[:10],
        "language": first("language").split("-")[0].lower(),
    }
