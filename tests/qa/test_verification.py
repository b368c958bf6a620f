from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from index.lexical import tokenise
from qa.evidence import Evidence
from qa.verification import citing, finished_sentences, repeats, tidy, unsupported_claims, verify

OPENED = "Mayor Ilse Brandt opened the Velm harbour on May 4, 1994, after nine years of work."
CRANES = "The harbour has 12 cranes and 340 workers."
DIRECTOR = "The museum's director is Tomas Reyes, not his brother Luis."
QUESTION = "Who opened the Velm harbour?"


@pytest.mark.parametrize(
    ("sentence", "source", "unsupported"),
    [
        ("Mayor Ilse Brandt opened the Velm harbour.", OPENED, []),
        ("Ilse Brandt opened the harbour on 4 May 1994.", OPENED, []),
        ("Ilse Brandt opened the harbour in May 1994.", OPENED, []),
        ("Ilse Brandt opened the harbour after 9 years of work.", OPENED, []),
        ("Ilse Brandt opened the harbour on May 5, 1994.", OPENED, ["may 5, 1994"]),
        ("Mayor Reyes opened the Velm harbour on May 4, 1994.", OPENED, ["Mayor Reyes"]),
        ("The harbour has 12 cranes and 430 workers.", CRANES, ["430"]),
        ("The harbour has 12 cranes in Oslo.", CRANES, ["Oslo"]),
        ("The harbour does not have 12 cranes.", CRANES, ["a negation"]),
        ("The harbour never had 12 cranes.", CRANES, ["a negation"]),
        ("Its director is his brother Luis.", DIRECTOR, ["a negation"]),
        ("The harbour has 12 cranes at pier No. 3.", CRANES.replace(".", " at pier No. 3."), []),
        ("The harbour has 12 cranes at pier 3.", CRANES.replace(".", " at pier No. 3."), []),
        ("It is.", CRANES, ["its wording"]),
        ("👍", CRANES, ["its wording"]),
        ("The harbour sells fresh salmon dinners cheaply.", CRANES, ["its wording"]),
    ],
)
def test_what_the_cited_words_do_not_hold_is_named(
    evidence: Callable[..., Evidence], sentence: str, source: str, unsupported: list[str]
) -> None:
    assert unsupported_claims(sentence, [evidence(source)], QUESTION) == unsupported


def test_a_number_of_the_question_supports_nothing(evidence: Callable[..., Evidence]) -> None:
    question = "Did the harbour have 99 cranes in 1987?"
    found = unsupported_claims("The harbour has 99 cranes.", [evidence(CRANES)], question)
    assert found == ["99"]


def test_several_sources_support_a_sentence_together(evidence: Callable[..., Evidence]) -> None:
    sentence = "The harbour that Brandt opened has 12 cranes and 340 workers."
    assert unsupported_claims(sentence, [evidence(OPENED), evidence(CRANES)], QUESTION) == []
    assert unsupported_claims(sentence, [evidence(CRANES)], QUESTION) == ["Brandt"]


def test_each_sentence_cites_what_holds_its_news(evidence: Callable[..., Evidence]) -> None:
    chosen = [evidence(OPENED), evidence(CRANES, start=200), evidence(DIRECTOR, "b.md")]
    assert citing("Mayor Ilse Brandt opened it.", chosen, QUESTION) == [0]
    assert citing("It has 340 workers.", chosen, QUESTION) == [1]
    assert citing("Ilse Brandt opened it, and it has 340 workers.", chosen, QUESTION) == [0, 1]
    assert citing("The Velm harbour opened.", chosen, QUESTION) == [0]
    assert citing("The Velm harbour opened.", [], QUESTION) == []


def test_a_draft_is_split_into_supported_sentences_and_unsupported_claims(evidence: Callable[..., Evidence]) -> None:
    opened, cranes = evidence(OPENED), evidence(CRANES, start=200)
    draft = "Mayor Ilse Brandt opened the harbour. It has 340 workers. It cost 5 million krones."
    parts, dropped = verify(draft, [opened, cranes], QUESTION)
    assert parts == [("Mayor Ilse Brandt opened the harbour.", [opened]), ("It has 340 workers.", [cranes])]
    assert len(dropped) == 1
    assert "5000000" in dropped[0]
    assert verify("", [opened], QUESTION) == ([], [])


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("The passage states that it opened in 1994.", "It opened in 1994."),
        ("Yes, according to the passage, it opened.", "It opened."),
        ("  It  opened\tin the U. S. in 1994. ", "It opened in the U.S. in 1994."),
        ("It opened at 2 p. m. sharp.", "It opened at 2 p.m. sharp."),
        ("**It** opened [1], in 1994.[2, 3]", "It opened, in 1994."),
        ("", ""),
    ],
)
def test_a_draft_without_its_preamble(evidence: Callable[..., Evidence], written: str, clean: str) -> None:
    assert tidy(written, [evidence("It opened in the U.S. in 1994, at 2 p.m. on a Sunday.")]) == clean


@pytest.mark.parametrize(
    ("written", "finished"),
    [
        ("It opened in 1994. It has 12 cra", "It opened in 1994."),
        ("It opened in 1994. It has 12 cranes.", "It opened in 1994. It has 12 cranes."),
        ("It opened on “May 4.” ", "It opened on “May 4.”"),
        ("It opened on May 4, 19", ""),
        ("", ""),
    ],
)
def test_a_draft_that_was_cut_loses_its_unfinished_sentence(written: str, finished: str) -> None:
    assert finished_sentences(written) == finished


words = st.sampled_from(["harbour", "12", "Ilse", "Brandt", "not", "opened", "on", "May 4, 1994", ".", "cranes", "99"])


@given(st.lists(words, max_size=12).map(" ".join), st.lists(st.lists(words, max_size=8).map(" ".join), max_size=4))
def test_citing_names_existing_places_in_order_and_at_least_one(written: str, sources: list[str]) -> None:
    chosen = [Evidence(f"{number}.md", 0, len(text), text, "", "", "", 0.0) for number, text in enumerate(sources)]
    places = citing(written, chosen, QUESTION)
    assert places == sorted(set(places))
    assert all(0 <= place < len(chosen) for place in places)
    assert bool(places) == bool(chosen)


@given(st.lists(words, min_size=1, max_size=12).map(" ".join))
def test_a_copied_sentence_is_supported(text: str) -> None:
    assume(tokenise(text))
    source = Evidence("a.md", 0, len(text), text, "", "", "", 0.0)
    assert unsupported_claims(text, [source], QUESTION) == []


def test_a_sentence_that_says_what_a_quote_says_is_a_repetition(evidence: Callable[..., Evidence]) -> None:
    quotes = [evidence(OPENED), evidence(CRANES)]
    assert repeats("The harbour has 12 cranes, and 340 workers", quotes)
    assert not repeats("The harbour has 12 cranes.", quotes)
    assert not repeats("Ilse Brandt opened it.", quotes)
