from __future__ import annotations

import re

import pytest

from qa.values import BARE_YEAR, Value, find_values

INF = float("inf")


@pytest.mark.parametrize(
    ("text", "kind", "low", "high"),
    [
        ("It has 12 cranes.", "crane", 12, 12),
        ("It has twelve new cranes.", "crane", 12, 12),
        ("It has a dozen cranes.", "crane", 12, 12),
        ("It has 2000 workers.", "worker", 2000, 2000),
        ("Half a million people", "peopl", 500_000, 500_000),
        ("about 50,000 workers", "worker", 45_000, 55_000),
        ("more than 50,000 workers", "worker", 50_000, INF),
        ("no more than 5 goats", "goat", 0, 5),
        ("thousands of workers", "worker", 1000, INF),
        ("It costs $6m.", "dollar", 6_000_000, 6_000_000),
        ("£16.9 million", "pound", 16_900_000, 16_900_000),
        ("$3-5 billion", "dollar", 3_000_000_000, 5_000_000_000),
        ("3 to 5 billion dollars", "dollar", 3_000_000_000, 5_000_000_000),
        ("between 50 and 80 %", "percent", 50, 80),
        ("between 3 and 5 cranes", "crane", 3, 5),
        ("3-5 cranes", "crane", 3, 5),
        ("between 3 km and 5 km", "km", 3, 5),
        ("12 of 340 workers", "worker", 340, 340),
        ("12km", "km", 12, 12),
        ("at 3 p.m.", "time", 900, 900),
        ("at 15:00", "time", 900, 900),
        ("at 15h00", "time", 900, 900),
        ("on Tuesdays", "weekday", 1, 1),
        ("the third", "ordinal", 3, 3),
    ],
)
def test_a_value_has_a_kind_and_bounds(text: str, kind: str, low: float, high: float) -> None:
    (value,) = find_values(text)
    assert (value.kind, value.low, value.high) == (kind, pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("on May 4, 1994", {"1994", "may", "4"}),
        ("held in May", {"may"}),
        ("in 1994", {"1994"}),
        ("for 2022/23", {"2022"}),
    ],
)
def test_a_date_is_its_parts(text: str, parts: set[str]) -> None:
    assert find_values(text) == (Value("date", frozenset(parts)),)


@pytest.mark.parametrize(
    "text", ["It has 14.", "It may be.", "the F-35", "release 3.1.1", "two. Cranes", "so [14]", "at 25:61"]
)
def test_what_is_no_value(text: str) -> None:
    assert find_values(text) == ()


@pytest.mark.parametrize(
    ("text", "is_year"),
    [
        ("2024", True),
        ("2024 budget", True),
        ("1500", False),
        ("2000 kg", False),
        ("2000 cranes", False),
        ("2,000", False),
    ],
)
def test_a_bare_year(text: str, is_year: bool) -> None:
    assert (re.match(BARE_YEAR, text) is not None) == is_year


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ("on 10 May", "in May 2024", False),
        ("on 10 May", "in 2024", False),
        ("on 3-5 May", "on 3 May", False),
        ("on 10 May", "on 12 May 2024", True),
        ("in 1934", "in 1936", True),
        ("12 cranes", "14 cranes", True),
        ("12 cranes", "14 days", False),
    ],
)
def test_two_values_contradict_each_other_in_what_both_give(one: str, other: str, contradict: bool) -> None:
    (value,), (rival,) = find_values(one), find_values(other)
    assert value.contradicts(rival) == rival.contradicts(value) == contradict
