# ruff: noqa: ANN401  the toy embedder is a class of conftest, which importlib mode does not let a test import
"""Formats and provenance as an index sees them: pages in citations, addresses in the status, no second extraction."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from corpus import CorpusError
from corpus.adding import add_sources
from corpus.extraction import Extractor
from corpus.loading import load_document
from corpus.provenance import Provenance, encode_provenance, provenance_path
from index import BuildSettings, Index, build, status
from index.generations import generation_folder, read_current
from index.nearest_copy import NearestCopy

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 2/Kids[4 0 R 6 0 R]>>endobj\n"
    b"3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    b"4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F 3 0 R>>>>/Contents 5 0 R>>endobj\n"
    b"5 0 obj<</Length 56>>stream\nBT /F 9 Tf 40 700 Td (The treaty was signed here.) Tj ET\nendstream endobj\n"
    b"6 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F 3 0 R>>>>/Contents 7 0 R>>endobj\n"
    b"7 0 obj<</Length 56>>stream\nBT /F 9 Tf 40 700 Td (The emperor opened a bridge.) Tj ET\nendstream endobj\n"
    b"trailer<</Root 1 0 R>>\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(PDF)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing")
    (folder / "b.txt").write_text("Plain words about missiles.")
    return folder


def test_a_pdf_is_extracted_once_and_its_citation_names_the_page(
    root: Path, tmp_path: Path, toy_embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qa.citations import cite
    from qa.evidence import Evidence

    report = build(root, tmp_path / "index", toy_embedder)
    assert report.added == ("a.pdf", "b.txt")
    assert [entry.path for entry in report.skipped] == ["broken.pdf"]
    index = Index.open(tmp_path / "index", toy_embedder)
    document = index.documents["a.pdf"]
    start = document.text.index("The emperor")
    words = document.text[start : start + 28]
    evidence = Evidence(document.path, start, start + 28, words, "", "", "", 1.0)
    found = cite([("A bridge was opened.", [evidence])], index, [])
    index.close()
    assert found.citations[0].quote == words
    assert found.citations[0].page == 2

    def never(*_: object) -> None:
        raise AssertionError("extracted again")

    # The marks are too new to be trusted, so the files are read and hashed: the same bytes are not extracted again.
    (root / "broken.pdf").unlink()
    monkeypatch.setattr(Extractor, "extract", never)
    assert status(root, tmp_path / "index").state == "current"
    assert not build(root, tmp_path / "index", toy_embedder).built


def test_what_status_extracts_is_there_for_the_build_and_for_a_move(
    root: Path, tmp_path: Path, toy_embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    (root / "a.pdf").rename(tmp_path / "a.pdf")
    build(root, folder, toy_embedder)
    (tmp_path / "a.pdf").rename(root / "a.pdf")
    assert status(root, folder).added == ("a.pdf",)

    def never(*_: object) -> None:
        raise AssertionError("extracted again")

    monkeypatch.setattr(Extractor, "_reply", never)
    assert build(root, folder, toy_embedder).added == ("a.pdf",)
    (root / "a.pdf").rename(root / "z.pdf")
    moved = build(root, folder, toy_embedder)
    assert (moved.renamed, moved.chunks_embedded) == ((("a.pdf", "z.pdf"),), 0)
    index = Index.open(folder, toy_embedder)
    assert index.documents["z.pdf"].pages == (0, 28)
    index.close()
    (root / "z.pdf").unlink()
    build(root, folder, toy_embedder)
    left = [path.read_bytes() for path in (folder / "extracted").iterdir()]
    assert all(b"broken.pdf" in content for content in left), "a fault is kept while its file is too new to be trusted"


def test_a_near_copy_is_told_before_it_is_added(tmp_path: Path, toy_embedder: Any) -> None:
    words = " ".join(f"word{number}" for number in range(300))
    root, folder = tmp_path / "corpus", tmp_path / "index"
    root.mkdir()
    (root / "a.txt").write_text(words)
    (root / "b.txt").write_text("Another document about the treaty of the sea.")
    new = [tmp_path / name for name in ("c.txt", "d.txt", "e.txt")]
    new[0].write_text(words.replace("word150", "term150"))
    new[1].write_text("A first report on the bridge over the river, and on who paid for it.")
    new[2].write_text("A first report on the bridge over the river, and on who paid for it!")
    build(root, folder, toy_embedder)
    for dry_run in (True, False):
        report = add_sources(new, root, dry_run=dry_run, nearest_copy=NearestCopy(folder))
        assert [(entry.path, entry.copy_of) for entry in report.added] == [
            ("added/c.txt", "a.txt"),
            ("added/d.txt", ""),
            ("added/e.txt", "added/d.txt"),
        ]
    assert build(root, folder, toy_embedder).copies == (("added/c.txt", "a.txt"), ("added/e.txt", "added/d.txt"))
    (generation_folder(folder, read_current(folder)) / "signatures.npy").write_bytes(b"")
    document = load_document(root / "a.txt", root)
    assert NearestCopy(folder)(document) == ""
    assert NearestCopy(tmp_path / "none")(document) == ""


def test_provenance_shows_in_the_status_and_its_change_is_seen(root: Path, tmp_path: Path, toy_embedder: Any) -> None:
    document = root / "b.txt"
    beside = provenance_path(document)
    said = Provenance(
        "https://example.org/b", "https://example.org/b", "2026-11-22T03:00:00+00:00",
        hashlib.sha256(document.read_bytes()).hexdigest(),
    )  # fmt: skip
    build(root, tmp_path / "index", toy_embedder)
    beside.write_bytes(encode_provenance(said))
    report = build(root, tmp_path / "index", toy_embedder)
    assert report.changed == ("b.txt",)
    found = status(root, tmp_path / "index")
    assert found.fetched == (("b.txt", "https://example.org/b", "2026-11-22T03:00:00+00:00"),)
    assert found.to_json()["fetched"][0]["url"] == "https://example.org/b"
    beside.unlink()
    assert build(root, tmp_path / "index", toy_embedder).changed == ("b.txt",)


def test_two_thousand_tiny_files(tmp_path: Path, toy_embedder: Any) -> None:
    root = tmp_path / "corpus"
    for number in range(2000):
        path = root / f"{number % 50:02d}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Report {number} is about number {number * 7919}.")
    report = build(root, tmp_path / "index", toy_embedder)
    assert report.documents == 2000
    assert not build(root, tmp_path / "index", toy_embedder).built


def test_a_folder_of_too_many_files_is_refused_and_what_serves_serves_on(tmp_path: Path, toy_embedder: Any) -> None:
    root, folder = tmp_path / "corpus", tmp_path / "index"
    root.mkdir()
    for number in range(5):
        (root / f"{number}.txt").write_text(f"Report {number}.")
    name = build(root, folder, toy_embedder, BuildSettings(max_files=5)).generation
    (root / "5.txt").write_text("Report 5.")
    with pytest.raises(CorpusError, match=r"more than 5 files.*--corpus"):
        build(root, folder, toy_embedder, BuildSettings(max_files=5))
    index = Index.open(folder, toy_embedder)
    assert index.generation == name
    index.close()
