from __future__ import annotations

from typing import Any

import pytest

from qa.followup import leans_on_history, make_standalone
from qa.prompt import standalone_prompt
from qa.question import Turn

TALK = (
    Turn("user", "When did the harbour of Velm open?"),
    Turn("assistant", "Mayor Ilse Brandt opened it on May 4, 1994. [1]"),
)
BEHIND = "(earlier question: When did the harbour of Velm open?)"
QUESTIONS, LINE = r"[^\n?？]+[?？]( [^\n?？]+[?？])?", r"[^\n]+"


@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("And who built it?", True),
        ("What about the pier?", True),
        ("How many cranes does that harbour operate today?", True),
        ("Why?", True),
        ("Which museum shows ships from nine countries?", False),
        ("How much did the Velm harbour authority spend on new cranes?", False),
        ("日本", True),
        ("what year", True),
        ("Who is Ilse Brandt?", False),
        ("for Norway?", True),
        ("in 1998?", True),
        ("In which year did the harbour of Velm open?", False),
    ],
)
def test_what_leans_on_the_conversation(question: str, leans: bool) -> None:
    assert leans_on_history(question) is leans


def test_a_question_that_stands_alone_is_left_as_it_is(scripted: Any) -> None:  # noqa: ANN401
    generator = scripted(replies=["Something else?"])
    question = "Which museum shows ships from nine countries?"
    assert make_standalone(question, TALK, generator) == question
    assert make_standalone("And who built it?", (), generator) == "And who built it?"
    assert generator.prompts == []


@pytest.mark.parametrize(
    ("question", "reply", "standalone"),
    [
        ("And who opened it?", "Who opened the harbour of Velm?", "Who opened the harbour of Velm?"),
        ("What about the pier?", "When did the pier of Velm open?", "When did the pier of Velm open?"),
        # A word from nowhere.
        ("And who opened it?", "Who opened the harbour of Oslo?", f"And who opened it? {BEHIND}"),
        # What was asked is no longer there: the question before, or a mere part of it.
        ("And how many cranes has it?", "When did the harbour of Velm open?", f"And how many cranes has it? {BEHIND}"),
        ("And who built it?", "Who opened the harbour of Velm?", f"And who built it? {BEHIND}"),
        ("And who opened it?", "…?", f"And who opened it? {BEHIND}"),
    ],
)
def test_a_rewriting_keeps_to_what_was_said(scripted: Any, question: str, reply: str, standalone: str) -> None:  # noqa: ANN401
    generator = scripted(replies=[reply])
    assert make_standalone(question, TALK, generator) == standalone
    assert generator.prompts == [standalone_prompt(question, TALK)]
    assert generator.patterns == [QUESTIONS]


def test_an_order_is_rewritten_as_one(scripted: Any) -> None:  # noqa: ANN401
    generator = scripted(replies=["Describe the harbour of Velm."])
    assert make_standalone("Describe it.", TALK, generator) == "Describe the harbour of Velm."
    assert generator.patterns == [LINE]


def test_a_rewriting_that_was_cut_is_not_taken(scripted: Any) -> None:  # noqa: ANN401
    generator = scripted(replies=["Who opened the harbour of Velm " + "and the harbour " * 40 + "?"])
    assert make_standalone("And who opened it?", TALK, generator) == f"And who opened it? {BEHIND}"


def test_what_is_put_behind_has_a_limit(scripted: Any) -> None:  # noqa: ANN401
    talk = (Turn("user", "harbour " * 10_000), Turn("assistant", "Yes."))
    standalone = make_standalone("And who opened it?", talk, scripted(replies=["Nonsense entirely?"]))
    assert len(standalone) < 700
    assert standalone.startswith("And who opened it? (earlier question: harbour")


def test_an_answer_without_a_question_before_it(scripted: Any) -> None:  # noqa: ANN401
    talk = (Turn("assistant", "Welcome."),)
    assert make_standalone("And who built it?", talk, scripted(replies=["Zzz qqq?"])) == "And who built it?"
