"""What changed when the page took a new index generation, said for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index import Index

SAID_FOR = 600.0
"""Seconds that the news stay on the page."""


class IndexNews:
    """Compares each index that it is shown with the one before."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._generation = ""
        self._documents: dict[str, str] = {}
        self._words = ""
        self._until = 0.0

    def words(self, index: Index) -> str:
        """`Index updated: 1 document added`, for a while after a change; empty otherwise."""
        with self._lock:
            if index.generation != self._generation:
                documents = {entry.path: entry.content_hash for entry in index.manifest.documents}
                if self._generation:
                    self._words = difference_words(self._documents, documents)
                    self._until = self._now() + SAID_FOR
                self._generation, self._documents = index.generation, documents
            return self._words if self._now() < self._until else ""


def difference_words(before: dict[str, str], after: dict[str, str]) -> str:
    """What is new, changed and gone between two corpora, each a hash by path."""
    counts = (
        (len(after.keys() - before.keys()), "added"),
        (sum(before.get(path, found) != found for path, found in after.items()), "changed"),
        (len(before.keys() - after.keys()), "removed"),
    )
    parts = [f"{count} {'document' if count == 1 else 'documents'} {what}" for count, what in counts if count]
    return f"Index updated: {', '.join(parts) or 'no document changed'}"
