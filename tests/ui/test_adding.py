# ruff: noqa: ANN401  the toy embedder is a class of conftest, which importlib mode does not let a test import
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ui.wiring
from corpus.adding import add_sources
from corpus.errors import CorpusError
from index import Index
from ui.adding import MOST_FILES, Adder
from ui.cli import main


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "old.md").write_text("# Old\n\nThe old words.\n")
    return folder


@pytest.fixture
def new(tmp_path: Path) -> Path:
    file = tmp_path / "A new <article>.md"
    file.write_text("# New\n\nThe minister opened a bridge.\n")
    return file


def test_a_file_is_copied_once_and_nothing_is_written_over(corpus: Path, new: Path) -> None:
    assert [entry.path for entry in add_sources([str(new)], corpus).added] == ["added/A-new-article.md"]
    assert "already, as added/A-new-article.md" in add_sources([str(new)], corpus).skipped[0].reason
    new.write_text("# Newer\n\nAnother text.\n")
    assert [entry.path for entry in add_sources([str(new)], corpus).added] == ["added/A-new-article-2.md"]
    assert sorted(file.name for file in (corpus / "added").iterdir()) == ["A-new-article-2.md", "A-new-article.md"]


def test_what_cannot_be_read_is_skipped_with_its_reason(corpus: Path, tmp_path: Path, new: Path) -> None:
    (tmp_path / "empty.md").write_text("")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 \xff\xfe")
    names = ("empty.md", "picture.png", "latin.txt", "none.md")
    report = add_sources([*(str(tmp_path / name) for name in names), "http://127.0.0.1:9/a", str(new)], corpus)
    assert len(report.added) == 1
    assert len(report.skipped) == 5
    assert "private network" in report.skipped[-1].reason
    assert not list(corpus.glob("**/.*"))


def test_a_dry_run_and_a_missing_corpus(corpus: Path, new: Path, tmp_path: Path) -> None:
    assert len(add_sources([str(new)], corpus, dry_run=True).added) == 1
    assert not (corpus / "added").exists()
    with pytest.raises(CorpusError, match="There is no corpus folder"):
        add_sources([str(new)], tmp_path / "none")


def test_the_page_adds_builds_and_reports(corpus: Path, new: Path, tmp_path: Path, toy_embedder: Any) -> None:
    adder = Adder(corpus, tmp_path / "index", toy_embedder)
    stages = list(adder.add([str(new), str(tmp_path / "none.md")]))
    assert "Reading the files" in stages[0]
    assert any("Embedding chunks" in stage for stage in stages)
    assert "1 document added, 1 skipped." in stages[-1]
    assert "none.md" in stages[-1]
    (tmp_path / "table.xyz").write_text("no")
    refused = list(adder.add([str(tmp_path / "table.xyz")]))[-1]
    assert (
        "<li>table.xyz: added/table.xyz has an ending that Dossier does not read" in refused
    )  # and no folder of the server
    assert str(tmp_path) not in refused
    index = Index.open(tmp_path / "index", toy_embedder)
    assert set(index.documents) == {"old.md", "added/A-new-article.md"}
    index.close()
    assert "too many" in list(adder.add(["x"] * (MOST_FILES + 1)))[-1]
    assert "There is no corpus folder" in list(Adder(tmp_path / "none", tmp_path / "i", toy_embedder).add(["x"]))[-1]


def test_the_page_takes_web_addresses_and_no_paths(corpus: Path, new: Path, tmp_path: Path, toy_embedder: Any) -> None:
    adder = Adder(corpus, tmp_path / "index", toy_embedder)
    for text in ("", " ", str(new), f"https://example.org/a {new}", "file:///etc/passwd"):
        assert "begins with https://" in list(adder.add_addresses(text))[-1]
    last = list(adder.add_addresses("http://127.0.0.1:9/a <b>"))[-1]
    assert "begins with https://" in last
    last = list(adder.add_addresses("http://127.0.0.1:9/a\nhttp://localhost:9/b"))[-1]
    assert "0 documents added, 2 skipped." in last
    assert "http://127.0.0.1:9/a" in last
    assert not (corpus / "added").exists()


def test_a_document_is_removed_and_brought_back_by_a_rollback(
    corpus: Path, new: Path, tmp_path: Path, toy_embedder: Any
) -> None:
    adder = Adder(corpus, tmp_path / "index", toy_embedder)
    list(adder.add([str(new)]))
    before = Index.open(tmp_path / "index", toy_embedder)
    last = list(adder.remove("old.md"))[-1]
    assert "old.md removed." in last
    key = adder.removed()[0].key
    assert f'data-key="{key}"' in last
    without = Index.open(tmp_path / "index", toy_embedder)
    assert set(without.documents) == {"added/A-new-article.md"}
    without.close()
    assert "no document old.md" in list(adder.remove("old.md"))[-1]
    # The last document cannot go: an index of nothing cannot be built, and the file is back at once.
    assert "fault" in list(adder.remove("added/A-new-article.md"))[-1]
    assert (corpus / "added" / "A-new-article.md").is_file()
    assert "old.md is back." in list(adder.undo(key))[-1]
    after = Index.open(tmp_path / "index", toy_embedder)
    assert after.generation == before.generation  # a rollback, nothing was built
    before.close()
    after.close()
    assert adder.removed() == []
    assert "not among the removed" in list(adder.undo(key))[-1]


def test_what_came_after_a_removal_stays_when_it_is_undone(
    corpus: Path, new: Path, tmp_path: Path, toy_embedder: Any
) -> None:
    (corpus / "third.txt").write_text("The third text is about a lighthouse.")
    adder = Adder(corpus, tmp_path / "index", toy_embedder)
    list(adder.add([str(new)]))
    list(adder.remove("old.md"))
    (tmp_path / "later.txt").write_text("The later text is about a windmill.")
    list(adder.add([str(tmp_path / "later.txt")]))
    list(adder.undo(adder.removed()[0].key))
    index = Index.open(tmp_path / "index", toy_embedder)
    assert set(index.documents) == {"old.md", "third.txt", "added/A-new-article.md", "added/later.txt"}
    index.close()


def test_the_command_adds_builds_and_reports(
    corpus: Path, new: Path, tmp_path: Path, toy_embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui.wiring, "open_embedder", lambda: toy_embedder)
    monkeypatch.chdir(tmp_path)
    options = ["--corpus", str(corpus), "--index", str(tmp_path / "index"), "--json"]
    result = CliRunner().invoke(main, ["add", str(new), *options])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["added"] == [{"source": str(new), "path": "added/A-new-article.md", "copy_of": ""}]
    assert report["build"]["documents"] == 2
    again = CliRunner().invoke(main, ["add", str(new), *options])
    assert again.exit_code == 1
    assert "No document was added." in again.stderr
    for command in ("status", "verify", "list"):
        result = CliRunner().invoke(main, ["index", command, *options])
        assert result.exit_code == 0, result.output
        json.loads(result.stdout)
        assert CliRunner().invoke(main, ["index", command, *options[:-1]]).exit_code == 0
    rolled_back = CliRunner().invoke(main, ["index", "rollback", *options])
    assert rolled_back.exit_code == 1
    assert "Traceback" not in rolled_back.output


def test_the_command_lists_public_documents_and_wants_something_to_add() -> None:
    listed = json.loads(CliRunner().invoke(main, ["add", "--public", "--json"]).stdout)["public"]
    assert {"security-treaty-1960", "national-security-strategy-2022"} <= {entry["name"] for entry in listed}
    shown = CliRunner().invoke(main, ["add", "--public"])
    assert shown.exit_code == 0
    assert listed[0]["address"] in shown.stdout
    assert CliRunner().invoke(main, ["add"]).exit_code == 2
    unknown = CliRunner().invoke(main, ["add", "--public", "no-such-document"])
    assert unknown.exit_code == 1
    assert "dossier add --public" in unknown.stderr
