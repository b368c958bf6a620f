"""Text as the scores compare it: one wording for every way to write the same words, number or date."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from functools import lru_cache

from dateutil import parser as date_parser
from text_to_num import alpha2digit

from index.lexical import fold
from qa.numbers import ALONE, LABEL, MINUS, NUMBER, read_numbers

FOOTNOTE = r"\[\d{1,3}\]"
"""The number of a note or source, as part of a regular expression: in a document it counts and cites nothing."""

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TIME_NOUN = (
    r"(?:year|quarter|month|week|weekend|day|morning|afternoon|evening|night|spring|summer|autumn|fall|winter|time)s?\b"
)
"""A stretch of time, as part of a regular expression."""
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_YEAR = r"[12]\d{3}"
_DASHED = rf"\s*[-–—]\s*{_DAY}"
_WORDED = rf"\s+(?:to|and|through)\s+(?:the\s+)?{_DAY}"
"""The second day of a range or pair. Behind a month it needs the year: `May 4 to 12 ships` names one day."""
_END = r"(?!\d|[.,]\d|\w)"
_DATE = re.compile(
    rf"(?<![\w.])(?:"
    rf"(?P<month_first>{_MONTH}\s+{_DAY}(?:{_DASHED}|{_WORDED}(?=(?:,\s*|\s+){_YEAR}\b))?(?:(?:,\s*|\s+){_YEAR})?)"
    rf"|(?P<day_first>{_DAY}(?:{_DASHED}|{_WORDED})?\s+(?:of\s+)?{_MONTH}(?:(?:,\s*|\s+){_YEAR})?)"
    rf"|(?P<month_year>{_MONTH},?\s+(?:of\s+)?{_YEAR})"
    rf"|(?P<digits>{_YEAR}([-/])(?:1[0-2]|0?[1-9])\5{_DAY}|\d{{1,2}}([./])\d{{1,2}}\6{_YEAR})"
    rf"){_END}"
)
_DAY_RANGE = re.compile(rf"\b({_DAY})(?:\s*[-–—]\s*|\s+(?:to|and|through)\s+(?:the\s+)?)({_DAY})(?!\d)")
_ORDINAL_DAY = re.compile(
    r"\b(?:(?:twenty|thirty)[\s-])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"
    rf"|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth)(?=\s+of\s+{_MONTH})"
)
_TIME_OF_DATE = re.compile(r"(?<=\d-\d\d)t(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)?\b")
_SLASHED = re.compile(rf"(?<![\w./])(\d{{1,2}})/(\d{{1,2}})/({_YEAR})(?!\w)")
_CAPITAL_SCALE = re.compile(rf"{LABEL}|{ALONE}({NUMBER})([MB])\b")
_CAPITAL_SCALES = {"M": "million", "B": "billion"}
_BEFORE_FRACTION = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_ABBREVIATION = re.compile(r"\b(?:[^\W\d_]\.)+[^\W\d_]\b\.?")
_POSSESSIVE = re.compile(r"(?<!\d)'s\b|'")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´", "'"))
_WORDS = (("%", " percent "), ("+", " plus "), ("&", " and "))
_CONTRACTIONS = (
    (re.compile(r"\bca(?:n['’]?t|nnot)\b", re.IGNORECASE), "can not"),
    (re.compile(r"\bwon['’]t\b", re.IGNORECASE), "will not"),
    (re.compile(r"n['’]t\b", re.IGNORECASE), " not"),
    (re.compile(r"\b(what|who|where|when|why|how|that|there|he|she|it)['’]s\b", re.IGNORECASE), r"\1 is"),
    (re.compile(r"\b(i)['’]m\b", re.IGNORECASE), r"\1 am"),
    (re.compile(r"\b(they|you|we)['’]re\b", re.IGNORECASE), r"\1 are"),
    (re.compile(r"\b(they|you|we|i)['’]ve\b", re.IGNORECASE), r"\1 have"),
    (re.compile(r"\b(i|you|he|she|it|we|they|that|there|who)['’]ll\b", re.IGNORECASE), r"\1 will"),
    (re.compile(r"\b(i|you|he|she|it|we|they|that|there|who)['’]d\b", re.IGNORECASE), r"\1 would"),
)
_TYPED = re.compile(
    r"\b(?:(?:is|are|was|were|do|does|did|has|have|had|could|would|should|wo)n(?=t\b)"
    r"|(?:what|who|where|when|why|how|that|there|he|she)(?=s\b)|(?:they|you)(?=[rv]e\b)|i(?=(?:m|ve)\b))",
    re.IGNORECASE,
)
"""Where an apostrophe is left out as questions are typed. Not in documents: `dont` is French, `im` German."""
_ARTICLES = frozenset({"a", "an", "the"})


@lru_cache(maxsize=65536)
def normalise(text: str) -> str:
    """Text after NFKC, case folding, removal of punctuation and articles, folding of white space, numbers and dates.

    `54,000`, `54000` and `54 thousand` become `54000`, `three` becomes `3`, `$5m` becomes `5000000 dollars`. A date
    becomes its year, month and day in that order, as far as they are given (`2024 july 28`), so it states its own month
    and year.
    """
    folded = _POSSESSIVE.sub("", _fold(text))
    folded = _DATE.sub(lambda match: f" {_canonical_date(match)} ", folded)
    folded = read_numbers(folded)
    for sign, word in _WORDS:
        folded = folded.replace(sign, word)
    folded = _ABBREVIATION.sub(lambda match: match[0].replace(".", ""), folded)
    folded = re.sub(r"[^\w\s]|_", _unless_mark_or_point, folded)
    return " ".join(word for word in folded.split() if word not in _ARTICLES)


def expand_contractions(text: str, *, typed: bool = False) -> str:
    """The text with both words of each English contraction, `is not` for `isn't`; if typed, also for `isnt`."""
    if typed:
        text = _TYPED.sub(r"\g<0>'", text)
    for contraction, words in _CONTRACTIONS:
        text = contraction.sub(words, text)
    return text


def states(text: str, wording: str) -> bool:
    """Whether `text` states `wording`: both normalised, on token boundaries.

    A wording of which nothing is left (`"A"`, `"+"`) is looked for as it stands, but for case and white space.
    """
    wanted = normalise(wording)
    if not wanted:
        return " ".join(_fold(wording).split()) in " ".join(_fold(text).split())
    return f" {wanted} " in f" {normalise(text)} "


def find_dates(text: str) -> list[tuple[str, str]]:
    """Every date of `text` with a month in it: as written, but case folded, and normalised."""
    return [(match[0], _canonical_date(match)) for match in _DATE.finditer(_fold(text))]


def without_dates(text: str) -> str:
    """The case-folded text with its dates taken out."""
    return _DATE.sub(" ", _fold(text))


def other_reading(text: str) -> str:
    """The text with day and month of dates such as 03/09/2021 changed over: people write both orders."""
    return _SLASHED.sub(r"\2/\1/\3", text)


def _fold(text: str) -> str:
    spelled = _CAPITAL_SCALE.sub(
        lambda match: f"{match[1]} {_CAPITAL_SCALES[match[2]]}" if match[2] else match[0], text
    )
    spelled = _BEFORE_FRACTION.sub(" ", spelled)
    folded = _TIME_OF_DATE.sub(r" \1", fold(spelled).casefold().translate(_APOSTROPHES))
    return _ORDINAL_DAY.sub(lambda match: alpha2digit(match[0], "en", threshold=0), folded)


def _unless_mark_or_point(match: re.Match[str]) -> str:
    if match[0] == "." and match.string[match.start() - 1 : match.start()].isdigit():
        return "." if match.string[match.end() : match.end() + 1].isdigit() else " "
    if match[0] == MINUS:
        around = match.string[max(0, match.start() - 1) : match.start()], match.string[match.end() : match.end() + 1]
        return MINUS if not around[0].strip() and around[1].isdigit() else " "
    return match[0] if unicodedata.category(match[0]).startswith("M") else " "


def _canonical_date(match: re.Match[str]) -> str:
    written = match[0]
    day_range = _DAY_RANGE.search(written) if match["month_first"] or match["day_first"] else None
    if day_range:
        ends = (written.replace(day_range[0], end) for end in day_range.groups())
        dates = [_read_date(end, day=True) for end in ends]
    else:
        day_first = match["digits"] is not None and "." in written
        dates = [_read_date(written, day=not match["month_year"], day_first=day_first)]
    return " ".join(date for date in dates if date) if all(dates) else written


@lru_cache(maxsize=65536)
def _read_date(written: str, *, day: bool, day_first: bool = False) -> str | None:
    """The date as `year month day`, or None where there is no such day."""
    try:
        date = date_parser.parse(written.replace("sept.", "sep"), default=datetime(2000, 1, 1), dayfirst=day_first)
    except (ValueError, OverflowError):
        return None
    year = [str(date.year)] if re.search(_YEAR, written) else []
    return " ".join([*year, MONTHS[date.month - 1], *([str(date.day)] if day else [])])
