"""Answers on disk: the file of a run, whole after any interruption, and a cache that every run shares."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from evals.questions import Question, question_to_json
from evals.scores import QuestionScores
from qa.answer import Answer, Passage

ANSWERS_FILE = "answers.jsonl"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a question gave: passages, and an answer unless the retrieval alone was run."""

    passages: tuple[Passage, ...]
    answer: Answer | None = None


def content_hash(value: object) -> str:
    """Sha256 (hex) of a value's JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def answer_key(fingerprint: str, question: Question, *, retrieval_only: bool) -> str:
    """The name of a question's answer in the cache: a hash of everything that the answer depends on."""
    history = [(turn.role, turn.content) for turn in question.history]
    return content_hash([fingerprint, question.question, history, retrieval_only])


def to_record(question: Question, key: str, outcome: Outcome | str, scores: QuestionScores) -> dict[str, Any]:
    """The line of answers.jsonl: the question, the whole `ask --json` object (or the passages), the scores.

    A question that ended in a fault has its message in place of the outcome.
    """
    return {
        "id": question.id,
        "key": key,
        "question": question_to_json(question),
        **({"fault": outcome} if isinstance(outcome, str) else _outcome_to_json(outcome)),
        "scores": _scores_adapter().dump_python(scores, mode="json"),
    }


def outcome_of(record: Mapping[str, Any]) -> Outcome | None:
    """What a record holds, or None for a fault, and for what an older version wrote in another form."""
    answer = record.get("answer")
    passages = answer.get("passages") if isinstance(answer, dict) else record.get("passages")
    try:
        return _outcome_adapter().validate_python({"passages": passages, "answer": answer})
    except ValidationError:
        return None


def scores_of(record: Mapping[str, Any]) -> QuestionScores:
    """The scores that a record holds.

    :raises ValidationError: it holds none.
    """
    return _scores_adapter().validate_python(record["scores"])


def read_records(file: Path) -> Iterator[dict[str, Any]]:
    """The records of an answers.jsonl, without a last line that was cut short.

    :raises OSError: the file cannot be read.
    """
    with file.open("rb") as lines:
        for line in lines:
            try:
                record = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                record = None
            if isinstance(record, dict):
                yield record
            else:
                _log.warning("%s has a line that was cut short; its question is asked again", file)


def write_records(file: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Replace the file in one step.

    :raises OSError: it cannot be written.
    """
    write_text(file, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def append_record(file: Path, record: Mapping[str, Any]) -> None:
    """Add a line, and return once it is on the disk.

    :raises OSError: it cannot be written.
    """
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(record, ensure_ascii=False) + "\n")
        lines.flush()
        os.fsync(lines.fileno())


def write_text(file: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, whole.

    :raises OSError: it cannot be written.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as lines:
        lines.write(text)
        lines.flush()
        os.fsync(lines.fileno())
    part.replace(file)


class AnswerCache:
    """Answers by key, one file each, shared by all runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, key: str) -> Outcome | None:
        """The outcome of that key, or None."""
        try:
            return outcome_of(json.loads(self._file(key).read_bytes()))
        except (OSError, ValueError):
            return None

    def write(self, key: str, outcome: Outcome) -> None:
        """Keep an outcome; a cache that cannot be written costs time and nothing else."""
        file = self._file(key)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(_outcome_to_json(outcome), ensure_ascii=False))
        except OSError as error:
            _log.warning("cannot keep an answer in %s: %s", self.folder, error.strerror)

    def _file(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


@cache
def _outcome_adapter() -> TypeAdapter[Outcome]:
    return TypeAdapter(Outcome)


@cache
def _scores_adapter() -> TypeAdapter[QuestionScores]:
    return TypeAdapter(QuestionScores)


def _outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    if outcome.answer is not None:
        return {"answer": outcome.answer.to_json()}
    return {"passages": _outcome_adapter().dump_python(outcome, mode="json")["passages"]}
