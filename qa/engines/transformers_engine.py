"""Transformers: the engine for a GPU, and for any model folder or hub name.

The decoding loop is our own and greedy: it reads the prompt in pieces, so that it can be stopped there too, and masks
what the pattern does not allow (llguidance, a compiled constraint of 3 MB that needs nothing else).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
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
"""The same in float32: 0.6 s."""

LONGEST_PROMPT = 16_384
"""Tokens, unless the model says that it reads fewer."""


class TransformersGenerator:
    """Runs a model on the GPU, or on the CPU where there is none; in bfloat16 where that is computed in hardware."""

    engine = "transformers"

    def __init__(self, model: str | Path, name: str) -> None:
        """Load the model.

        Args:
            model: A folder, or a name on the model hub, which is downloaded.
            name: As answers show it.

        Raises:
            GenerationError: transformers cannot load the model.
        """
        import torch

        self.name = name
        self._lock = threading.Lock()
        self._tokenizer, self._model = _load(model)
        self._step = STEP_TOKENS if self._model.dtype == torch.bfloat16 else SLOW_STEP_TOKENS
        ends = self._model.generation_config.eos_token_id
        self._ends = {self._tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
        vocabulary = [*self._tokenizer.get_vocab(), *self._tokenizer.all_special_tokens]
        self._control_tokens = {*USUAL_CONTROL_TOKENS, *filter(looks_like_control, vocabulary)}
        self._longest = min(LONGEST_PROMPT, getattr(self._model.config, "max_position_embeddings", LONGEST_PROMPT))
        self._constraint_tokenizer: Any = None

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
            read = self._read(prompt, lambda _: stop is not None and stop.is_set())
            if read is None:
                raise StoppedError
            cache, first = read
            choices = []
            for option in options:
                raise_if(stop)
                choices.append(Choice(option, self._score_option(cache, first, option)))
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
            self._model = None

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
            read = self._read(prompt, write)
            if read is None:
                return
            cache, logits = read
            matcher = self._matcher(pattern)
            text = TextSoFar(self._decode, write)
            for _ in range(max_tokens):
                token = int(self._allowed(logits, matcher).argmax())
                if token in self._ends or text.add([token]):
                    break
                if matcher is not None:
                    matcher.consume_token(token)
                logits = self._forward([token], cache)[-1]
            text.finish()

    def _read(self, prompt: list[int], write: Write) -> tuple[Any, Any] | None:
        """Attention cache of the prompt and the logits after it, (vocabulary,); None when the reader has left."""
        import transformers

        if self._model is None:
            raise GenerationError("This model has been closed. Load it again.")
        cache = transformers.DynamicCache(config=self._model.config)
        logits = None
        for start in range(0, len(prompt), self._step):
            if write(""):
                return None
            logits = self._forward(prompt[start : start + self._step], cache)[-1]
        return None if write("") else (cache, logits)

    def _score_option(self, cache: Any, first: Any, option: str) -> float:  # noqa: ANN401 - untyped library
        import torch

        tokens = self._encode(option)
        logits = torch.cat([first[None, :], self._forward(tokens, cache)[:-1]])  # (tokens, vocabulary)
        cache.crop(-len(tokens))
        chosen = logits.float().log_softmax(-1)[torch.arange(len(tokens)), torch.tensor(tokens)]  # (tokens,)
        return float(chosen.sum())

    def _forward(self, tokens: list[int], cache: Any) -> Any:  # noqa: ANN401 - untyped library
        """Logits after each of the tokens, (tokens, vocabulary), on the CPU; the cache grows by the tokens."""
        import torch

        with torch.inference_mode():
            batch = torch.tensor([tokens], device=self._model.device)  # (1, tokens)
            return self._model(batch, past_key_values=cache, use_cache=True).logits[0].cpu()

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


def _load(model: str | Path) -> tuple[Any, Any]:
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
        loaded = transformers.AutoModelForCausalLM.from_pretrained(str(model), dtype=dtype, **options)
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as error:
        raise GenerationError(
            f"transformers could not load {model}: {error}. Name a folder, a GGUF file, or a model of the hub."
        ) from error
    return tokenizer, loaded.to(device).eval()
