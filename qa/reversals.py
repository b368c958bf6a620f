"""Small words that turn a statement round: the other side of a bound, another holder of an office, another year."""

from __future__ import annotations

import re
from itertools import pairwise

from index.lexical import tokenise
from qa.numbers import MINUS
from qa.wording import MONTHS, WEEKDAYS, normalise

_DATE = rf"(?:[12]\d{{3}} )?(?:{'|'.join(MONTHS)})(?: \d{{1,2}}\b)?|{'|'.join(WEEKDAYS)}"
_VALUE = rf"(?:(?:around|about|approximately|roughly) )?(?:(?:{'|'.join(WEEKDAYS)}) )?({_DATE}|{MINUS}?\d\S*)"
_BOUNDS = (
    (
        "not (?:until|till|before)|(?:no|not) earlier than|from|since|after",
        "not after|(?:no|not) later than|until|till|before|prior to",
    ),
    (
        "(?:no|not) (?:less|fewer) than|at least|more than|over|above|minimum of",
        "(?:no|not) (?:more|over) than|at most|less than|fewer than|up to|under|below|maximum of",
    ),
)
"""Of time and of amount, the words in front of a lower bound and of an upper one; a negated one is read before its
word. Not `by`: it is also a difference and a doer."""
_SIDES = tuple(re.compile(rf"\b(?:({lower})|({upper})) {_VALUE}") for lower, upper in _BOUNDS)
_THEN = re.compile(r"\b(?:the then[\s-]+|then-)(?=\w)", re.IGNORECASE)
_EX = re.compile(
    r"\bex[-‐‑](?=[^\W\d])"
    r"(?!(?:ante|post|officio|parte|gratia|vivo|vitro|situ|libris|works|factory|dividend)\b)",
    re.IGNORECASE,
)
"""But not in the Latin of law and trade."""
_QUALIFIERS = frozenset({"former", "acting", "interim", "deputy", "vice"})
"""What makes the holder of an office another one; `then-` is read as former."""
_REACH = 3
"""Words behind a qualifier among which its office may stand: former Foreign Minister."""
_PIECE = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[^\w\s-]")
_FIGURE = re.compile(
    rf"(?<!\S)(?:(?P<year>[12]\d{{3}})(?: (?:{'|'.join(MONTHS)})(?: \d{{1,2}}\b)?)?|(?P<amount>{MINUS}?\d+(?:\.\d+)?))"
    r"(?!\S)"
)


def read_former(text: str) -> str:
    """The text with `former minister` for `ex-minister`."""
    return _EX.sub("former ", text)


def crosses_bound(sentence: str, statement: str) -> bool:
    """Whether a number or date is an upper bound here and only a lower one there, or the other way round."""
    said, stated = normalise(sentence), normalise(statement)
    for side in _SIDES:
        bounds = [(bool(upper), set(value.split())) for _, upper, value in side.findall(stated)]
        for _, upper, value in side.findall(said):
            parts = set(value.split())
            found = {is_upper for is_upper, other in bounds if _same(parts, other)}
            if found == {not upper}:
                return True
    return False


def changes_office(sentence: str, statement: str) -> bool:
    """Whether one has `former`, `acting`, `deputy` or `vice` in front of what the other has without it."""
    said, stated = _pieces(sentence), _pieces(statement)
    qualified = _qualified(stated)
    for qualifier, words in _qualified(said):
        others = [other for same, other in qualified if same == qualifier]
        if words and not any(not other or set(words) & set(other) for other in others):
            return True
    bare = _bare(said, strict=True) - _bare(stated)
    return any(words and words[0] in bare for _, words in qualified)


def exchanges_years(sentence: str, statement: str) -> bool:
    """Whether an amount of one year is given to another year, and both stand in the statement with others."""
    stated = _by_year(normalise(statement))
    amounts, years = {amount for amount, _ in stated}, {year for _, year in stated}
    return any(
        amount in amounts and year in years and (amount, year) not in stated
        for amount, year in _by_year(normalise(sentence))
    )


def _same(one: set[str], other: set[str]) -> bool:
    """Whether two values are one, or two dates of which one is more exact: `may 1` and `2025 may 1`."""
    return one == other or ((one <= other or other <= one) and any(len(part) > 2 for part in one & other))


def _pieces(text: str) -> list[str]:
    """The words of a text in lower case, and its punctuation."""
    return _PIECE.findall(_THEN.sub("former ", read_former(text)).lower())


def _qualified(pieces: list[str]) -> list[tuple[str, list[str]]]:
    """Each qualifier with the stems right behind it; none where it stands for itself (`his deputy, acting on it`)."""
    found = []
    for place, piece in enumerate(pieces):
        if piece in _QUALIFIERS:
            stems: list[str] = []
            for word in pieces[place + 1 : place + 1 + _REACH]:
                if not (terms := tokenise(word)):
                    break
                stems += terms
            found.append((piece, stems))
    return found


def _bare(pieces: list[str], *, strict: bool = False) -> set[str]:
    """Stems without a qualifier right before them; if strict, only behind a stop word or at the beginning of a clause.

    In `Petrov said`, `said` is no office that `his deputy said` qualifies.
    """
    return {
        stem
        for before, word in pairwise([".", *pieces])
        if before not in _QUALIFIERS and not (strict and tokenise(before))
        for stem in tokenise(word)
    }


def _by_year(normalised: str) -> set[tuple[str, str]]:
    """Amounts with their years, where every year has one right before it, or else every year one right after."""
    figures = [(match["year"] or match["amount"], bool(match["year"])) for match in _FIGURE.finditer(normalised)]
    years = sum(is_year for _, is_year in figures)
    before = {(one, other) for (one, first), (other, second) in pairwise(figures) if second and not first}
    after = {(other, one) for (one, first), (other, second) in pairwise(figures) if first and not second}
    return next((pairs for pairs in (before, after) if len(pairs) == years), set())
