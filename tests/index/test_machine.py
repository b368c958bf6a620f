"""An index under any order of changes, builds, rollbacks and crashes, against a model in memory."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from index import Index, IndexFaultError, IndexMissingError, build, ensure_index, rollback, status, verify
from index import draft as draft_module
from tests.conftest import ToyEmbedder

build_module = sys.modules[build.__module__]
VOCABULARY = ["treaty", "command", "emperor", "yen", "missile", "base", "ocean", "Tokyo", "U.S.", "No.", "3"]
WORDS = st.lists(st.sampled_from(VOCABULARY), min_size=1)
NAMES = st.sampled_from(["a.txt", "b.md", "news/c.txt", "news/d.md", "ünï.txt"])
EMBEDDER = ToyEmbedder()


class CrashError(BaseException):
    """Nothing that runs catches it, as nothing catches SIGKILL."""


class IndexMachine(RuleBasedStateMachine):
    """`corpus` is what is on disk, `built` the corpus of each generation that was switched to, by name."""

    documents = Bundle("documents")

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.root, self.index = self.folder / "corpus", self.folder / "index"
        self.root.mkdir()
        (self.root / "first.txt").write_text("The first document.")
        self.corpus = {"first.txt": "The first document."}
        self.built: dict[str, dict[str, str]] = {}
        self.current = ""

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(name=NAMES, words=WORDS, target=documents)
    def write(self, name: str, words: list[str]) -> str:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(" ".join(words), encoding="utf-8")
        self.corpus[name] = " ".join(words)
        return name

    @rule(name=consumes(documents))
    def delete(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)
        self.corpus.pop(name, None)

    @rule(old=consumes(documents), new=NAMES, target=documents)
    def rename(self, old: str, new: str) -> str:
        if old in self.corpus:
            (self.root / new).parent.mkdir(exist_ok=True)
            (self.root / old).replace(self.root / new)
            self.corpus[new] = self.corpus.pop(old)
        return new

    @rule()
    def build(self) -> None:
        report = build(self.root, self.index, EMBEDDER)
        assert report.documents == len(self.corpus)
        self.current = report.generation
        self.built[report.generation] = dict(self.corpus)

    @rule(step=st.sampled_from(["sync", "hash_bytes_of", "write_manifest", "switch"]), survived=st.integers(0, 20))
    def crash(self, step: str, survived: int) -> None:
        real, left = getattr(draft_module, step), survived

        def die(*arguments: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise CrashError
            return real(*arguments)

        with (
            mock.patch.object(draft_module, step, die),
            mock.patch.object(build_module, "remove_leftovers", lambda folder: None),
            contextlib.suppress(CrashError, IndexFaultError),
        ):
            report = build(self.root, self.index, EMBEDDER)
            self.current = report.generation
            self.built[report.generation] = dict(self.corpus)
        # A crash before the switch leaves a whole generation that never served; going back may come to it.
        for path in (self.index / "generations").glob("*/manifest.json"):
            self.built.setdefault(path.parent.name, dict(self.corpus))

    @rule()
    def ensure(self) -> None:
        declined = bool(self.current) and status(self.root, self.index, EMBEDDER).rolled_back
        index = ensure_index(self.root, self.index, EMBEDDER)
        self.current = index.generation
        if not declined:
            self.built[index.generation] = dict(self.corpus)

    @rule()
    def roll_back(self) -> None:
        # A missing earlier generation is refused and changes nothing, which the invariant sees.
        with contextlib.suppress(IndexMissingError):
            name = rollback(self.index)
            assert name < self.current
            self.current = name

    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        if not self.current:
            return
        folder = self.index / "generations" / self.current
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
        path = data.draw(st.sampled_from(files))
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        assert not verify(self.index).ok
        with pytest.raises(IndexFaultError):
            Index.open(self.index, EMBEDDER)
        index = ensure_index(self.root, self.index, EMBEDDER)
        self.current = index.generation
        self.built[index.generation] = dict(self.corpus)

    @invariant()
    def serves_one_whole_generation(self) -> None:
        if not self.current:
            with pytest.raises(IndexMissingError):
                Index.open(self.index, EMBEDDER)
            return
        index = Index.open(self.index, EMBEDDER)
        expected = self.built[index.generation]
        assert index.generation == self.current
        assert index.texts() == expected
        assert verify(self.index).ok
        for hit in index.search("treaty of Tokyo, U.S. command", 3):
            assert index.text(hit.chunk) in expected[hit.chunk.document]
        index.close()


IndexMachine.TestCase.settings = settings(
    max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestIndexMachine = IndexMachine.TestCase
