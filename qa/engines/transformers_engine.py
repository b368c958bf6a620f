"""Transformers: the engine for a GPU, for any model folder or hub name, and with eight-bit weights for a CPU with AVX2.

The decoding loop is our own and greedy: it reads the prompt in pieces, so that it can be stopped there too, masks
what the pattern does not allow (llguidance, a compiled constraint of 3 MB that needs nothing else). Where the numbers
are exact enough that nothing but the time changes, it keeps what the prompt has in common with the last ones of two
kinds, and reads the next words at once where the reply repeats the prompt (prompt lookup: Saxena, 2023).
"""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import cached_property
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from index.embedder import cpu_has_bfloat16
from qa.engines.chat import USUAL_CONTROL_TOKENS, looks_like_control, render_prompt
from qa.engines.pattern import portable_pattern
from qa.engines.streaming import TextSoFar, Write, holding, raise_if, stream_pieces
from qa.generator import Choice, GenerationError, Message, StoppedError

STEP_TOKENS = 256
"""Prompt tokens between two looks at the stop, in bfloat16: 1.1 s on two CPU cores."""

SLOW_STEP_TOKENS = 32
"""The same in float32, 0.6 s, and with eight-bit weights, 0.4 s."""

LONGEST_PROMPT = 16_384
"""Tokens, unless the model says that it reads fewer."""

LOOKED_UP = 7
"""Most tokens read ahead of what is written: on two CPU cores eight at once take 1.4 times as long as one."""

SHARED = 16
"""Tokens that a prompt must have in common with what a cache holds, beyond what the template puts before each, to be
read over it. Otherwise it is of another kind, and what was read stays aside: the examples that a follow-up is rewritten
by are as long as its passages, and are read once."""

REPEATED = (5, 4, 3, 2, 1)
"""How many last tokens must stand in what was read before for the tokens after them to be read ahead; longest first."""


class TransformersGenerator:
    """Runs a model on the GPU, or on the CPU where there is none; in bfloat16 where that is computed in hardware."""

    def __init__(self, model: str | Path, name: str, *, eight_bit: bool = False) -> None:
        """Load the model.

        Args:
            model: A folder, or a name on the model hub, which is downloaded.
            name: As answers show it.
            eight_bit: Whether it is a folder of `index.eight_bit`, which runs on the CPU; it is the engine `int8`.

        Raises:
            GenerationError: transformers cannot load the model.
        """
        import torch

        self.name = name
        self.engine = "int8" if eight_bit else "transformers"
        self._lock = threading.Lock()
        self._tokenizer, self._model = _load(model, eight_bit=eight_bit)
        self._exact = eight_bit or self._model.dtype == torch.float32
        """Whether a reply depends on nothing but its prompt, however that is read; bfloat16 has ties that tip."""
        self._step = SLOW_STEP_TOKENS if self._exact else STEP_TOKENS
        ends = self._model.generation_config.eos_token_id
        self._ends = {self._tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
        vocabulary = [*self._tokenizer.get_vocab(), *self._tokenizer.all_special_tokens]
        self._control_tokens = {*USUAL_CONTROL_TOKENS, *filter(looks_like_control, vocabulary)}
        self._longest = min(LONGEST_PROMPT, getattr(self._model.config, "max_position_embeddings", LONGEST_PROMPT))
        self._last_only = (
            {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(self._model.forward).parameters else {}
        )
        self._constraint_tokenizer: Any = None
        self._cache: Any = None
        self._cached: list[int] = []
        """The tokens whose keys and values the cache holds."""
        self._aside: Any = None
        """A second cache and its tokens: those of the other kind of prompt that was read last."""
        self._forget()

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, pattern: str | None = None, stop: Event | None = None
    ) -> Iterator[str]:
        """As `Generator.stream`."""
        prompt = self._prompt(messages)
        portable = None if pattern is None else portable_pattern(pattern)
        return stream_pieces(lambda write: self._run(prompt, max_tokens, portable, write), self._lock, stop)

    def score(self, messages: Sequence[Message], options: Sequence[str], stop: Event | None = None) -> list[Choice]:
        """As `Generator.score`: the prompt is read once, then each option over it."""
        prompt = self._prompt(messages)
        with holding(self._lock, stop), self._failures():
            first = self._read(prompt, lambda _: stop is not None and stop.is_set())
            if first is None:
                raise StoppedError
            choices = []
            for option in options:
                raise_if(stop)
                choices.append(Choice(option, self._score_option(first, option)))
            return choices

    def count_tokens(self, text: str) -> int:
        """As `Generator.count_tokens`."""
        return len(self._encode(text))

    def warm_up(self) -> None:
        """As `Generator.warm_up`."""
        for _ in self.stream([Message("user", "Hello")], max_tokens=1):
            pass

    def close(self) -> None:
        """Free the model, when the run that is under way has ended."""
        with self._lock:
            self._model = self._cache = self._aside = None

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        if self._tokenizer.chat_template is None:
            raise GenerationError(f"The model {self.name} has no chat template: choose one that was tuned for chat.")
        text = render_prompt(
            messages,
            lambda chat: str(self._tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)),
            self._control_tokens,
        )
        prompt = self._encode(text)
        if len(prompt) > self._longest:
            raise GenerationError(
                f"The prompt has {len(prompt):,} tokens and the limit is {self._longest:,}. Ask a shorter question, or "
                "lower the evidence budget."
            )
        return prompt

    def _run(self, prompt: list[int], max_tokens: int, pattern: str | None, write: Write) -> None:
        with self._failures():
            logits = self._read(prompt, write)
            if logits is None:
                return
            matcher = self._matcher(pattern)
            text = TextSoFar(self._decode, write)
            for token in islice(self._decoded(logits, matcher), max_tokens):
                if token in self._ends or text.add([token]):
                    break
            text.finish()

    def _decoded(self, logits: Any, matcher: Any) -> Iterator[int]:  # noqa: ANN401 - untyped library
        """The tokens that are written after what is in the cache, of which `logits` are the last, (vocabulary,)."""
        rows, ahead = [logits], list[int]()
        while True:
            for right, row in enumerate(rows):  # the tokens read ahead are right as far as they are the ones written
                token = int(self._allowed(row, matcher).argmax())
                yield token
                if matcher is not None:
                    matcher.consume_token(token)
                if right == len(ahead) or token != ahead[right]:
                    break
            self._drop(len(ahead) - right)
            ahead = self._looked_up(token) if self._shortens and self._exact else []
            rows = list(self._forward([token, *ahead]))

    def _looked_up(self, token: int) -> list[int]:
        """What follows, where the end of what was read and written, with `token`, stands there for the second time."""
        tokens = [*self._cached, token]
        for length in REPEATED:
            last = tokens[-length:]
            for start in range(len(tokens) - length - 1, -1, -1):
                if tokens[start : start + length] == last:
                    return tokens[start + length : start + length + LOOKED_UP]
        return []

    def _read(self, prompt: list[int], write: Write) -> Any | None:  # noqa: ANN401 - untyped library
        """The logits after the prompt, (vocabulary,); None when the reader has left."""
        if self._model is None:
            raise GenerationError("This model has been closed. Load it again.")
        if self._shortens and self._exact:
            common, other = (_common(tokens, prompt) for tokens in (self._cached, self._aside[1]))
            another_kind = self._cached and common < min(len(prompt) - 1, self._preamble + SHARED)
            if other > common or another_kind:
                (self._cache, self._cached), self._aside = self._aside, (self._cache, self._cached)
                common = other
            self._drop(len(self._cached) - common)
        else:
            self._forget()
        logits = None
        for start in range(len(self._cached), len(prompt), self._step):
            if write(""):
                return None
            logits = self._forward(prompt[start : start + self._step], last_only=True)[-1]
        return None if write("") else logits

    def _score_option(self, first: Any, option: str) -> float:  # noqa: ANN401 - untyped library
        import torch

        tokens = self._encode(option)
        logits = first[None, :]
        if len(tokens) > 1:
            before = None if self._shortens else deepcopy(self._cache)
            logits = torch.cat([logits, self._forward(tokens[:-1])])  # (tokens, vocabulary)
            if before is None:
                self._drop(len(tokens) - 1)
            else:
                self._cache, self._cached = before, self._cached[: 1 - len(tokens)]
        chosen = logits.float().log_softmax(-1)[torch.arange(len(tokens)), torch.tensor(tokens)]  # (tokens,)
        return float(chosen.sum())

    def _forward(self, tokens: list[int], *, last_only: bool = False) -> Any:  # noqa: ANN401 - untyped library
        """Logits after each of the tokens (or the last), (tokens, vocabulary), on the CPU; the cache grows by them."""
        import torch

        kept = self._last_only if last_only else {}
        try:
            with torch.inference_mode():
                batch = torch.tensor([tokens], device=self._model.device)  # (1, tokens)
                logits = self._model(batch, past_key_values=self._cache, use_cache=True, **kept).logits[0].cpu()
        except BaseException:  # the layers before the fault have grown, or the memory is full
            self._forget()
            raise
        self._cached.extend(tokens)
        return logits

    def _drop(self, tokens: int) -> None:
        """Take the last tokens out of a cache that can be shortened."""
        if tokens:
            self._cache.crop(-tokens)
            del self._cached[-tokens:]

    @cached_property
    def _preamble(self) -> int:
        """How many tokens the template puts before every prompt."""
        first, second = (self._prompt([Message("system", word), Message("user", word)]) for word in ("Alpha", "Omega"))
        return _common(first, second)

    def _forget(self) -> None:
        """Empty both caches, so that everything is read anew."""
        from transformers.cache_utils import DynamicCache, DynamicLayer

        self._aside = DynamicCache(config=self._model.config), []
        self._cached = []
        self._cache = DynamicCache(config=self._model.config)
        self._shortens = all(type(layer) is DynamicLayer for layer in self._cache.layers)
        """Whether the last tokens can be taken out, as they cannot where only a window of them is kept."""

    def _matcher(self, pattern: str | None) -> Any:  # noqa: ANN401 - None or a compiled constraint
        if pattern is None:
            return None
        import llguidance
        import llguidance.hf

        if self._constraint_tokenizer is None:
            self._constraint_tokenizer = llguidance.hf.from_tokenizer(
                self._tokenizer, n_vocab=self._model.config.vocab_size, eos_token=sorted(self._ends)
            )
        matcher = llguidance.LLMatcher(
            self._constraint_tokenizer, llguidance.LLMatcher.grammar_from_regex(pattern), log_level=0
        )
        if matcher.is_error():
            raise GenerationError(f"The pattern {pattern!r} cannot be enforced: {matcher.get_error()}")
        return matcher

    def _allowed(self, logits: Any, matcher: Any) -> Any:  # noqa: ANN401 - untyped library
        """The logits, (vocabulary,), with minus infinity where the constraint does not allow the token."""
        import torch

        if matcher is None:
            return logits
        if matcher.is_stopped():
            bits = np.zeros(len(logits), dtype=bool)
            bits[sorted(self._ends)] = True
        else:
            packed = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
            bits = np.unpackbits(packed, bitorder="little")[: len(logits)].astype(bool)
        return torch.where(torch.from_numpy(bits), logits, float("-inf"))

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Map what the library raises while it runs."""
        try:
            yield
        except RuntimeError as error:  # torch's out-of-memory fault is one of these
            raise GenerationError(
                f"The model {self.name} stopped: {error}. With too little memory, choose a smaller model."
            ) from error


def _common(read: Sequence[int], prompt: Sequence[int]) -> int:
    """How many tokens of a prompt but its last stand at the beginning of what was read."""
    pairs = enumerate(zip(read, prompt[:-1], strict=False))
    return next((at for at, (known, wanted) in pairs if known != wanted), min(len(read), len(prompt) - 1))


def _load(model: str | Path, *, eight_bit: bool) -> tuple[Any, Any]:
    """Tokenizer and model; only a hub name reaches the network."""
    import torch
    import transformers

    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" or cpu_has_bfloat16() else torch.float32
    options: dict[str, Any] = {"local_files_only": Path(model).exists(), "trust_remote_code": False}
    if Path(model).exists():  # a bar is for what is long: the download of a model from the hub
        transformers.utils.logging.disable_progress_bar()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(model), **options)
        if eight_bit:
            from index.eight_bit import load_eight_bit

            return tokenizer, load_eight_bit(Path(model))
        loaded = transformers.AutoModelForCausalLM.from_pretrained(str(model), dtype=dtype, **options)
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as error:
        raise GenerationError(
            f"transformers could not load {model}: {error}. Name a folder, a GGUF file, or a model of the hub."
        ) from error
    return tokenizer, loaded.to(device).eval()
