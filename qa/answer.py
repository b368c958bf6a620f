"""What a question ends in: the answer, its citations, and the events on the way there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

Reason: TypeAlias = Literal["not_in_documents", "not_supported", "off_corpus", "false_premise"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A slice of a document: `document.text[start:end] == quote`, checked before it is made."""

    number: int
    document: str
    title: str
    published: str
    url: str
    start: int
    end: int
    quote: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of the answer, with the numbers of the citations that support it."""

    text: str
    citations: tuple[int, ...]
    supported: bool
    marked: tuple[tuple[int, int], ...] = ()
    """The words of a quote that answer the question, as offsets into `text`; none where that is not known."""

    @property
    def quoted(self) -> bool:
        """Whether it is the documents' own words, in quotation marks."""
        return self.text.startswith("“") and self.text.endswith("”")


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk, in rank order."""

    document: str
    start: int
    end: int
    score: float
    text: str
    title: str = ""
    published: str = ""
    highlights: tuple[tuple[int, int], ...] = ()
    """The evidence sentences inside it, as offsets into the document's text."""


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """Which index gave the answer."""

    generation: str
    corpus_hash: str


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds from the question, and tokens read and written."""

    search_ms: float = 0.0
    first_token_ms: float = 0.0
    total_ms: float = 0.0
    prompt_tokens: int = 0
    """Of the longest prompt; the others are part of it or short."""
    answer_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The verified answer to one question. Abstaining is `abstained` with a `reason`; a fault is an exception."""

    question: str
    standalone_question: str
    abstained: bool
    reason: Reason | None
    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    confidence: float
    """Calibrated probability, 0 to 1, that the documents answer the question."""
    notes: tuple[str, ...]
    model: str
    engine: str
    index: IndexInfo
    timings: Timings = field(default_factory=Timings)

    def to_json(self) -> dict[str, Any]:
        """The object that `dossier ask --json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """First event: what was retrieved, before the model has said a word."""

    standalone_question: str
    passages: tuple[Passage, ...]
    search_ms: float


@dataclass(frozen=True, slots=True)
class Draft:
    """Text of the answer as it is written; replaces the draft shown before it."""

    text: str


Event: TypeAlias = EvidenceFound | Draft | Answer
"""A question streams EvidenceFound, then any number of Draft, then one Answer."""
