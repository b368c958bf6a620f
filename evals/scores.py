"""The scores of one question: pure functions of the question, the documents and the answer. No model is asked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from corpus.document import Span
from evals.questions import Half, Question, locate_quote
from qa.answer import Answer, Citation
from qa.claims import Claims, check_claims
from qa.wording import states

RECALL_DEPTHS = (1, 3, 5, 10)
DEPTH = 10
"""Passages that MRR, nDCG and `found` look at."""
Failure: TypeAlias = Literal[
    "answered the unanswerable",
    "refused",
    "not retrieved",
    "retrieved and not used",
    "wrong words",
    "unsupported",
    "invalid citation",
    "fault",
]
_MARK = re.compile(r"\[\d+(?:\s*[,;]\s*\d+)*\]")


class Place(Protocol):
    """Part of a document: a passage or a citation."""

    @property
    def document(self) -> str:
        """`Document.path`."""
        ...

    @property
    def start(self) -> int:
        """First code point."""
        ...

    @property
    def end(self) -> int:
        """One past the last code point."""
        ...


@dataclass(frozen=True, slots=True)
class Gold:
    """A question with its evidence found in the documents."""

    question: Question
    spans: tuple[tuple[Span, ...], ...]
    """For each evidence entry, every place in its document where the quote stands."""

    @classmethod
    def locate(cls, question: Question, documents: Mapping[str, str]) -> Gold:
        """Find the evidence; `documents` maps path to text and holds every document that the question names."""
        return cls(question, tuple(tuple(locate_quote(documents[e.document], e.quote)) for e in question.evidence))

    @property
    def groups(self) -> tuple[frozenset[int], ...]:
        """For each vital nugget, the evidence entries that support it; nuggets with the same entries share a group."""
        evidence = self.question.evidence
        return tuple(
            dict.fromkeys(
                frozenset(evidence.index(entry) for entry in self.question.evidence_for(nugget))
                for nugget in self.question.vital_nuggets
            )
        )

    def covered(self, place: Place) -> frozenset[int]:
        """The evidence entries of which `place` holds at least half."""
        return self._overlapping(place, half=True)

    def touched(self, place: Place) -> frozenset[int]:
        """The evidence entries of which `place` holds anything."""
        return self._overlapping(place, half=False)

    def _overlapping(self, place: Place, *, half: bool) -> frozenset[int]:
        return frozenset(
            index
            for index, (entry, spans) in enumerate(zip(self.question.evidence, self.spans, strict=True))
            if entry.document == place.document
            for start, end in spans
            if (common := min(end, place.end) - max(start, place.start)) > 0 and (not half or 2 * common >= end - start)
        )


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """Where the evidence of an answerable question stands among the passages, each value 0 to 1."""

    recall: tuple[float, ...]
    """Share of the evidence groups found in the first k passages, for each k of RECALL_DEPTHS."""
    reciprocal_rank: float
    ndcg: float
    found: bool
    """Whether the first ten passages hold evidence for every vital nugget."""


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """What the answer to one question is worth."""

    abstained: bool
    correct: bool
    """False for every unanswerable question."""
    missing: tuple[int, ...]
    """Vital nuggets that the answer does not state."""
    forbidden: tuple[str, ...]
    """Forbidden wordings that it states."""
    vital: int
    supported: int
    """Vital nuggets stated in a sentence that cites their evidence."""
    cited: int
    precise: int
    """Citations, and those that touch evidence or hold a nugget of a sentence that cites them; none of a refusal."""
    sentences: int
    cited_sentences: int
    invalid_citations: int
    claims: Mapping[str, Claims] = field(default_factory=dict)
    confidence: float = 0.0
    marked: bool = False
    """Whether words of a quote are marked as the answer."""
    rightly_marked: bool = False
    """Whether they state a vital nugget."""

    @classmethod
    def of_fault(cls, question: Question) -> AnswerScores:
        """What a question is worth that ended in a fault: nothing."""
        return cls(
            abstained=False,
            correct=False,
            missing=question.vital_nuggets,
            forbidden=(),
            vital=len(question.vital_nuggets),
            supported=0,
            cited=0,
            precise=0,
            sentences=0,
            cited_sentences=0,
            invalid_citations=0,
        )


@dataclass(frozen=True, slots=True)
class QuestionScores:
    """All scores of one question; a part that was not measured is None."""

    id: str
    half: Half
    tags: tuple[str, ...]
    answerable: bool
    cluster: str
    """What the bootstrap resamples: the first evidence document, or the question itself."""
    retrieval: RetrievalScores | None = None
    answer: AnswerScores | None = None
    failure: Failure | None = None


def score_question(
    gold: Gold, documents: Mapping[str, str], passages: Sequence[Place] | None, answer: Answer | None
) -> QuestionScores:
    """Score one question.

    Args:
        gold: the question with its evidence located.
        documents: the text of each document by its path, in which citations are checked.
        passages: what was retrieved, in rank order; None where the question ended in a fault.
        answer: None in a run of the retrieval alone, and after a fault.
    """
    question = gold.question
    retrieval = score_retrieval(gold, passages) if question.answerable and passages is not None else None
    answered: AnswerScores | None = None
    failure: Failure | None
    if passages is None:
        answered, failure = AnswerScores.of_fault(question), "fault"
    elif answer is None:
        failure = "not retrieved" if retrieval and not retrieval.found else None
    else:
        answered = score_answer(gold, documents, answer)
        used = any(gold.covered(citation) for citation in answer.citations)
        failure = name_failure(question, answered, found=retrieval is not None and retrieval.found, used=used)
    return QuestionScores(
        id=question.id,
        half=question.half,
        tags=question.tags,
        answerable=question.answerable,
        cluster=question.evidence[0].document if question.evidence else f"question {question.id}",
        retrieval=retrieval,
        answer=answered,
        failure=failure,
    )


def score_retrieval(gold: Gold, passages: Sequence[Place]) -> RetrievalScores:
    """Evidence recall@k, reciprocal rank and nDCG at ten.

    A passage is relevant where it holds at least half of an evidence quote. For nDCG (Järvelin, Kekäläinen 2002) each
    evidence group gains 1 at the first passage that holds one of its quotes; the ideal has a group a rank from the
    first on, and a passage that holds several groups cannot lift the value above 1.
    """
    groups = gold.groups
    covered = [gold.covered(passage) for passage in passages[:DEPTH]]
    first_ranks = [next((rank for rank, found in enumerate(covered, 1) if found & group), None) for group in groups]
    ranks = [rank for rank in first_ranks if rank is not None]
    ideal = sum(1 / math.log2(1 + rank) for rank in range(1, len(groups) + 1))
    gained = sum(1 / math.log2(1 + rank) for rank in ranks)
    return RetrievalScores(
        recall=tuple(sum(rank <= depth for rank in ranks) / len(groups) for depth in RECALL_DEPTHS),
        reciprocal_rank=next((1 / rank for rank, found in enumerate(covered, 1) if found), 0.0),
        ndcg=min(1.0, gained / ideal),
        found=len(ranks) == len(groups),
    )


def score_answer(gold: Gold, documents: Mapping[str, str], answer: Answer) -> AnswerScores:
    """Every score of the answer itself."""
    question, text = gold.question, without_marks(answer.text)
    missing = tuple(index for index in question.vital_nuggets if not question.nuggets[index].is_stated(text))
    forbidden = tuple(wording for wording in question.forbidden if states(text, wording))
    counted = () if answer.abstained else answer.citations
    cited_words = "\n".join(citation.quote for citation in answer.citations)
    marked = marked_words(answer)
    return AnswerScores(
        abstained=answer.abstained,
        correct=question.answerable and not answer.abstained and not missing and not forbidden,
        missing=() if answer.abstained else missing,
        forbidden=() if answer.abstained else forbidden,
        vital=len(question.vital_nuggets),
        supported=0 if answer.abstained else count_supported(gold, answer),
        cited=len(counted),
        precise=sum(is_precise(gold, answer, citation) for citation in counted),
        sentences=0 if answer.abstained else len(answer.sentences),
        cited_sentences=0 if answer.abstained else sum(bool(sentence.citations) for sentence in answer.sentences),
        invalid_citations=count_invalid(answer, documents),
        claims={} if answer.abstained else check_claims(text, cited_words),
        confidence=answer.confidence,
        marked=bool(marked),
        rightly_marked=any(
            question.nuggets[index].is_stated(text) for index in question.vital_nuggets for text in marked
        ),
    )


def marked_words(answer: Answer) -> list[str]:
    """What is marked in each sentence of an answer that is none."""
    words = (" … ".join(sentence.text[start:end] for start, end in sentence.marked) for sentence in answer.sentences)
    return [] if answer.abstained else [text for text in words if text]


def without_marks(text: str) -> str:
    """Text without citation marks such as `[1]` and `[2, 3]`."""
    return _MARK.sub(" ", text)


def count_supported(gold: Gold, answer: Answer) -> int:
    """Vital nuggets stated in a sentence that cites a passage which holds at least half of that nugget's evidence."""
    question = gold.question
    held = {citation.number: gold.covered(citation) for citation in answer.citations}
    stated = [
        (without_marks(sentence.text), frozenset().union(*(held.get(number, ()) for number in sentence.citations)))
        for sentence in answer.sentences
    ]
    supported = 0
    for index in question.vital_nuggets:
        entries = {question.evidence.index(entry) for entry in question.evidence_for(index)}
        nugget = question.nuggets[index]
        supported += any(not entries.isdisjoint(covered) and nugget.is_stated(text) for text, covered in stated)
    return supported


def is_precise(gold: Gold, answer: Answer, citation: Citation) -> bool:
    """Whether a citation touches gold evidence, or holds a nugget that is stated in a sentence that cites it."""
    if gold.touched(citation):
        return True
    citing = [without_marks(sentence.text) for sentence in answer.sentences if citation.number in sentence.citations]
    return any(
        nugget.is_stated(citation.quote) and any(map(nugget.is_stated, citing)) for nugget in gold.question.nuggets
    )


def count_invalid(answer: Answer, documents: Mapping[str, str]) -> int:
    """Citations whose quote is no slice of the document at their offsets, and numbers that name no citation."""
    numbers = {citation.number for citation in answer.citations}
    named = {number for sentence in answer.sentences for number in sentence.citations}
    misquoted = sum(
        not citation.quote
        or citation.start < 0
        or documents.get(citation.document, "")[citation.start : citation.end] != citation.quote
        for citation in answer.citations
    )
    return misquoted + len(named - numbers)


def name_failure(question: Question, scores: AnswerScores, *, found: bool, used: bool) -> Failure | None:
    """The first reason why an answer falls short, or None.

    Args:
        question: the question.
        scores: of its answer.
        found: whether the evidence for every vital nugget was retrieved.
        used: whether a citation holds at least half of an evidence quote.
    """
    if scores.invalid_citations:
        return "invalid citation"
    if not question.answerable:
        return None if scores.abstained else "answered the unanswerable"
    if scores.correct:
        return None if scores.supported == scores.vital else "unsupported"
    if scores.forbidden:
        return "wrong words"
    if not found and not used:
        return "not retrieved"
    if scores.abstained:
        return "refused"
    return "wrong words" if used else "retrieved and not used"
