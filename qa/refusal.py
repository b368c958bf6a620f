"""Refusals: why a question is not answered, and the correction of a premise that the documents contradict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from index.lexical import tokenise
from qa.answer import Reason
from qa.claims import find_names
from qa.confidence import Calibration, Readings
from qa.evidence import Evidence
from qa.values import Value, find_values
from qa.wording import normalise, without_dates

_TEXTS: dict[Reason, str] = {
    "off_corpus": "These documents are about something else, so they do not answer this question.",
    "not_in_documents": "The documents do not answer this question. "
    "The nearest passages are listed as related reading.",
    "not_supported": "The documents come close, but no sentence in them states exactly this. "
    "The nearest passages are listed as related reading.",
    "false_premise": "The documents say otherwise.",
}
CONTRADICTING = 0.5
"""Share of a question's content words, but for numbers and dates, that a sentence about the same thing must hold."""
_WHY = re.compile(r"\W*(?:(?:and|but|so)\s+)?(?:why|how come)\b", re.IGNORECASE)
_BESIDE = re.compile(r"\b(?:before|after|since|until|or)\b", re.IGNORECASE)
"""A value that is a bound, or one of two, is not taken for granted."""


def refusal_reason(readings: Readings, calibration: Calibration) -> Reason:
    """Why a question is refused: another subject, nothing that states an answer, or only something close to it."""
    if readings.passage_similarity < calibration.off_corpus_below:
        return "off_corpus"
    return "not_supported" if readings.coverage >= CONTRADICTING else "not_in_documents"


def refusal_text(reason: Reason) -> str:
    """What the user reads; it states nothing and cites nothing."""
    return _TEXTS[reason]


def correct_premise(question: str, ranked: Sequence[Evidence]) -> str | None:
    """What the documents say instead, where a question why takes a number or date for granted that they contradict.

    The best sentence must be about the rest of the question, hold its names, and give another value of the same kind:
    of the same unit or noun, or another date; for a date it must hold all the rest, as a thing may happen twice.
    Other questions ask for a value, or set one as a condition; another name is no contradiction: many may do one thing.
    None where that is not so, or where another sentence about it gives the value that was asked about.
    """
    if not ranked or not _WHY.match(question) or _BESIDE.search(question):
        return None
    best = ranked[0]
    names = {word for name in find_names(question) for word in normalise(name).split()}
    if not names <= set(normalise(best.in_place).split()):
        return None
    rest = {word for word in tokenise(without_dates(question)) if not word[0].isdigit()}
    held = _held(rest, best)
    asked = [value for value in find_values(question) if held == 1 or value.kind != "date"]
    others = [find_values(other.text) for other in ranked[1:] if _held(rest, other) >= CONTRADICTING]
    if held < CONTRADICTING or not any(
        _contradicted(value, find_values(best.text)) and not any(map(value.agrees, chain.from_iterable(others)))
        for value in asked
    ):
        return None
    return f"The documents do not say that. They say: {' '.join(best.as_read.split())}"


def _held(words: set[str], evidence: Evidence) -> float:
    return len(words & set(tokenise(evidence.in_place))) / len(words) if words else 0.0


def _contradicted(asked: Value, values: Sequence[Value]) -> bool:
    """Whether there are values of a kind, and none agrees with the one that was asked about."""
    same = [value for value in values if value.kind == asked.kind]
    return bool(same) and not any(asked.agrees(value) for value in same)
