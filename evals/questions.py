"""Question files: the values in them, and a loader that names every defect of a file before anything runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter, ValidationError

from corpus.document import Span
from evals.errors import EvaluationError
from qa.wording import states

Half: TypeAlias = Literal["dev", "test"]
_STRICT = ConfigDict(extra="forbid", strict=True)
_ID = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Nugget:
    """A fact that a right answer states in one of the accepted wordings."""

    any_of: tuple[str, ...]
    vital: bool = True
    kind: Literal["name", "number", "date", "text"] = "text"
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    def is_stated(self, text: str) -> bool:
        """Whether `text` states the fact in one of its wordings."""
        return any(states(text, wording) for wording in self.any_of)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a document that support the answer; entries for the same nugget are alternatives."""

    document: str
    quote: str
    nugget: int | None = None
    """Index into the question's nuggets; None supports every nugget."""
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier turn of the conversation."""

    role: Literal["user", "assistant"]
    content: str
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a question file."""

    id: str
    question: str
    answerable: bool
    nuggets: tuple[Nugget, ...]
    evidence: tuple[Evidence, ...]
    tags: tuple[str, ...]
    history: tuple[Turn, ...]
    forbidden: tuple[str, ...] = ()
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    @property
    def half(self) -> Half:
        """The half that the question belongs to; tuning looks at `dev` only."""
        return half(self.id)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The history in the form in which a pipeline is asked."""
        return [{"role": turn.role, "content": turn.content} for turn in self.history]

    @property
    def vital_nuggets(self) -> tuple[int, ...]:
        """Indices of the nuggets that a right answer must state."""
        return tuple(index for index, nugget in enumerate(self.nuggets) if nugget.vital)

    def evidence_for(self, nugget: int) -> tuple[Evidence, ...]:
        """The alternative entries that support a nugget; all entries where none names it."""
        named = tuple(entry for entry in self.evidence if entry.nugget in (None, nugget))
        return named or self.evidence


@cache
def _adapter() -> TypeAdapter[Question]:
    return TypeAdapter(Question)


def half(question_id: str) -> Half:
    """`test` where the sha256 of the id, read as a number, is odd; a question never changes its half."""
    return "test" if int(hashlib.sha256(question_id.encode()).hexdigest(), 16) % 2 else "dev"


def locate_quote(text: str, quote: str) -> list[Span]:
    """Every place in `text` where the words of `quote` stand, whatever white space is between them."""
    pattern = r"\s+".join(re.escape(word) for word in quote.split())
    return [match.span() for match in re.finditer(pattern, text)] if pattern else []


def load_questions(path: Path, documents: Mapping[str, str]) -> tuple[Question, ...]:
    """Read a question file and check all of it against the corpus.

    Args:
        path: JSON Lines, UTF-8, one question a line; blank lines are passed over.
        documents: the text of each document of the corpus by its path.

    :raises EvaluationError: the file cannot be read or has defects; the message names each as file:line: defect.
    """
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        reason = error.strerror
        raise EvaluationError(
            f"cannot read the question file {path}: {reason}; give another with --questions"
        ) from error
    questions: list[Question] = []
    defects: list[str] = []
    first_seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        question, found = _read_line(line)
        if question is not None:
            if question.id in first_seen:
                found.append(f"id {question.id!r} is repeated, first seen on line {first_seen[question.id]}")
            first_seen.setdefault(question.id, number)
            found += _defects(question, documents)
            questions.append(question)
        defects += [f"{path}:{number}: {defect}" for defect in found]
    if not questions and not defects:
        defects = [f"{path}:1: the file holds no question"]
    if defects:
        count = f"{len(defects)} defect{'s' if len(defects) > 1 else ''}"
        raise EvaluationError(f"{count} in {path}; nothing was run\n" + "\n".join(defects))
    return tuple(questions)


def question_to_json(question: Question) -> dict[str, Any]:
    """The object that a question file holds for this question."""
    record: dict[str, Any] = _adapter().dump_python(question, mode="json")
    return record


def question_from_json(record: Mapping[str, Any]) -> Question:
    """The inverse of `question_to_json`, for records that a run has written.

    :raises EvaluationError: the record is not a question.
    """
    try:
        return _adapter().validate_json(json.dumps(record))
    except ValidationError as error:
        raise EvaluationError("; ".join(_schema_defects(error))) from error


def _read_line(line: bytes) -> tuple[Question | None, list[str]]:
    repeated: list[str] = []

    def note_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(name for name, _ in pairs)
        repeated.extend(f"repeated field {name!r}" for name in sorted(counts) if counts[name] > 1)
        return dict(pairs)

    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=note_repeated)
    except UnicodeDecodeError as error:
        return None, [f"not UTF-8 at byte {error.start + 1}"]
    except json.JSONDecodeError as error:
        return None, [f"not JSON: {error.msg} at column {error.colno}"]
    try:
        return _adapter().validate_json(line), repeated
    except ValidationError as error:
        return _mended(record), repeated + _schema_defects(error)


def _mended(record: object) -> Question | None:
    """The question without its unknown fields, so that its other defects are named in the same go, or None."""
    if not isinstance(record, dict):
        return None
    known = {name: value for name, value in record.items() if name in Question.__dataclass_fields__}
    try:
        return question_from_json({"tags": [], "history": [], **known})
    except EvaluationError:
        return None


def _schema_defects(error: ValidationError) -> list[str]:
    wordings = {"missing": "missing field", "unexpected_keyword_argument": "unknown field"}
    defects = []
    for detail in error.errors(include_url=False, include_context=False):
        place = ".".join(str(part) for part in detail["loc"]) or "line"
        wording = wordings.get(detail["type"])
        defects.append(f"{wording} {place!r}" if wording else f"{place}: {detail['msg']}")
    return defects


def _defects(question: Question, documents: Mapping[str, str]) -> list[str]:
    return [*_blank_texts(question), *_answer_defects(question), *_evidence_defects(question, documents)]


def _blank_texts(question: Question) -> Iterator[str]:
    if not _ID.fullmatch(question.id):
        yield f"id {question.id!r} has other characters than a-z, 0-9 and -"
    texts = [
        ("question", question.question),
        *((f"nuggets.{i}.any_of.{j}", w) for i, n in enumerate(question.nuggets) for j, w in enumerate(n.any_of)),
        *((f"forbidden.{i}", wording) for i, wording in enumerate(question.forbidden)),
        *((f"evidence.{i}.quote", entry.quote) for i, entry in enumerate(question.evidence)),
        *((f"tags.{i}", tag) for i, tag in enumerate(question.tags)),
        *((f"history.{i}.content", turn.content) for i, turn in enumerate(question.history)),
    ]
    yield from (f"{place} is blank" for place, text in texts if not text.strip())
    yield from (f"nuggets.{i}.any_of has no wording" for i, nugget in enumerate(question.nuggets) if not nugget.any_of)


def _answer_defects(question: Question) -> Iterator[str]:
    if question.answerable:
        if not question.vital_nuggets:
            yield "answerable, but without a vital nugget"
        if not question.evidence:
            yield "answerable, but without evidence"
    else:
        if question.nuggets:
            yield "unanswerable, but with nuggets"
        if question.evidence:
            yield "unanswerable, but with evidence"


def _evidence_defects(question: Question, documents: Mapping[str, str]) -> Iterator[str]:
    for index, entry in enumerate(question.evidence):
        if entry.nugget is not None and not 0 <= entry.nugget < len(question.nuggets):
            yield f"evidence.{index}.nugget is {entry.nugget}, and there are {len(question.nuggets)} nuggets"
        if entry.document not in documents:
            yield f"evidence.{index}.document {entry.document!r} is not in the corpus"
        elif entry.quote.strip() and not locate_quote(documents[entry.document], entry.quote):
            yield f"evidence.{index}.quote does not occur in {entry.document}: {entry.quote!r}"
