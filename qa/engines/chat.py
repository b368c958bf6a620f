"""From messages to the one text that a model reads, in which only Dossier's own control tokens have any effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from qa.generator import GenerationError, Message

ROLES = ("system", "user", "assistant")

USUAL_CONTROL_TOKENS = (
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<bos>",
    "<eos>",
    "<s>",
    "</s>",
    "<<SYS>>",
    "<</SYS>>",
    "[INST]",
    "[/INST]",
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
)
"""Control tokens of the common chat formats: neutralised for every model, and all there is to go by for a model behind
an address."""


def looks_like_control(token: str) -> bool:
    """Whether a vocabulary entry has the shape of a control token: no spaces, in angle or square brackets."""
    return bool(re.fullmatch(r"<[^<>\s]+>|\[[A-Z_/]{2,}\]", token))


def neutralise(text: str, control_tokens: Iterable[str]) -> str:
    """The text with each control token broken by a space after its first character, so that it is read as plain text.

    `<|im_end|>` becomes `< |im_end|>`. Text without control tokens is returned as it is.
    """
    tokens = sorted({token for token in control_tokens if len(token) > 1}, key=len, reverse=True)
    if not tokens:
        return text
    known = re.compile("|".join(re.escape(token) for token in tokens))
    while known.search(text):  # breaking one token may uncover another that overlapped it
        text = known.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
    return text


def render_prompt(
    messages: Sequence[Message],
    apply_template: Callable[[list[dict[str, str]]], str],
    control_tokens: Iterable[str],
) -> str:
    """The prompt text: the chat in the model's own template, then the beginning of the reply where the caller gave one.

    Args:
        messages: The chat; an assistant message at the end is the beginning of the reply.
        apply_template: Renders role and content pairs and opens the assistant's turn.
        control_tokens: What must have no effect inside a message.

    Raises:
        GenerationError: There is no message, or one has a role that no template knows.
    """
    tokens = list(control_tokens)
    chat = [{"role": message.role, "content": neutralise(message.content, tokens)} for message in messages]
    unknown = [turn["role"] for turn in chat if turn["role"] not in ROLES]
    if unknown or not chat:
        raise GenerationError(
            f"A chat prompt is made of messages with a role among {', '.join(ROLES)}; "
            f"{'this one has ' + unknown[0] if unknown else 'this one is empty'}. This is a fault of the program."
        )
    beginning = chat.pop()["content"] if chat[-1]["role"] == "assistant" else ""
    return apply_template(chat) + beginning
