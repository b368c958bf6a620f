"""The seam between the pipeline and whatever runs the answering model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from corpus.errors import DossierError


class GenerationError(DossierError):
    """The answering model could not be loaded or could not run."""


class StoppedError(GenerationError):
    """The caller stopped the call: there is no reply, and nothing is wrong."""

    def __init__(self) -> None:
        super().__init__("This question was stopped. Ask it again for an answer.")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat prompt; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a closed list, and how likely the model is to say it."""

    text: str
    logprob: float
    """Natural-log probability that the reply begins with the option, summed over its tokens. It is raw: over the
    model's whole vocabulary and not renormalised over the options, so two options compare by subtraction."""


class Generator(Protocol):
    """Runs the answering model, greedily: the same call gives the same result. Concurrent callers queue."""

    name: str
    """The model's name, as answers show it."""
    engine: str
    """openvino, int8, llamacpp, transformers, openai, remembered (of an evaluation) or scripted (of a test)."""

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, pattern: str | None = None, stop: Event | None = None
    ) -> Iterator[str]:
        """Yield pieces of the reply as they are decoded; closing the iterator stops the model.

        An assistant message as the last of `messages` is the beginning of the reply: the model continues it, and only
        the continuation is yielded.

        Args:
            messages: The chat; text in it is data, so that the model's control tokens in it have no effect.
            max_tokens: Where the reply is cut at the latest.
            pattern: A regular expression (Python syntax without look-around) that the whole reply must match; it is
                enforced while decoding, so that only a reply cut at `max_tokens` can fall short of it.
            stop: Set from another thread, it ends the call, also while the prompt is read or the caller queues.

        Raises:
            GenerationError: The engine failed; the message says what to do.
            StoppedError: `stop` was set.
        """
        ...

    def score(self, messages: Sequence[Message], options: Sequence[str], stop: Event | None = None) -> list[Choice]:
        """Log-probability of each option as the reply, in the order of `options`.

        Raises:
            GenerationError: As above.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """Number of tokens of `text` for this model's tokenizer."""
        ...

    def warm_up(self) -> None:
        """Run one token, so that the first question does not pay for lazy set-up (3.5 s on OpenVINO)."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


class Stoppable:
    """A generator whose every call ends when `stop` is set."""

    def __init__(self, generator: Generator, stop: Event) -> None:
        self._generator = generator
        self._stop = stop
        self.name = generator.name
        self.engine = generator.engine

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, pattern: str | None = None, stop: Event | None = None
    ) -> Iterator[str]:
        """As `Generator.stream`."""
        return self._generator.stream(messages, max_tokens=max_tokens, pattern=pattern, stop=stop or self._stop)

    def score(self, messages: Sequence[Message], options: Sequence[str], stop: Event | None = None) -> list[Choice]:
        """As `Generator.score`."""
        return self._generator.score(messages, options, stop or self._stop)

    def count_tokens(self, text: str) -> int:
        """As `Generator.count_tokens`."""
        return self._generator.count_tokens(text)

    def warm_up(self) -> None:
        """As `Generator.warm_up`."""
        self._generator.warm_up()

    def close(self) -> None:
        """As `Generator.close`."""
        self._generator.close()
