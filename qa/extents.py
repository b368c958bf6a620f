"""How far a quote reaches: what it takes along so that it says what it says, and how it is shown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from corpus.tables import find_table, tell_rows
from index import Index
from qa.antecedents import sentence_before
from qa.citations import without_marks
from qa.claims import check_claims
from qa.evidence import Evidence, placed, table_head
from qa.instructions import speaks_to_a_model
from qa.lists import LIST_CHARACTERS, late_lead_in, list_around

NEIGHBOUR_LEAD = 8.0
"""Log-odds by which the best sentence may lead one that stands beside a quote and is quoted with it: what leads up to
the fact, or follows from it, is read with it (evals/LOG.md)."""
HEADING_CHARACTERS = 400
"""Most characters between a quote and the heading above it that is quoted with it."""
TOUCHING = 1
"""Most characters between two sentences that are quoted as one: a space, or the end of a line, but no blank line."""


def grown(sentence: Evidence, ranked: Sequence[Evidence], index: Index) -> Evidence:
    """The sentence as it is quoted: with what its pronoun leans on, its list, and a good neighbour that was found.

    A row of a table takes no other one along: each says all of itself under its head.
    """
    before = sentence_before(sentence, index)
    quote = sentence if before is None else _joined(before, sentence, index)
    for part in list_around(sentence, index):
        quote = _joined(quote, part, index)
    neighbour = next((other for other in ranked if _touch(quote, other) and not holds(quote, other)), None)
    if neighbour and not quote.head and neighbour.score >= ranked[0].score - NEIGHBOUR_LEAD:
        quote = _joined(quote, neighbour, index)
    return quote


def with_table(sentence: Evidence, ranked: Sequence[Evidence], index: Index) -> Evidence:
    """The sentence as it is quoted, and a row with its table, where that has no more than `LIST_CHARACTERS`."""
    text = index.documents[sentence.document].text
    start, end = find_table(text, sentence.start)
    text = text[start:end]
    if start == end or len(text) > LIST_CHARACTERS or any(map(speaks_to_a_model, tell_rows(text).splitlines())):
        return grown(sentence, ranked, index)
    return placed((start, end), sentence, index)


def in_one_table(one: Evidence, other: Evidence, index: Index) -> bool:
    """Whether two places are rows of one table."""
    if one.document != other.document:
        return False
    text = index.documents[one.document].text
    (start, end), table = find_table(text, one.start), find_table(text, other.start)
    return start < end and (start, end) == table


def with_headings(draft: str, quotes: Sequence[Evidence], index: Index) -> list[Evidence]:
    """The quotes, each with the heading above it where that holds a number or date of the draft that it lacks.

    `Fixed a leak` under `3.1.1 (2 October 2024)` does not say in which release. A late item of a long list stands after
    what announces it, a quote of its own.
    """
    headed: list[Evidence] = []
    for quote in quotes:
        for lead_in in late_lead_in(quote, index):
            add_quote(headed, lead_in, index)
        add_quote(headed, _under_heading(draft, quote, index), index)
    return headed


def _under_heading(draft: str, quote: Evidence, index: Index) -> Evidence:
    document = index.documents[quote.document]
    above = bisect_right(document.headings, (quote.start, 0)) - 1
    if above < 0 or quote.start - document.headings[above][1] > HEADING_CHARACTERS:
        return quote
    start, end = document.headings[above]
    heading = document.text[start:end]
    if _lacking(draft, f"{heading}\n{quote.as_read}") == _lacking(draft, quote.as_read):
        return quote
    whole = placed((start, quote.end), quote, index)
    return quote if any(map(speaks_to_a_model, whole.as_read.splitlines())) else whole


def _lacking(draft: str, text: str) -> int:
    """How many numbers and dates of the draft a text does not hold."""
    claims = check_claims(draft, text)
    return len(claims["numbers"].unsupported) + len(claims["dates"].unsupported)


def holds(quote: Evidence, sentence: Evidence) -> bool:
    """Whether a sentence lies inside a quote."""
    return quote.document == sentence.document and quote.start <= sentence.start and sentence.end <= quote.end


def as_part(quote: Evidence, index: Index) -> tuple[str, list[Evidence]]:
    """The quote as an answer shows it and what it cites: with a row of a table, its head as well."""
    return as_quote(quote), [quote, *table_head(quote, index)]


def as_quote(evidence: Evidence) -> str:
    """The quote as an answer shows it: on one line, in quotation marks; empty for a mere footnote mark."""
    text = without_marks(evidence.as_read)
    return f"“{text}”" if text else ""


def add_quote(quotes: list[Evidence], evidence: Evidence, index: Index) -> None:
    """Add a quote, or lengthen one that it touches or overlaps."""
    for place, other in enumerate(quotes):
        if _touch(other, evidence):
            quotes[place] = _joined(other, evidence, index)
            return
    quotes.append(evidence)


def _touch(one: Evidence, other: Evidence) -> bool:
    """Whether two places overlap or stand side by side."""
    first, last = sorted((one, other), key=lambda evidence: evidence.start)
    return one.document == other.document and last.start - first.end <= TOUCHING


def _joined(one: Evidence, other: Evidence, index: Index) -> Evidence:
    start, end = min(one.start, other.start), max(one.end, other.end)
    return placed((start, end), one, index)
