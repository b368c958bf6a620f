# ruff: noqa: ANN401  the class that makes files is one of conftest, which importlib mode does not let a test import
"""Files made to do harm: each is skipped with a reason or read within the limits, and the next file is read."""

from __future__ import annotations

import os
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from corpus import Document, DocumentError, document_sentences, find_documents, load_document
from corpus.errors import PassingDocumentError
from corpus.extraction import ExtractionLimits, Extractor
from corpus.loading import MAX_BYTES, READERS

FINE = b"<html><body><p>A fine page with some words.</p></body></html>"


def load(folder: Path, name: str, data: bytes, extractor: Extractor) -> Document:
    path = folder / name
    path.write_bytes(data)
    return load_document(path, folder, extractor=extractor)


def refused(folder: Path, name: str, data: bytes, extractor: Extractor) -> str:
    """Why a file is refused; a fine one is read after it."""
    with pytest.raises(DocumentError) as fault:
        load(folder, name, data, extractor)
    assert "fine page" in load(folder, "fine.html", FINE, extractor).text
    assert name in str(fault.value)
    return str(fault.value)


@pytest.mark.parametrize("name", ["a.docx", "a.epub"])
def test_archives_that_promise_too_much(tmp_path: Path, made: Any, extractor: Extractor, name: str) -> None:
    bomb = bytes(2**20)
    more = {f"x{number}": bomb for number in range(300)}
    data = made.docx([], **more) if name == "a.docx" else made.epub({}, **more)
    assert len(data) < 2**21
    assert "decompression bomb" in refused(tmp_path, name, data, extractor)


def test_an_archive_that_lies_about_its_size(tmp_path: Path, made: Any, extractor: Extractor) -> None:
    data = bytearray(made.docx([], **{"word/document.xml": b" " * 200 * 2**20}))
    entry = next(e for e in zipfile.ZipFile(BytesIO(data)).infolist() if e.filename == "word/document.xml")
    size = struct.pack("<I", entry.file_size)
    assert data.count(size) == 2  # beside the file, and in the directory
    data = data.replace(size, struct.pack("<I", 1000))
    assert "damaged" in refused(tmp_path, "a.docx", bytes(data), extractor)


def test_an_archive_of_very_many_files(tmp_path: Path, made: Any, extractor: Extractor) -> None:
    data = made.epub({}, **{f"x{number}": "" for number in range(10_001)})
    assert "10,000" in refused(tmp_path, "a.epub", data, extractor)


def test_entities_that_multiply(tmp_path: Path, made: Any, extractor: Extractor) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    document = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]><x>&l11;</x>'
    refused(tmp_path, "a.docx", made.docx([], **{"word/document.xml": document}), extractor)
    refused(tmp_path, "a.epub", made.epub({}, **{"OPS/book.opf": document}), extractor)
    outside = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
    refused(tmp_path, "a.docx", made.docx([], **{"word/document.xml": outside}), extractor)


def test_html_that_is_nested_without_end(tmp_path: Path, extractor: Extractor) -> None:
    page = b"<html><body><p>Words above.</p>" + b"<div>" * 200_000 + b"deep" + b"</div>" * 200_000
    try:
        assert "Words above" in load(tmp_path, "a.html", page, extractor).text
    except DocumentError as fault:
        assert "a.html" in str(fault)
    assert load(tmp_path, "fine.html", FINE, extractor)


def test_a_pdf_whose_pages_and_streams_go_round(tmp_path: Path, made: Any, extractor: Extractor) -> None:
    itself = "<< /XObject << /X 6 0 R >> >>"
    loop = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: "<< /Type /Pages /Count 3 /Kids [2 0 R 5 0 R 2 0 R] >>",
        4: "<< /Title 4 0 R >>",
        5: f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 6 0 R /Resources {itself} >>",
        6: f"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources {itself} /Length 7 0 R >>\n"
        "stream\n/X Do\nendstream",
        7: "7 0 R",
    }
    refused(tmp_path, "a.pdf", made.pdf_of(loop), extractor)
    many = {1: loop[1], 2: "<< /Type /Pages /Count 2000000000 /Kids [5 0 R] >>", 4: "<< >>", 5: "<< /Type /Page >>"}
    refused(tmp_path, "b.pdf", made.pdf_of(many), extractor)


def test_a_pdf_stream_that_unpacks_to_gigabytes(tmp_path: Path, made: Any) -> None:
    packed = made.zeros(2**29)
    before, mark, rest = made.pdf([["Words"]]).partition(b"11 0 obj\n")
    after = rest[rest.index(b"\nendobj") :]
    bomb = b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed) + packed + b"\nendstream"
    with Extractor(ExtractionLimits(seconds=5, memory=400 * 2**20)) as small:
        refused(tmp_path, "a.pdf", before + mark + bomb + after, small)


def test_time_and_memory_end_the_process_and_not_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Any
) -> None:
    with Extractor(ExtractionLimits(seconds=1, memory=400 * 2**20)) as small:
        big = b"<html><body>" + b"<p>a<b>b</b></p>" * 1_000_000
        said = refused(tmp_path, "a.html", big, small)
        assert "400 MiB" in said or "within 1 seconds" in said or "cannot be read as HTML" in said
    with Extractor(ExtractionLimits(patience=0.01)) as impatient:
        path = tmp_path / "a.pdf"
        path.write_bytes(made.pdf([["Text"]] * 2000))
        with pytest.raises(PassingDocumentError, match="Build again"):
            load_document(path, tmp_path, extractor=impatient)
    with Extractor(ExtractionLimits(characters=10)) as short, pytest.raises(DocumentError, match="10 are allowed"):
        load(tmp_path, "b.html", FINE, short)


def test_the_process_is_bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOSSIER_TEST_SECRET", "secret")
    with Extractor() as extractor:
        load(tmp_path, "fine.html", FINE, extractor)
        assert extractor._process is not None
        process = Path(f"/proc/{extractor._process.pid}")
        assert b"DOSSIER_TEST_SECRET" not in (process / "environ").read_bytes()
        limits = (process / "limits").read_text()
        assert f"Max address space         {2**30}" in limits
        assert "Max file size             0 " in limits
        assert not next(process.glob("task/*/children")).read_text()
    assert not process.exists()


def test_a_hundred_megabytes_of_one_line(tmp_path: Path, extractor: Extractor) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(DocumentError, match="100,000,000 bytes"):
        load_document(path, tmp_path)
    assert MAX_BYTES < 100_000_000
    with pytest.raises(DocumentError, match="characters"):
        load(tmp_path, "b.txt", b"x" * 10_000_001, extractor)
    line = load(tmp_path, "c.txt", b"word " * 40_000, extractor)
    assert max(sentence.end - sentence.start for sentence in document_sentences(line)) <= 1200


@pytest.mark.parametrize("ending", sorted(READERS))
def test_bytes_without_sense(tmp_path: Path, extractor: Extractor, ending: str) -> None:
    forged = (b"%PDF-1.7\n\x00\xff", b"PK\x03\x04" + b"\x00" * 99)
    for data in (bytes(range(256)) * 50, b"\x00" * 5000, b"\xff" * 5000, *forged):
        try:
            document = load(tmp_path, f"a{ending}", data, extractor)
        except DocumentError as fault:
            assert f"a{ending}" in str(fault)
        else:
            assert document.text.encode("utf-8")
            assert "\x00" not in document.text


def test_marks_that_turn_text_round_and_invalid_unicode(tmp_path: Path, extractor: Extractor) -> None:
    page = "<p>pay \u202e001\u202c dollars\u2066!\u2069 &#xD800;&#0;&#x202E;</p>".encode() + b"\xed\xa0\x80 end"
    document = load(tmp_path, "a.html", page, extractor)
    assert not set(document.text) & set("\u202e\u202c\u2066\u2069\x00")
    assert document.text.encode("utf-8").decode() == document.text
    assert "pay 001 dollars!" in document.text
    assert load(tmp_path, "b.txt", "a\x00b \u202ec".encode(), extractor).text == "ab c"


def test_names_that_are_traps(tmp_path: Path, extractor: Extractor) -> None:
    long = "x" * 250 + ".html"
    assert load(tmp_path, long, FINE, extractor).path == long
    for raw in (b"a\nb.html", b"a\xff.html", "a\u202eb.html".encode(), b"a\x1b[31m.html"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw))
        path.write_bytes(FINE)
        with pytest.raises(DocumentError, match=r"UTF-8|cannot be shown"):
            load_document(path, tmp_path, extractor=extractor)
    (tmp_path / "sub").mkdir()
    with pytest.raises(DocumentError, match="leaves the corpus"):
        load_document(tmp_path / "sub" / ".." / long, tmp_path, extractor=extractor)


def test_provenance_is_never_followed_out_of_the_corpus(tmp_path: Path, extractor: Extractor) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text('{"address": "https://example.org/"}')
    root = tmp_path / "corpus"
    root.mkdir()
    (root / "a.html").write_bytes(FINE)
    (root / "a.html.provenance.json").symlink_to(outside)
    assert [path.name for path in find_documents(root)] == ["a.html"]
    with pytest.raises(DocumentError, match="symbolic link out of the corpus"):
        load_document(root / "a.html", root, extractor=extractor)
