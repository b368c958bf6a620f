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
FALLBACK = "When did the harbour of Velm open?"


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
        ("And who opened it?", " Who opened the harbour of Velm? ", "Who opened the harbour of Velm?"),
        ("What about the pier?", "When did the pier of Velm open?", "When did the pier of Velm open?"),
        # An answer instead of a question.
        ("And who opened it?", "The harbour of Velm opened.", f"{FALLBACK} And who opened it?"),
        # A word from nowhere.
        ("And who opened it?", "Who opened the harbour of Oslo?", f"{FALLBACK} And who opened it?"),
        # What was asked is no longer there: the question before, or a mere part of it.
        (
            "And how many cranes has it?",
            "When did the harbour of Velm open?",
            f"{FALLBACK} And how many cranes has it?",
        ),
        ("And who built it?", "Who opened the harbour of Velm?", f"{FALLBACK} And who built it?"),
        ("And who opened it?", "…", f"{FALLBACK} And who opened it?"),
    ],
)
def test_a_rewriting_keeps_to_what_was_said(scripted: Any, question: str, reply: str, standalone: str) -> None:  # noqa: ANN401
    generator = scripted(replies=[reply])
    assert make_standalone(question, TALK, generator) == standalone
    assert generator.prompts == [standalone_prompt(question, TALK)]
    assert generator.patterns == [r"[^\n]+"]


def test_a_rewriting_that_was_cut_is_not_taken(scripted: Any) -> None:  # noqa: ANN401
    generator = scripted(replies=["Who opened the harbour of Velm " + "and the harbour " * 40])
    assert make_standalone("And who opened it?", TALK, generator) == f"{FALLBACK} And who opened it?"


def test_what_is_put_in_front_has_a_limit(scripted: Any) -> None:  # noqa: ANN401
    talk = (Turn("user", "harbour " * 10_000), Turn("assistant", "Yes."))
    standalone = make_standalone("And who opened it?", talk, scripted(replies=["Nonsense entirely"]))
    assert len(standalone) < 700
    assert standalone.endswith(" And who opened it?")


def test_an_answer_without_a_question_before_it(scripted: Any) -> None:  # noqa: ANN401
    talk = (Turn("assistant", "Welcome."),)
    assert make_standalone("And who built it?", talk, scripted(replies=["Zzz qqq"])) == "And who built it?"
