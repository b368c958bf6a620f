from __future__ import annotations

from typing import Any

import pytest

from qa.followup import leans_on_history, make_standalone
from qa.prompt import STANDALONE_EXAMPLES, standalone_prompt
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
        ("Can you tell me more?", True),
        ("Can you explain further?", True),
        ("Give more detail", True),
        ("Can you summarise what you said?", True),
        ("What more is known about the museum of Orla?", False),
        ("Explain why the museum of Orla shows ships.", False),
        ("Is there a fee for parking at the station?", False),
        ("How many cranes are there in the Velm harbour?", False),
        ("Who was there in May 1994?", True),
        ("Does the Velm harbour have both a crane and a pier?", False),
        ("Do both show ships from nine countries?", True),
        ("¿Y quién construyó el muelle nuevo?", True),
        ("¿Cuánto costó su construcción en total?", True),
        ("¿Cuándo lo abrió la alcaldesa Brandt?", True),
        ("¿Quién es el director del museo de Orla?", False),
        ("¿Cuándo se abrió el puerto de Velm?", False),
        ("Und wer hat den neuen Pier gebaut?", True),
        ("Wie viel hat dieser Hafen gekostet?", True),
        ("Wer leitet das Museum von Orla?", False),
        ("Wie groß soll der Hafen von Velm sein?", False),
        ("それは誰が建てましたか", True),
        ("では、費用はいくらですか", True),
        ("ベルム港はいつ開港しましたか", False),
        ("When a member dies, who pays the fees of 1994?", False),
        ("Which ferry is it that sails on Sundays?", False),
        ("When was the contract that was signed in May published?", False),
        ("Who owns the ship that sank in the harbour of Velm?", False),
        ("Which minister said that the treaty would end in 2020?", False),
        ("How much does one ticket cost?", False),
        ("Who paid for one of the piers in Velm?", False),
        ("How many people may cross in one day by ferry?", False),
        ("Which of them is it that sails on Sundays?", True),
        ("Is it that ferry of Velm?", True),
        ("How much is that?", True),
        ("and the other one?", True),
        ("Who signed that treaty in May 1994?", True),
        ("What was opened in Velm that year by mayor Brandt?", True),
        ("When was that built by the mayor of Velm?", True),
        ("What happened before that was signed in Velm?", True),
        ("How much does one cost in Velm on Sundays?", True),
        ("Which one opened first in the harbour of Velm?", True),
        ("Can one be rented for two days in Velm?", True),
        ("Who is the one of Velm and not of Orla?", True),
        ("Did the ferry offer that every day in 2020?", True),
        ("What happened in the harbour that summer in Velm?", True),
        ("How did the mayor that Monday open the bridge?", True),
        ("Has one been built in Velm since the war?", True),
        ("Did one sink near Velm harbour in 1994?", True),
    ],
)
def test_what_leans_on_the_conversation(question: str, leans: bool) -> None:
    assert leans_on_history(question) is leans


@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("How deep is the harbour basin today?", True),
        ("When was the mayor elected in town?", True),
        ("How deep is the river basin today?", False),
        ("How deep is the harbour of Orla today?", False),
        ("how many tons of steel went into the harbour cranes", False),
        ("Does a harbour need cranes and workers?", False),
    ],
)
def test_the_thing_of_the_last_turns_leans_on_them(question: str, leans: bool) -> None:
    assert leans_on_history(question, TALK) is leans
    assert not leans_on_history(question)


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
        ("please tell me who opened it", "Who opened the harbour of Velm?", "Who opened the harbour of Velm?"),
        ("ok thanks, and who opened it?", "Who opened the harbour of Velm?", "Who opened the harbour of Velm?"),
        ("hmm and who opened it?", "Who opened the harbour of Velm?", "Who opened the harbour of Velm?"),
        ("whats its mayor?", "Who is mayor of Velm?", "Who is mayor of Velm?"),
        ("why didnt he open it?", "Why didn't Ilse Brandt open it?", "Why didn't Ilse Brandt open it?"),
        # Its place in time was dropped.
        (
            "and who opened it before that?",
            "Who opened the harbour of Velm?",
            f"and who opened it before that? {BEHIND}",
        ),
        # A denial that was dropped, or brought in.
        ("why didnt he open it?", "Why did Ilse Brandt open it?", f"why didnt he open it? {BEHIND}"),
        ("why did he open it?", "Why did Ilse Brandt not open it?", f"why did he open it? {BEHIND}"),
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


@pytest.mark.parametrize(("talk", "question", "rewritten"), STANDALONE_EXAMPLES)
def test_the_examples_of_the_prompt_are_taken(scripted: Any, talk: str, question: str, rewritten: str) -> None:  # noqa: ANN401
    turns = [Turn(role.lower(), said) for role, said in (line.split(": ", 1) for line in talk.splitlines())]
    assert make_standalone(question, turns, scripted(replies=[rewritten])) == rewritten


def test_the_sign_of_a_currency_is_its_name(scripted: Any) -> None:  # noqa: ANN401
    talk = (Turn("user", "How much did Velm pay?"), Turn("assistant", "A settlement of €555 million."))
    rewritten = "What is 555 million euros in krones?"
    assert make_standalone("whats that in krones", talk, scripted(replies=[rewritten])) == rewritten


def test_an_order_is_rewritten_as_one(scripted: Any) -> None:  # noqa: ANN401
    generator = scripted(replies=["Describe the harbour of Velm."])
    assert make_standalone("Describe it.", TALK, generator) == "Describe the harbour of Velm."
    assert generator.patterns == [LINE]


def test_a_rewriting_that_was_cut_is_not_taken(scripted: Any) -> None:  # noqa: ANN401
    generator = scripted(replies=["Who opened the harbour of Velm " + "and the harbour " * 40 + "?"])
    assert make_standalone("And who opened it?", TALK, generator) == f"And who opened it? {BEHIND}"


def test_behind_a_question_stands_one_that_stands_alone(scripted: Any) -> None:  # noqa: ANN401
    talk = (*TALK, Turn("user", f"who built it? {BEHIND}"), Turn("assistant", "Orla Works did."))
    both = "(earlier questions: When did the harbour of Velm open? who built it?)"
    assert make_standalone("whats its budget?", talk, scripted(replies=["Zzz?"])) == f"whats its budget? {both}"
    talk = (*TALK, Turn("user", "Who built the harbour of Velm?"), Turn("assistant", "Orla Works did."))
    one = "(earlier question: Who built the harbour of Velm?)"
    assert make_standalone("whats its budget?", talk, scripted(replies=["Zzz?"])) == f"whats its budget? {one}"


def test_what_is_put_behind_has_a_limit(scripted: Any) -> None:  # noqa: ANN401
    talk = (Turn("user", "harbour " * 10_000), Turn("assistant", "Yes."))
    standalone = make_standalone("And who opened it?", talk, scripted(replies=["Nonsense entirely?"]))
    assert len(standalone) < 700
    assert standalone.startswith("And who opened it? (earlier question: harbour")


def test_an_answer_without_a_question_before_it(scripted: Any) -> None:  # noqa: ANN401
    talk = (Turn("assistant", "Welcome."),)
    assert make_standalone("And who built it?", talk, scripted(replies=["Zzz qqq?"])) == "And who built it?"
