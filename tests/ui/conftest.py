"""The scripted pipeline, and the page over it in a process of its own, as it is served in earnest."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from ui.conversations import Conversations

HERE = Path(__file__).parent


def _load(name: str) -> ModuleType:
    """A module of this folder; importlib mode puts no test folder on the path."""
    spec = importlib.util.spec_from_file_location(f"dossier_tests_{name}", HERE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


scripted = _load("scripted_pipeline")


@pytest.fixture
def fake_pipeline():  # noqa: ANN201  a class of the module loaded above
    return scripted.scripted_pipeline()


@dataclass
class Served:
    """A page that answers on a free port of this machine."""

    address: str
    port: int
    conversations: Conversations
    lines: list[str] = field(default_factory=list)
    """What the server has printed: `stopped` whenever a stream was closed before its answer."""


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from serve(tmp_path_factory.mktemp("served"))


@pytest.fixture
def restarted(served: Served) -> Iterator[Served]:
    """Another process over the conversations of `served`, as after a restart."""
    yield from serve(served.conversations.path.parent)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Ann's password is `right`, Bob's is `left`."""
    yield from serve(tmp_path_factory.mktemp("guarded"), "ann=right", "bob=left")


def serve(folder: Path, *users: str) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "serve_scripted.py"), str(folder), *users],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    address = process.stdout.readline().split()[-1]
    served = Served(address, int(address.rsplit(":", 1)[1]), Conversations(folder / "conversations.sqlite3"))
    reader = threading.Thread(target=lambda: served.lines.extend(map(str.strip, process.stdout or ())), daemon=True)
    reader.start()
    yield served
    process.terminate()
    process.wait(20)
    reader.join(5)
    process.stdout.close()
