"""Dates in sentences, and the events of an index."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from index import Index
from qa.timeline import Timeline, iso_dates


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("On July 28, 2024, ministers met.", ["2024-07-28"]),
        ("It began on 1 October 2023 and ended in March 2024.", ["2023-10-01", "2024-03"]),
        ("The talks of July 28-30, 2024 went on.", ["2024-07-28", "2024-07-30"]),
        ("The talks of July 28 to 30, 2024 went on.", ["2024-07-28", "2024-07-30"]),
        ("It ended at 2021-09-03T10:30Z, on the third of September 2021.", ["2021-09-03"]),
        ("Signed 2024-07-05, again on July 5, 2024.", ["2024-07-05"]),
        ("In May of that year, on May 4, and in 1957.", []),
        ("It ended on February 30, 2024.", []),
    ],
)
def test_dates_with_month_and_year_are_read(text: str, dates: list[str]) -> None:
    assert iso_dates(text) == dates


def test_events_are_sentences_in_the_order_of_their_dates(
    make_index: Callable[[Mapping[str, str]], Index], documents: dict[str, str]
) -> None:
    documents["dates.txt"] = (
        "The tower of Velm\n\nThe tower was finished on 3 March 2001 after years of work.\n\nMarch 2001: plans\n\n"
        "In January 1990 the council of Velm bought the land."
    )
    index = make_index(documents)
    timeline = Timeline()
    events = timeline.events(index)
    assert [(event.date, event.document) for event in events] == [
        ("1990-01", "dates.txt"),
        ("1994-05-04", "harbour.md"),
        ("2001-03-03", "dates.txt"),
    ]
    for event in events:
        assert index.documents[event.document].text[event.start : event.end] == event.text
    assert timeline.events(index) is events
