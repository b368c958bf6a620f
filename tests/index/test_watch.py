from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from index import build
from index.watch import watch

if TYPE_CHECKING:
    from tests.conftest import ToyEmbedder


def test_each_settled_change_gives_one_report(
    corpus: Path, folder: Path, toy_embedder: ToyEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    build(corpus, folder, toy_embedder)
    stop = threading.Event()
    reports = watch(corpus, folder, toy_embedder, stop=stop)

    def change(*steps: tuple[str, str | None]) -> None:
        for name, text in steps:
            path = corpus / name
            path.unlink() if text is None else path.write_text(text)

    change(("before.txt", "Written before the watching began."))
    assert next(reports).added == ("before.txt",)
    later = threading.Timer(0.3, change, [(".hidden.txt", "x"), ("a.txt", "The emperor."), ("b.txt", "The ministry.")])
    later.start()
    assert next(reports).added == ("a.txt", "b.txt")
    threading.Timer(0.3, change, [("a.txt", None)]).start()
    assert next(reports).removed == ("a.txt",)
    threading.Timer(0.3, stop.set).start()
    assert list(reports) == []
