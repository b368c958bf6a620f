"""What turns a statement round though its words stay: an opposite, names, numbers, years or holders exchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from index.lexical import tokenise
from qa.claims import CAPITALISED
from qa.numbers import MEASURE, MINUS
from qa.wording import MONTHS, WEEKDAYS, normalise, without_dates

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
_COUNT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?=(?:(?: of)? [\d.]+)* ([^\W\d]\w*))")
"""A number and what it counts, normalised, both numbers of `12 of 340 workers` as well."""
_RANGE_COUNT = re.compile(_COUNT.pattern.replace("of", "(?:of|to|or|and)"))
"""The same, and both numbers of `3 to 5 years`."""
_YEAR = re.compile(r"[12]\d{3}")
_MEASURED = re.compile(rf"(?<!\S)({MINUS}?\d\S*) ({MEASURE})\b")
_OPPOSITES = (
    (
        "rise rose risen rising increase grow grew grown climb gain",
        "fall fell fallen decrease decline drop shrink lose",
    ),
    ("win won", "lose lost"),
    ("before", "after"),
    ("more over above", "less fewer under below"),
    ("least", "most"),
    ("north", "south"),
    ("east", "west"),
    ("upper", "lower"),
    ("buy bought", "sell sold"),
)
"""Words of which one in place of the other says the contrary; each is read by its stem."""
_DENYING_PREFIX = re.compile(
    r"^(?:un(?!less)|in(?!land|form|side|habit|vest|tend|stal|come|door)|im(?!prison|port)|il|ir|"
    r"dis(?!cover|count|play|miss|patch)|non)(?=\w{4})"
)
"""Before four letters at least: into is no opposite of to, nor unit of it."""
_SIDE = re.compile(r"\b(?:is|are|was|were|voted?|argued?|ruled|spoke|decided) (for|against)\b")
"""A side that is taken; elsewhere `for` says many things."""
_FROM_TO = re.compile(r"\bfrom (\d\S*)(?: [^\W\d]\w*){0,2} to (\d\S*)")
_CLAUSE_END = re.compile(r"[.,;:!?]")


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


def miscounts(sentence: str, statement: str) -> bool:
    """Whether a number of the sentence counts what only other numbers count in the statement."""
    stated = _counts(statement, _RANGE_COUNT)
    counted = {thing for _, thing in stated}
    return any(thing in counted and (number, thing) not in stated for number, thing in _counts(sentence, _COUNT))


def reverses(sentence: str, statement: str) -> bool:
    """Whether one word or number turns the sentence round, however many others it shares with the statement.

    A word whose opposite alone the statement has (`rose`, `fell`; `effective`, `ineffective`; `voted for`, `voted
    against`), another unit of the same number, or `from 8 to 5` where it has `from 5 to 8`. The same told from the
    other side (`12 km north of Velm`, `Velm lies 12 km south`) is not known from the contrary.
    """
    said, stated = normalise(sentence), normalise(statement)
    words, held = _by_stem(said), _by_stem(stated)
    for pair in _OPPOSITES:
        sides = [_by_stem(side) for side in pair]
        for one, other in (sides, sides[::-1]):
            if words & one and not words & other and held & other and not held & one:
                return True
    new = words - held
    denied = {_DENYING_PREFIX.sub("", word) for word in held - words if _DENYING_PREFIX.match(word)}
    denying = {_DENYING_PREFIX.sub("", word) for word in new if _DENYING_PREFIX.match(word)}
    if new & denied or (held - words) & denying:
        return True
    side, other_side = set(_SIDE.findall(said)), set(_SIDE.findall(stated))
    if side and other_side and not side & other_side:
        return True
    measures = _measures(stated)
    numbers = {number for number, _ in measures}
    if any(number in numbers and (number, unit) not in measures for number, unit in _measures(said)):
        return True
    straight = set(_FROM_TO.findall(stated))
    turned = {ends[::-1] for ends in straight} - straight
    return any(ends in turned for ends in _FROM_TO.findall(said))


def _measures(normalised: str) -> set[tuple[str, str]]:
    """Numbers with their units."""
    return {(number, unit.removesuffix("s")) for number, unit in _MEASURED.findall(normalised)}


def _by_stem(normalised: str) -> frozenset[str]:
    """The words of a normalised text, stop words as well: `for` may stand against `against`."""
    words = normalised.split()
    return frozenset(words).union(*(tokenise(word) for word in words))


def _counts(text: str, pattern: re.Pattern[str]) -> set[tuple[str, str]]:
    """Numbers with the word right after them, but for years: `12 cranes`."""
    pairs = pattern.findall(normalise(without_dates(text)))
    return {(number, stem) for number, thing in pairs if not _YEAR.fullmatch(number) for stem in tokenise(thing)}


def swaps(sentence: str, statement: str) -> bool:
    """Whether two names have changed places around the same words: `Zhao defeated Petrov`, `Petrov defeated Zhao`."""
    stated = list(_deeds(statement))
    for doer, deed, target in _deeds(sentence):
        same = [(one, other) for one, done, other in stated if done == deed]
        straight = any(doer & one and target & other for one, other in same)
        if not straight and any(doer & other and target & one for one, other in same):
            return True
    return False


def _deeds(text: str) -> Iterator[tuple[set[str], list[str], set[str]]]:
    """Each two names in a row with the words between them, the other way round after `by`.

    Not around `with`, nor `of` and its other form: `Oslo is the capital of Norway`, `Norway's capital is Oslo`.
    """
    for one, other in pairwise(CAPITALISED.finditer(text)):
        between = text[one.end() : other.start()]
        deed, words = tokenise(between), normalise(between).split()
        said_of = {"with", "of"}.intersection(words) or one[0].endswith(("'s", "’s"))
        if deed and not said_of and not _CLAUSE_END.search(between):
            names = set(tokenise(one[0])), set(tokenise(other[0]))
            doer, target = reversed(names) if words[-1:] == ["by"] else names
            yield doer, deed, target
