"""The question lines that `ask --jsonl` and `search --jsonl` read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from corpus.errors import DossierError

ROLES = ("user", "assistant")


class QuestionFileError(DossierError):
    """A line of a question file is malformed; nothing was run."""


@dataclass(frozen=True, slots=True)
class Question:
    """One line in: what is asked, under which id, after which turns."""

    id: str | int
    question: str
    history: tuple[Mapping[str, str], ...] = ()


def read_questions(lines: Iterable[str], source: str) -> list[Question]:
    """Read every line before any is answered; blank lines are passed over and unknown fields ignored.

    A line without an `id` gets its line number.

    :raises QuestionFileError: naming `source` and the line of each malformed one.
    """
    questions: list[Question] = []
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix("\ufeff") if number == 1 else line
        if not text.strip():
            continue
        try:
            questions.append(_question(json.loads(text), number))
        except (ValueError, RecursionError) as fault:
            faults.append(f"{source}, line {number}: {_reason(fault)}")
    if faults:
        more = f"\n… and {len(faults) - 20} more" if len(faults) > 20 else ""
        raise QuestionFileError(
            "Nothing was run. "
            + "\n".join(faults[:20])
            + more
            + '\nEach line is one object: {"id": "a", "question": "…"}.'
        )
    if not questions:
        raise QuestionFileError(f'{source} holds no question. Each line is one object: {{"id": "a", "question": "…"}}.')
    return questions


def _reason(fault: Exception) -> str:
    if isinstance(fault, json.JSONDecodeError):
        return f"not JSON ({fault.msg} at column {fault.colno})"
    return "nested too deeply" if isinstance(fault, RecursionError) else str(fault)


def _question(value: Any, number: int) -> Question:  # noqa: ANN401  JSON of any shape comes in
    if not isinstance(value, dict):
        raise ValueError(f"an object is needed, not {type(value).__name__}")
    identity = value.get("id", number)
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise ValueError("`id` must be a string or a whole number")
    question = value.get("question")
    if not isinstance(question, str):
        raise ValueError("`question` is missing or no string")
    history = value.get("history") or []
    if not isinstance(history, list):
        raise ValueError("`history` must be a list of turns")
    return Question(identity, question, tuple(_turn(turn) for turn in history))


def _turn(turn: Any) -> Mapping[str, str]:  # noqa: ANN401  as above
    if not isinstance(turn, dict) or turn.get("role") not in ROLES or not isinstance(turn.get("content"), str):
        raise ValueError('a turn of `history` is {"role": "user" or "assistant", "content": "…"}')
    return {"role": turn["role"], "content": turn["content"]}
