from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.sentences import split_sentences
from corpus.tables import close_rows, find_head, find_table, tell_rows

CLOSED = "| Ticket | Price |\n| --- | --- |\n| day | 12 euros |\n| year | 90 euros |"


@pytest.mark.parametrize(
    ("written", "closed"),
    [
        (
            "Ticket | Price\n--- | ---\nday | 12 euros\nyear | 90 euros\n\nx | y",
            f"{CLOSED}\n\nx | y",
        ),
        ("| a | b\n|---|---\n| 1 | 2 \\|", "| a | b |\n|---|--- |\n| 1 | 2 \\| |"),
        ("  a | b |\n  :-|-:|\n  1 | 2 |\nEnd.", "  | a | b |\n  | :-|-:|\n  | 1 | 2 |\nEnd."),
        ("a | b\n---|---\n1 | 2\n```\n3 | 4\n```", "| a | b |\n| ---|--- |\n| 1 | 2 |\n```\n3 | 4\n```"),
        *(
            (text, text)
            for text in (
                CLOSED,
                "```\na | b\n--- | ---\n1 | 2\n```",
                "a | b\n-----\nc | d",  # a heading
                "a \\| b\n---|---",
                "a | b | c\n--- | ---\n1 | 2",
                "- a | b\n--- | ---",
                "a | b\n\n--- | ---",
                "P(a|b)\nis 1.",
            )
        ),
    ],
)
def test_the_rows_of_a_table_get_their_outer_bars(written: str, closed: str) -> None:
    assert close_rows(written) == closed


@given(st.text("ab|-:\\ \n`", max_size=40))
def test_closed_rows_stay_as_they_are(text: str) -> None:
    closed = close_rows(text)
    assert close_rows(closed) == closed
    assert [line.strip("| \t") for line in closed.split("\n")] == [line.strip("| \t") for line in text.split("\n")]


def test_closed_rows_are_sentences_of_their_own() -> None:
    rows = [
        "Year ticket, all zones. Sold at the station hall | 310 euros",
        "single ticket for one short trip inside one zone | 3 euros",
    ]
    text = close_rows("\n".join(["Ticket | Price", "--- | ---", *rows]))
    found = [text[sentence.start : sentence.end] for sentence in split_sentences(text)]
    assert found == ["| Ticket | Price |", *(f"| {row} |" for row in rows)]


def test_a_table_is_found_from_each_of_its_rows() -> None:
    table = CLOSED.replace("\n", "\n  ")
    text = f"- Tickets:\n\n- {table}  \n\n| year | none |\n"
    start, end = text.index("| Ticket"), text.index("90 euros |") + 10
    for row in ("| Ticket", "| day", "| year"):
        assert find_table(text, text.index(row)) == (start, end)
        assert find_head(text, text.index(row)) == (start, start + 18)
    for other in (text.rindex("| year"), text.index("Tickets:")):
        assert find_table(text, other) == find_head(text, other) == (other, other)


def test_rows_are_told_under_the_names_of_their_columns() -> None:
    assert tell_rows(CLOSED) == "Ticket: day, Price: 12 euros;\nTicket: year, Price: 90 euros"
    assert tell_rows("| year | 90 |\n| day | |", "| Ticket | Price |") == "Ticket: year, Price: 90;\nTicket: day"
    assert tell_rows("| Wilma | 9 m |", "| | Diameter |") == "Wilma, Diameter: 9 m"
    assert tell_rows("| all | 1 | 2 |", "| Ticket | Price |") == "all – 1 – 2"
    assert tell_rows("| year | Ask. Or", "| Ticket | Price | From |") == "Ticket: year, Price: Ask. Or"  # a cut row
    assert tell_rows("|x| is the distance from 0.") == "|x| is the distance from 0."
