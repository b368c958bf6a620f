"""The time that a question asks about: before, after, since, between, as of a date, or the latest there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.timeline import iso_dates
from qa.values import BARE_YEAR
from qa.wording import MONTHS, find_dates

_BOUND = re.compile(
    r"\b(not? (?:later|earlier) than|not (?:after|before)|on or (?:before|after)|up to and including|"
    r"before|prior to|earlier than|until|till|up to|by|as of|as at|after|later than|since|from|between|and|to)\s+"
    r"(?:(?:the\s+)?(start|beginning|end|close)\s+of\s+|(early|mid|late)[\s-]+)?(?:the\s+(?=year|\d+s\b))?(?:year\s+)?",
    re.IGNORECASE,
)
_BEFORE = frozenset({"before", "prior to", "earlier than"})
_AFTER = frozenset({"after", "later than"})
_SINCE = frozenset({"since", "from", "between", "no earlier than", "not earlier than", "not before", "on or after"})
_WITHIN = frozenset({"early", "mid", "late"})
_INCLUSIVE = {"before": _WITHIN | {"end", "close"}, "after": _WITHIN | {"start", "beginning"}}
"""Parts of a time before or after which some of it still lies."""
_AS_OF = frozenset({"as of", "as at"})
_SECOND = frozenset({"and", "to"})
"""Cues of an end only where a beginning was named before them."""
_ONWARDS = re.compile(r"\bonwards?\b", re.IGNORECASE)
_MONTH = rf"(?:\d{{1,2}}\s+)?(?:{'|'.join(MONTHS)})(?:\s+\d{{1,2}},?)?"
_SHARED_YEAR = re.compile(rf"\b({_MONTH})(?=\s+(?:and|to|until)\s+{_MONTH}\s+(\d{{4}})\b)", re.IGNORECASE)
_YEARS = re.compile(r"\b((?:1[7-9]|20)\d\d)\s*[-–—]\s*((?:1[7-9]|20)\d\d)\b")
_LATEST = re.compile(
    r"\b(?:(?<!at the )latest(?! (?:time|date|day|moment|hour|point)\b)|newest|most recent|most recently|so far|"
    r"to date)\b",
    re.IGNORECASE,
)
"""Not `current` and the like: what is in force may be old."""
_YEAR = re.compile(BARE_YEAR)
_DECADE = re.compile(r"((?:1[7-9]|20)\d)0s\b")
_SENTENCE_YEAR = re.compile(r"\b(?:1[89]|20)\d{2}\b")


@dataclass(frozen=True, slots=True)
class Period:
    """Bounds as the beginnings of ISO dates (`2024`, `2024-07`, `2024-07-28`), each empty where there is none."""

    after: str = ""
    since: str = ""
    before: str = ""
    until: str = ""
    latest: bool = False
    """Whether the newest inside the bounds is asked for."""

    def excludes(self, date: str) -> bool:
        """Whether a date lies outside for certain: `2024` may be before or after `2024-07`."""
        return (
            (bool(self.after) and _compare(date, self.after) <= 0 and not _wider(date, self.after))
            or (bool(self.since) and _compare(date, self.since) < 0)
            or (bool(self.before) and _compare(date, self.before) >= 0 and not _wider(date, self.before))
            or (bool(self.until) and _compare(date, self.until) > 0)
        )


def asked_period(question: str) -> Period:
    """The time that a question names; without bounds where it names none, or an event: `after the 1960 treaty`."""
    dated = _SHARED_YEAR.sub(r"\1 \2", question)
    dated = _YEARS.sub(r"from \1 to \2", dated)
    bounds: dict[str, str] = {}
    latest, origin = _LATEST.search(question) is not None, False
    for match in _BOUND.finditer(dated):
        cue, part = (" ".join((word or "").casefold().split()) for word in (match[1], match[2] or match[3]))
        date = _date_at(dated[match.end() :], last=cue not in _BEFORE | _SINCE)
        if not date:
            continue
        if cue in _BEFORE:
            bounds["until" if part in _INCLUSIVE["before"] else "before"] = date
        elif cue in _AFTER:
            bounds["since" if part in _INCLUSIVE["after"] else "after"] = date
        elif cue in _SINCE:
            bounds["since"], origin = date, cue == "from" and not _ONWARDS.search(question)
        elif cue not in _SECOND or "since" in bounds:
            bounds["until"] = date
            latest = latest or cue in _AS_OF
    if origin and "until" not in bounds:  # `the guidelines from 2015`: no time, but which
        del bounds["since"]
    return Period(**bounds, latest=latest)


def dates_of(sentence: str) -> list[str]:
    """The dates that a sentence gives, those without a year left out; a year that stands alone counts."""
    dates = iso_dates(sentence)
    years = [year for year in _SENTENCE_YEAR.findall(sentence) if not any(date.startswith(year) for date in dates)]
    return [*dates, *dict.fromkeys(years)]


def suits(period: Period, sentences: Sequence[str], published: Sequence[str]) -> list[float]:
    """How well each sentence suits the time asked for: -1 where all its dates lie outside, and up to 1 for the newest.

    Args:
        period: What `asked_period` found.
        sentences: The candidates.
        published: When the document of each was published, ISO or empty.
    """
    dated = [dates_of(sentence) for sentence in sentences]
    outside = [bool(dates) and all(period.excludes(date) for date in dates) for dates in dated]
    if not period.latest:
        return [-1.0 if out else 0.0 for out in outside]
    newest = ["" if out or period.excludes(day) else day for day, out in zip(published, outside, strict=True)]
    order = sorted(set(newest) - {""})
    places = {day: (place + 1) / len(order) for place, day in enumerate(order)}
    return [-1.0 if out else places.get(day, 0.0) for day, out in zip(newest, outside, strict=True)]


def _date_at(text: str, *, last: bool) -> str:
    """The date with which a text begins, ISO as far as it goes; of a decade its first year, or its last."""
    found = find_dates(text)
    if found and text.casefold().startswith(found[0][0]):
        return next(iter(iso_dates(found[0][0])), "")
    if decade := _DECADE.match(text):
        return decade[1] + ("9" if last else "0")
    year = _YEAR.match(text)
    return year[0] if year else ""


def _compare(date: str, bound: str) -> int:
    """-1, 0 or 1, as far as both go."""
    length = min(len(date), len(bound))
    return (date[:length] > bound[:length]) - (date[:length] < bound[:length])


def _wider(date: str, bound: str) -> bool:
    """Whether the bound lies inside the date, as a month lies in its year."""
    return len(date) < len(bound) and _compare(date, bound) == 0
