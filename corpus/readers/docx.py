"""Word documents: mammoth turns paragraphs, headings, lists, tables and footnotes into plain HTML."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from corpus.errors import DocumentError
from corpus.extracted import Extracted
from corpus.readers.archive import find_texts, open_archive, parse_xml, read_entry
from corpus.readers.blocks import blocks_of, join_blocks

CORE = "docProps/core.xml"


def read_docx(data: bytes, path: Path) -> Extracted:
    """The text of a document as it would be printed with all changes accepted; pictures and comments are left out.

    Raises:
        DocumentError: It is damaged, encrypted or too large, or no Word document.
    """
    import mammoth
    from lxml import html

    with open_archive(data, path) as archive:
        names = set(archive.namelist())
        if "word/document.xml" not in names:
            raise DocumentError(f"{path} is a ZIP archive, but no Word document. It is damaged, or has a wrong ending.")
        read_entry(archive, "word/document.xml", path)
        metadata = _metadata(read_entry(archive, CORE, path), path) if CORE in names else {}
        try:
            page = mammoth.convert_to_html(
                io.BytesIO(data), convert_image=mammoth.images.img_element(lambda image: {}), external_file_access=False
            ).value
        except (ValueError, KeyError, AttributeError, TypeError, SyntaxError) as error:
            raise DocumentError(f"{path} is damaged: {' '.join(str(error).split())[:200]}.") from error
    if not page.strip():
        raise DocumentError(f"{path} holds no text.")
    tree = html.fragment_fromstring(page, create_parent="body")
    return join_blocks(blocks_of(tree), metadata)


def _metadata(core: bytes, path: Path) -> dict[str, Any]:
    """Title and author; the date of making is no publication date, and says so."""
    tree = parse_xml(core, path)
    found = {name: next(iter(find_texts(tree, name)), "") for name in ("title", "creator", "language", "created")}
    created = found["created"][:10]
    return {
        "title": found["title"],
        "author": found["creator"],
        "language": found["language"].split("-")[0].lower(),
        "published_note": f"undated; the file was made on {created}" if created else "",
    }
