"""A small corpus and answers made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from evals.questions import Evidence, Nugget, Question, load_questions
from index import IndexReader, ensure_index
from qa.answer import Answer, AnswerSentence, Citation, IndexInfo, Passage, Timings
from qa.settings import Settings

DOCUMENTS = {
    "forces.md": "USFJ has about 54,000 military personnel. It is led by General Stephen Jost. It sits at Yokota Base.",
    "command.md": "The Joint Operations Command began on March 24, 2025. It has about 240 people. It sits at Ichigaya.",
}
MakeQuestion: TypeAlias = Callable[..., Question]
MakeAnswer: TypeAlias = Callable[..., Answer]


@dataclass(frozen=True)
class SmallEvaluation:
    """One question about one document, indexed."""

    questions: Sequence[Question]
    documents: dict[str, str]
    reader: IndexReader
    settings: Settings


@pytest.fixture
def small_evaluation(tmp_path: Path, toy_embedder: Any) -> SmallEvaluation:  # noqa: ANN401
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    text = "The Velm harbour opened in 1994. It has 12 cranes. A museum stands beside the Velm harbour."
    (corpus / "harbour.txt").write_text(f"Harbour\n\n{text}\n", encoding="utf-8")
    (tmp_path / "questions.jsonl").write_text(
        '{"id": "a", "question": "When did the Velm harbour open?", "answerable": true, "tags": [], '
        '"history": [], "nuggets": [{"any_of": ["1994"]}], '
        '"evidence": [{"document": "harbour.txt", "quote": "opened in 1994"}]}\n',
        encoding="utf-8",
    )
    index = ensure_index(corpus, tmp_path / "index", toy_embedder)
    documents = index.texts()
    return SmallEvaluation(
        questions=load_questions(tmp_path / "questions.jsonl", documents),
        documents=documents,
        reader=IndexReader(tmp_path / "index", toy_embedder),
        settings=Settings(corpus=corpus, index=tmp_path / "index", refuse_below=0.0),
    )


def find(quote: str) -> tuple[str, int, int]:
    document = next(path for path, text in DOCUMENTS.items() if quote in text)
    start = DOCUMENTS[document].index(quote)
    return document, start, start + len(quote)


@pytest.fixture(scope="session")
def documents() -> dict[str, str]:
    return dict(DOCUMENTS)


@pytest.fixture(scope="session")
def make_question() -> MakeQuestion:
    def make(
        question_id: str = "size",
        nuggets: Sequence[str | Nugget] = ("54,000",),
        quotes: Sequence[str | tuple[str, int]] = ("USFJ has about 54,000 military personnel.",),
        **changes: Any,  # noqa: ANN401  the fields of Question
    ) -> Question:
        pairs = [(quote, None) if isinstance(quote, str) else quote for quote in quotes]
        question = Question(
            id=question_id,
            question="How many people?",
            answerable=bool(nuggets),
            nuggets=tuple(Nugget((n,)) if isinstance(n, str) else n for n in nuggets),
            evidence=tuple(Evidence(find(quote)[0], quote, nugget) for quote, nugget in pairs) if nuggets else (),
            tags=("single-document",),
            history=(),
        )
        return replace(question, **changes)

    return make


@pytest.fixture(scope="session")
def make_answer() -> MakeAnswer:
    def make(
        *sentences: tuple[str, Sequence[str]],
        passages: Sequence[str] = tuple(DOCUMENTS.values()),
        abstained: bool = False,
        **changes: Any,  # noqa: ANN401  the fields of Answer
    ) -> Answer:
        """Sentences with the quotes that they cite."""
        quotes = list(dict.fromkeys(quote for _, cited in sentences for quote in cited))
        numbers = {quote: number for number, quote in enumerate(quotes, 1)}
        made = tuple(
            AnswerSentence(text, tuple(numbers[quote] for quote in cited), bool(cited)) for text, cited in sentences
        )
        citations = []
        for quote, number in numbers.items():
            document, start, end = find(quote)
            citations.append(Citation(number, document, "", "", "", start, end, quote))
        answer = Answer(
            question="How many people?",
            standalone_question="How many people?",
            abstained=abstained,
            reason="not_in_documents" if abstained else None,
            text=" ".join(s.text + "".join(f" [{number}]" for number in s.citations) for s in made),
            sentences=made,
            citations=tuple(citations),
            passages=tuple(Passage(*find(quote), score=1 / rank, text=quote) for rank, quote in enumerate(passages, 1)),
            confidence=0.2 if abstained else 0.8,
            notes=(),
            model="scripted",
            engine="scripted",
            index=IndexInfo("g1", "c1"),
            timings=Timings(10.0, 200.0, 1200.0, 500, 30),
        )
        return replace(answer, **changes)

    return make
