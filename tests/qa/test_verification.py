from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corpus import split_sentences
from index.lexical import tokenise
from qa.claims import WORDING
from qa.evidence import Evidence
from qa.verification import finished_sentences, repeats, statements, tidy, unsupported_claims, verify

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
        ("It is.", CRANES, [WORDING]),
        ("👍", CRANES, [WORDING]),
        ("The harbour sells fresh salmon dinners cheaply.", CRANES, [WORDING]),
    ],
)
def test_what_the_cited_words_do_not_hold_is_named(sentence: str, source: str, unsupported: list[str]) -> None:
    assert unsupported_claims(sentence, source, QUESTION) == unsupported


def test_a_number_of_the_question_supports_nothing() -> None:
    question = "Did the harbour have 99 cranes in 1987?"
    assert unsupported_claims("The harbour has 99 cranes.", CRANES, question) == ["99"]


@pytest.mark.parametrize(
    ("written", "quote", "supported"),
    [
        ("Petrov spoke of retaliation.", "Petrov warned Tokyo. Later Nowak spoke of retaliation.", False),
        ("Petrov was minister until 1994.", "Petrov was mayor until 1994. Before, he was minister.", False),
        ("Nowak spoke of retaliation.", "Petrov warned Tokyo. Later Nowak spoke of retaliation.", True),
        ("Petrov warned Tokyo on May 4, 1994.", "Petrov came on May 4, 1994. He warned Tokyo.", True),
        ("Petrov came, and Nowak left.", "Petrov came. Nowak left.", False),
    ],
)
def test_what_one_did_is_not_said_of_another(
    evidence: Callable[..., Evidence], written: str, quote: str, supported: bool
) -> None:
    parts, dropped = verify(written, [evidence(quote)], "What happened?")
    assert (bool(parts), bool(dropped)) == (supported, not supported)


def test_sources_support_a_sentence_alone_or_not_at_all(evidence: Callable[..., Evidence]) -> None:
    sentence = "The harbour that Brandt opened has 12 cranes and 340 workers."
    assert unsupported_claims(sentence, CRANES, QUESTION) == ["Brandt"]
    assert verify(sentence, [evidence(OPENED), evidence(CRANES)], QUESTION) == ([], [["Brandt"]])


def test_a_statement_takes_along_what_it_leans_on(evidence: Callable[..., Evidence]) -> None:
    assert statements(evidence("Petrov came. He warned Tokyo. It refused. Nowak left.")) == [
        "Petrov came.",
        "Petrov came. He warned Tokyo.",
        "Petrov came. He warned Tokyo. It refused.",
        "Nowak left.",
    ]
    assert statements(evidence("")) == []


def test_an_item_is_said_under_its_heading_and_its_lead_in(evidence: Callable[..., Evidence]) -> None:
    quote = replace(evidence("3.1.1 (May 4)\nFixed are:\n- a leak\n- a crash"), section="3.1.1 (May 4)")
    assert statements(quote)[1:] == ["3.1.1 may 4 Fixed are: a leak", "3.1.1 may 4 Fixed are: a crash"]
    assert verify("A leak is fixed in 3.1.1.", [quote], "Which release is it?")[0]
    assert not verify("A leak is fixed in 3.1.2.", [quote], "Which release is it?")[0]
    assert not verify("A leak is fixed in 3.1.1.", [replace(quote, section="")], "Which release is it?")[0]


def test_a_heading_and_a_lead_in_name_nobody_else(evidence: Callable[..., Evidence]) -> None:
    heading = replace(evidence("Minister Zhao refuses\nPetrov paid 500."), section="Minister Zhao refuses")
    assert not verify("Minister Zhao paid 500.", [heading], "Who paid?")[0]
    listed = evidence("The limits of the Passo 8 are:\n- in front: 10 kg\n\nThe Passo 9 carries 30 kg.")
    assert verify("The limit of the Passo 8 in front is 10 kg.", [listed], "What is it?")[0]
    assert not verify("The Passo 8 carries 30 kg.", [listed], "What is it?")[0]


def test_each_sentence_cites_what_holds_it(evidence: Callable[..., Evidence]) -> None:
    chosen = [evidence(OPENED), evidence(CRANES, start=200), evidence(DIRECTOR, "b.md")]
    assert verify("Mayor Ilse Brandt opened the harbour.", chosen, QUESTION)[0][0][1] == chosen[:1]
    assert verify("It has 340 workers.", chosen, QUESTION)[0][0][1] == chosen[1:2]
    assert verify("The Velm harbour opened.", [], QUESTION) == ([], [["The Velm"]])


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
        ("it opened.", "It opened."),
        ("iPhone sales rose.", "iPhone sales rose."),
        ("mRNA and pH are measured.", "mRNA and pH are measured."),
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
def test_every_sentence_is_kept_with_one_source_or_dropped(written: str, sources: list[str]) -> None:
    chosen = [Evidence(f"{number}.md", 0, len(text), text, "", "", "", 0.0) for number, text in enumerate(sources)]
    parts, dropped = verify(written, chosen, QUESTION)
    assert len(parts) + len(dropped) == len(split_sentences(written))
    assert all(len(cited) == 1 and cited[0] in chosen for _, cited in parts)
    assert all(dropped)


@given(st.lists(words, min_size=1, max_size=12).map(" ".join))
def test_a_copied_sentence_is_supported(text: str) -> None:
    assume(tokenise(text))
    assert unsupported_claims(text, text, QUESTION) == []


def test_a_sentence_that_says_what_a_quote_says_is_a_repetition(evidence: Callable[..., Evidence]) -> None:
    quotes = [evidence(OPENED), evidence(CRANES)]
    assert repeats("The harbour has 12 cranes, and 340 workers", quotes)
    assert not repeats("The harbour has 12 cranes.", quotes)
    assert not repeats("Ilse Brandt opened it.", quotes)
