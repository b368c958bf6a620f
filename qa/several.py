"""What is quoted where a question asks for several things: every sentence that states one, by the model's yes to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from index import Index
from index.lexical import tokenise
from qa.asking import asks_for_list
from qa.disagreement import source_of
from qa.evidence import Evidence
from qa.extents import add_quote, grown, holds, in_one_table, with_table
from qa.quotes import SEVERAL_LEAD, SEVERAL_NEWS, log_odds_of, says_nothing, words_of

SEVERAL_READ, STATED = 6, -3.0
"""Best sentences that the model reads alone, and the least log-odds of the model's yes to a further quote.
The limit is low, since a sentence that states one of two things gets less of a yes than one that states both
(evals/LOG.md)."""
CLEARLY_STATED = -1.0
"""The same for the best sentence of a further source, which then need not bring words: items of a list stand in many
documents alike, and each states only a part of what is asked for (evals/LOG.md)."""
SOURCES_READ, SOURCES_STATING, MOST_SOURCES = 4, 2, 16
"""Further sources whose best sentences are read at a time, how many of these must state something for as many again to
be read, and the most that are."""
LISTED_CHARACTERS = 2400
"""Most characters of all quotes together with which an item of a further source is still quoted: the model reads them
once more, together."""
TABLE_ROWS = 3
"""Rows of a short table that the model does not clearly doubt, from which on the whole table is quoted."""


def choose_stated(
    question: str,
    draft: str,
    ranked: Sequence[Evidence],
    found: Sequence[Evidence],
    index: Index,
    most: int,
    verdict: Callable[[Evidence], float],
) -> tuple[list[Evidence], bool]:
    """What is quoted where several things are asked for, by the model's yes to each alone.

    The one that it doubts least, then those that it does not clearly doubt and that bring words of question and draft,
    at most `most` sentences; and of a list one of each further source that states something. A draft names one or two
    items of a list, and what is ranked with it is about these; so the other sources' best are those for the question.

    Args:
        question: The standalone question.
        draft: What the model wrote; may be empty.
        ranked: The candidates, best first with the draft, at least one; the first `SEVERAL_READ` are read.
        found: The candidates, best first for the question alone.
        index: Where they are from.
        most: The most sentences, neighbours apart.
        verdict: As for `least_doubted_first`.

    Returns:
        The quotes, and whether there may be more of their kind, in sources that were not read or for want of room.
    """
    listing = asks_for_list(question)
    read, more = _read_alone(ranked, _best_of_sources(found, index) if listing else {}, index, verdict)
    rows = [sentence for sentence, odds in read if odds >= STATED]
    wanted = {*tokenise(question), *tokenise(draft)}
    quotes: list[Evidence] = []
    sources: set[str] = set()
    for sentence, odds in sorted(read, key=lambda each: -each[1]):
        source = source_of(sentence, index)
        brings = not quotes or (odds >= STATED and _news(sentence, quotes, wanted) >= SEVERAL_NEWS)
        states = listing and odds >= CLEARLY_STATED
        is_item = states and source not in sources and bool(words_of([sentence]) - words_of(quotes))
        if not (is_item or brings):
            continue
        is_table = sum(in_one_table(row, sentence, index) for row in rows) >= TABLE_ROWS
        quote = (with_table if is_table else grown)(sentence, ranked, index)
        has_room = sum(len(quoted.text) for quoted in [*quotes, quote]) <= LISTED_CHARACTERS
        if (brings and most > 0) or (is_item and has_room):
            add_quote(quotes, quote, index)
            sources.add(source)
            most -= not is_item
        elif states:
            more = True
    return quotes, more


def _read_alone(
    ranked: Sequence[Evidence], best: Mapping[str, Evidence], index: Index, verdict: Callable[[Evidence], float]
) -> tuple[list[tuple[Evidence, float]], bool]:
    """The sentences that the model reads alone, with the log-odds of its yes, and whether it might have gone on.

    The first `SEVERAL_READ` of the ranking, and of a list the best sentence of each source that none of these states
    something of.
    """
    first = [sentence for sentence in ranked[:SEVERAL_READ] if sentence.score >= ranked[0].score - SEVERAL_LEAD]
    if len(first) == 1 and not best:
        return [(first[0], math.inf)], False
    read = list(zip(first, log_odds_of(first, ranked, index, verdict), strict=True))
    done = {source_of(sentence, index) for sentence, odds in read if odds >= CLEARLY_STATED}
    unread = [
        sentence
        for source, sentence in best.items()
        if source not in done and not any(holds(other, sentence) for other in first)
    ]
    more = bool(best)
    while more and unread and len(read) - len(first) < MOST_SOURCES:
        batch, unread = unread[:SOURCES_READ], unread[SOURCES_READ:]
        said = log_odds_of(batch, ranked, index, verdict)
        more = int((said >= CLEARLY_STATED).sum()) >= SOURCES_STATING
        read.extend(zip(batch, said, strict=True))
    return read, more and bool(unread)


def _best_of_sources(found: Sequence[Evidence], index: Index) -> dict[str, Evidence]:
    """The first sentence of each source that may be quoted, in their order."""
    best: dict[str, Evidence] = {}
    for sentence in found:
        if not says_nothing(sentence, index):
            best.setdefault(source_of(sentence, index), sentence)
    return best


def _news(sentence: Evidence, quotes: Sequence[Evidence], wanted: set[str]) -> float:
    """The share of the words that a sentence or its title holds and no quote or its title does; 0 inside a quote."""
    if not wanted or any(holds(quote, sentence) for quote in quotes):
        return 0.0
    return len((wanted & words_of([sentence])) - words_of(quotes)) / len(wanted)
