"""Refusals: why a question is not answered, and the correction of a premise that the documents contradict."""

from __future__ import annotations

from collections.abc import Sequence

from index.lexical import tokenise
from qa.answer import Reason
from qa.claims import find_names, find_numbers
from qa.confidence import Calibration, Readings
from qa.evidence import Evidence
from qa.wording import find_dates, normalise

_TEXTS: dict[Reason, str] = {
    "off_corpus": "These documents are about something else, so they do not answer this question.",
    "not_in_documents": "The documents do not answer this question. "
    "The nearest passages are listed as related reading.",
    "not_supported": "The documents come close, but no sentence in them states exactly this. "
    "The nearest passages are listed as related reading.",
    "false_premise": "The documents say otherwise.",
}
CONTRADICTING = 0.5
"""Share of a question's content words, its specifics apart, that a sentence must hold to be about the same thing."""


def refusal_reason(readings: Readings, calibration: Calibration) -> Reason:
    """Why a question is refused: another subject, nothing that states an answer, or only something close to it."""
    if readings.passage_similarity < calibration.off_corpus_below:
        return "off_corpus"
    return "not_supported" if readings.coverage >= CONTRADICTING else "not_in_documents"


def refusal_text(reason: Reason) -> str:
    """What the user reads; it states nothing and cites nothing."""
    return _TEXTS[reason]


def correct_premise(question: str, chosen: Sequence[Evidence]) -> str | None:
    """What the documents say instead, where a question gives a name, number or date that its evidence contradicts.

    The best sentence must be about the rest of the question, lack a specific of it, and hold another one of the same
    kind. None where that is not so.
    """
    if not chosen:
        return None
    best = chosen[0]
    held = set(normalise(f"{best.title} {best.section} {best.text}").split())
    asked = specifics(question)
    wrong = [word for word in asked if word not in held]
    numeric = [word for word in wrong if any(character.isdigit() for character in word)]
    if not numeric:
        return None
    others = [word for word in specifics(best.text) if any(c.isdigit() for c in word) and word not in asked]
    rest = {word for word in tokenise(question) if word not in wrong}
    about = rest & set(tokenise(f"{best.title} {best.text}"))
    if not others or not rest or len(about) / len(rest) < CONTRADICTING:
        return None
    return f"The documents do not say that. They say: {' '.join(best.text.split())}"


def specifics(question: str) -> list[str]:
    """Names, numbers and dates of a question, normalised; a name counts word by word."""
    words = [word for name in find_names(question) for word in normalise(name).split()]
    dates = [part for _, date in find_dates(question) for part in date.split()]
    return list(dict.fromkeys([*words, *find_numbers(question), *dates]))
