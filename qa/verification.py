"""Whether a written sentence says only what the sentences that it cites say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from corpus import split_sentences
from index.lexical import tokenise
from qa.claims import check_claims
from qa.evidence import Evidence

Part: TypeAlias = tuple[str, list[Evidence]]
"""A sentence of an answer and the evidence that it cites."""

KNOWN_WORDS = 0.7
"""Share of a sentence's content words that must stand in the cited sentences or the question; a paraphrase of a copied
sentence has .85 on average, an invention about .5."""
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|refus\w*|den(?:y|ied|ies)|reject\w*|fail\w*|exclud\w*)\b|n['’]t\b",
    re.IGNORECASE,
)


def verify(written: str, chosen: Sequence[Evidence], question: str) -> tuple[list[Part], list[list[str]]]:
    """The sentences of a draft that the evidence they cite supports, and the claims of those that it does not.

    Args:
        written: The draft.
        chosen: The evidence that it was written from.
        question: The standalone question.

    Returns:
        Supported sentences with what each cites, and one list of unsupported claims for each other sentence.
    """
    parts: list[Part] = []
    dropped: list[list[str]] = []
    for sentence in split_sentences(written):
        text = written[sentence.start : sentence.end]
        evidence = [chosen[place] for place in citing(text, chosen, question)]
        problems = unsupported_claims(text, evidence, question)
        if problems:
            dropped.append(problems)
        else:
            parts.append((text, evidence))
    return parts, dropped


def unsupported_claims(sentence: str, cited: Sequence[Evidence], question: str) -> list[str]:
    """What the sentence says and its evidence does not; empty where it is supported.

    Checked are numbers, dates and names (each must stand in the cited words or their title), negation (both sides
    negate, or neither), and content words. A word of the question is known, but a number, date or name of it is not.

    Args:
        sentence: One sentence of an answer.
        cited: The evidence that it cites.
        question: The standalone question.

    Returns:
        The claims in words, for a note.
    """
    text = " ".join(evidence.text for evidence in cited)
    titles = " ".join(f"{evidence.title} {evidence.section}" for evidence in cited)
    found: list[str] = []
    for kind, claims in check_claims(sentence, text).items():
        known = check_claims(sentence, f"{text} {titles}") if kind == "names" else {}
        missing = known[kind].unsupported if kind in known else claims.unsupported
        found += list(missing)
    if bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(text)) and not _NEGATION.search(question):
        found.append("a negation")
    words = tokenise(sentence)
    known_words = {*tokenise(text), *tokenise(titles), *tokenise(question)}
    if words and sum(word in known_words for word in words) / len(words) < KNOWN_WORDS:
        found.append("its wording")
    return found


def citing(sentence: str, chosen: Sequence[Evidence], question: str) -> list[int]:
    """Places of the chosen sentences that support a written sentence, in order.

    A chosen sentence is cited where it holds content words of the written one that the question does not give and that
    no sentence cited before it holds; where nothing is new, the best match alone.
    """
    asked = set(tokenise(question))
    said = set(tokenise(sentence))
    news = said - asked or said
    held = [news & set(tokenise(evidence.text)) for evidence in chosen]
    cited: list[int] = []
    covered: set[str] = set()
    while True:
        gains = [len(words - covered) for words in held]
        best = max(range(len(chosen)), key=lambda place: (gains[place], -place), default=None)
        if best is None or gains[best] == 0:
            break
        cited.append(best)
        covered |= held[best]
    if not cited and chosen:
        overlap = [len(said & set(tokenise(evidence.text))) for evidence in chosen]
        cited = [max(range(len(chosen)), key=lambda place: (overlap[place], -place))]
    return sorted(cited)
