"""The words and dates in which the page and the terminal say what an answer holds."""

from __future__ import annotations

import re

MONTHS = ["January", "February", "March", "April", "May", "June"]
MONTHS += ["July", "August", "September", "October", "November", "December"]
REASONS = {
    "not_in_documents": "The documents do not state this.",
    "not_supported": "No answer could be written that the documents support.",
    "off_corpus": "This is not what the documents are about.",
    "false_premise": "The documents say otherwise than the question assumes.",
}
CONFIDENCE = (
    (0.9, "Very likely in the documents"),
    (0.7, "Likely in the documents"),
    (0.5, "Perhaps in the documents"),
    (0.0, "Hardly in the documents"),
)


def date_words(iso: str) -> str:
    """`2024-07-28` as `July 28, 2024`, `2024-07` as `July 2024`; anything else unchanged."""
    match = re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?:T.*)?", iso)
    if not match or not 1 <= int(match[2]) <= 12:
        return iso
    month = MONTHS[int(match[2]) - 1]
    return f"{month} {int(match[3])}, {match[1]}" if match[3] else f"{month} {match[1]}"


def confidence_words(confidence: float) -> str:
    """The probability, 0 to 1, that the documents answer the question, in words."""
    return next(words for floor, words in CONFIDENCE if confidence >= floor or floor == 0.0)


def note_kind(note: str) -> str:
    """`disagree`, `old`, `cut` or `plain`: which look a note gets."""
    folded = note.casefold()
    if "disagree" in folded or "differ" in folded:
        return "disagree"
    if "newest source" in folded:
        return "old"
    return "cut" if re.search(r"\b(?:cut|dropped|left out)\b", folded) else "plain"


def disagreement(note: str) -> list[tuple[str, str]]:
    """The two sides of a note about a disagreement, each a source and its words; empty where it is put otherwise."""
    match = re.fullmatch(r"Sources disagree: “(.+?)” \((.+?)\), but “(.+?)” \((.+?)\)\.", note, re.DOTALL)
    return [(match[2], match[1]), (match[4], match[3])] if match else []


def plain(text: str) -> str:
    """`text` without control characters and direction overrides, so that a document cannot steer what shows it."""
    return "".join(c for c in text if c in "\n\t" or not (ord(c) < 32 or 127 <= ord(c) < 160 or c in OVERRIDES))


OVERRIDES = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
