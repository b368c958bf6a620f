"""One question under way: a thread that pulls its events, a place in the line for the model, and a stop."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from corpus.errors import DossierError
from qa.answer import Event
from qa.generator import StoppedError
from qa.question import QuestionError

log = logging.getLogger(__name__)
POLL = 0.05
"""Seconds between two looks at the line."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The model is busy with `before` other questions."""

    before: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The question ended in a fault, in words for its reader."""

    message: str
    verdict: str = "Something went wrong; this is no answer."


@dataclass(frozen=True, slots=True)
class Stopped:
    """The reader stopped it."""


Step: TypeAlias = "Event | Waiting | Failed | Stopped"
Start: TypeAlias = "Callable[[threading.Event], Iterator[Event]]"


class Line:
    """First come, first served: one question at a time uses the model."""

    def __init__(self) -> None:
        self._tickets: list[object] = []
        self._lock = threading.Lock()

    def enter(self) -> object:
        """A ticket at the end of the line."""
        ticket = object()
        with self._lock:
            self._tickets.append(ticket)
        return ticket

    def before(self, ticket: object) -> int:
        """How many stand before `ticket`; 0 means it is its turn."""
        with self._lock:
            return self._tickets.index(ticket)

    @property
    def empty(self) -> bool:
        """Whether nobody is asking."""
        with self._lock:
            return not self._tickets

    def leave(self, ticket: object) -> None:
        """Give up the place, wherever it is."""
        with self._lock:
            if ticket in self._tickets:
                self._tickets.remove(ticket)


class Run:
    """Streams one question's events from a thread, so that stopping never waits for the model.

    `start` gets the event that is set on a stop: whatever the model does then, it ends within about a second.
    `evidence_first` says that the first event needs no model and may pass the line: evidence is shown to all at once.
    """

    def __init__(self, start: Start, line: Line, *, evidence_first: bool) -> None:
        self._start = start
        self._line = line
        self._evidence_first = evidence_first
        self._steps: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self.ended = threading.Event()
        """Set when the work has ended and the model is free."""

    def steps(self) -> Iterator[Step]:
        """What happens, until the answer, a fault or a stop; closing it stops the work."""
        threading.Thread(target=self._pump, name="dossier-run", daemon=True).start()
        try:
            while (step := self._steps.get()) is not None:
                yield step
                if isinstance(step, Stopped):
                    return
        finally:
            self._stopping.set()

    def stop(self) -> None:
        """End the work: the reader sees it at once, the model ends at its next step."""
        self._stopping.set()
        self._steps.put(Stopped())

    def _pump(self) -> None:
        ticket = self._line.enter()
        try:
            self._run(ticket)
        except StoppedError:
            log.debug("A question was stopped")
        except QuestionError as fault:
            self._steps.put(Failed(str(fault), "This question cannot be asked."))
        except DossierError as fault:
            self._steps.put(Failed(str(fault)))
        except Exception:  # the thread's outermost boundary: whatever it is, the reader is told that it is no answer
            log.exception("A question ended in an unexpected fault")
            self._steps.put(Failed("An unexpected fault; the log of the server has the details."))
        finally:
            self._line.leave(ticket)
            self._steps.put(None)
            self.ended.set()

    def _run(self, ticket: object) -> None:
        if not self._evidence_first:
            self._wait(ticket)
        stream = self._start(self._stopping)
        try:
            if self._evidence_first:
                self._steps.put(next(stream))
                self._wait(ticket)
            while not self._stopping.is_set() and (event := next(stream, None)) is not None:
                self._steps.put(event)
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()

    def _wait(self, ticket: object) -> None:
        told = 0
        while not self._stopping.is_set() and (before := self._line.before(ticket)) > 0:
            if before != told:
                told = before
                self._steps.put(Waiting(before))
            self._stopping.wait(POLL)


class Runs:
    """The questions under way, one a session, so that the stop button finds its own."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def start(self, session: str, run: Run) -> None:
        """Remember the run of a session; one that is still going is stopped."""
        self.stop(session)
        with self._lock:
            self._runs[session] = run

    def stop(self, session: str) -> None:
        """Stop the run of a session, if there is one."""
        with self._lock:
            run = self._runs.pop(session, None)
        if run is not None:
            run.stop()

    def finish(self, session: str, run: Run) -> None:
        """Forget a run that ended by itself."""
        with self._lock:
            if self._runs.get(session) is run:
                del self._runs[session]
