from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Index
from qa.abbreviations import abbreviations, expand, find_abbreviations, long_form


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("The Port Authority of Velm (PAV) builds.", [("PAV", "Port Authority of Velm")]),
        ("The self-defense force (SDF) trains.", [("SDF", "self-defense force")]),
        ("World Health Organization (“WHO”)", [("WHO", "World Health Organization")]),
        ("NATO (North Atlantic Treaty Organization)", [("NATO", "North Atlantic Treaty Organization")]),
        ("the Allied Control Machinery, or ACM, is", [("ACM", "Allied Control Machinery")]),
        ("She said (HE) so", []),
        ("the new pier (Mr) is", []),
        ("It cost ten krones (KR)", []),
        ("The Port, Authority of Velm (PAV)", []),
        ("The Port Authority\nof Velm (PAV)", []),
        ("Port Authority of Velm(PAV)", []),
    ],
)
def test_definitions_are_found(text: str, pairs: list[tuple[str, str]]) -> None:
    assert find_abbreviations(text) == pairs


@pytest.mark.parametrize(
    ("short", "before", "found"),
    [
        ("PAV", "yesterday the Port Authority of Velm", "Port Authority of Velm"),
        ("PAV", "Authority of Velm", None),
        ("JJOC", "Japan Joint Operations Command", "Japan Joint Operations Command"),
        ("AB", "b", None),
        ("F-35", "", None),
        ("AI", "Ai", None),
    ],
)
def test_the_long_form_begins_with_the_first_letter(short: str, before: str, found: str | None) -> None:
    assert long_form(short, before) == found


@given(st.text(st.sampled_from("ABab (),“” -.\n1é漢"), max_size=300))
def test_every_long_form_stands_in_the_text_and_begins_like_the_short_one(text: str) -> None:
    for short, found in find_abbreviations(text):
        assert short in text
        assert " ".join(found.split()) in " ".join(text.split())
        assert found[0].lower() == short[0].lower()


@pytest.mark.parametrize("text", ["x" * 200_000, "ab " * 60_000, "a" + " " * 200_000, "AB (" * 50_000, "(" * 200_000])
def test_hostile_text_takes_no_time(text: str) -> None:
    started = time.monotonic()
    assert find_abbreviations(text) == []
    assert time.monotonic() - started < 10  # seconds; squared it would be hours


def test_either_form_is_looked_for(small_index: Index) -> None:
    assert abbreviations(small_index) == {"PAV": "Port Authority of Velm"}
    assert expand("What will PAV build?", small_index) == "What will PAV build? Port Authority of Velm"
    assert expand("What will the port authority of velm build?", small_index).endswith(" PAV")
    assert expand("Who built the museum?", small_index) == "Who built the museum?"


def test_the_commonest_long_form_counts(make_index: Callable[[dict[str, str]], Index]) -> None:
    texts = {
        "a.txt": "One\nThe Velm Port Office (VPO) is small.\n",
        "b.txt": "Two\nThe Velm Pilot Order (VPO) is old.\n",
        "c.txt": "Three\nThe Velm Pilot Order (VPO) is proud.\n",
    }
    assert abbreviations(make_index(texts)) == {"VPO": "Velm Pilot Order"}
