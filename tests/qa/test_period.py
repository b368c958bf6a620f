from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from index import Index
from qa.period import Period, asked_period, dates_of, suits
from qa.ranking import rank_sentences

MakeIndex = Callable[[Mapping[str, str]], Index]


@pytest.mark.parametrize(
    ("question", "period"),
    [
        ("Who led the port before 2019?", Period(before="2019")),
        ("Who led it prior to July 28, 2024?", Period(before="2024-07-28")),
        ("What happened after the end of March 2020?", Period(after="2020-03")),
        ("How many ships have come since 1994?", Period(since="1994")),
        ("How many came between 1994 and May 1996?", Period(since="1994", until="1996-05")),
        ("from 2001 to 2004, how many came?", Period(since="2001", until="2004")),
        ("How many cranes were there as of 4 May 1994?", Period(until="1994-05-04", latest=True)),
        ("What is the latest number of cranes?", Period(latest=True)),
        ("Which plan ends by 2030?", Period(until="2030")),
        ("Who led it before the war, and after him?", Period()),
        ("Which ships came by night to the port?", Period()),
        ("Who left after the 1960 treaty was signed?", Period()),
        ("What is in the guidelines from 2015?", Period()),
        ("What is the current plan, and who leads it now?", Period()),
        ("In 1994 and 1996, how many came?", Period()),
        ("Which piers must be finished no later than 2027?", Period(until="2027")),
        ("Which pier is begun no earlier than 2026?", Period(since="2026")),
        ("What was built not after 2020?", Period(until="2020")),
        ("What must not be spent not before 2026?", Period(since="2026")),
        ("What was built on or before 2020?", Period(until="2020")),
        ("What was built on or after 1 May 2020?", Period(since="2020-05-01")),
        ("What was decided after 2024-03-14?", Period(after="2024-03-14")),
        ("What was decided before 2024-03-14?", Period(before="2024-03-14")),
        ("Can the crane lift up to 1500 kg?", Period()),
        ("Can the crane lift up to 1800 kg?", Period()),
        ("How did staff rise from 1200 to 1500?", Period()),
        ("Was it visited by 2000 people?", Period()),
        ("Who came from 2019 onwards?", Period(since="2019")),
        ("How many came in 2001-2004?", Period(since="2001", until="2004")),
        ("How many came from 2001–2004?", Period(since="2001", until="2004")),
        ("How many came between January and March 2024?", Period(since="2024-01", until="2024-03")),
        ("How many came between May 4 and June 5, 1994?", Period(since="1994-05-04", until="1994-06-05")),
        ("How many came after the year 2020?", Period(after="2020")),
        ("How many came before early 2024?", Period(until="2024")),
        ("How many came after mid-2024?", Period(since="2024")),
        ("How many came before the end of 2024?", Period(until="2024")),
        ("How many came before the beginning of 2024?", Period(before="2024")),
        ("How many came since the 1990s?", Period(since="1990")),
        ("How many came until the 1990s?", Period(until="1999")),
        ("How many came after the 1990s?", Period(after="1999")),
        ("What is the latest time I can register?", Period()),
        ("Must I register by May 2020 at the latest?", Period(until="2020-05")),
    ],
)
def test_the_time_of_a_question(question: str, period: Period) -> None:
    assert asked_period(question) == period


@pytest.mark.parametrize(
    ("period", "inside", "outside"),
    [
        (Period(before="2019"), ["2018", "2018-12-31"], ["2019", "2019-01", "2020"]),
        (Period(before="2019-05"), ["2019", "2019-04", "2018"], ["2019-05", "2019-05-01", "2020"]),
        (Period(after="2019"), ["2020", "2020-01"], ["2019", "2019-12", "2018"]),
        (Period(after="2019-05"), ["2019", "2019-06"], ["2019-05-31", "2018"]),
        (Period(after="2024-03-14"), ["2024", "2024-03", "2024-10-08"], ["2024-03-14", "2024-02"]),
        (Period(since="2019"), ["2019", "2019-01-01"], ["2018"]),
        (Period(until="2019-05"), ["2019", "2019-05-31", "2018"], ["2019-06", "2020"]),
        (Period(latest=True), ["1900", "2100"], []),
    ],
)
def test_what_lies_outside(period: Period, inside: list[str], outside: list[str]) -> None:
    assert not any(period.excludes(date) for date in inside)
    assert all(period.excludes(date) for date in outside)


def test_dates_of_a_sentence() -> None:
    assert dates_of("On July 28, 2024, and again in 2025, the 1960 treaty with 2400 words came up.") == [
        "2024-07-28",
        "2025",
        "1960",
    ]


def test_the_newest_of_what_is_asked_for_suits_best() -> None:
    sentences = ["It has 9 cranes.", "It has 12 cranes.", "In 1990 it had 3 cranes.", "It has many cranes."]
    published = ["1994-05-04", "1999-01-01", "1999-01-01", ""]
    assert suits(Period(latest=True), sentences, published) == [0.5, 1.0, 1.0, 0.0]
    assert suits(Period(until="1995", latest=True), sentences, published) == [1.0, 0.0, 0.0, 0.0]
    assert suits(Period(since="1994"), sentences, published) == [0.0, 0.0, -1.0, 0.0]


def test_dates_move_sentences(make_index: MakeIndex) -> None:
    index = make_index(
        {
            "new.md": "---\ntitle: Port of Velm\npublished: 1999-01-01\n---\n\nThe Velm port has 12 cranes.\n",
            "old.md": "---\ntitle: Port of Velm\npublished: 1994-05-04\n---\n\nThe Velm port has 9 cranes.\n",
        }
    )

    def first(question: str) -> str:
        return rank_sentences(question, index.search(question, 10), index)[0].document

    assert first("How many cranes does the Velm port have as of 1995?") == "old.md"
    assert first("What is the latest number of cranes of the Velm port?") == "new.md"
