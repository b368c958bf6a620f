"""An `Answer` read back from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from qa.answer import Answer, AnswerSentence, Citation, IndexInfo, Passage, Timings

Value = TypeVar("Value", AnswerSentence, Citation, IndexInfo, Passage, Timings, Answer)


def answer_from_json(value: Mapping[str, Any]) -> Answer:
    """The answer whose `to_json` gave `value`; fields that a later version added are passed over.

    :raises TypeError: a field is missing.
    """
    return _known(
        Answer,
        {
            **value,
            "sentences": tuple(_sentence(item) for item in value["sentences"]),
            "citations": tuple(_known(Citation, item) for item in value["citations"]),
            "passages": tuple(_passage(item) for item in value["passages"]),
            "notes": tuple(value["notes"]),
            "index": _known(IndexInfo, value["index"]),
            "timings": _known(Timings, value["timings"]),
        },
    )


def _sentence(value: Mapping[str, Any]) -> AnswerSentence:
    return _known(AnswerSentence, {**value, "citations": tuple(value["citations"]), "marked": _spans(value, "marked")})


def _passage(value: Mapping[str, Any]) -> Passage:
    return _known(Passage, {**value, "highlights": _spans(value, "highlights")})


def _spans(value: Mapping[str, Any], name: str) -> tuple[tuple[int, int], ...]:
    """Places that a field holds; none where an earlier version wrote no such field."""
    return tuple((start, end) for start, end in value.get(name, ()))


def _known(kind: type[Value], value: Mapping[str, Any]) -> Value:
    names = {field.name for field in fields(kind)}
    return kind(**{name: item for name, item in value.items() if name in names})
