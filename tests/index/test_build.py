from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus import CorpusError
from index import (
    BuildSettings,
    Index,
    IndexDamagedError,
    IndexFaultError,
    IndexLockedError,
    IndexMissingError,
    IndexReader,
    build,
    ensure_index,
    list_generations,
    rollback,
    status,
    verify,
)
from index import draft as draft_module
from index.generations import build_lock, generation_names, read_current, remove_leftovers

KILLS = int(os.environ.get("DOSSIER_TEST_KILLS", "12"))
"""Moments at which a builder is killed; evals/LOG.md has the result of 200."""
build_module = sys.modules[build.__module__]

if TYPE_CHECKING:
    from tests.conftest import ToyEmbedder


@dataclass
class Counting:
    """An embedder that keeps what it was asked to embed, and may fail or wait."""

    inner: ToyEmbedder
    texts: list[str] = field(default_factory=list)
    fail: Exception | None = None
    wait: float = 0.0

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def weights_hash(self) -> str:
        return self.inner.weights_hash

    @property
    def dimension(self) -> int:
        return self.inner.dimension

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.fail:
            raise self.fail
        time.sleep(self.wait)
        self.texts.extend(texts)
        return self.inner.embed(texts)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        return self.inner.embed_query(text)


@pytest.fixture
def embedder(toy_embedder: ToyEmbedder) -> Counting:
    return Counting(toy_embedder)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_first_build_and_a_second_that_changes_nothing(corpus: Path, folder: Path, embedder: Counting) -> None:
    steps: list[tuple[str, int, int]] = []
    report = build(corpus, folder, embedder, progress=lambda *step: steps.append(step))
    assert report.built and report.documents == 3 and report.chunks == report.chunks_embedded == 4
    assert report.added == ("articles/summit.md", "briefs/okinawa.md", "briefs/yen.txt")
    assert steps[-1] == ("Embedding chunks", 4, 4)
    assert report.bytes == sum(size.bytes for size in list_generations(folder)) - len(
        (folder / "generations" / report.generation / "manifest.json").read_bytes()
    )
    before = snapshot(folder)
    again = build(corpus, folder, embedder)
    assert not again.built and again.generation == report.generation and again.unchanged == 3
    assert snapshot(folder) == before
    assert len(embedder.texts) == 4
    assert json.loads(json.dumps(report.to_json()))["chunks_embedded"] == 4


def test_the_same_corpus_gives_the_same_files(corpus: Path, tmp_path: Path, embedder: Counting) -> None:
    files = []
    for name in ("one", "two"):
        generation = build(corpus, tmp_path / name, embedder).generation
        files.append(snapshot(tmp_path / name / "generations" / generation))
        files[-1].pop("manifest.json")  # holds the time of the build
    assert files[0] == files[1]


def test_only_what_changed_is_embedded(corpus: Path, folder: Path, embedder: Counting) -> None:
    build(corpus, folder, embedder)
    embedder.texts.clear()
    okinawa = corpus / "briefs" / "okinawa.md"
    okinawa.write_text(okinawa.read_text().replace("Henoko", "Nago"))
    (corpus / "new.txt").write_text("An emperor visited the ministry of the sea.")
    (corpus / "articles" / "summit.md").unlink()
    (corpus / "briefs" / "yen.txt").rename(corpus / "money.txt")
    report = build(corpus, folder, embedder)
    assert (report.added, report.changed, report.removed) == (
        ("new.txt",),
        ("briefs/okinawa.md",),
        ("articles/summit.md",),
    )
    assert report.renamed == (("briefs/yen.txt", "money.txt"),)
    assert (report.chunks_embedded, report.chunks_reused, len(embedder.texts)) == (2, 2, 2)
    index = Index.open(folder, embedder)
    assert list(index.documents) == ["briefs/okinawa.md", "money.txt", "new.txt"]
    assert all(hit.chunk.document != "articles/summit.md" for hit in index.search("Biden met Kishida", 10))


def test_an_incremental_build_equals_one_from_scratch(
    corpus: Path, folder: Path, tmp_path: Path, embedder: Counting
) -> None:
    build(corpus, folder, embedder)
    (corpus / "new.txt").write_text("An emperor visited the ministry of the sea.")
    (corpus / "articles" / "summit.md").rename(corpus / "z.md")
    build(corpus, folder, embedder)
    build(corpus, tmp_path / "fresh", embedder)
    grown, fresh = Index.open(folder, embedder), Index.open(tmp_path / "fresh", embedder)
    assert list(grown.chunks) == list(fresh.chunks) and grown.corpus_hash == fresh.corpus_hash
    assert grown.search("emperor in Washington") == fresh.search("emperor in Washington")


def test_bad_files_are_skipped_with_a_reason_and_the_rest_goes_on(
    corpus: Path, folder: Path, embedder: Counting
) -> None:
    (corpus / "latin.txt").write_bytes(b"caf\xe9")
    (corpus / "picture.png").write_bytes(b"\x89PNG")
    (corpus / "empty.md").write_bytes(b"")
    report = build(corpus, folder, embedder)
    assert report.documents == 3
    reasons = {entry.path: entry.reason for entry in report.skipped}
    assert "not UTF-8" in reasons["latin.txt"] and "empty" in reasons["empty.md"]
    assert "does not read" in reasons["picture.png"]
    assert status(corpus, folder, embedder).state == "current"
    (corpus / "latin.txt").write_text("café")
    assert status(corpus, folder, embedder).added == ("latin.txt",)


def test_an_empty_or_missing_corpus_says_what_to_do(tmp_path: Path, folder: Path, embedder: Counting) -> None:
    with pytest.raises(CorpusError, match="--corpus"):
        build(tmp_path / "none", folder, embedder)
    assert not folder.exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=r"no document.*--corpus"):
        build(tmp_path / "empty", folder, embedder)
    with pytest.raises(IndexMissingError):
        Index.open(folder, embedder)


def test_status_follows_the_corpus(corpus: Path, folder: Path, embedder: Counting) -> None:
    assert status(corpus, folder).state == "missing"
    build(corpus, folder, embedder)
    assert status(corpus, folder, embedder).state == "current"
    path = corpus / "briefs" / "yen.txt"
    old = path.stat()
    path.write_text(path.read_text().replace("43", "44"))
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))  # same size, same time
    found = status(corpus, folder, embedder)
    assert (found.state, found.changed) == ("stale", ("briefs/yen.txt",))
    assert "dossier index build" in found.message


def test_files_that_did_not_change_are_not_read_again(
    corpus: Path, folder: Path, embedder: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.survey._TOO_NEW", -(10**12))  # take the files for old ones
    build(corpus, folder, embedder)
    monkeypatch.setattr("index.survey.read_file", None)
    assert status(corpus, folder, embedder).state == "current"


def test_three_generations_are_kept_and_old_ones_wait_for_their_readers(
    corpus: Path, folder: Path, embedder: Counting
) -> None:
    first = ensure_index(corpus, folder, embedder)
    for number in range(4):
        (corpus / "new.txt").write_text(f"The emperor visited ministry {number}.")
        build(corpus, folder, embedder)
    names = generation_names(folder)
    assert names[0] == first.generation and len(names) == 4
    assert first.search("Biden met Kishida")[0].chunk.document == "articles/summit.md"
    first.close()
    (corpus / "new.txt").write_text("The emperor left.")
    assert set(build(corpus, folder, embedder).collected) == set(names[:2])
    assert [info.current for info in list_generations(folder)] == [True, False, False]


def test_a_rollback_lasts_until_the_corpus_changes(corpus: Path, folder: Path, embedder: Counting) -> None:
    first = build(corpus, folder, embedder).generation
    with pytest.raises(IndexMissingError, match="no generation before"):
        rollback(folder)
    (corpus / "new.txt").write_text("The emperor visited the ministry.")
    second = build(corpus, folder, embedder).generation
    assert rollback(folder) == first == read_current(folder)
    found = status(corpus, folder, embedder)
    assert found.state == "stale" and found.rolled_back and "rolled back" in found.message
    assert ensure_index(corpus, folder, embedder).generation == first
    embedder.texts.clear()
    third = build(corpus, folder, embedder)
    assert third.built and third.generation > second and embedder.texts == []
    assert rollback(folder) == second
    (corpus / "new.txt").write_text("The emperor left.")
    assert ensure_index(corpus, folder, embedder).generation > third.generation


def test_a_failing_embedder_or_full_disk_leaves_the_old_generation(
    corpus: Path, folder: Path, embedder: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(corpus, folder, embedder)
    before = snapshot(folder)
    (corpus / "new.txt").write_text("The emperor visited the ministry.")
    embedder.fail = RuntimeError("out of memory")
    with pytest.raises(RuntimeError):
        build(corpus, folder, embedder)
    assert snapshot(folder) == before
    embedder.fail = OSError(28, "No space left on device")
    with pytest.raises(IndexFaultError, match="full"):
        build(corpus, folder, embedder)
    assert snapshot(folder) == before
    embedder.fail = None
    monkeypatch.setattr(embedder, "embed_documents", lambda texts: np.full((len(texts), 64), np.nan))
    with pytest.raises(IndexFaultError, match="no numbers"):
        build(corpus, folder, embedder)
    assert snapshot(folder) == before


def test_every_flipped_or_missing_byte_is_found_and_mended(corpus: Path, folder: Path, embedder: Counting) -> None:
    build(corpus, folder, embedder)
    (corpus / "new.txt").write_text("The emperor visited the ministry.")
    generation = build(corpus, folder, embedder).generation
    path = folder / "generations" / generation
    chance = random.Random(0)  # noqa: S311 - no secret
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        content = file.read_bytes()
        place = chance.randrange(len(content))
        flipped = content[:place] + bytes([content[place] ^ (1 << chance.randrange(8))]) + content[place + 1 :]
        for damaged in (flipped, content[:place], None):
            if damaged is None:
                file.unlink()
            else:
                file.write_bytes(damaged)
            report = verify(folder)
            assert not report.ok and report.problems, file
            with pytest.raises((IndexDamagedError, IndexMissingError), match="dossier index build"):
                Index.open(folder, embedder)
            file.write_bytes(content)
        assert verify(folder).ok
    (path / "vectors.npy").write_bytes(b"")
    index = ensure_index(corpus, folder, embedder)
    assert index.generation > generation and "new.txt" in index.documents and verify(folder).ok
    assert not verify(folder).older_problems and generation not in generation_names(folder)


def test_damaged_generations_do_not_push_sound_ones_out(corpus: Path, folder: Path, embedder: Counting) -> None:
    first = build(corpus, folder, embedder).generation
    for number in range(4):
        (corpus / "new.txt").write_text(f"The emperor visited ministry {number}.")
        name = build(corpus, folder, embedder).generation
        (folder / "generations" / name / "keys.npy").write_bytes(b"")
        assert Index.open_sound(folder, embedder).generation == first
    embedder.texts.clear()
    report = build(corpus, folder, embedder)
    assert len(embedder.texts) == report.chunks_embedded == 1
    assert generation_names(folder) == [first, report.generation] and verify(folder).ok


def test_a_reader_falls_back_when_its_files_change(corpus: Path, folder: Path, embedder: Counting) -> None:
    first = build(corpus, folder, embedder).generation
    (corpus / "new.txt").write_text("The emperor visited the ministry.")
    second = build(corpus, folder, embedder).generation
    reader = IndexReader(folder, embedder)
    os.truncate(folder / "generations" / second / "vectors.npy", 0)
    assert reader.current().generation == first == reader.current().generation
    build(corpus, folder, embedder)
    assert reader.current().search("emperor", 1)[0].chunk.document == "new.txt"
    third = reader.current().generation
    (folder / "generations" / third / "terms.npy").touch()
    assert reader.current().generation == third
    shutil.rmtree(folder / "generations")
    assert reader.current().search("emperor", 1)[0].chunk.document == "new.txt"


def test_a_flipped_byte_is_found_where_nothing_was_hashed(
    corpus: Path, folder: Path, embedder: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.index.HASH_UP_TO", 0)
    path = folder / "generations" / build(corpus, folder, embedder).generation / "documents.jsonl"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Henoko", b"Nagoya"))
    index = Index.open(folder, embedder)
    with pytest.raises(IndexDamagedError, match="dossier index build"):
        index.text(index.search("runway", 1)[0].chunk)
    assert not verify(folder).ok


def test_damage_to_an_older_generation_is_told_apart(corpus: Path, folder: Path, embedder: Counting) -> None:
    first = build(corpus, folder, embedder).generation
    (corpus / "new.txt").write_text("The emperor visited the ministry.")
    build(corpus, folder, embedder)
    (folder / "generations" / first / "manifest.json").write_text("{}")
    report = verify(folder)
    assert report.ok and len(report.older_problems) == 1
    with pytest.raises(IndexMissingError):
        rollback(folder)


def test_a_lost_or_wrong_current_file_is_mended(corpus: Path, folder: Path, embedder: Counting) -> None:
    generation = build(corpus, folder, embedder).generation
    for content in (b"", b"\xff\xfe", b"../../etc", b"000009-none"):
        (folder / "CURRENT").write_bytes(content)
        with pytest.raises(IndexMissingError):
            Index.open(folder, embedder)
    assert ensure_index(corpus, folder, embedder).generation > generation


def test_a_second_builder_waits_or_names_the_holder(corpus: Path, folder: Path, embedder: Counting) -> None:
    with (
        build_lock(folder, 0),
        pytest.raises(IndexLockedError, match=rf"process {os.getpid()} on .*dossier index build"),
    ):
        build(corpus, folder, embedder, BuildSettings(lock_timeout=0.05))
    slow = Counting(embedder.inner, wait=0.5)
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(build(corpus, folder, slow))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.built for report in reports) == [False, False, True]
    assert len(slow.texts) == 4 and len(generation_names(folder)) == 1


def _build_in_a_process(corpus: Path, folder: Path, embedder: Counting) -> None:
    build(corpus, folder, embedder)


def test_a_killed_builder_leaves_the_old_generation_and_no_lock(corpus: Path, folder: Path, embedder: Counting) -> None:
    old = build(corpus, folder, embedder).generation
    (corpus / "new.txt").write_text("The emperor visited the first ministry.")
    started = time.monotonic()
    build(corpus, folder, embedder)
    longest = time.monotonic() - started
    context = multiprocessing.get_context("fork")
    chance = random.Random(1)  # noqa: S311 - no secret
    killed = 0
    round_ = 0
    while killed < KILLS and round_ < 10 * KILLS:
        round_ += 1
        (corpus / "new.txt").write_text(f"The emperor visited ministry {round_}.")
        process = context.Process(target=_build_in_a_process, args=(corpus, folder, embedder))
        process.start()
        process.join(chance.uniform(0.0, longest))
        if process.is_alive():
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += 1
        index = Index.open(folder, embedder)
        assert index.generation >= old and len(index.search("emperor Kishida", 3)) == 3
        assert verify(folder).ok
        index.close()
    index = ensure_index(corpus, folder, embedder)
    assert f"ministry {round_}" in index.documents["new.txt"].text
    assert not [path for path in (folder / "generations").iterdir() if path.name.startswith(".")]
    logging.getLogger(__name__).info("Killed %d of %d builders; no index lost", killed, round_)


class PowerCutError(BaseException):
    """Nothing that runs catches it."""


@pytest.mark.parametrize("survived", [0, 1, 2])
@pytest.mark.parametrize("step", ["sync", "hash_bytes_of", "write_manifest", "switch"])
def test_a_power_cut_at_each_step_of_finishing(
    corpus: Path, folder: Path, embedder: Counting, monkeypatch: pytest.MonkeyPatch, step: str, survived: int
) -> None:
    old = build(corpus, folder, embedder).generation
    (corpus / "new.txt").write_text("The emperor visited the ministry.")
    calls = 0
    real = getattr(draft_module, step)

    def cut(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls > survived:
            raise PowerCutError
        return real(*arguments)

    with monkeypatch.context() as patch, contextlib.suppress(PowerCutError):
        patch.setattr(draft_module, step, cut)
        # A dead process cleans nothing; the next one does, before it starts.
        patch.setattr(build_module, "remove_leftovers", lambda folder: calls or remove_leftovers(folder))
        build(corpus, folder, embedder)
    assert Index.open(folder, embedder).generation >= old
    assert verify(folder).ok
    index = ensure_index(corpus, folder, embedder)
    assert "new.txt" in index.documents and status(corpus, folder, embedder).state == "current"


def test_a_file_that_changes_while_it_is_read(corpus: Path, folder: Path, embedder: Counting) -> None:
    path = corpus / "briefs" / "yen.txt"
    stop = threading.Event()

    def rewrite() -> None:
        while not stop.is_set():
            path.write_text("x" * random.randrange(1, 5000) + " trillion yen")  # noqa: S311 - no secret
            time.sleep(0.001)

    thread = threading.Thread(target=rewrite)
    thread.start()
    try:
        for _ in range(3):
            report = build(corpus, folder, embedder)
            index = Index.open(folder, embedder)
            assert report.documents + len(report.skipped) == 3
            assert len(index.search("trillion yen")) > 0
    finally:
        stop.set()
        thread.join()
    build(corpus, folder, embedder)
    assert Index.open(folder, embedder).documents["briefs/yen.txt"].text == path.read_text()


def test_readers_and_builders_together(corpus: Path, folder: Path, embedder: Counting) -> None:
    ensure_index(corpus, folder, embedder)
    stop = threading.Event()

    def read() -> int:
        answered = 0
        while not stop.is_set() or not answered:
            index = Index.open(folder, embedder)
            for hit in index.search("emperor Kishida yen", 5):
                document = index.documents[hit.chunk.document]
                assert document.text[hit.chunk.start : hit.chunk.end] == index.text(hit.chunk)
                answered += 1
        return answered

    def write(number: int) -> None:
        for round_ in range(4):
            (corpus / f"new{number}.txt").write_text(f"The emperor visited ministry {round_} of {number}.")
            build(corpus, folder, embedder)

    with ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        writers = [pool.submit(write, number) for number in range(2)]
        try:
            for writer in writers:
                writer.result()
        finally:
            stop.set()
        assert all(reader.result() > 0 for reader in readers)
    assert status(corpus, folder, embedder).state == "current" and verify(folder).ok


def test_the_index_folder_cannot_be_written(corpus: Path, tmp_path: Path, embedder: Counting) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexFaultError, match="cannot be written"):
        build(corpus, tmp_path / "file" / "index", embedder)


def test_an_index_among_the_documents_is_refused(corpus: Path, embedder: Counting) -> None:
    for inside in (corpus, corpus / "index"):
        with pytest.raises(IndexFaultError, match="--index"):
            build(corpus, inside, embedder)
    assert build(corpus, corpus / ".dossier", embedder).documents == 3


def test_deleting_the_index_is_harmless(corpus: Path, folder: Path, embedder: Counting) -> None:
    ensure_index(corpus, folder, embedder)
    shutil.rmtree(folder)
    assert len(ensure_index(corpus, folder, embedder).chunks) == 4
