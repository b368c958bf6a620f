"""Which quotes answer a question, and which of the draft's sentences they support."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index import Index
from qa.abbreviations import INITIALS, abbreviations
from qa.asking import asks_for_several
from qa.evidence import Evidence
from qa.extents import holds, with_headings
from qa.quotes import CANDIDATES, choose_quotes, least_doubted_first, rank_for_quoting, to_the_point, with_year
from qa.settings import Settings
from qa.several import choose_stated
from qa.verification import Part, verify


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is quoted for a question, and what of the draft its quotes support."""

    quotes: Sequence[Evidence]
    cores: Sequence[Evidence]
    """The best sentence in each quote, for which it is quoted, the best of all first: what only announces a list stands
    before its item."""
    written: Sequence[Part]
    """The draft's own sentences that the quotes support."""
    dropped: Sequence[list[str]]
    """The unsupported claims of each of the others."""
    more: bool
    """Whether a list may have items beyond the quotes."""


def find_quotes(
    question: str,
    draft: str,
    found: Sequence[Evidence],
    passage: Sequence[Evidence],
    index: Index,
    settings: Settings,
    verdict: Callable[[Evidence], float],
) -> Quoted:
    """One quote where it holds all of the draft and one thing is asked for, and otherwise those that are needed.

    Args:
        question: The standalone question.
        draft: What the model wrote; may be empty.
        found: Every sentence that was found, best first.
        passage: What the model wrote from.
        index: Where they are from.
        settings: How many may be quoted, and whether the model reads them alone.
        verdict: The log-odds that the model gives to a quote's stating the answer; not a number counts as a no.
    """
    ranked = rank_for_quoting(question, draft, [*found[:CANDIDATES], *passage], index)
    quotes = choose_quotes(question, draft, ranked, index, 1)
    long_forms = {**INITIALS, **abbreviations(index)}
    written, dropped = verify(draft, quotes, question, long_forms)
    several, more = asks_for_several(question), False
    if several or dropped or not written:  # one quote is not enough
        most = settings.quoted_for_several if several else settings.quoted_sentences
        if settings.weigh_quotes and several:
            quotes, more = choose_stated(question, draft, ranked, found, index, most, verdict)
        elif settings.weigh_quotes:  # one of several facts answers nothing
            ranked = least_doubted_first(ranked, index, verdict)
            quotes = to_the_point(question, draft, choose_quotes(question, draft, ranked, index, most))
        else:
            quotes = choose_quotes(question, draft, ranked, index, most, several=several)
        quotes = with_headings(draft, with_year(question, quotes, ranked), index)
        written, dropped = verify(draft, quotes, question, long_forms)
    stated = (*ranked, *found)
    best = (next((place for place, one in enumerate(stated) if holds(quoted, one)), None) for quoted in quotes)
    cores = [stated[place] for place in sorted({place for place in best if place is not None})]
    return Quoted(quotes, cores, written, dropped, more)
