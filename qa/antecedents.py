"""What a sentence leans on: the question that it answers, or what its pronoun stands for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from corpus.document import Span
from index import Index
from qa.evidence import Evidence, placed
from qa.instructions import speaks_to_a_model
from qa.wording import FOOTNOTE, TIME_NOUN

ANTECEDENTS = 2
"""Most sentences that are read for the sake of the pronoun after them."""
_COUNTED = r"(?:\d|(?:two|three|four|five|six|seven|eight|nine|ten|twenty|dozens?|hundreds?|thousands?|millions?)\b)"
_POINTS_BACK = re.compile(
    rf"[\"'“‘(]?(?:(?:This {TIME_NOUN},? )?(?:[Ii]t|[Ii]ts|[Hh]e|[Hh]is|[Ss]he|[Hh]er|[Tt]hey|[Tt]heir)|"
    rf"(?:This|That|These|Those)(?! {TIME_NOUN})|Such|Another|Others|Under it|In it|(?:One|Some)(?! {_COUNTED})|"
    r"Both(?! (?:the |[A-Z]\S+ )*\S+ and\b)|The same|"
    r"The (?:first|second|third|other|latter|former|new|next)(?!(?: [a-z-]+){0,2},? [A-Z]))\b"
)
"""How a sentence begins that leans on the one before; `This year Nowak`, `Some 500 people`, `Both Norway and Chad` and
`The new minister, Ilse Brandt` do not."""
_EMPHASIS = " \t\n*_~"
_NOTE_AT_END = re.compile(rf"{FOOTNOTE}$")
_OPENS = {
    **{'"': r'(?<!\w)"', "'": r"(?<!\w)'", "”": "[“„]", "’": "[‘‚]", "“": "„", "‘": "‚", "»": "«", "«": "»"},
    **{")": r"\(", "]": r"\[", "）": "（", "」": "「", "』": "『"},
}
"""Closing quotation marks and brackets, and what opens them; an apostrophe opens nothing."""
_CLOSINGS, _TAIL = 4, 30
"""Most marks of these and numbers of notes at the end of a question, and most characters that they take."""
_WORD = re.compile(r"[^\W_]{2,}")


def with_antecedents(chosen: Sequence[Evidence], index: Index) -> list[Evidence]:
    """The chosen sentences, and behind them what some lean on: for a pronoun, an item, an answer.

    `It has 28 articles` says nothing to a reader who was not told of what. At most `ANTECEDENTS` are added.
    """
    places = {(evidence.document, evidence.start) for evidence in chosen}
    added: list[Evidence] = []
    for evidence in chosen:
        if len(added) == ANTECEDENTS:
            break
        before = sentence_before(evidence, index)
        if before is not None and (before.document, before.start) not in places:
            places.add((before.document, before.start))
            added.append(before)
    return [*chosen, *added]


def asked_before(path: str, start: int, index: Index) -> Span | None:
    """The question right before a place in a document, a sentence or a heading; None where there is none."""
    document, sentences = index.documents[path], index.sentences(path)
    at = bisect_left(sentences, start, key=lambda sentence: sentence.start)
    above = bisect_left(document.headings, (start, 0))
    spans = [(sentence.start, sentence.end) for sentence in sentences[max(0, at - 1) : at]]
    asked = max([*spans, *document.headings[max(0, above - 1) : above]], default=(0, 0))
    between = document.text[asked[1] : start]
    return asked if asks(document.text[slice(*asked)]) and not _WORD.search(between) else None


def asks(sentence: str) -> bool:
    """Whether a sentence is a question, in bold, quotation marks or brackets as well.

    `“Who pays?”` is one, and so is the last of several in one quotation; `She asked “who pays?”` tells of one.
    """
    text = sentence.rstrip(_EMPHASIS)
    if not any(mark in text[-_TAIL:] for mark in "?？"):
        return False
    for _ in range(_CLOSINGS):
        opening = _OPENS.get(text[-1:])
        if note := _NOTE_AT_END.search(text):
            text = text[: note.start()]
        elif opening:
            text, first = text[:-1], _WORD.search(text)
            if first and re.compile(opening).search(text, first.start()):
                return False
        text = text.rstrip(_EMPHASIS)
    return text.rstrip("!").endswith(("?", "？"))


def leans_back(sentence: str) -> bool:
    """Whether a sentence begins with a word that stands for something in the sentence before it."""
    return _POINTS_BACK.match(sentence) is not None


def sentence_before(evidence: Evidence, index: Index) -> Evidence | None:
    """What a sentence leans on: the question right before it, or for one with a pronoun the sentence in its passage.

    None where there is no such thing, or where that speaks to a model, which no evidence does.
    """
    document, sentences = index.documents[evidence.document], index.sentences(evidence.document)
    before = asked_before(evidence.document, evidence.start, index)
    at = bisect_left(sentences, evidence.start, key=lambda sentence: sentence.start)
    if before is None and at and leans_back(evidence.text):
        before = (sentences[at - 1].start, sentences[at - 1].end)
        if document.text[slice(*before)] not in evidence.context:
            return None
    if before is None or speaks_to_a_model(document.text[slice(*before)]):
        return None
    return placed(before, evidence, index)
