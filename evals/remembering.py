"""An answering model whose replies are kept by prompt, so that a policy is tried on a whole set without its cost."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from qa.generator import Choice, Generator, Message


class RememberingGenerator:
    """Asks the model what it was never asked before; the same prompt with the same limits has the same reply.

    For one thread.
    """

    def __init__(self, load: Callable[[], Generator], file: Path, name: str) -> None:
        """Takes what loads the model, which is loaded at the first unknown prompt, and a file of replies.

        Args:
            load: Loads the model.
            file: SQLite; made where it is missing.
            name: The model's name, part of what a reply is remembered by.
        """
        self.name = name
        self.engine = "remembered"
        self.asked = 0
        """Prompts that the model had to read."""
        self._load = load
        self._model: Generator | None = None
        self._replies = sqlite3.connect(file)
        self._replies.execute("CREATE TABLE IF NOT EXISTS replies (prompt TEXT PRIMARY KEY, reply TEXT NOT NULL)")

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, pattern: str | None = None, stop: Event | None = None
    ) -> Iterator[str]:
        """As `Generator.stream`, in one piece."""

        def ask() -> str:
            return "".join(self._asked_model().stream(messages, max_tokens=max_tokens, pattern=pattern, stop=stop))

        yield self._remembered(["stream", _plain(messages), max_tokens, pattern], ask)

    def score(self, messages: Sequence[Message], options: Sequence[str], stop: Event | None = None) -> list[Choice]:
        """As `Generator.score`."""

        def ask() -> list[float]:
            return [choice.logprob for choice in self._asked_model().score(messages, options, stop)]

        logprobs = self._remembered(["score", _plain(messages), list(options)], ask)
        return [Choice(option, logprob) for option, logprob in zip(options, logprobs, strict=True)]

    def count_tokens(self, text: str) -> int:
        """As `Generator.count_tokens`."""
        return int(self._remembered(["count", text], lambda: self._loaded().count_tokens(text)))

    def warm_up(self) -> None:
        """Nothing: the model may never be needed."""

    def close(self) -> None:
        """Free the model and close the file."""
        self._replies.close()
        if self._model is not None:
            self._model.close()

    def _loaded(self) -> Generator:
        self._model = self._model or self._load()
        return self._model

    def _asked_model(self) -> Generator:
        self.asked += 1
        return self._loaded()

    def _remembered(self, prompt: list[Any], ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - what JSON holds
        key = hashlib.sha256(json.dumps([self.name, *prompt]).encode()).hexdigest()
        row = self._replies.execute("SELECT reply FROM replies WHERE prompt = ?", (key,)).fetchone()
        if row is None:
            row = (json.dumps(ask()),)
            self._replies.execute("INSERT INTO replies VALUES (?, ?)", (key, *row))
            self._replies.commit()
        return json.loads(row[0])


def _plain(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in messages]
