from __future__ import annotations

import threading
from collections.abc import Iterator

from qa.answer import Draft, Event, EvidenceFound
from qa.generator import StoppedError
from ui.runs import Line, Run, Runs, Stopped


def test_the_line_is_first_come_first_served() -> None:
    line = Line()
    first, second, third = line.enter(), line.enter(), line.enter()
    assert [line.before(ticket) for ticket in (first, second, third)] == [0, 1, 2]
    line.leave(second)
    line.leave(second)
    assert line.before(third) == 1
    line.leave(first)
    assert line.before(third) == 0


def test_a_stop_while_in_line_never_starts_the_model() -> None:
    line = Line()
    line.enter()
    started = threading.Event()

    def work(stop: threading.Event) -> Iterator[Event]:
        started.set()
        yield Draft("x")

    run = Run(work, line, evidence_first=False)
    runs = Runs()
    runs.start("s", run)
    steps = run.steps()
    next(steps)
    runs.stop("s")
    assert isinstance(list(steps)[-1], Stopped)
    assert run.ended.wait(2)
    assert not started.is_set()


def test_a_new_question_of_a_session_stops_the_one_before() -> None:
    closed = threading.Event()
    going = threading.Event()

    def endless(stop: threading.Event) -> Iterator[Event]:
        try:
            yield EvidenceFound("q", (), 1.0)
            while True:
                going.set()
                yield Draft("x")
        finally:
            closed.set()

    line, runs = Line(), Runs()
    first = Run(endless, line, evidence_first=True)
    runs.start("s", first)
    steps = first.steps()
    next(steps)
    assert going.wait(2)
    runs.start("s", Run(endless, line, evidence_first=True))
    assert closed.wait(2)
    assert any(isinstance(step, Stopped) for step in steps)


def test_a_stop_reaches_a_model_that_says_nothing() -> None:
    reading = threading.Event()

    def silent(stop: threading.Event) -> Iterator[Event]:
        yield EvidenceFound("q", (), 1.0)
        reading.set()
        assert stop.wait(10)
        raise StoppedError

    run = Run(silent, Line(), evidence_first=True)
    steps = run.steps()
    next(steps)
    assert reading.wait(10)
    run.stop()
    assert [type(step) for step in steps] == [Stopped]
    assert run.ended.wait(10)
