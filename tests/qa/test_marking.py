"""The words of a quote that are marked as the answer: what the draft says beyond the question."""

from __future__ import annotations

import pytest

from corpus import split_sentences
from qa.answer import AnswerSentence
from qa.marking import mark_answer

BASE = "“The base is the home of the fleet. Since 1974 its headquarters has been at Orla, in the suburbs of Velm.”"


def marked(question: str, draft: str, *texts: str, best: str = "") -> list[list[str]]:
    parts = [AnswerSentence(text, (1,), supported=True) for text in texts]
    quotes = [part.text[1:-1] for part in parts if part.quoted]
    last = [quote[said.start : said.end] for quote in quotes for said in split_sentences(quote)[-1:]]
    sentences = mark_answer(parts, draft, question, [best] if best else last)
    return [[sentence.text[start:end] for start, end in sentence.marked] for sentence in sentences]


@pytest.mark.parametrize(
    ("question", "draft", "text", "words"),
    [
        (
            "Where is the headquarters?",
            "The headquarters is located at Orla, in the suburbs of Velm.",
            BASE,
            ["Orla, in the suburbs of Velm"],
        ),
        ("Since when is it there?", "It has been there since 1974.", BASE, ["1974"]),
        ("How much was paid?", "About 6,200 euros was paid.", "“Of $5m the town paid 6,200 euros.”", ["6,200 euros"]),
        ("Who won?", "It was the U.S. team.", "“The U.S. team, of Dr. Brandt, won 4 to 2.”", ["U.S. team"]),
        (
            "Which units are under it?",
            "The guard, the fleet and the school are under it.",
            "“Under it are the guard of Velm, the old fleet, and in 2030, when it opens, the school.”",
            ["guard", "fleet", "school"],
        ),
    ],
)
def test_the_words_of_the_draft_are_marked_where_one_sentence_has_them(
    question: str, draft: str, text: str, words: list[str]
) -> None:
    assert marked(question, draft, text) == [words]


@pytest.mark.parametrize(
    ("question", "draft"),
    [
        ("Where is the headquarters?", "The headquarters is at Orla, in the suburbs of Tarn."),  # not stated
        ("Where is the fleet?", "The home of the fleet is at Orla since 1974."),  # by two sentences together
        ("Has its headquarters been at Orla since 1974?", "Yes, its headquarters has been at Orla since 1974."),
        ("Where is the headquarters?", "The headquarters has not been at Orla, in the suburbs of Velm."),  # a denial
        ("Where is the headquarters?", ""),
    ],
)
def test_nothing_is_marked_where_no_sentence_says_what_the_draft_says(question: str, draft: str) -> None:
    assert marked(question, draft, BASE) == [[]]


def test_only_the_first_quote_answers_unless_several_things_are_asked_for() -> None:
    quotes = ("“The fleet was founded by Brandt.”", "“The fleet left in May.”")
    assert marked("When did the fleet leave?", "It was in May.", *quotes) == [[], []]
    assert marked("Who founded the fleet, and when did it leave?", "It was in May.", *quotes) == [[], ["May"]]


def test_what_is_only_quoted_along_is_not_marked() -> None:
    quote = "“It was signed in May. It replaced a treaty that was signed in June.”"
    assert marked("When was the treaty signed?", "It was signed in June.", quote, best="It was signed in May.") == [[]]
    assert marked("When was the treaty signed?", "It was signed in May.", quote, best="It was signed in May.") == [
        ["May"]
    ]


def test_the_models_own_sentence_is_not_marked() -> None:
    assert marked("When did it leave?", "It was in May.", "It was in May.", "“It left in May.”") == [[], ["May"]]


def test_an_item_is_marked_behind_what_announces_its_list() -> None:
    announced, item = "“The coast guard keeps these stations:”", "“Zarnow: its keeper is Tomas Reyes.”"
    words = marked("Who is the keeper of Zarnow?", "The keeper is Tomas Reyes.", announced, item, best=item[1:-1])
    assert words == [[], ["Tomas Reyes"]]
