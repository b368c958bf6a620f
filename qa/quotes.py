"""Which sentences of the documents an answer quotes: ranked once more in the light of what the model wrote.

A draft is a poor witness and a good query: even where it has the detail wrong, it has the form of the answer and its
words. So the sentences that were retrieved are compared with question and draft together (after HyDE: Gao et al.,
Precise Zero-Shot Dense Retrieval without Relevance Labels, 2023, which searches with the draft alone).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from corpus.tables import is_head
from index import Index
from index.lexical import tokenise
from qa.antecedents import asks
from qa.disagreement import same_matter
from qa.evidence import Evidence
from qa.extents import add_quote, grown, holds, in_one_table, with_table
from qa.ranking import embed_sentences, standard
from qa.values import find_values
from qa.wording import find_dates

CANDIDATES = 24
"""Best-ranked sentences that may be quoted, besides those that the model read."""
RETRIEVED, DRAFT_MEANING, DRAFT_WORDS = 0.4, 1.1, 1.2
"""Weights of the score of a sentence, of its standardised cosine with question and draft, and of the share of the
draft's news in it: the fit of a conditional logit, so that a difference is one of log-odds (evals/LOG.md)."""
NEWS_GAIN = 8.0
"""Log-odds that a further quote gains by holding all the words of question and draft; it gains as much of it as the
share that no quote before it holds."""
CLEAR_LEAD = 3.0
"""Log-odds by which the best sentence may lead another that is still quoted beside it. Beyond it, the other one so
seldom holds a fact that was asked for that citations lose more than answers gain (evals/LOG.md)."""
SEVERAL_LEAD, SEVERAL_NEWS = 6.0, 0.06
"""Where the question asks for several things: the same, and the least share of the words that a quote must bring."""
READ_ALONE = 3
"""Best sentences that the model reads alone before one is quoted first: it tells the one that states the answer from
its neighbours in the ranking (evals/LOG.md)."""
_NOT_SPACE = re.compile(r"\S")
_WHEN = re.compile(r"\bwhen\b|\b(?:what|which)\s+(?:date|day|year)\b", re.IGNORECASE)


def rank_for_quoting(question: str, draft: str, candidates: Sequence[Evidence], index: Index) -> list[Evidence]:
    """The candidates, best first, each once, with the scores that they have now; without questions and table heads.

    Args:
        question: The standalone question.
        draft: What the model wrote; may be empty, and is not trusted.
        candidates: Sentences that were retrieved for the question.
        index: Where they are from.
    """
    unique = list({(evidence.document, evidence.start): evidence for evidence in candidates}.values())
    unique = [evidence for evidence in unique if not says_nothing(evidence, index)] or unique
    if not unique:
        return []
    vectors = embed_sentences([evidence.titled for evidence in unique], index.embedder)  # (candidates, dimension)
    meaning = vectors @ index.embedder.embed_query(f"{question} {draft}".strip())  # (candidates,)
    words = _news_held(question, draft, unique)
    retrieved = np.array([evidence.score for evidence in unique])
    scores = RETRIEVED * retrieved + DRAFT_MEANING * standard(meaning) + DRAFT_WORDS * words
    return [replace(unique[place], score=float(scores[place])) for place in np.argsort(-scores, kind="stable")]


def says_nothing(evidence: Evidence, index: Index) -> bool:
    """Whether a sentence is a question, the head of a table, or the line with a colon right above one."""
    text = index.documents[evidence.document].text
    below = _NOT_SPACE.search(text, evidence.end) if evidence.text.endswith(":") else None
    announces = below is not None and is_head(text, below.start())
    return asks(evidence.text) or is_head(text, evidence.start) or announces


def choose_quotes(
    question: str, draft: str, ranked: Sequence[Evidence], index: Index, most: int, *, several: bool = False
) -> list[Evidence]:
    """What is quoted, at most `most` sentences: the best one, then those that are good and bring what it lacks.

    The sentences about one thing crowd the top of the ranking. So each further quote is the one with the best sum of
    its score and of the words of question and draft that it holds and no quote before it does, its title included
    (maximal marginal relevance: Carbonell and Goldstein, 1998, over words).

    Args:
        question: The standalone question.
        draft: What the model wrote; may be empty.
        ranked: The candidates, best first.
        index: Where they are from.
        most: The most sentences, neighbours apart.
        several: The question asks for several things: a quote that brings nothing new is none. Otherwise no second row
            of a table is quoted.
    """
    lead, least = (SEVERAL_LEAD, SEVERAL_NEWS) if several else (CLEAR_LEAD, 0.0)
    wanted = {*tokenise(question), *tokenise(draft)}
    words = [wanted & words_of([sentence]) for sentence in ranked]
    grow = with_table if several else grown
    quotes = [grow(sentence, ranked, index) for sentence in ranked[:1]]
    for _ in range(1, most):
        held = words_of(quotes)
        news = [len(own - held) / len(wanted) if wanted else 0.0 for own in words]
        worth = [sentence.score + NEWS_GAIN * share for sentence, share in zip(ranked, news, strict=True)]
        left = [
            place
            for place, sentence in enumerate(ranked)
            if news[place] >= least
            and worth[place] >= ranked[0].score - lead
            and not any(holds(quote, sentence) for quote in quotes)
            and (several or not any(in_one_table(quote, sentence, index) for quote in quotes))
        ]
        if not left:
            break
        add_quote(quotes, grow(ranked[max(left, key=worth.__getitem__)], ranked, index), index)
    return quotes


def least_doubted_first(
    ranked: Sequence[Evidence], index: Index, verdict: Callable[[Evidence], float]
) -> list[Evidence]:
    """The ranking with its best sentences in the order of the model's yes to each of them alone.

    Those are read that the first does not lead clearly, `READ_ALONE` at most. The scores stay with the places, so that
    a lead means what it meant.

    Args:
        ranked: The candidates, best first.
        index: Where they are from.
        verdict: The log-odds that the model gives to a quote's stating the answer; not a number counts as a no.
    """
    best = [sentence for sentence in ranked[:READ_ALONE] if sentence.score >= ranked[0].score - CLEAR_LEAD]
    if len(best) < 2:
        return list(ranked)
    order = np.argsort(-log_odds_of(best, ranked, index, verdict), kind="stable")
    reordered = [replace(best[place], score=best[rank].score) for rank, place in enumerate(order)]
    return [*reordered, *ranked[len(best) :]]


def words_of(sentences: Sequence[Evidence]) -> set[str]:
    """The content words of sentences and their titles."""
    return {*chain.from_iterable(tokenise(f"{sentence.title} {sentence.as_read}") for sentence in sentences)}


def log_odds_of(
    sentences: Sequence[Evidence], ranked: Sequence[Evidence], index: Index, verdict: Callable[[Evidence], float]
) -> NDArray[np.float64]:
    """The model's yes to each of some sentences as it would be quoted, (sentences,); not a number counts as a no."""
    return np.nan_to_num([verdict(grown(sentence, ranked, index)) for sentence in sentences], nan=-np.inf)


def to_the_point(question: str, draft: str, quotes: Sequence[Evidence]) -> list[Evidence]:
    """The first quote, and those that hold more of the draft's news.

    Args:
        question: The standalone question, about one thing.
        draft: What the model wrote; may be empty.
        quotes: What would be quoted, best first, at least one.
    """
    news = _news_held(question, draft, quotes)
    return [quote for place, quote in enumerate(quotes) if place == 0 or news[place] > news[0]]


def _news_held(question: str, draft: str, quotes: Sequence[Evidence]) -> NDArray[np.float64]:
    """The share of the draft's news in each quote, (quotes,)."""
    news = draft_news(question, draft)
    return np.array([share_held(news, quote.as_read) for quote in quotes])


def draft_news(question: str, draft: str) -> set[str]:
    """The draft's content words that are not the question's."""
    return set(tokenise(draft)) - set(tokenise(question))


def share_held(words: set[str], text: str) -> float:
    """Share of the words that stand in the text; 0 where there are none."""
    return len(words & set(tokenise(text))) / len(words) if words else 0.0


def with_year(question: str, quotes: Sequence[Evidence], ranked: Sequence[Evidence]) -> list[Evidence]:
    """The quotes, with the year of a day that the first one gives without it, where a question asks when.

    The sentence with the year is of the same document, shares a name, or is about the same matter: else it tells of
    what happened on that day of another year.

    Args:
        question: The standalone question.
        quotes: What is quoted, best first.
        ranked: The candidates, best first.
    """
    if not _WHEN.search(question) or any(value.year for quote in quotes for value in find_values(quote.text)):
        return list(quotes)
    for quote in quotes[:1]:
        days = {day for _, day in find_dates(quote.text)}
        for sentence in ranked:
            told = {date.partition(" ")[2] for _, date in find_dates(sentence.text) if date[:4].isdigit()}
            if days & told and (sentence.document == quote.document or same_matter(quote.text, sentence.text)):
                return [*quotes, sentence]
    return list(quotes)
