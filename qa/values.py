"""The values that a statement gives, each with its kind, so that only what can be compared is compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from math import inf

from index.lexical import tokenise
from qa.numbers import read_times
from qa.wording import FOOTNOTE, MONTHS, WEEKDAYS, find_dates, normalise, without_dates

BARE_YEAR = (
    r"(?<![\w.,:/$€£¥-])(?:1[7-9]\d\d|20\d\d|2100)(?![\w%]|[.,:]\d|-\d{3})(?!\s+(?:"
    r"[kcm]?m|[km]?g|[mk]?wh?|t|h|percent|people|(?!(?:is|was|has|as|its|this|us|versus|onwards)\b)[a-z]+s)\b)"
)
"""A year that stands alone, as a regular expression; `2000 workers` and `1500 kg` give none."""
APPROXIMATION = 0.1
"""Share by which a number after `about` may be off."""
LEADS_TO_A_VALUE = frozenset(tokenise("amounts comes came costs estimated put stands stood totals"))
"""Stems of verbs that say no more than the value behind them."""
NAMES_A_VALUE = frozenset(tokenise("amount charge cost fare fee number price rate value"))
"""Stems of nouns that say no more of a value than its unit does."""
SEASONS = frozenset({"spring", "summer", "autumn", "fall", "winter"})

_YEAR = re.compile(rf"({BARE_YEAR})(?:[/–-]\d\d(?!\d))?")
_MONTH = re.compile(rf"(?<=\w )(?:{'|'.join(month.capitalize() for month in MONTHS)})\b")
_WEEKDAY = re.compile(rf"\b({'|'.join(WEEKDAYS)})s?\b")
_TIME = re.compile(r"\b(\d{1,2})h(\d\d)\b")
_ORDINAL_WORDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = re.compile(rf"\b(?:(\d+)(?:st|nd|rd|th)|({'|'.join(_ORDINAL_WORDS)}))\b")
_LABEL = re.compile(r"\b[a-z]+-?\d[\w-]*|\d+(?:\.\d+){2,}|\d+\s*[⁄/]\s*\d+")
"""Digits that count nothing: F-35, 3.1.1; and fractions."""
_RANGE = re.compile(r"\bbetween\s+(\d[\d.,]*(?:\s+\w+)?)\s+and\s+(?=\d)|(?<=\d)\s*[-–—]\s*(?=\d)")
_MANY = re.compile(r"\b(?:(ten|hundred|thousand)s of )?(dozen|hundred|thousand|million|billion)s\b")
_COUNTS = {"ten": 10, "dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_BARRIER = re.compile(r"[;:!?()|\[\]]|(?<=\w\w)[.,](?!\d)|(?<=\d)[.,](?!\d)")
"""Punctuation beyond which no number's noun lies."""
_END = "is"
"""Any stop word: it stands for such punctuation in what is normalised."""
_ABOVE = ("more than", "at least", "over", "above")
_BELOW = ("less than", "fewer than", "at most", "up to", "under", "below")
_ABOUT = ("about", "around", "approximately", "roughly", "some", "almost", "nearly")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Value:
    """A date by its parts, or anything else by its bounds, which are the same for an exact number."""

    kind: str
    """`date`, `time`, `weekday`, `ordinal`, or the stem of the unit or noun of a quantity."""
    parts: frozenset[str] = frozenset()
    """Of a date, as far as it goes: October 8 holds October 8, 2024."""
    low: float = 0.0
    high: float = 0.0

    def agrees(self, other: Value) -> bool:
        """Whether both, of one kind, can be true of one thing; two limits on one side only if they are the same."""
        if self.kind != other.kind:
            return False
        if self.kind == "date":
            return self.parts <= other.parts or other.parts <= self.parts
        if self.low == other.low == 0 or self.high == other.high == inf:
            return self == other
        overlap = self.low <= other.high and other.low <= self.high
        return overlap or self._rounds(other) or other._rounds(self)

    def contradicts(self, other: Value) -> bool:
        """Whether both, of one kind, cannot be true of one thing; of two dates, where a part that both give differs."""
        if self.kind != "date" or other.kind != "date":
            return self.kind == other.kind and not self.agrees(other)
        parts = zip(self._date, other._date, strict=True)
        return any(not (one <= another or another <= one) for one, another in parts)

    def _rounds(self, other: Value) -> bool:
        """Whether this is the other number with fewer digits, two at least: 38,000 for 38,412, but not 300 for 325."""
        if self.kind in ("time", "weekday", "ordinal") or self.low != self.high or other.low != other.high:
            return False
        digits = len(f"{self.low:.11e}".partition("e")[0].rstrip("0").replace(".", "").lstrip("-"))
        return digits > 1 and float(f"{other.low:.{digits - 1}e}") == self.low

    @property
    def _date(self) -> tuple[frozenset[str], ...]:
        """Year, month and day of a date; empty where it has none."""
        months = self.parts.intersection(MONTHS)
        days = {part for part in self.parts if part.isdigit() and len(part) < 3}
        return frozenset({self.year} - {""}), months, frozenset(days)

    @property
    def is_limit(self) -> bool:
        """Whether it may be anything above or below a number."""
        return self.kind not in ("date", "time", "weekday") and (self.low == 0 or self.high == inf)

    @property
    def year(self) -> str:
        """Of a date; empty where it has none."""
        return next((part for part in self.parts if len(part) == 4 and part.isdigit()), "")


def has_digit(text: str) -> bool:
    """Whether a digit stands in a text."""
    return any(map(str.isdigit, text))


@lru_cache(maxsize=4096)
def find_values(text: str) -> tuple[Value, ...]:
    """The dates, clock times, weekdays, ordinals and quantities of a text; a number without a noun is none."""
    stated = re.sub(FOOTNOTE, " ", text)
    values = [Value("date", frozenset(date.split())) for _, date in find_dates(stated)]
    rest = without_dates(stated)
    months = {month[0].lower() for month in _MONTH.finditer(stated)}
    values += [Value("date", frozenset({month})) for month in sorted(months) if re.search(rf"\b{month}\b", rest)]
    values += [Value("date", frozenset({year[1]})) for year in _YEAR.finditer(rest)]
    rest = _YEAR.sub(f" {_END} ", rest)
    rest = read_times(rest)
    values += [_exact("time", int(time[1]) * 60 + int(time[2])) for time in _TIME.finditer(rest)]
    rest = _TIME.sub(f" {_END} ", rest)
    values += [_exact("weekday", WEEKDAYS.index(day[1])) for day in _WEEKDAY.finditer(rest)]
    values += [_exact("ordinal", _place(ordinal)) for ordinal in _ORDINAL.finditer(rest)]
    rest = _ORDINAL.sub(" ", rest)
    return tuple(dict.fromkeys([*values, *_quantities(rest)]))


def years_in(text: str) -> set[str]:
    """The years that a text gives."""
    return {value.year for value in find_values(text)} - {""}


def months_in(text: str) -> set[str]:
    """Its months, by their names in lower case."""
    return {part for value in find_values(text) for part in value.parts if part in MONTHS}


def seasons_in(text: str) -> set[str]:
    """Its seasons, in lower case."""
    return set(SEASONS.intersection(normalise(text).split()))


def dates_in(text: str) -> set[str]:
    """Its years, months, seasons and places in an order."""
    ordinals = {f"{value.low}" for value in find_values(text) if value.kind == "ordinal"}
    return years_in(text) | months_in(text) | seasons_in(text) | ordinals


def _exact(kind: str, number: float) -> Value:
    return Value(kind, low=number, high=number)


def _place(ordinal: re.Match[str]) -> int:
    return int(ordinal[1]) if ordinal[1] else _ORDINAL_WORDS.index(ordinal[2]) + 1


def _quantities(text: str) -> Iterator[Value]:
    """The numbers that have a unit or noun after them, `3 to 5 cranes` as one."""
    tokens = normalise(_spelt_out(text)).split()
    place = 0
    while place < len(tokens):
        last = _range_end(tokens, place)
        noun = _noun(tokens[last + 1 :]) if _DIGITS.fullmatch(tokens[place]) else ""
        if noun:
            low, high = _bounds(" ".join(tokens[max(place - 3, 0) : place]), float(tokens[place]))
            yield Value(noun, low=low, high=max(high, float(tokens[last])))
        place = last + 1


def _spelt_out(text: str) -> str:
    """The text without labels, with `to` in each range, `thousands of` as a bound, and punctuation as stop words."""
    text = _LABEL.sub(f" {_END} ", text)
    text = _RANGE.sub(lambda match: f"{match[1] or ''} to ", text)
    text = re.sub(r" of (?!\d)", " ", text)
    text = _MANY.sub(lambda match: f"over {_COUNTS.get(match[1], 1) * _COUNTS[match[2]]}", text)
    return _BARRIER.sub(f" {_END} ", text)


def _range_end(tokens: Sequence[str], place: int) -> int:
    """Where a range ends that begins at a place, `3 to 5`, `3 km to 5 km`; or the place."""
    end = place + (3 if tokens[place + 2 : place + 3] == ["to"] else 2)
    if end >= len(tokens) or not _DIGITS.fullmatch(tokens[place]) or not _DIGITS.fullmatch(tokens[end]):
        return place
    joined = tokens[place + 1] == "to" or tokens[place + 1] == next(iter(tokens[end + 1 :]), "")
    return end if joined and float(tokens[place]) < float(tokens[end]) else place


def _noun(tokens: Sequence[str]) -> str:
    """The stem of the unit or noun with which the tokens begin: the first plural of three, or else the first."""
    words = list(takewhile(lambda word: tokenise(word) and not word[0].isdigit(), tokens[:3]))
    plural = (word for word in words if len(word) > 3 and word.endswith("s") and not word.endswith("ss"))
    return " ".join(tokenise(next(plural, words[0]))) if words else ""


def _bounds(before: str, number: float) -> tuple[float, float]:
    """What a number may be after the words before it; `no more than` is the opposite of `more than`."""
    negated = re.search(r"\b(?:no|not) \w+ than$", before) is not None
    above, below = before.endswith(_ABOVE), before.endswith(_BELOW)
    if above or below:
        return (number, inf) if above != negated else (0.0, number)
    slack = APPROXIMATION * number if before.endswith(_ABOUT) else 0.0
    return number - slack, number + slack
