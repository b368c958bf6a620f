from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from index import Index
from qa.evidence import Evidence, placed
from qa.quotes import SEVERAL_LEAD
from qa.several import CLEARLY_STATED, LISTED_CHARACTERS, SEVERAL_READ, STATED, choose_stated

OPENED = "Mayor Ilse Brandt opened the Velm harbour on May 4, 1994."
RAIN = "Rain fell on the hills all winter."
MakeIndex = Callable[[Mapping[str, str]], Index]


def test_of_several_things_what_the_model_does_not_doubt_is_quoted(
    small_index: Index, quoted: Callable[..., Evidence]
) -> None:
    question = "Who opened the harbour, and did it rain or freeze?"
    ranked = [
        quoted(small_index, "weather.txt", RAIN, score=3.0),
        quoted(small_index, "harbour.md", OPENED, score=2.0),
        quoted(small_index, "museum.md", "The museum of Orla shows ships from nine countries.", score=1.0),
    ]

    def chosen(*stated: float, most: int = 4) -> list[str]:
        verdicts = dict(zip((sentence.text for sentence in ranked), stated, strict=True))
        verdict = lambda quote: next(log_odds for text, log_odds in verdicts.items() if text in quote.text)  # noqa: E731
        quotes, more = choose_stated(question, "", ranked, [], small_index, most, verdict)
        assert not more
        return [quote.text for quote in quotes]

    doubted = STATED - 1
    unsure = CLEARLY_STATED - 0.5
    assert chosen(STATED, unsure, 3.0) == [ranked[2].text, OPENED, RAIN]  # by its yes, the first even without news
    assert chosen(STATED, 2.0, unsure) == [OPENED, RAIN]  # the museum brings no word of the question
    assert chosen(STATED, 2.0, unsure, most=1) == chosen(doubted, 2.0, unsure) == [OPENED]
    assert chosen(STATED, 2.0, 1.0, most=1) == [OPENED]  # of two things, not of a list
    assert chosen(doubted, doubted - 1, doubted) == chosen(*[float("nan")] * 3) == [RAIN]
    ranked[1] = replace(ranked[1], score=3.0 - SEVERAL_LEAD - 0.1)  # too far behind to be read
    assert chosen(STATED, 2.0, 1.0) == [ranked[2].text, RAIN]


def ferries(make_index: MakeIndex, quoted: Callable[..., Evidence], names: str) -> tuple[Index, list[Evidence]]:
    """A document for each ferry, which says that it sails on Sundays, and these sentences."""
    text = "On Sundays the {} sails."
    index = make_index({f"{name}.md": f"# {name}\n\n{text.format(name)}\n\nIt is white." for name in names})
    return index, [quoted(index, f"{name}.md", text.format(name)) for name in names]


@pytest.mark.parametrize(
    ("names", "clear", "quotes", "more"),
    [
        ("BCDEF", "BCDEF", "BCDEF", False),
        (
            "BCDEFGHJKLMN",
            "BCDEFGHJKM",
            "BCDEFGHJKM",
            False,
        ),  # four more sources while two state one
        ("BCDEFGHJKLMN", "BCDHMN", "BCDH", False),
        ("BCDEFGHJKLMNOPQRSTUVWXYZ", "BCDEFGHJKLMNOPQRSTUVWXYZ", "BCDEFGHJKLMNOPQRSTUVWX", True),
        ("BCDEFGHJKLMNOPQRSTUVWX", "BCDEFGHJKLMNOPQRSTUVWX", "BCDEFGHJKLMNOPQRSTUVWX", False),  # nothing was left out
    ],
)
def test_an_item_of_each_source_that_states_one_is_quoted(
    make_index: MakeIndex, quoted: Callable[..., Evidence], names: str, clear: str, quotes: str, more: bool
) -> None:
    index, found = ferries(make_index, quoted, names)
    verdict = lambda quote: CLEARLY_STATED if quote.document[0] in clear else STATED - 1  # noqa: E731
    question = "Which ferries sail on Sundays?"
    chosen, may_be_more = choose_stated(question, "", found[:SEVERAL_READ], found, index, 2, verdict)
    assert ("".join(quote.document[0] for quote in chosen), may_be_more) == (quotes, more)


def test_of_a_further_source_the_best_sentence_for_the_question_is_read(
    make_index: MakeIndex, quoted: Callable[..., Evidence]
) -> None:
    index, (first, second) = ferries(make_index, quoted, "BC")
    white = quoted(index, "C.md", "It is white.")
    quotes, _ = choose_stated("Which ferries sail?", "", [first], [second, white], index, 2, lambda _: CLEARLY_STATED)
    assert [quote.text for quote in quotes] == [first.text, second.text]


def test_a_source_whose_read_sentence_states_nothing_is_asked_for_its_best(
    make_index: MakeIndex, quoted: Callable[..., Evidence]
) -> None:
    index, found = ferries(make_index, quoted, "BCD")
    white = [quoted(index, f"{name}.md", "It is white.") for name in "BC"]
    verdict = lambda quote: CLEARLY_STATED if "Sundays" in quote.text else STATED - 1  # noqa: E731
    beside = [*white, found[0]]  # what the ranking with the draft finds
    quotes, _ = choose_stated("Which ferries sail on Sundays?", "", beside, found, index, 4, verdict)
    assert {quote.document for quote in quotes} == {"B.md", "C.md", "D.md"}


def test_a_question_of_a_document_is_no_item_of_a_list(make_index: MakeIndex, quoted: Callable[..., Evidence]) -> None:
    asked, said = "Which ferries sail on Sundays at {}?", "On Sundays the {} sails."
    index = make_index({f"{name}.md": f"# {name}\n\n{asked.format(name)} {said.format(name)}\n" for name in "BCD"})
    found = [quoted(index, f"{name}.md", text.format(name)) for text in (asked, said) for name in "BCD"]
    quotes, _ = choose_stated("Which ferries sail?", "", found[3:4], found, index, 4, lambda _: CLEARLY_STATED)
    assert [quote.document for quote in quotes] == ["B.md", "C.md", "D.md"]


def test_a_list_of_long_items_is_not_quoted_whole(make_index: MakeIndex, quoted: Callable[..., Evidence]) -> None:
    text = "On Sundays the {} sails " + "past many islands and over deep water " * 20 + "to Velm."
    index = make_index({f"{name}.md": f"# {name}\n\n{text.format(name)}" for name in "BCDEF"})
    found = [quoted(index, f"{name}.md", text.format(name)) for name in "BCDEF"]
    quotes, more = choose_stated("Which ferries sail?", "", found[:1], found, index, 1, lambda _: CLEARLY_STATED)
    assert more
    assert sum(len(quote.text) for quote in quotes) <= LISTED_CHARACTERS


def test_a_copy_is_no_further_source(make_index: MakeIndex, quoted: Callable[..., Evidence]) -> None:
    text = "On Sundays the ferry Anna sails to Velm, and on Mondays it lies in the harbour of Orla for repairs."
    index = make_index({"a.md": f"# Ferries\n\n{text}\n", "b.md": f"# Ferries\n\n{text}\n"})
    ranked = [quoted(index, path, text) for path in ("a.md", "b.md")]
    quotes, _ = choose_stated("Which ferries sail?", "", ranked, ranked, index, 4, lambda _: CLEARLY_STATED)
    assert len(quotes) == 1


@pytest.mark.parametrize(("stated", "read"), [(3, "day year family child"), (2, "day year")])
def test_a_table_is_quoted_whole_where_many_of_its_rows_are_meant(
    make_index: MakeIndex, quoted: Callable[..., Evidence], stated: int, read: str
) -> None:
    rows = [f"| {ticket} | {price} euros |" for price, ticket in enumerate(["day", "year", "family", "child"], 12)]
    index = make_index({"a.md": "\n".join(["# Fees", "", "| Ticket | Price |", "|---|---|", *rows])})
    ranked = [placed((row.start, row.end), row, index) for row in (quoted(index, "a.md", text) for text in rows)]
    meant = {row.start for row in ranked[:stated]}
    verdict = lambda quote: CLEARLY_STATED - 1 if quote.start in meant else STATED - 1  # noqa: E731
    quotes, _ = choose_stated("What do day and year tickets cost?", "day year", ranked, ranked, index, 4, verdict)
    told = " ".join(quote.as_read for quote in quotes)
    assert [ticket for ticket in ["day", "year", "family", "child"] if f"Ticket: {ticket}," in told] == read.split()
