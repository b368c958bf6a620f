"""OpenVINO: the default engine on a CPU with AVX-512. Settings and their measurements stand at the constants."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from threading import Event
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.cache import Progress, cache_folder, locked, read_json, require_space, write_json
from index.telemetry import silence_openvino
from qa.engines.chat import USUAL_CONTROL_TOKENS, looks_like_control, render_prompt
from qa.engines.choosing import has_avx512
from qa.engines.pattern import escape, portable_pattern
from qa.engines.streaming import TextSoFar, Write, holding, raise_if, stream_pieces
from qa.generator import Choice, GenerationError, Message

TokenIds: TypeAlias = NDArray[np.int64]
"""One sequence, (number of tokens,)."""

CACHE_GIBIBYTES = 1
"""Memory for attention keys and values: about 37,000 tokens of the default model, shared by cached prompt prefixes."""

STEP_TOKENS = 256
"""Prompt tokens between two looks at the stop, with AVX-512: 0.9 s. The engine itself cannot be stopped while it
reads a prompt, but what it has read stays cached, so a prompt in pieces costs no more than a prompt at once."""

SLOW_STEP_TOKENS = 32
"""The same without AVX-512: 0.6 s. Prompts are cached in blocks of 32, so a step is a multiple of that."""

DRAFT_TOKENS = 5
"""Tokens that prompt lookup proposes at a time: 35 to 56 a second instead of 18, since answers repeat the sources."""

DRAFT_NGRAM = 3
"""Tokens that must match in the prompt before the ones that follow are proposed."""

LONGEST_PROMPT = 8_000
"""Tokens. OpenVINO's tokenizer silently cuts what it reads after 8,192, whatever it is told."""

COUNTED_AT_ONCE = 2_000
"""Characters of a long text that are counted at a time, so that they stay below that limit."""

REMEMBERED_SCORES = 4096
"""Scores kept, so that none is asked of the engine again while its prompt is still cached (see `_read_score`)."""


class OpenVINOGenerator:
    """Runs a model folder in OpenVINO's form on the CPU, in bfloat16 where the CPU has it."""

    engine = "openvino"

    def __init__(self, folder: Path, name: str, progress: Progress | None = None) -> None:
        """Load the model: 4 s, and once 9 s more to compile it into the cache folder.

        Raises:
            GenerationError: OpenVINO cannot load the folder.
            ModelError: The cache folder cannot be written.
        """
        self.name = name
        self._lock = threading.Lock()
        self._pipeline = _load(folder, progress)
        self._tokenizer = self._pipeline.get_tokenizer()
        self._step = STEP_TOKENS if has_avx512() else SLOW_STEP_TOKENS
        self._end = int(self._tokenizer.get_eos_token_id())
        vocabulary = {token.decode("utf-8", "ignore") for token in self._tokenizer.get_vocab()}
        self._control_tokens = {*USUAL_CONTROL_TOKENS, *filter(looks_like_control, vocabulary)}
        self._cached: TokenIds = np.zeros(0, dtype=np.int64)
        self._read_scores: dict[tuple[bytes, str], float] = {}

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, pattern: str | None = None, stop: Event | None = None
    ) -> Iterator[str]:
        """As `Generator.stream`."""
        prompt = self._prompt(messages)
        config = self._config(max_tokens, None if pattern is None else portable_pattern(pattern))
        return stream_pieces(lambda write: self._run(prompt, config, write), self._lock, stop)

    def score(self, messages: Sequence[Message], options: Sequence[str], stop: Event | None = None) -> list[Choice]:
        """As `Generator.score`: all options in one batch over the cached prompt."""
        prompt = self._prompt(messages)
        with holding(self._lock, stop):
            self._read(prompt, lambda _: stop is not None and stop.is_set())
            raise_if(stop)
            configs = [self._config(self.count_tokens(option), escape(option), logprobs=1) for option in options]
            results = self._generate([prompt] * len(options), configs)
            return [
                Choice(option, float(result.m_scores[0]))
                if self._decode(result.m_generation_ids[0]) == option
                else Choice(option, self._read_score(prompt, option))
                for option, result in zip(options, results, strict=True)
            ]

    def count_tokens(self, text: str) -> int:
        """As `Generator.count_tokens`; beyond 2,000 characters it may be one too many for every further 2,000."""
        starts = range(0, len(text), COUNTED_AT_ONCE)
        return sum(len(self._encode(text[start : start + COUNTED_AT_ONCE])) for start in starts)

    def warm_up(self) -> None:
        """As `Generator.warm_up`: the first run repacks the weights, 3.5 s."""
        for _ in self.stream([Message("user", "Hello")], max_tokens=1):
            pass

    def close(self) -> None:
        """Free the model, when the run that is under way has ended."""
        with self._lock:
            self._pipeline = None

    def _encode(self, text: str) -> TokenIds:
        ids: TokenIds = np.array(self._tokenizer.encode(text, add_special_tokens=False).input_ids.data, dtype=np.int64)
        return ids.reshape(-1)

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))

    def _prompt(self, messages: Sequence[Message]) -> TokenIds:
        text = render_prompt(
            messages,
            lambda chat: str(self._tokenizer.apply_chat_template(chat, add_generation_prompt=True)),
            self._control_tokens,
        )
        prompt = self._encode(text)
        if len(prompt) > LONGEST_PROMPT:
            raise GenerationError(
                f"The prompt has {self.count_tokens(text):,} tokens and the limit is {LONGEST_PROMPT:,}. Ask a shorter "
                "question, or lower the evidence budget."
            )
        return prompt

    def _config(self, max_tokens: int, pattern: str | None, logprobs: int = 0) -> Any:  # noqa: ANN401 - no type stubs
        import openvino_genai

        config = openvino_genai.GenerationConfig()
        config.do_sample = False
        config.max_new_tokens = max_tokens
        config.num_assistant_tokens = DRAFT_TOKENS
        config.max_ngram_size = DRAFT_NGRAM
        config.logprobs = logprobs
        config.set_eos_token_id(self._end)
        if pattern is not None:
            config.structured_output_config = openvino_genai.StructuredOutputConfig()
            config.structured_output_config.regex = pattern
        return config

    def _run(self, prompt: TokenIds, config: Any, write: Write) -> None:  # noqa: ANN401 - no type stubs
        import openvino_genai

        text = TextSoFar(self._decode, write)
        status = openvino_genai.StreamingStatus

        class Streamer(openvino_genai.StreamerBase):  # type: ignore[misc] # the library has no type stubs
            """Sees each token at once, where the library's own text streamer holds the last few back."""

            def write(self, token: int | list[int]) -> Any:  # noqa: ANN401 - no type stubs
                return status.CANCEL if text.add(token if isinstance(token, list) else [token]) else status.RUNNING

            def end(self) -> None:
                text.finish()

        if self._read(prompt, write, leave=self._step):
            self._generate([prompt], [config], Streamer())
            self._cached = prompt

    def _read(self, prompt: TokenIds, write: Write, leave: int = 0) -> bool:
        """Read a prompt into the cache in pieces, but for its last `leave` tokens; False when the reader has left."""
        shared = min(len(prompt), len(self._cached))
        differs = np.flatnonzero(prompt[:shared] != self._cached[:shared])
        done = int(differs[0]) if len(differs) else shared
        while done < len(prompt) - leave:
            if write(""):
                return False
            done = min(done + self._step, len(prompt))
            self._generate([prompt[:done]], [self._config(1, None)])
            self._cached = prompt[:done]
        return not write("")

    def _read_score(self, prompt: TokenIds, option: str) -> float:
        """Log-probability of an option whose tokens the constrained run did not take as the tokenizer cuts them.

        The option is read as a part of the prompt with the probabilities echoed. The engine echoes only what it had not
        cached, therefore the result is remembered.
        """
        key = (hashlib.sha256(prompt.tobytes()).digest(), option)
        if key not in self._read_scores:
            whole = np.concatenate([prompt, self._encode(option)])
            config = self._config(1, None, logprobs=1)
            config.echo = True
            _, logprobs = self._trace(whole, config)
            length = len(whole) - len(prompt)
            of_option = logprobs[-length - 1 : -1]  # the last one is of the token after the option
            if len(of_option) < length:
                # A reply of this text is cached whole: spell it in the tokens that the constraint likes best. The
                # sum is too low, but such an option is improbable to begin with.
                tokens, logprobs = self._trace(prompt, self._config(length + 16, escape(option), logprobs=1))
                of_option = [logprobs[place] for place, token in enumerate(tokens) if token != self._end]
            while len(self._read_scores) >= REMEMBERED_SCORES:
                del self._read_scores[next(iter(self._read_scores))]
            self._read_scores[key] = float(sum(of_option))
        return self._read_scores[key]

    def _trace(self, prompt: TokenIds, config: Any) -> tuple[list[int], list[float]]:  # noqa: ANN401 - no type stubs
        """The tokens of one run and their log-probabilities."""
        import openvino
        import openvino_genai

        request = self._pipeline.add_request(0, openvino.Tensor(prompt[None, :]), config)
        while request.get_status() == openvino_genai.GenerationStatus.RUNNING:
            self._pipeline.step()
        output = request.read_all()[0]
        return list(output.generated_ids), list(output.generated_log_probs)

    def _generate(self, prompts: Sequence[TokenIds], configs: list[Any], streamer: Any = None) -> Any:  # noqa: ANN401
        import openvino

        if self._pipeline is None:
            raise GenerationError("This model has been closed. Load it again.")
        try:
            tensors = [openvino.Tensor(prompt[None, :]) for prompt in prompts]
            return self._pipeline.generate(tensors, configs, streamer)
        except RuntimeError as error:
            raise GenerationError(f"OpenVINO stopped: {_last_line(error)}. Run: dossier models verify") from error


def _load(folder: Path, progress: Progress | None) -> Any:  # noqa: ANN401 - the library has no type stubs
    """The pipeline, compiled into the cache folder once; what a killed process left there half written is removed."""
    compiled = cache_folder() / "compiled" / f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    if _compiled_files(compiled) == read_json(compiled / "complete.json"):
        try:
            return _open_pipeline(folder, compiled)
        except GenerationError:  # perhaps what was compiled is damaged: once more without it
            shutil.rmtree(compiled, ignore_errors=True)
    with locked(f"compile-{compiled.name}", progress):
        if _compiled_files(compiled) != read_json(compiled / "complete.json"):
            shutil.rmtree(compiled, ignore_errors=True)
            size = sum(path.stat().st_size for path in folder.glob("openvino_model*.bin"))
            require_space(compiled, int(1.3 * size), f"compile {folder.name}")
            if progress:
                progress("Compiling the model for this CPU (once)", 0, 0)
        pipeline = _open_pipeline(folder, compiled)
        write_json(compiled / "complete.json", _compiled_files(compiled))
    return pipeline


def _compiled_files(compiled: Path) -> dict[str, Any]:
    """Names and sizes of what OpenVINO compiled, and the version and the precision that it did it with."""
    blobs = {path.name: path.stat().st_size for path in sorted(compiled.glob("*.blob"))}
    return {"openvino_genai": metadata.version("openvino-genai"), "precision": _precision(), "files": blobs}


def _precision() -> dict[str, str]:
    """How numbers are held while the model computes, and in what it keeps of the prompts that it has read.

    Kept in the engine's default of 8 bits, the same prompt gives other log-odds after other prompts (evals/LOG.md).
    """
    return {"INFERENCE_PRECISION_HINT": "bf16"} | ({"KV_CACHE_PRECISION": "bf16"} if has_avx512() else {})


def _open_pipeline(folder: Path, compiled: Path) -> Any:  # noqa: ANN401 - the library has no type stubs
    silence_openvino()
    import openvino_genai

    scheduler = openvino_genai.SchedulerConfig()
    scheduler.enable_prefix_caching = True
    scheduler.cache_size = CACHE_GIBIBYTES
    scheduler.max_num_batched_tokens = 8192
    properties = {"prompt_lookup": True, "CACHE_DIR": str(compiled)} | _precision()
    try:
        return openvino_genai.ContinuousBatchingPipeline(str(folder), scheduler, "CPU", properties, {}, {})
    except RuntimeError as error:
        raise GenerationError(
            f"OpenVINO could not load the model folder {folder}: {_last_line(error)}. Run: dossier models verify"
        ) from error


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
