"""Text as the scores compare it: one wording for every way to write the same words, number or date."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from dateutil import parser as date_parser
from text_to_num import alpha2digit

FOOTNOTE = r"\[\d{1,3}\]"
"""The number of a note or source, as part of a regular expression: in a document it counts and cites nothing."""

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_YEAR = r"[12]\d{3}"
_END = r"(?!\d|[.,]\d|\w)"
_DATE = re.compile(
    rf"(?<![\w.])(?:"
    rf"(?P<month_first>{_MONTH}\s+{_DAY}(?:\s*[-–—]\s*{_DAY})?(?:(?:,\s*|\s+){_YEAR})?)"
    rf"|(?P<day_first>{_DAY}(?:\s*[-–—]\s*{_DAY})?\s+(?:of\s+)?{_MONTH}(?:(?:,\s*|\s+){_YEAR})?)"
    rf"|(?P<month_year>{_MONTH},?\s+(?:of\s+)?{_YEAR})"
    rf"|(?P<digits>{_YEAR}([-/])(?:1[0-2]|0?[1-9])\5{_DAY}|\d{{1,2}}([./])\d{{1,2}}\6{_YEAR})"
    rf"){_END}"
)
_DAY_RANGE = re.compile(rf"\b({_DAY})\s*[-–—]\s*({_DAY})(?!\d)")
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_SCALES = {
    **{"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12},
    **{"k": 1000, "mn": 10**6, "bn": 10**9, "tn": 10**12},
}
_SCALED = re.compile(rf"(?<![\w.,])({_NUMBER})(?:[\s-]*(hundred|thousand|million|billion|trillion)|(k|mn|bn|tn))\b")
_PLAIN_NUMBER = re.compile(rf"(?<![\w.]){_NUMBER}(?!\w|\.\d)")
_ABBREVIATION = re.compile(r"\b(?:[^\W\d_]\.)+[^\W\d_]\b\.?")
_POSSESSIVE = re.compile(r"(?<!\d)'s\b|'")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´", "'"))
_WORDS = (("%", " percent "), ("per cent", "percent"), ("+", " plus "), ("&", " and "))
_ARTICLES = frozenset({"a", "an", "the"})


@lru_cache(maxsize=65536)
def normalise(text: str) -> str:
    """Text after NFKC, case folding, removal of punctuation and articles, folding of white space, numbers and dates.

    `54,000`, `54000` and `54 thousand` become `54000`, `three` becomes `3`, `%` becomes `percent`. A date becomes its
    year, month and day in that order, as far as they are given (`2024 july 28`), so it states its own month and year.
    """
    folded = _fold(text)
    folded = _POSSESSIVE.sub("", folded)
    folded = _DATE.sub(lambda match: f" {_canonical_date(match)} ", folded)
    folded = _SCALED.sub(lambda match: f" {_scaled(match)} ", folded)
    folded = alpha2digit(re.sub(r"(?<!\d)[-–—]|[-–—](?!\d)", " ", folded), "en", threshold=0)
    for sign, word in _WORDS:
        folded = folded.replace(sign, word)
    folded = _PLAIN_NUMBER.sub(lambda match: _plain(match[0]), folded)
    folded = _ABBREVIATION.sub(lambda match: match[0].replace(".", ""), folded)
    folded = re.sub(r"[^\w\s]|_", _unless_mark_or_point, folded)
    return " ".join(word for word in folded.split() if word not in _ARTICLES)


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


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)


def _unless_mark_or_point(match: re.Match[str]) -> str:
    if match[0] == "." and match.string[match.start() - 1 : match.start()].isdigit():
        return "." if match.string[match.end() : match.end() + 1].isdigit() else " "
    return match[0] if unicodedata.category(match[0]).startswith("M") else " "


def _canonical_date(match: re.Match[str]) -> str:
    written = match[0]
    day_range = _DAY_RANGE.search(written) if match["month_first"] or match["day_first"] else None
    if day_range:
        ends = (written.replace(day_range[0], end) for end in day_range.groups())
        dates = [_read_date(end, day=True) for end in ends]
    else:
        dates = [_read_date(written, day=not match["month_year"])]
    return " ".join(date for date in dates if date) if all(dates) else written


@lru_cache(maxsize=65536)
def _read_date(written: str, *, day: bool) -> str | None:
    """The date as `year month day`, or None where there is no such day."""
    try:
        date = date_parser.parse(written.replace("sept.", "sep"), default=datetime(2000, 1, 1))
    except (ValueError, OverflowError):
        return None
    year = [str(date.year)] if re.search(_YEAR, written) else []
    return " ".join([*year, _MONTHS[date.month - 1], *([str(date.day)] if day else [])])


def _scaled(match: re.Match[str]) -> str:
    return _as_text(Decimal(match[1].replace(",", "")) * _SCALES[match[2] or match[3]])


def _plain(number: str) -> str:
    if number.startswith("0") and number.isdigit():
        return number  # a code or part of one (007, 0042) and no quantity
    return _as_text(Decimal(number.replace(",", "")))


def _as_text(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
