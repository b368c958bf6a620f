"""Dated events inside the documents: the sentences that give a month and a year, in the order of their dates."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.wording import MONTHS, find_dates

if TYPE_CHECKING:
    from index import Index

MOST_CHUNKS = 5_000
"""Chunks that are read for events: about a second. A timeline of more would be no picture."""
MOST_EVENTS = 500
FEWEST_WORDS = 6
"""Words of a sentence that tells what happened; a heading or a line of a table has fewer."""
_DATE = re.compile(rf"(\d{{4}}) ({'|'.join(MONTHS)})(?: (\d{{1,2}}))?")


@dataclass(frozen=True, slots=True)
class DatedEvent:
    """What a document says of a date: `document.text[start:end]`."""

    date: str
    """ISO, `2024-07-28` or `2024-07`."""
    document: str
    """`Document.path`."""
    start: int
    end: int
    text: str


def iso_dates(text: str) -> list[str]:
    """The dates of `text` that have a month and a year, each once, in the order in which they stand.

    `July 28-30, 2024` gives its first and its last day.
    """
    dates = (
        f"{match[1]}-{MONTHS.index(match[2]) + 1:02d}" + (f"-{int(match[3]):02d}" if match[3] else "")
        for _, normalised in find_dates(text)
        for match in _DATE.finditer(normalised)
    )
    return list(dict.fromkeys(dates))


class Timeline:
    """The events of an index; read once a generation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = ""
        self._events: tuple[DatedEvent, ...] = ()

    def events(self, index: Index) -> tuple[DatedEvent, ...]:
        """At most `MOST_EVENTS`, oldest first; a near-copy of a document tells none again."""
        with self._lock:
            if index.generation != self._generation:
                found = sorted(_events(index), key=lambda event: (event.date, event.document, event.start))
                self._events = tuple(found[-MOST_EVENTS:])
                self._generation = index.generation
            return self._events


def _events(index: Index) -> Iterator[DatedEvent]:
    told: set[tuple[str, str]] = set()
    for chunk in index.chunks[:MOST_CHUNKS]:
        document = index.documents[chunk.document]
        if document.copy_of:
            continue
        for start, end in chunk.sentences:
            text = " ".join(document.text[start:end].split())
            if len(text.split()) < FEWEST_WORDS:
                continue
            for date in iso_dates(text):
                if (date, text) not in told:
                    told.add((date, text))
                    yield DatedEvent(date, chunk.document, start, end, text)
