"""Readers of the formats that are more than plain text. They run in a process of their own: see `corpus.extraction`."""

from corpus.readers.docx import read_docx
from corpus.readers.eml import read_eml
from corpus.readers.epub import read_epub
from corpus.readers.html import read_html
from corpus.readers.kinds import check_kind
from corpus.readers.pdf import read_pdf

__all__ = ["check_kind", "read_docx", "read_eml", "read_epub", "read_html", "read_pdf"]
