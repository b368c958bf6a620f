from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

from corpus.errors import DossierError
from qa.ranking import EMBEDDED_FOR_SEVERAL
from ui.runs import Line
from ui.warming import warm


def pipeline(search: Any) -> Any:  # noqa: ANN401  a stand-in with what is used of a pipeline
    documents = {"a.md": SimpleNamespace(title="The pier of Velm"), "b.md": SimpleNamespace(title="")}

    def searched(query: str, *, embedded: int) -> None:
        assert embedded == EMBEDDED_FOR_SEVERAL
        search(query)

    return SimpleNamespace(index=SimpleNamespace(documents=documents), search=searched)


def test_each_title_is_searched_once() -> None:
    searched: list[str] = []
    assert warm(pipeline(searched.append), Line()) == 2
    assert searched == ["The pier of Velm", "b.md"]


def test_it_waits_while_somebody_asks() -> None:
    line, searched = Line(), []
    ticket = line.enter()
    thread = threading.Thread(target=warm, args=(pipeline(searched.append), line))
    thread.start()
    time.sleep(0.3)
    assert searched == []
    line.leave(ticket)
    thread.join(5)
    assert len(searched) == 2


def test_it_ends_in_time_and_at_a_fault() -> None:
    def fail(query: str) -> None:
        raise DossierError(query)

    assert warm(pipeline(fail), Line()) == 0
    line = Line()
    line.enter()
    assert warm(pipeline(fail), line, seconds=0.1) == 0
