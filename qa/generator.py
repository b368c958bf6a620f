"""The seam between the pipeline and whatever runs the answering model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from corpus.errors import DossierError


class GenerationError(DossierError):
    """The answering model could not be loaded or could not run."""


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
    """openvino, transformers, openai or scripted."""

    def stream(self, messages: Sequence[Message], *, max_tokens: int, pattern: str | None = None) -> Iterator[str]:
        """Yield pieces of the reply as they are decoded; closing the iterator stops the model.

        An assistant message as the last of `messages` is the beginning of the reply: the model continues it, and only
        the continuation is yielded.

        Args:
            messages: The chat; text in it is data, so that the model's control tokens in it have no effect.
            max_tokens: Where the reply is cut at the latest.
            pattern: A regular expression (Python syntax without look-around) that the whole reply must match; it is
                enforced while decoding, so that only a reply cut at `max_tokens` can fall short of it.

        Raises:
            GenerationError: The engine failed; the message says what to do.
        """
        ...

    def score(self, messages: Sequence[Message], options: Sequence[str]) -> list[Choice]:
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
