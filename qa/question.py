"""What a user typed, made fit to be asked, or refused with a message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpus.errors import DossierError

_LINE_MARKS = "\t\n\r\v\f\x85\u2028\u2029"
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
TURN_CHARACTERS = 20_000
"""What is read of an earlier turn; the longest answers have 2,000."""

QUESTION_WORD = r"(?:who|whom|whose|which|what|when|where|why|how)"
"""A word that asks, as part of a regular expression."""
BEHIND = re.compile(r" \(earlier questions?: .*\)$")
"""What `qa.followup` puts behind a question that leans on an earlier one."""


class QuestionError(DossierError):
    """The question cannot be asked as it is; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier turn of the conversation; `role` is user or assistant."""

    role: str
    content: str


def clean_question(raw: str, limit: int) -> str:
    """The question on one line, NFC, without control and formatting characters.

    Raises:
        QuestionError: Nothing is left, or it is longer than `limit` characters.
    """
    if len(raw) > limit:
        raise QuestionError(
            f"The question has {len(raw):,} characters; at most {limit:,} are read. Ask a shorter question, "
            "and bring long text into the corpus with: dossier add FILE"
        )
    question = _on_one_line(raw)
    if not question:
        raise QuestionError("The question is empty. Type a question about the documents.")
    return question


def read_history(history: Sequence[Mapping[str, str]]) -> tuple[Turn, ...]:
    """The turns of a conversation, oldest first, each on one line as `clean_question` makes it.

    Raises:
        QuestionError: A turn has no known role or no text.
    """
    turns = []
    for number, turn in enumerate(history, start=1):
        role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, Mapping) else (None, None)
        if role not in ("user", "assistant") or not isinstance(content, str):
            raise QuestionError(
                f"Turn {number} of the history needs a role (user or assistant) and a content; it is {turn!r}."[:300]
            )
        turns.append(Turn(role, _on_one_line(content[:TURN_CHARACTERS])))
    return tuple(turns)


def _on_one_line(raw: str) -> str:
    visible = "".join(
        " " if character in _LINE_MARKS else character
        for character in raw
        if character in _LINE_MARKS or unicodedata.category(character) not in _UNSEEN
    )
    return " ".join(unicodedata.normalize("NFC", visible).split())
