"""llama.cpp reads a GGUF file as it is: no conversion, the least memory.

On a CPU without AVX-512 it answers in twice the time of int8, with AVX-512 several times slower than OpenVINO
(evals/LOG.md).
"""

from __future__ import annotations

import json
import os
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from qa.engines.chat import USUAL_CONTROL_TOKENS, looks_like_control, render_prompt
from qa.engines.grammar import grammar
from qa.engines.streaming import Write, holding, raise_if, stream_pieces
from qa.generator import Choice, GenerationError, Message

CONTEXT_TOKENS = 8192
"""Longest prompt and reply together; the keys and values of the default model take 0.2 GiB."""
LISTED_TOKENS = 64
"""Most likely first tokens that one step lists; an option that begins otherwise, or goes on, costs a step a token."""
STEP_TOKENS = 32
"""Prompt tokens between two looks at the stop: half a second on two cores with AVX2. Reading a prompt in pieces of 32
instead of 512 takes 13 % more processor time (evals/LOG.md)."""
_CERTAIN = 1000.0
"""Added to a token's logit it makes the token the next one; its reported probability stays the raw one."""
_CONTROL = 3
"""The type of control tokens in a GGUF file."""
_ENDS = frozenset(
    {"<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|return|>", "<end_of_turn>", "</s>"}
)
"""Control tokens that end a reply: a grammar knows them. Any other one is to it the text of its name: where a reply may
not end yet, the model went on in such tokens, which nobody sees."""
_QUIET = -1
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks the model's own server, whatever proxy the environment names."""


class LlamaCppGenerator:
    """Runs a GGUF file on the CPU. The prompt prefix shared with the call before is not read again."""

    engine = "llamacpp"

    def __init__(self, path: Path, name: str) -> None:
        """Load the model: 1 to 3 s.

        Raises:
            GenerationError: The file cannot be loaded.
        """
        import xllamacpp
        from gguf import GGUFReader

        self.name = name
        self._lock = threading.Lock()
        try:
            fields = GGUFReader(path).fields
            template = str(fields["tokenizer.chat_template"].contents())
            tokens: list[str] = fields["tokenizer.ggml.tokens"].contents()
            self._server: Any = xllamacpp.Server(_parameters(path))
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise GenerationError(f"llama.cpp could not load {path}: {error}. Run: dossier models verify") from error
        self._control_tokens = {*USUAL_CONTROL_TOKENS, *filter(looks_like_control, tokens)}
        kinds: list[int] = fields["tokenizer.ggml.token_type"].contents()
        self._never_written = [
            [token, False]
            for token, (text, kind) in enumerate(zip(tokens, kinds, strict=True))
            if kind == _CONTROL and text not in _ENDS
        ]
        self._template = _compile(template)

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, pattern: str | None = None, stop: Event | None = None
    ) -> Iterator[str]:
        """As `Generator.stream`."""
        request = self._request(messages, max_tokens, pattern)

        def run(write: Write) -> None:
            self._complete(
                request, lambda part: write("".join(choice.get("text") or "" for choice in part.get("choices", ())))
            )

        return stream_pieces(run, self._lock, stop)

    def score(self, messages: Sequence[Message], options: Sequence[str], stop: Event | None = None) -> list[Choice]:
        """As `Generator.score`. Options of one likely token are all read from one step."""
        with holding(self._lock, stop):
            request = self._request(messages, 1, None)
            first = self._step({**request, "n_probs": LISTED_TOKENS}, stop)
            listed = {int(entry["id"]): float(entry["logprob"]) for entry in first["top_logprobs"]}
            return [Choice(option, self._logprob(request, self._tokenise(option), listed, stop)) for option in options]

    def count_tokens(self, text: str) -> int:
        """As `Generator.count_tokens`."""
        return len(self._tokenise(text))

    def warm_up(self) -> None:
        """As `Generator.warm_up`: maps the weights into memory."""
        for _ in self.stream([Message("user", "Hello")], max_tokens=1):
            pass

    def close(self) -> None:
        """Free the model, when the run that is under way has ended."""
        with self._lock:
            self._server = None

    @property
    def _running(self) -> Any:  # noqa: ANN401 - the library has no type stubs
        if self._server is None:
            raise GenerationError("This model has been closed. Load it again.")
        return self._server

    def _request(self, messages: Sequence[Message], max_tokens: int, pattern: str | None) -> dict[str, Any]:
        prompt = render_prompt(
            messages,
            lambda chat: self._template.render(messages=chat, add_generation_prompt=True),
            self._control_tokens,
        )
        request = {"prompt": prompt, "n_predict": max_tokens, "temperature": 0.0, "cache_prompt": True}
        if pattern is not None:
            request["grammar"] = grammar(pattern)
            request["logit_bias"] = self._never_written
        return request

    def _complete(self, request: dict[str, Any], take: Callable[[dict[str, Any]], bool]) -> None:
        """Give `take` each part of the reply, and each step of the reading before it, until it returns True."""
        refused: list[dict[str, Any]] = []  # an exception in the callback would be lost

        def receive(part: dict[str, Any]) -> bool:
            if "error" in part:
                refused.append(part)
            return take(part)

        try:
            self._running.handle_completions({**request, "stream": True, "return_progress": True}, receive)
        except RuntimeError as error:
            raise GenerationError(f"llama.cpp stopped: {error}. Run: dossier models verify") from error
        for part in refused:
            _check(part)

    def _step(self, request: dict[str, Any], stop: Event | None) -> dict[str, Any]:
        """The next token, with its log-probability and those of the most likely ones."""
        tokens: list[dict[str, Any]] = []

        def take(part: dict[str, Any]) -> bool:
            for choice in part.get("choices", ()):
                tokens.extend((choice.get("logprobs") or {}).get("content", ()))
            return stop is not None and stop.is_set()

        self._complete(request, take)
        raise_if(stop)
        return tokens[0]

    def _logprob(
        self, request: dict[str, Any], tokens: Sequence[int], listed: dict[int, float], stop: Event | None
    ) -> float:
        """Raw log-probability of the tokens one after the other, given those of the likely first ones."""
        total = 0.0
        for place, token in enumerate(tokens):
            if place == 0 and token in listed:
                total += listed[token]
                continue
            prompt = [request["prompt"], *tokens[:place]]
            step = self._step({**request, "prompt": prompt, "n_probs": 1, "logit_bias": [[token, _CERTAIN]]}, stop)
            total += float(step["logprob"])
        return total

    def _tokenise(self, text: str) -> list[int]:
        data = json.dumps({"content": text}).encode()
        request = urllib.request.Request(  # noqa: S310 - the model's own server, bound to loopback
            f"{self._running.listening_address}/tokenize", data, {"Content-Type": "application/json"}
        )
        try:
            with _DIRECT.open(request, timeout=30) as reply:
                tokens: list[int] = json.load(reply)["tokens"]
        except (OSError, ValueError, KeyError) as error:
            raise GenerationError(f"llama.cpp counted no tokens: {error}. Ask again.") from error
        return tokens


def _parameters(path: Path) -> Any:  # noqa: ANN401 - the library has no type stubs
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_batch = STEP_TOKENS
    parameters.n_parallel = 1
    parameters.warmup = False
    parameters.verbosity = _QUIET
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    return parameters


def _compile(template: str) -> Any:  # noqa: ANN401 - a jinja template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(template)


def _check(reply: dict[str, Any]) -> dict[str, Any]:
    if error := reply.get("error"):
        message = error.get("message", error) if isinstance(error, dict) else error
        raise GenerationError(f"llama.cpp refused the prompt: {message}. Ask a shorter question.")
    return reply
