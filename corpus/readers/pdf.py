"""PDF: PDFium, Chromium's library, gives the lines of each page; here they become paragraphs that know their page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.errors import DocumentError
from corpus.extracted import Extracted
from corpus.readers.blocks import one_line
from corpus.sentences import LIST_MARK

MAX_PAGES = 10_000
"""Pages; the longest printed reports have 3,000, and a forged page tree can promise millions."""
EDGE_LINES = 2
"""Lines at the top and at the bottom of a page that may be running heads."""
LEAST_RUNNING = 3
"""Pages that must share a line before it is taken for a running head."""

_BREAK_HYPHEN = re.compile("(?<=\\S)[\u0002\u00ad\ufffe\u2010-]$")
_PAGE_NUMBER = re.compile(r"(?:page |p\. ?)?[\W_]*\d{1,4}[\W_]*(?:(?:of|/) ?\d{1,4})?", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_ENDS_SENTENCE = re.compile(r"[.!?:;。！？][\"'”’)\]]*$")
_STARTS_UNIT = re.compile(rf"(?:{LIST_MARK}|[A-HIVX]{{1,4}}\.)(?:\s|$)")
"""How an item begins, or a heading that is numbered with capitals; a mark may stand on a line of its own."""
_NUMBER = re.compile(r"\w+\.")
"""What may be a mark, or the end of a sentence."""
_FILE_NAME = re.compile(r"microsoft |untitled|.*\.(?:docx?|indd|pdf|tex|qxd|rtf|pptx?|xlsx?)$", re.IGNORECASE)
_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")


def read_pdf(data: bytes, path: Path) -> Extracted:
    """The text of a PDF, with the place where each page begins; running heads and page numbers are left out.

    Raises:
        DocumentError: It is damaged, encrypted, has too many pages, or holds pictures of text alone.
    """
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(data) as document:
            if len(document) > MAX_PAGES:
                raise DocumentError(f"{path} has {len(document):,} pages, {MAX_PAGES:,} are allowed. Split it.")
            pages = [_page_lines(document, number) for number in range(len(document))]
            metadata = _metadata(document.get_metadata_dict(skip_empty=True))
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise DocumentError(f"{path} is encrypted. Save it without a password.") from error
        raise DocumentError(f"{path} is damaged: {str(error).rstrip('.')}.") from error
    if not any(pages):
        raise DocumentError(
            f"{path} holds no text: its {len(pages):,} pages are pictures (a scan) or empty. Have them recognised "
            "(OCR), for example with ocrmypdf."
        )
    return assemble(without_running_heads(pages), metadata)


def _page_lines(document: Any, number: int) -> list[str]:  # noqa: ANN401 - pypdfium2 has no types
    page = document[number]
    try:
        text_page = page.get_textpage()
        try:
            text = text_page.get_text_range()
        finally:
            text_page.close()
    finally:
        page.close()
    # The mark of a hyphenated line end would be lost as a control character: it becomes a soft hyphen.
    marked = text.replace("\ufffe", "\u00ad").replace("\u0002", "\u00ad")
    return [line for line in map(one_line, marked.splitlines()) if line]


def _metadata(given: dict[str, str]) -> dict[str, str]:
    """Title and author where a person wrote them; the date of making is no publication date, and says so."""
    title = one_line(given.get("Title", ""))
    made = _DATE.match(given.get("CreationDate", ""))
    return {
        "title": "" if _FILE_NAME.match(title) else title,
        "author": one_line(given.get("Author", "")),
        "published_note": f"undated; the file was made on {'-'.join(made.groups())}" if made else "",
    }


def without_running_heads(pages: Sequence[list[str]]) -> list[list[str]]:
    """The lines of each page without page numbers, and without lines that half of the pages share at their edges."""

    def edges(lines: list[str]) -> Iterator[int]:
        yield from range(min(EDGE_LINES, len(lines)))
        yield from range(max(EDGE_LINES, len(lines) - EDGE_LINES), len(lines))

    shared = Counter(form for lines in pages for form in {_DIGITS.sub("#", lines[at]) for at in edges(lines)})
    least = max(LEAST_RUNNING, sum(map(bool, pages)) / 2)
    kept = []
    for lines in pages:
        dropped = {at for at in edges(lines) if shared[_DIGITS.sub("#", lines[at])] >= least}
        if len(pages) > 1 and lines:
            dropped |= {at for at in (0, len(lines) - 1) if _PAGE_NUMBER.fullmatch(lines[at])}
        kept.append([line for at, line in enumerate(lines) if at not in dropped])
    return kept


@dataclass
class _Writer:
    """The text so far, and where each page began."""

    parts: list[str] = field(default_factory=list)
    length: int = 0
    pages: list[int] = field(default_factory=list)

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)

    def begin_pages(self, count: int) -> None:
        self.pages.extend([self.length] * count)


def assemble(pages: Sequence[Sequence[str]], metadata: dict[str, str]) -> Extracted:
    """Paragraphs from lines, one a line of the text, also across pages; a page begins where its first word stands."""
    words = Counter(word for lines in pages for line in lines for word in _whole_words(line))
    writer = _Writer()
    before, width, empty = "", 0, 0
    for lines in pages:
        empty += not lines
        own = _usual_width(lines)
        for place, line in enumerate(lines):
            if before and goes_on(before, line, own if place else width):
                joint, before = _join(before, line, words)
                writer.write(before + joint)
            elif before:
                writer.write(before + "\n\n")
            if place == 0:  # pages without text begin where the next one does
                writer.begin_pages(empty + 1)
                empty = 0
            before = line
        width = own or width
    writer.write(before.rstrip("\u00ad"))
    writer.begin_pages(empty)
    return Extracted("".join(writer.parts), metadata, pages=tuple(writer.pages))


def _whole_words(line: str) -> list[str]:
    """The words of a line, hyphenated ones as one, without a first part at its end."""
    words = re.findall(r"\w+(?:-\w+)*", line.lower())
    return words[:-1] if _BREAK_HYPHEN.search(line) else words


def _usual_width(lines: Sequence[str]) -> int:
    """Characters of a full line: nine of ten are no longer."""
    lengths = sorted(map(len, lines))
    return lengths[len(lengths) * 9 // 10] if lengths else 0


def goes_on(line: str, following: str, width: int) -> bool:
    """Whether a paragraph goes on in the following line, where full lines have `width` characters."""
    ended = _ENDS_SENTENCE.search(line) is not None
    if _STARTS_UNIT.match(following):
        return _NUMBER.fullmatch(following) is not None and not ended and len(line) >= 0.7 * width
    if _is_mark(line) or (_BREAK_HYPHEN.search(line) and following[0].islower()):
        return True
    if following[0].islower():
        return not ended or len(line) >= 0.6 * width
    return len(line) >= (0.85 if ended else 0.7) * width


def _is_mark(line: str) -> bool:
    """Whether a line is the mark of an item and nothing else."""
    mark = _STARTS_UNIT.match(line)
    return mark is not None and mark.end() == len(line)


def _join(line: str, following: str, words: Counter[str]) -> tuple[str, str]:
    """What stands between two lines of a paragraph, and the first one without a hyphen that only breaks a word.

    The hyphen stays where the document has the hyphenated word elsewhere, or the first part as a word of its own.
    """
    if not (_BREAK_HYPHEN.search(line) and following[0].islower()):
        return " ", line.rstrip("\u00ad")
    stem = line[:-1]
    first, second = re.search(r"\w*$", stem), re.match(r"\w*", following)
    head, tail = (first[0].lower() if first else ""), (second[0].lower() if second else "")
    if words[head + tail] or not (words[f"{head}-{tail}"] or words[head]):
        return "", stem
    return "", f"{stem}-"
