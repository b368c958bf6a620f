"""Documents that are removed and brought back."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.adding import add_sources
from corpus.errors import CorpusError
from corpus.loading import find_documents
from corpus.provenance import provenance_path
from corpus.removing import TRASH, remove_document, removed_documents, restore_document


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    root = tmp_path / "corpus"
    (root / "a").mkdir(parents=True)
    (root / "a" / "one.md").write_text("One.")
    (root / "two.txt").write_text("Two.")
    return root


def paths(corpus: Path) -> list[str]:
    return [file.relative_to(corpus).as_posix() for file in find_documents(corpus)]


def test_a_removed_document_is_gone_and_comes_back(corpus: Path) -> None:
    provenance_path(corpus / "a" / "one.md").write_text("{}")
    removed = remove_document(corpus, "a/one.md")
    assert removed.path == "a/one.md"
    assert paths(corpus) == ["two.txt"]
    assert not provenance_path(corpus / "a" / "one.md").exists()
    assert removed_documents(corpus) == [removed]
    assert restore_document(corpus, removed.key) == "a/one.md"
    assert (corpus / "a" / "one.md").read_text() == "One."
    assert provenance_path(corpus / "a" / "one.md").read_text() == "{}"
    assert removed_documents(corpus) == []
    assert list((corpus / TRASH).iterdir()) == []


def test_the_same_document_can_be_removed_twice_and_the_last_is_first(corpus: Path) -> None:
    first = remove_document(corpus, "two.txt")
    (corpus / "two.txt").write_text("Two again.")
    second = remove_document(corpus, "two.txt")
    assert removed_documents(corpus) == [second, first]
    restore_document(corpus, second.key)
    assert (corpus / "two.txt").read_text() == "Two again."
    with pytest.raises(CorpusError, match="Another document"):
        restore_document(corpus, first.key)
    assert (corpus / "two.txt").read_text() == "Two again."
    assert removed_documents(corpus) == [first]


@pytest.mark.parametrize("path", ["none.md", "../two.txt", "a", "", "/etc/passwd", ".removed/x"])
def test_what_is_no_document_is_not_removed(corpus: Path, path: str) -> None:
    with pytest.raises(CorpusError, match="There is no document"):
        remove_document(corpus, path)
    assert paths(corpus) == ["a/one.md", "two.txt"]


@pytest.mark.parametrize("key", ["", "..", "../..", "none", "/"])
def test_what_was_not_removed_is_not_brought_back(corpus: Path, key: str) -> None:
    remove_document(corpus, "two.txt")
    with pytest.raises(CorpusError, match="not among the removed"):
        restore_document(corpus, key)


def test_what_was_removed_is_no_obstacle_to_adding_it_again(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "two.txt").write_text("Two.")
    remove_document(corpus, "two.txt")
    assert len(add_sources([tmp_path / "two.txt"], corpus).added) == 1
