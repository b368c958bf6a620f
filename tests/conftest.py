"""What every test may ask for: a scripted generator, a toy embedder, and the small real model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray

from qa.generator import Choice, GenerationError, Message, StoppedError

Reply = str | Callable[[Sequence[Message]], str] | Exception


@dataclass
class ScriptedGenerator:
    """Says what the test wrote, and keeps what it was asked.

    `replies` are used one a call of `stream`: a text, a function of the messages, or an exception to raise. `scores`
    are used one a call of `score`: the log-probabilities in the order of the options, or a function of messages and
    options. When either runs out, the last one is used again.
    """

    replies: Sequence[Reply] = ("",)
    scores: Sequence[Sequence[float] | Callable[[Sequence[Message], Sequence[str]], Sequence[float]]] = ()
    name: str = "scripted"
    engine: str = "scripted"
    prompts: list[list[Message]] = field(default_factory=list)
    """The messages of every call, in order."""
    patterns: list[str | None] = field(default_factory=list)
    stopped_after: list[int] = field(default_factory=list)
    """Pieces that each finished or closed stream had yielded."""
    closed: bool = False
    _streamed: int = 0
    _scored: int = 0

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, pattern: str | None = None, stop: Event | None = None
    ) -> Iterator[str]:
        """Yield the next reply word by word, cut at `max_tokens` words."""
        self.prompts.append(list(messages))
        self.patterns.append(pattern)
        reply = self.replies[min(self._streamed, len(self.replies) - 1)]
        self._streamed += 1
        if isinstance(reply, Exception):
            raise reply
        text = reply if isinstance(reply, str) else reply(messages)
        if pattern is not None and not re.fullmatch(pattern, text):
            raise GenerationError(f"The test scripted {text!r}, which does not match {pattern!r}.")
        sent = 0
        try:
            for piece in re.findall(r"\s*\S+\s*$|\s*\S+", text)[:max_tokens]:
                if stop is not None and stop.is_set():
                    raise StoppedError
                sent += 1
                yield piece
        finally:
            self.stopped_after.append(sent)

    def score(self, messages: Sequence[Message], options: Sequence[str], stop: Event | None = None) -> list[Choice]:
        """The next scripted log-probabilities, one for each option or for each run of as many; without a script, the
        first half of the options is the likely one.
        """
        self.prompts.append(list(messages))
        if stop is not None and stop.is_set():
            raise StoppedError
        if not self.scores:
            return [Choice(option, -0.1 - 3.0 * (2 * place // len(options))) for place, option in enumerate(options)]
        script = self.scores[min(self._scored, len(self.scores) - 1)]
        self._scored += 1
        logprobs = script(messages, options) if callable(script) else script
        alike = len(options) // len(logprobs)
        each = [logprob for logprob in logprobs for _ in range(alike)]
        return [Choice(option, logprob) for option, logprob in zip(options, each, strict=True)]

    def count_tokens(self, text: str) -> int:
        """Words and punctuation marks."""
        return len(re.findall(r"\w+|[^\w\s]", text))

    def warm_up(self) -> None:
        """Nothing to warm."""

    def close(self) -> None:
        """Remember it."""
        self.closed = True


@dataclass(frozen=True)
class ToyEmbedder:
    """Counts each word's stem into a dimension picked by a fixed hash: texts that share words lie close together."""

    dimension: int = 64
    name: str = "toy"
    weights_hash: str = "toy"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, (len(texts), dimension), float32; a text without words is the first axis."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, sum(ord(c) * 31**i for i, c in enumerate(word[:5])) % self.dimension] += 1.0
            if not vectors[row].any():
                vectors[row, 0] = 1.0
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `embed`."""
        return self.embed(texts)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The unit vector of one text, (dimension,)."""
        vector: NDArray[np.float32] = self.embed([text])[0]
        return vector


@pytest.fixture
def scripted() -> type[ScriptedGenerator]:
    """The class, so that a test writes its own script: `scripted(replies=["..."])`."""
    return ScriptedGenerator


@pytest.fixture
def toy_embedder() -> ToyEmbedder:
    return ToyEmbedder()
