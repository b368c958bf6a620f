"""Files of every format, written byte by byte, so that the tests need no library to make them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence

import pytest

from corpus.extraction import Extractor

PAGE = """<!doctype html><html lang="en-GB"><head><title>The bridge - The Daily</title>
<meta property="og:title" content="The bridge"><meta property="og:site_name" content="The Daily">
<meta name="author" content="Ann Smith"><meta property="article:published_time" content="2024-05-06T10:00:00Z"></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/w">World</a></li></ul></nav><article><h1>The bridge</h1>
<p>The minister opened a bridge on Monday, and said that it had cost 12&nbsp;million dollars in all.
It will carry 4,000 cars a day.</p><h2>Why it matters</h2><p>The old bridge was closed in 2019 after an inspection
found cracks in three of its five pillars, which <b>could not</b> be mended by the city's own engineers.</p>
<table><tr><th>Year</th><th>Cars</th></tr><tr><td>2019</td><td>3000</td></tr></table></article>
<footer>Copyright, terms, cookies</footer></body></html>"""


class MadeFiles:
    """Makes the bytes of small files."""

    page = PAGE

    @staticmethod
    def pdf(pages: Sequence[Sequence[str]], info: str = "", more: str = "") -> bytes:
        """A PDF with one line of Helvetica a string; `more` are further objects."""
        kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(len(pages)))
        objects = {
            1: "<< /Type /Catalog /Pages 2 0 R >>",
            2: f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
            3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            4: f"<< {info} >>",
        }
        for number, lines in enumerate(pages):
            shown = "".join(
                "({}) Tj T* ".format(line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)"))
                for line in lines
            )
            content = f"BT /F1 11 Tf 14 TL 60 760 Td {shown}ET"
            objects[10 + 2 * number] = (
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> "
                f"/Contents {11 + 2 * number} 0 R >>"
            )
            objects[11 + 2 * number] = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
        return MadeFiles.pdf_of(objects, more)

    @staticmethod
    def pdf_of(objects: Mapping[int, str], more: str = "", root: int = 1) -> bytes:
        """A PDF of these objects, with a table of where they are."""
        out = bytearray(b"%PDF-1.4\n")
        places = {}
        for number, body in objects.items():
            places[number] = len(out)
            out += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
        start = len(out)
        out += b"xref\n0 1\n0000000000 65535 f \n"
        for number, place in places.items():
            out += f"{number} 1\n{place:010d} 00000 n \n".encode()
        out += f"trailer\n<< /Size {max(places) + 1} /Root {root} 0 R /Info 4 0 R {more} >>\n".encode()
        out += f"startxref\n{start}\n%%EOF\n".encode()
        return bytes(out)

    @staticmethod
    def archive(files: Mapping[str, str | bytes]) -> bytes:
        """A ZIP archive."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    @staticmethod
    def docx(paragraphs: Sequence[tuple[str, str]], **more: str | bytes) -> bytes:
        """A Word document of (style, text) paragraphs."""
        w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
        body = "".join(
            f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'
            for style, text in paragraphs
        )
        inserted = (
            "<w:p><w:ins w:id='1'><w:r><w:t>Inserted words stay.</w:t></w:r></w:ins>"
            "<w:del w:id='2'><w:r><w:delText>Deleted words go.</w:delText></w:r></w:del></w:p>"
        )
        styles = "".join(
            f'<w:style w:type="paragraph" w:styleId="Heading{n}"><w:name w:val="heading {n}"/></w:style>'
            for n in (1, 2)
        )
        package = "http://schemas.openxmlformats.org/package/2006"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        return MadeFiles.archive(
            {
                "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
                'ContentType="application/xml"/></Types>',
                "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                f'Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
                "word/document.xml": f"<w:document {w}><w:body>{body}{inserted}</w:body></w:document>",
                "word/styles.xml": f"<w:styles {w}>{styles}</w:styles>",
                "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship '
                f'Id="r1" Type="{office}/styles" Target="styles.xml"/></Relationships>',
                "docProps/core.xml": '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/'
                'metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
                'xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>The report</dc:title><dc:creator>Bo Li'
                "</dc:creator><dcterms:created>2023-02-01T09:00:00Z</dcterms:created></cp:coreProperties>",
                **more,
            }
        )

    @staticmethod
    def epub(chapters: Mapping[str, str], **more: str | bytes) -> bytes:
        """A book of XHTML chapters by file name, read in reverse order of their names."""
        items = "".join(
            f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in sorted(chapters)
        )
        spine = "".join(f'<itemref idref="{name}"/>' for name in sorted(chapters, reverse=True))
        return MadeFiles.archive(
            {
                "mimetype": "application/epub+zip",
                "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
                '<rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
                "OPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
                'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The book</dc:title>'
                "<dc:creator>Cy Ng</dc:creator><dc:publisher>The Press</dc:publisher>"
                "<dc:date>2020-03-04</dc:date><dc:language>en-US</dc:language>"
                f"</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
                **{f"OPS/{name}": content for name, content in chapters.items()},
                **more,
            }
        )

    @staticmethod
    def zeros(size: int) -> bytes:
        """A zlib stream of `size` zero bytes, a thousandth of that long."""
        packer = zlib.compressobj(9)
        block = bytes(2**20)
        return b"".join([*(packer.compress(block) for _ in range(size // 2**20)), packer.flush()])


@pytest.fixture(scope="session")
def made() -> type[MadeFiles]:
    return MadeFiles


@pytest.fixture(scope="session")
def extractor() -> Iterator[Extractor]:
    """One process for the files of many tests."""
    with Extractor() as shared:
        yield shared
