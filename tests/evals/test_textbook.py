"""The baseline: what it asks, and how it takes the model at its word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals.scores import count_invalid
from evals.textbook import PASTED, SYSTEM, Textbook, build_prompt, read_reply
from index import Index, ensure_index
from qa.answer import AnswerSentence
from qa.generator import Message


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("textbook")
    for number, topic in enumerate(("harbour", "runway", "budget", "forest", "museum", "railway", "castle")):
        text = f"The {topic} opened in {1990 + number}. It has {number + 3} gates and the {topic} is large.\n"
        (folder / f"{topic}.txt").write_text(f"{topic.title()}\n\n{text}", encoding="utf-8")
    return folder


@pytest.fixture
def index(corpus: Path, tmp_path: Path, toy_embedder: Any) -> Index:  # noqa: ANN401  classes of the conftest above
    return ensure_index(corpus, tmp_path / "index", toy_embedder)


def test_the_nearest_chunks_are_pasted_and_cited_whole(index: Index, scripted: Any) -> None:  # noqa: ANN401
    generator = scripted(replies=["The museum opened in 1994 [1]. It has 7 gates. [1][9]"])
    textbook = Textbook(index, generator)
    answer = textbook.ask("When did the museum open?", [{"role": "user", "content": "Hello"}])
    assert answer.passages[0].document == "museum.txt"
    assert len(answer.passages) == 7
    system, earlier, asked = generator.prompts[0]
    assert (system, earlier) == (Message("system", SYSTEM), Message("user", "Hello"))
    assert asked.content.count("opened in") == PASTED
    assert asked.content.endswith("\n\nQuestion: When did the museum open?")
    assert not answer.abstained
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (1,)]
    (citation,) = answer.citations
    assert (citation.number, citation.quote) == (1, answer.passages[0].text)
    assert count_invalid(answer, index.texts()) == 0
    assert answer.timings.answer_tokens > 0


@pytest.mark.parametrize("reply", ["I don't know.", "I don’t know", "The passages do not mention a museum [1].", ""])
def test_a_refusal_is_recognised(index: Index, scripted: Any, reply: str) -> None:  # noqa: ANN401
    assert Textbook(index, scripted(replies=[reply])).ask("When?", []).abstained


def test_marks_belong_to_the_sentence_before_them() -> None:
    assert read_reply("It is old. [2] It is big [1][3]. So it is.", 5) == (
        AnswerSentence("It is old .", (2,), True),
        AnswerSentence("It is big .", (1, 3), True),
        AnswerSentence("So it is.", (), False),
    )
    assert read_reply("[1]", 5) == ()
    assert read_reply("It is [7].", 5)[0].citations == ()


def test_the_fingerprint_tells_models_and_indexes_apart(index: Index, scripted: Any) -> None:  # noqa: ANN401
    first, second = scripted(), scripted(name="other")
    assert Textbook(index, first).fingerprint != Textbook(index, second).fingerprint


def test_the_prompt_numbers_the_passages(index: Index, scripted: Any) -> None:  # noqa: ANN401
    passages = Textbook(index, scripted()).search("castle", 2)
    prompt = build_prompt("Why?", [], passages)[-1].content
    assert prompt == f"[1] {passages[0].text}\n\n[2] {passages[1].text}\n\nQuestion: Why?"
