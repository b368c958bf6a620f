"""Web pages: trafilatura finds the main text among menus and advertisements, and what the page says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import DocumentError
from corpus.extracted import Extracted
from corpus.readers.blocks import blocks_of, join_blocks

if TYPE_CHECKING:
    from lxml.etree import _Element

LAST_DATE = "2100-01-01"
"""Later dates are no publication dates. Fixed, for trafilatura would take today, and one file would change its date."""
LEAST_SHARE = 0.02
"""Of the page's letters: less main text than this is a page that trafilatura misread, and the whole page is taken."""

NEARLY_ALL = 0.95
"""Share from which on there was nothing to leave out, and the page's own paragraphs are kept as they are."""

_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE
)


def read_html(data: bytes, path: Path) -> Extracted:
    """The main text of a page with its headings, lists and tables, and its title, author, publisher and date.

    Raises:
        DocumentError: The page cannot be parsed, or holds no text.
    """
    return extract_page(decode_page(data), path)


def extract_page(page: str, path: Path, metadata: Mapping[str, Any] | None = None) -> Extracted:
    """As `read_html`; `metadata` stands above what the page says of itself."""
    from lxml import html
    from trafilatura import bare_extraction

    try:
        tree = html.document_fromstring(page.encode("utf-8", "replace"), parser=html.HTMLParser(encoding="utf-8"))
    except (ValueError, html.etree.LxmlError) as error:
        raise DocumentError(f"{path} cannot be read as HTML: {' '.join(str(error).split())[:200]}.") from error
    language = (tree.get("lang") or "").split("-")[0].strip().lower()
    whole = join_blocks(blocks_of(_body(tree)), {})
    found = bare_extraction(
        tree,
        include_comments=False,
        include_tables=True,
        with_metadata=True,
        date_extraction_params={"original_date": True, "extensive_search": False, "max_date": LAST_DATE},
    )
    about: dict[str, Any] = {}
    extracted = whole
    if found is not None and not isinstance(found, dict):
        about = {
            "title": found.title,
            "author": found.author,
            "publisher": found.sitename,
            "published": found.date,
            "url": found.url,
        }
        main = join_blocks(blocks_of(found.body), {})
        if LEAST_SHARE <= len(main.text) / max(1, len(whole.text)) < NEARLY_ALL:
            extracted = main
    title = tree.findtext(".//title")
    about = {"title": title, "language": language, **{name: value for name, value in about.items() if value}}
    return Extracted(extracted.text, {**about, **(metadata or {})}, headings=extracted.headings)


def _body(tree: _Element) -> _Element:
    body = tree.find(".//body")
    return tree if body is None else body


def decode_page(data: bytes) -> str:
    """Text of a page: by its byte order mark, as UTF-8, by the encoding that it declares, and at last by a guess."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    declared = _DECLARED.search(data[:4096])
    for encoding in ("utf-8", declared[1].decode("ascii") if declared else ""):
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    text = data.decode("utf-8", "replace")
    if text.count("\ufffd") * 2 <= sum(character > "\x7f" for character in text):
        return text  # UTF-8 with some damage; in another encoding nearly every letter beyond ASCII would be damaged
    from charset_normalizer import from_bytes

    guess = from_bytes(data[: 2**20]).best()
    return data.decode(guess.encoding if guess else "utf-8", "replace")
