"""What the model is asked about one question: whether a text answers it, and the answer in words."""

from __future__ import annotations

import time
from collections.abc import Generator as Generator_
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from corpus import normalise
from qa.answer import Draft, Timings
from qa.confidence import doubt_of, trust_of
from qa.evidence import Evidence
from qa.generator import Generator, Message
from qa.prompt import NO, YES, verdict_prompt, writing_prompt
from qa.verification import finished_sentences, tidy

CUT_SHORT = 2
"""Tokens by which a reply that was cut may seem shorter when it is counted again as text."""


@dataclass
class Clock:
    """Milliseconds since a question was asked, and the tokens that it took."""

    begun: float = field(default_factory=time.perf_counter)
    first_token_ms: float = 0.0
    search_ms: float = 0.0
    prompt_tokens: int = 0
    answer_tokens: int = 0

    def now(self) -> float:
        """Milliseconds since the question."""
        return (time.perf_counter() - self.begun) * 1000.0

    def timings(self) -> Timings:
        """All of it, the question being answered now."""
        total = self.now()
        return Timings(
            search_ms=round(self.search_ms, 1),
            first_token_ms=round(self.first_token_ms or total, 1),
            total_ms=round(total, 1),
            prompt_tokens=self.prompt_tokens,
            answer_tokens=self.answer_tokens,
        )


@dataclass
class Inference:
    """The calls of the model for one standalone question. No text is judged twice."""

    generator: Generator
    question: str
    clock: Clock
    _verdicts: dict[tuple[str, tuple[Evidence, ...]], float] = field(default_factory=dict)
    """By what was asked, and what the model read."""

    def judge(self, read: Sequence[Evidence], question: str = "") -> float:
        """Log-odds of the model's yes to `do these passages state the answer`, corrected for what it misjudges.

        Args:
            read: The passages.
            question: Asked instead of the standalone question, when not empty.
        """
        question = question or self.question
        key = question, tuple(replace(sentence, score=0.0) for sentence in read)
        if key not in self._verdicts:
            messages = verdict_prompt(question, read)
            self._count_prompt(messages)
            said = [choice.logprob for choice in self.generator.score(messages, (*YES, *NO))]
            odds = float(np.logaddexp.reduce(said[: len(YES)]) - np.logaddexp.reduce(said[len(YES) :]))
            trust = trust_of(question, " ".join(sentence.in_place for sentence in read))
            self._verdicts[key] = odds + doubt_of(question) - trust
        return self._verdicts[key]

    def write(self, passage: Sequence[Evidence], max_tokens: int) -> Generator_[Draft, None, str]:
        """Drafts as far as they are written; returns the last, whole one, without a sentence that the limit cut."""
        written = ""
        messages = writing_prompt(self.question, passage)
        self._count_prompt(messages)
        for piece in self.generator.stream(messages, max_tokens=max_tokens):
            written = normalise(written + piece)
            if "\n" in written.strip():
                break
            if written.strip():
                self.clock.first_token_ms = self.clock.first_token_ms or self.clock.now()
                yield Draft(tidy(written, passage))
        written = written.strip().partition("\n")[0]
        tokens = self.generator.count_tokens(written)
        self.clock.answer_tokens += tokens
        draft = tidy(written, passage) if written else ""
        return finished_sentences(draft) if tokens >= max_tokens - CUT_SHORT else draft

    def _count_prompt(self, messages: Sequence[Message]) -> None:
        """Keep the length of the longest prompt."""
        tokens = sum(self.generator.count_tokens(message.content) for message in messages)
        self.clock.prompt_tokens = max(self.clock.prompt_tokens, tokens)
