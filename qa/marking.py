"""Which words of a quote answer the question: what the draft says beyond it, where one sentence has all of that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from corpus import split_sentences
from corpus.document import Span
from index.lexical import tokenise
from qa.answer import AnswerSentence
from qa.asking import asks_for_several
from qa.negation import contradicts
from qa.quotes import draft_news
from qa.values import LEADS_TO_A_VALUE, NAMES_A_VALUE
from qa.wording import expand_contractions

BRIDGED = 3
"""Most words between two marked ones that are marked with them: `of the Joint` in `chief of the Joint Staff`."""
_ADDS_NOTHING = frozenset(tokenise("approximately exactly located roughly")) | LEADS_TO_A_VALUE | NAMES_A_VALUE
"""Stems that a draft puts around an answer, and its source may not have."""
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[$€£¥]?\w(?:[\w.,'’%/&+-]*[\w%])?")


def mark_answer(
    sentences: Sequence[AnswerSentence], draft: str, question: str, best: Sequence[str]
) -> tuple[AnswerSentence, ...]:
    """The sentences of an answer, with the words marked that answer the question, where it is known which.

    They are the draft's words that are not the question's: the best sentence that is quoted (the best of any quote,
    where several things are asked for) must have them all, and neither may negate what the other affirms. Then the
    quote answers as the model does, and its own words say so. What is only quoted along answers something else.

    Args:
        sentences: The model's own, then the quotes.
        draft: What the model wrote.
        question: The standalone question.
        best: The sentences for which something is quoted, best first.
    """
    marked = list(sentences)
    news = draft_news(question, draft) - _ADDS_NOTHING
    if not news:
        return tuple(marked)
    quotes = [place for place, sentence in enumerate(sentences) if sentence.quoted]
    answering = best if asks_for_several(question) else best[:1]
    cores = [words for words in map(set, map(tokenise, answering)) if news <= words]
    for place in quotes:
        quote = sentences[place].text[1:-1]  # within quotation marks no sentence ends
        for said in split_sentences(quote):
            statement = quote[said.start : said.end]
            words = set(tokenise(statement))
            meant = news <= words and any(words <= core or core <= words for core in cores)
            if meant and not contradicts(expand_contractions(draft), expand_contractions(statement)):
                marked[place] = replace(sentences[place], marked=_runs(statement, news, 1 + said.start))
                return tuple(marked)
    return tuple(marked)


def _runs(statement: str, news: set[str], offset: int) -> tuple[Span, ...]:
    """Where the words stand, each run with the few words in between, `offset` being the statement's own place."""
    runs: list[Span] = []
    last = -1
    for place, word in enumerate(_WORD.finditer(statement)):
        if news.isdisjoint(tokenise(word[0])):
            continue
        start, end = word.start() + offset, word.end() + offset
        if runs and place - last - 1 <= BRIDGED:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
        last = place
    return tuple(runs)
