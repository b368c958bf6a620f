# ruff: noqa: ANN401  the fixtures are of classes that importlib mode does not let a test import
"""What was extracted once is not extracted again, and is never taken for something else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpus.adding import add_sources
from corpus.errors import DocumentError, PassingDocumentError
from corpus.extraction import ExtractionLimits, Extractor
from corpus.extraction_cache import ExtractionCache, hash_data
from corpus.loading import load_document

PAGE = b"<html><body><article><p>A fine page about the bridge over the river.</p></article></body></html>"


class Counting(Extractor):
    """Counts the files that a process was asked to read."""

    asked = 0

    def _reply(self, data: bytes, path: Path) -> dict[str, Any]:
        self.asked += 1
        return super()._reply(data, path)


@pytest.fixture
def cached(tmp_path: Path) -> Iterator[Counting]:
    with Counting(cache=ExtractionCache(tmp_path / "index" / "extracted")) as extractor:
        yield extractor


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "corpus" / "page.html"
    path.parent.mkdir()
    path.write_bytes(PAGE)
    return path


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "index" / "extracted").iterdir())


def test_the_same_bytes_are_extracted_once_wherever_they_are(
    tmp_path: Path, page: Path, cached: Counting, made: Any
) -> None:
    first = load_document(page, page.parent, extractor=cached)
    with Extractor() as without:
        assert load_document(page, page.parent, extractor=without) == first
    moved = page.rename(page.with_name("moved.html"))
    second = load_document(moved, page.parent, extractor=cached)
    assert (second.text, second.path, cached.asked) == (first.text, "moved.html", 1)
    report = page.with_name("a.pdf")
    report.write_bytes(made.pdf([["One page."], ["Another page."]]))
    assert load_document(report, page.parent, extractor=cached) == load_document(report, page.parent, extractor=cached)
    assert cached.asked == 2
    as_text = page.with_name("page.htm")
    as_text.write_bytes(PAGE)
    load_document(as_text, page.parent, extractor=cached)
    assert cached.asked == 3, "another ending may mean another reader"


def test_every_altered_byte_is_noticed(tmp_path: Path, page: Path, cached: Counting) -> None:
    said = load_document(page, page.parent, extractor=cached)
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    for place in range(0, len(whole), 61):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        asked = cached.asked
        assert load_document(page, page.parent, extractor=cached) == said
        assert cached.asked == asked + 1
        assert file.read_bytes() == whole
    for length in (0, 10, 64, 65, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert load_document(page, page.parent, extractor=cached) == said


def test_a_fault_is_kept_for_its_path_and_limits(tmp_path: Path, page: Path, cached: Counting) -> None:
    page = page.with_name("a.pdf")
    page.write_bytes(b"%PDF-1.4\nnothing")

    def fault(path: Path, extractor: Extractor) -> str:
        with pytest.raises(DocumentError) as raised:
            load_document(path, page.parent, extractor=extractor)
        return str(raised.value)

    said = fault(page, cached)
    assert fault(page, cached) == said
    assert cached.asked == 1
    assert "other.pdf" in fault(page.rename(page.with_name("other.pdf")), cached)
    assert cached.asked == 2
    with Counting(ExtractionLimits(seconds=50), ExtractionCache(tmp_path / "index" / "extracted")) as patient:
        fault(page.with_name("other.pdf"), patient)
        assert patient.asked == 1


def test_what_may_pass_is_not_kept(tmp_path: Path, page: Path, made: Any) -> None:
    path = page.with_name("a.pdf")
    path.write_bytes(made.pdf([[f"The {'fowl' * (number + 1)} flew."] for number in range(300)]))
    cache = ExtractionCache(tmp_path / "index" / "extracted")
    with Extractor(ExtractionLimits(patience=0.05), cache) as impatient, pytest.raises(PassingDocumentError):
        load_document(path, page.parent, extractor=impatient)
    with Extractor(cache=cache) as patient:
        assert len(load_document(path, page.parent, extractor=patient).pages) == 300


def test_other_code_reads_again(tmp_path: Path, page: Path, cached: Counting) -> None:
    load_document(page, page.parent, extractor=cached)
    other = ExtractionCache(tmp_path / "index" / "extracted")
    other.__dict__["_code"] = "0" * 16
    with Counting(cache=other) as extractor:
        load_document(page, page.parent, extractor=extractor)
        assert extractor.asked == 1


def test_only_what_is_held_or_was_just_used_stays(tmp_path: Path, page: Path, cached: Counting) -> None:
    for number in range(3):
        page.write_bytes(PAGE.replace(b"river", b"river %d" % number))
        load_document(page, page.parent, extractor=cached)
    (tmp_path / "index" / "extracted" / ".77-left-by-a-killed-process").touch()
    first = hash_data(PAGE.replace(b"river", b"river 0"))
    later = ExtractionCache(tmp_path / "index" / "extracted")
    with Extractor(cache=later) as extractor:
        load_document(page, page.parent, extractor=extractor)
    later.keep_only({first})
    assert {path.name.partition("-")[0] for path in kept(tmp_path)} == {first, hash_data(page.read_bytes())}
    ExtractionCache(tmp_path / "none").keep_only(set())


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path, page: Path, cached: Counting) -> None:
    (tmp_path / "index").mkdir(mode=0o500)
    assert load_document(page, page.parent, extractor=cached) == load_document(page, page.parent, extractor=cached)


def test_a_file_in_place_of_the_folder_costs_time_only(tmp_path: Path, page: Path, cached: Counting) -> None:
    (tmp_path / "index").write_text("")
    load_document(page, page.parent, extractor=cached)
    load_document(page, page.parent, extractor=cached)
    assert cached.asked == 2


def test_adding_extracts_for_the_build_that_follows(tmp_path: Path, page: Path, cached: Counting) -> None:
    corpus = tmp_path / "other"
    corpus.mkdir()
    cache = tmp_path / "index" / "extracted"
    assert [entry.path for entry in add_sources([page], corpus, extracted=cache).added] == ["added/page.html"]
    load_document(corpus / "added" / "page.html", corpus, extractor=cached)
    assert cached.asked == 0
    assert json.loads(kept(tmp_path)[0].read_bytes().partition(b"\n")[2])["reply"]["text"]
