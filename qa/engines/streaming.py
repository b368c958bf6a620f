"""A model that calls back, turned into a generator that can be closed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from qa.generator import StoppedError

Write: TypeAlias = Callable[[str], bool]
"""Takes the next piece of text, and tells whether the model must stop."""

LOOK = 0.05
"""Seconds between two looks at the stop while a call waits for the one before it."""


@contextmanager
def holding(lock: threading.Lock, stop: threading.Event | None) -> Iterator[None]:
    """Hold `lock`, unless `stop` is set before it is free.

    Raises:
        StoppedError: `stop` is set.
    """
    while not lock.acquire(timeout=-1 if stop is None else LOOK):
        raise_if(stop)
    try:
        raise_if(stop)
        yield
    finally:
        lock.release()


def raise_if(stop: threading.Event | None) -> None:
    """Raise StoppedError where `stop` is set."""
    if stop is not None and stop.is_set():
        raise StoppedError


def stream_pieces(
    run: Callable[[Write], None], lock: threading.Lock, stop: threading.Event | None = None
) -> Iterator[str]:
    """Yield what `run` writes, while it runs in a thread of its own and holds `lock`.

    Closing the iterator, or setting `stop`, makes the next `write` return True; it ends when `run` has returned.

    Raises:
        StoppedError: `stop` was set.
        Exception: Whatever `run` raised.
    """
    pieces: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
    closed = threading.Event()

    def write(piece: str) -> bool:
        if piece:
            pieces.put(piece)
        return closed.is_set() or (stop is not None and stop.is_set())

    def work() -> None:
        try:
            with holding(lock, stop):
                if not closed.is_set():
                    run(write)
                raise_if(stop)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that reads
            pieces.put(error)
        finally:
            pieces.put(None)

    thread = threading.Thread(target=work, name="generation", daemon=True)
    thread.start()
    try:
        while (piece := pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        closed.set()
        thread.join()


class TextSoFar:
    """Tokens decoded as they come, in pieces that never end inside a character."""

    def __init__(self, decode: Callable[[Sequence[int]], str], write: Write) -> None:
        self._decode = decode
        self._write = write
        self._tokens: list[int] = []
        self._written = ""

    def add(self, tokens: Sequence[int]) -> bool:
        """Write what the tokens add to the text; True when the reader has left."""
        self._tokens.extend(tokens)
        return self._flush(self._decode(self._tokens).rstrip("\N{REPLACEMENT CHARACTER}"))

    def finish(self) -> None:
        """Write what was held back."""
        self._flush(self._decode(self._tokens))

    def _flush(self, text: str) -> bool:
        if not text.startswith(self._written):  # a character that was incomplete reads differently now
            return self._write("")
        piece, self._written = text[len(self._written) :], text
        return self._write(piece)
