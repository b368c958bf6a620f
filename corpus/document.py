"""The values that a corpus is made of: documents, sentences and chunks, all cut from one normalised text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""Start and end in code points of `Document.text`, end exclusive."""


@dataclass(frozen=True, slots=True)
class Document:
    """One source. Every offset in Dossier points into `text`, which is normalised once, on loading."""

    path: str
    """Relative to the corpus folder, with forward slashes; the name that citations and question sets use."""
    text: str
    content_hash: str
    """sha256 (hex) of the normalised text and the metadata that answers show."""
    title: str
    kind: str = ""
    author: str = ""
    publisher: str = ""
    published: str = ""
    """ISO date, or empty where the source gives none."""
    published_note: str = ""
    url: str = ""
    retrieved: str = ""
    """When it was fetched from `url` (UTC, ISO 8601), or empty for a document that came as a file."""
    language: str = ""
    licence: str = ""
    about_title: str = ""
    about_publisher: str = ""
    about_date: str = ""
    """`about_document` of the front matter: the public document that a brief describes."""
    headings: tuple[Span, ...] = ()
    """Lines of `text` that are section headings, without their marks."""
    pages: tuple[int, ...] = ()
    """Where each page starts in `text`, for paged formats; page n is `pages[n - 1]`."""

    copy_of: str = ""
    """`path` of the document that this one nearly repeats, filled in by the index; retrieval counts both once."""

    def page_of(self, offset: int) -> int | None:
        """Page number (from 1) that holds `offset`, or None in a format without pages."""
        if not self.pages:
            return None
        return max(1, sum(start <= offset for start in self.pages))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a heading or list line that stands for one: `document.text[start:end]`."""

    start: int
    end: int
    section: str = ""
    """Text of the heading above it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences, the unit of retrieval."""

    id: str
    """Hash of document path, text and section, so a rebuild of unchanged text keeps it."""
    document: str
    """`Document.path`."""
    start: int
    end: int
    section: str = ""
    sentences: tuple[Span, ...] = field(default=())
    """The sentences inside, as offsets into the document's text."""
