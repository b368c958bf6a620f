import os
from pathlib import Path

import pytest

from corpus import CorpusError, DocumentError, find_documents, load_document
from corpus.loading import read_file

SHIPPED = Path(__file__).resolve().parents[2] / "corpus" / "documents"

BRIEF = """---
title: 'A title: with a colon'
kind: brief
published: 2024-07-28
about_document:
  title: Joint statement
  publisher: Ministry
  date: '2024-07-28'
sources:
- one
---

# A title

First\u00a0line.\r
## Size ##

```
# not a heading
```
"""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_front_matter_becomes_fields_and_leaves_the_text(tmp_path: Path) -> None:
    document = load_document(write(tmp_path, "briefs/a.md", BRIEF), tmp_path)
    assert document.path == "briefs/a.md"
    assert document.title == "A title: with a colon"
    assert document.published == "2024-07-28"
    assert (document.about_title, document.about_publisher, document.about_date) == (
        "Joint statement",
        "Ministry",
        "2024-07-28",
    )
    assert document.text.startswith("# A title\n\nFirst line.\n")
    assert [document.text[start:end] for start, end in document.headings] == ["A title", "Size"]


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("a.txt", "A short first line\nand more.", "A short first line"),
        ("a.md", "## Marked\n\nText.", "Marked"),
        ("two_plus-two.txt", "x" * 400, "two plus two"),
        ("b.md", "---\ntitle:\n---\nText.", "Text."),
    ],
)
def test_title_of_a_document_without_one(tmp_path: Path, name: str, content: str, title: str) -> None:
    assert load_document(write(tmp_path, name, content), tmp_path).title == title


def test_hash_follows_what_is_shown_and_not_the_file_form(tmp_path: Path) -> None:
    one = load_document(write(tmp_path, "a.md", "---\ntitle: T\n---\nText.\n"), tmp_path)
    same = load_document(write(tmp_path, "b.md", b"---\r\ntitle: 'T'\r\nsources: [x]\r\n---\r\nText."), tmp_path)
    other = load_document(write(tmp_path, "c.md", "---\ntitle: U\n---\nText.\n"), tmp_path)
    assert one.content_hash == same.content_hash != other.content_hash


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"caf\xe9", "not UTF-8"),
        ("a.txt", b"", "no text"),
        ("a.txt", "\u00a0\n---\n", "no text"),
        ("a.jpg", b"\xff\xd8", "does not read"),
        ("a.md", "---\ntitle: [\n---\nText", "not valid YAML"),
        ("a.md", "---\n" + "a: b\n" * 20_000 + "---\nText", "allowed"),
        ("a\nb.txt", "Text", "cannot be shown"),
        ("a\u202eb.txt", "Text", "cannot be shown"),
    ],
)
def test_bad_files_are_refused_with_a_reason(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(DocumentError, match=message):
        load_document(path, tmp_path)


def test_yaml_cannot_make_objects(tmp_path: Path) -> None:
    path = write(tmp_path, "a.md", "---\ntitle: !!python/object/apply:os.getcwd []\n---\nText")
    with pytest.raises(DocumentError, match="not valid YAML"):
        load_document(path, tmp_path)


def test_symbolic_links_out_of_the_corpus_are_refused(tmp_path: Path) -> None:
    secret = write(tmp_path, "secret.txt", "Secret")
    root = tmp_path / "corpus"
    write(root, "a.txt", "Text")
    (root / "link.txt").symlink_to(secret)
    (root / "inner.txt").symlink_to(root / "a.txt")
    (root / "folder").symlink_to(tmp_path)
    assert [path.name for path in find_documents(root)] == ["a.txt", "inner.txt", "link.txt"]
    assert load_document(root / "inner.txt", root).text == "Text"
    with pytest.raises(DocumentError, match="symbolic link out of the corpus"):
        load_document(root / "link.txt", root)
    with pytest.raises(DocumentError, match=r"out of the corpus|not inside"):
        load_document(root / ".." / "secret.txt", root)


def test_special_and_large_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(DocumentError, match="not a regular file"):
        load_document(tmp_path / "pipe.txt", tmp_path)
    with pytest.raises(DocumentError, match="are allowed"):
        read_file(write(tmp_path, "a.txt", "x" * 11), tmp_path, max_bytes=10)


def test_names_that_are_no_utf8_are_refused(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.txt"))
    path.write_text("Text")
    with pytest.raises(DocumentError, match="not UTF-8"):
        load_document(path, tmp_path)


def test_hidden_files_are_passed_over_and_the_rest_is_sorted(tmp_path: Path) -> None:
    for name in ("b/z.md", ".hidden.md", ".git/x.md", "a.txt", "b/a.png"):
        write(tmp_path, name, "x")
    assert [path.relative_to(tmp_path).as_posix() for path in find_documents(tmp_path)] == [
        "a.txt",
        "b/a.png",
        "b/z.md",
    ]


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="--corpus"):
        find_documents(tmp_path / "nowhere")


def test_the_shipped_corpus_loads() -> None:
    documents = [load_document(path, SHIPPED) for path in find_documents(SHIPPED)]
    assert len(documents) == 23
    assert all(document.title and document.kind and document.language == "en" for document in documents)
    assert not any(document.text.startswith("---") or "\u00a0" in document.text for document in documents)
