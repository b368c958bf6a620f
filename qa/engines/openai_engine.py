"""A server with the OpenAI interface (vLLM and the like), named by its address: the one engine on the network."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from threading import Event
from typing import Any

import httpx

from qa.engines.chat import USUAL_CONTROL_TOKENS, neutralise
from qa.engines.pattern import portable_pattern
from qa.engines.streaming import raise_if
from qa.generator import Choice, GenerationError, Message

WAIT_SECONDS = 120.0
"""For the first token: a busy server may queue the question."""

MOST_LOGPROBS = 20
"""Alternatives a server lists for a token; the interface allows no more."""

CHARACTERS_PER_TOKEN = 3.5
"""For a rough count: the interface has none. English prose has 4 to 4.5."""


class OpenAIGenerator:
    """Sends the chat to `{address}/chat/completions`."""

    engine = "openai"

    def __init__(self, address: str, model: str = "", client: httpx.Client | None = None) -> None:
        """Ask the server which models it has.

        Args:
            address: Up to and including `/v1`.
            model: The server's name of it; empty takes the first.
            client: For tests; it must not follow the environment's proxies to another host.

        Raises:
            GenerationError: No server answers there, or it does not have the model.
        """
        self._address = address.rstrip("/")
        self._client = client or httpx.Client(timeout=httpx.Timeout(WAIT_SECONDS, connect=5.0), trust_env=False)
        with self._failures():
            response = self._client.get(f"{self._address}/models")
            response.raise_for_status()
            names = [str(entry["id"]) for entry in response.json()["data"]]
        if not names or (model and model not in names):
            raise GenerationError(f"The server {address} does not have {model or 'a model'}; it has {names}.")
        self.name = model or names[0]

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, pattern: str | None = None, stop: Event | None = None
    ) -> Iterator[str]:
        """As `Generator.stream`; the pattern is sent in vLLM's form and checked here, since other servers ignore it.

        A stop is looked at with each line from the server, so not before its first token.
        """
        body = self._body(messages, max_tokens) | {"stream": True}
        if pattern is not None:
            portable = portable_pattern(pattern)
            body |= {"guided_regex": portable, "structured_outputs": {"regex": portable}}
        text, finished = "", ""
        with self._failures(), self._client.stream("POST", f"{self._address}/chat/completions", json=body) as response:
            if response.is_error:
                response.read()
            response.raise_for_status()
            for line in response.iter_lines():
                raise_if(stop)  # leaving closes the connection, on which the server ends its work
                if not line.startswith("data:") or line.removeprefix("data:").strip() == "[DONE]":
                    continue
                for choice in json.loads(line.removeprefix("data:")).get("choices", []):
                    finished = choice.get("finish_reason") or finished
                    piece = choice.get("delta", {}).get("content") or ""
                    text += piece
                    if piece:
                        yield piece
        if pattern is not None and finished != "length" and not re.fullmatch(pattern, text):
            raise GenerationError(
                f"The server {self._address} did not hold its reply to the form it was asked for. Use a server that "
                "can constrain decoding by a regular expression, such as vLLM."
            )

    def score(self, messages: Sequence[Message], options: Sequence[str], stop: Event | None = None) -> list[Choice]:
        """As `Generator.score`, but by the first token alone, which is all that the interface tells.

        An option that is not among the listed alternatives gets the least probable one's value.
        """
        raise_if(stop)
        body = self._body(messages, 1) | {"logprobs": True, "top_logprobs": MOST_LOGPROBS}
        with self._failures():
            response = self._client.post(f"{self._address}/chat/completions", json=body)
            response.raise_for_status()
            listed = response.json()["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
            tokens = [(str(entry["token"]), float(entry["logprob"])) for entry in listed]
        if not tokens:
            raise GenerationError(f"The server {self._address} gives no log-probabilities; use one that does.")
        least = min(logprob for _, logprob in tokens)
        return [
            Choice(
                option,
                max((logprob for token, logprob in tokens if token and option.startswith(token)), default=least),
            )
            for option in options
        ]

    def count_tokens(self, text: str) -> int:
        """A rough count, from the length."""
        return -(-len(text) * 10 // int(CHARACTERS_PER_TOKEN * 10))

    def warm_up(self) -> None:
        """Nothing: the server runs already."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _body(self, messages: Sequence[Message], max_tokens: int) -> dict[str, Any]:
        chat = [{"role": turn.role, "content": neutralise(turn.content, USUAL_CONTROL_TOKENS)} for turn in messages]
        body: dict[str, Any] = {"model": self.name, "messages": chat, "max_tokens": max_tokens, "temperature": 0}
        if chat and chat[-1]["role"] == "assistant":  # vLLM's way to continue a message
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        return body

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPStatusError as error:
            raise GenerationError(
                f"The server {self._address} answered {error.response.status_code}: {error.response.text[:300]}"
            ) from error
        except httpx.HTTPError as error:
            raise GenerationError(
                f"The server {self._address} cannot be reached ({error}). Start it, or name another address."
            ) from error
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise GenerationError(
                f"The server {self._address} answered in a form that is not OpenAI's ({error!r}). Check the address."
            ) from error
