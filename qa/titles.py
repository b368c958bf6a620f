"""Whether two titles are of two things: what stands in one of them in place of words of the other."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from index.lexical import tokenise
from qa.clauses import apart, names_in
from qa.values import years_in
from qa.wording import without_dates

SAME_MATTER, SAME_WORDING = 0.6, 0.5
"""Share of its content words that the shorter and the longer of two texts must have in common with the other."""
_LETTER = re.compile(r"(?<=\w )(?:[A-Z]|[IVX]+)\b(?![.'’])")
"""`Pier A`, `Part II`."""


def numbered_apart(title: str, other: str) -> bool:
    """Whether two titles with a word in common have each another number or letter: `Pier A, plan`, `Pier B, plan`."""
    labels = (
        {word for word in re.findall(r"[\w-]*\d[\w-]*", without_dates(t)) if not years_in(word)}
        | set(_LETTER.findall(t))
        for t in (title, other)
    )
    return share_a_word(title, other) and apart(*labels)


def share_a_word(title: str, other: str) -> bool:
    """Whether two titles have a content word in common."""
    return not set(tokenise(title)).isdisjoint(tokenise(other))


def of_one_series(title: str, other: str) -> bool:
    """Whether two titles share most of their words, so that the others may tell what the values of each are of."""
    first, second = set(tokenise(title)), set(tokenise(other))
    return apart(first, second) and share_words(first, second)


def of_two_names(title: str, other: str) -> bool:
    """Whether two titles name other things, `Hotel Anna` and `Hotel Berta`, or `Orla baths` and `Velm baths`."""
    last = tokenise(title)[-1:]
    of_one_kind = bool(last) and last == tokenise(other)[-1:] and in_one_place(title, other)
    return of_one_kind or apart(names_in(title), names_in(other))


def in_one_place(title: str, other: str) -> bool:
    """Whether a word of one title stands in place of a word of the other: `Brig Anna, plan`, `Brig Berta, plan`."""
    return any(change == "replace" for change, *_ in _changes(title, other))


def one_word_apart(title: str, other: str) -> bool:
    """Whether two titles are the same but for single words: `Orla baths`, `Velm baths`, and no two headlines."""
    lengths = [(last - first, end - start) for _, first, last, start, end in _changes(title, other)]
    return set(lengths) == {(1, 1)}


def _changes(title: str, other: str) -> list[tuple[str, int, int, int, int]]:
    """How the words of one title become those of the other, as `difflib` tells it, without what stays."""
    opcodes = SequenceMatcher(None, tokenise(title), tokenise(other), autojunk=False).get_opcodes()
    return [opcode for opcode in opcodes if opcode[0] != "equal"]


def share_words(first: set[str], second: set[str]) -> bool:
    """Whether two sets of content words have most in common."""
    smaller, larger = sorted((len(first), len(second)))
    shared = len(first & second)
    return smaller > 0 and shared >= SAME_MATTER * smaller and shared >= SAME_WORDING * larger
