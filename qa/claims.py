"""The checkable claims of an answer (numbers, dates, names), and which of them its cited words do not hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from index.lexical import tokenise
from qa.numbers import MINUS
from qa.wording import MONTHS, WEEKDAYS, find_dates, normalise, other_reading, states, without_dates

WORDING = "its wording"
"""The claim of a sentence whose words stand in no statement, though each of its numbers, dates and names does."""

_NUMBER = re.compile(rf"{MINUS}?\d+(?:\.\d+)*(?:st|nd|rd|th|s)?|\d+h\d\d")
"""Also of a section or a release (3.1.1), and the time of a clock."""
_SUM = re.compile(rf"(?<!\S)({MINUS}?\d\S*) ((?:[^\W\d]+ )?dollars|euros|pounds|yen|aud)\b")
_SMALL_TALK = frozenset({"1", "1st", "2nd"})
"""What `one`, `first` and `second` become; as words they seldom count anything."""
_WORD = (
    r"(?![^\W\d_a-z]{1,3}\$)"  # US$ is a currency
    r"(?:(?:[^\W\d_a-zà-ÿ]\.)+|[^\W\d_a-zà-ÿ][\w'’&-]*(?:\.[^\W\d_a-zà-ÿ])+\.?|[^\W\d_a-zà-ÿ][\w'’&-]*)"
)
CAPITALISED = re.compile(rf"\b{_WORD}(?:\s+{_WORD})*")
_LONGEST_CLAIM = 6
"""Words of a claim that are looked for in a draft."""
_FUNCTION_WORDS = frozenset(
    """
    according additionally after all also although among and any as at because before between both but by consequently
    currently despite did during each eventually every finally for from furthermore he hence her here his however if in
    instead into is it its later many meanwhile moreover most mr mrs ms neither no nor not of officially on once 1 only
    or other our overall she since so some specifically such that their then there therefore these they this those
    through thus to today under until we were what when where which while who with yes you
    eur gbp jpy usd
    """.split()  # noqa: SIM905  a list of ninety literals reads worse
)
_NO_NAMES = _FUNCTION_WORDS.union(MONTHS, WEEKDAYS)
"""Words that a capital letter does not make a name, normalised."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of one kind: how many different ones an answer makes, and those that its cited words do not hold."""

    stated: int
    unsupported: tuple[str, ...]


def find_numbers(text: str) -> list[str]:
    """The numbers of `text` that are not part of a date, normalised; `one`, `first` and `second` are passed over."""
    rest = without_dates(text)
    written = set(re.findall(r"(?<![\w.])\d+(?:st|nd)?(?![.,]?\d)", rest))
    return [
        token
        for token in normalise(rest).split()
        if _NUMBER.fullmatch(token) and (token not in _SMALL_TALK or token in written)
    ]


def find_names(text: str) -> list[str]:
    """Runs of capitalised words; a single word that opens a sentence counts only as an acronym."""
    names = []
    for match in CAPITALISED.finditer(text):
        words = match[0].split()
        alone = len(words) == 1 and _opens_sentence(text, match.start())
        if alone and not re.fullmatch(r"(?:[^\W\d_a-z]\.?){2,}", words[0]):
            continue
        name = " ".join(word for word in words if normalise(word) not in _NO_NAMES)
        if normalise(name):
            names.append(name)
    return names


def find_capitalised(text: str) -> list[str]:
    """Words with a capital letter, one that opens a sentence, a month or a weekday as well, but no function word."""
    words = (word for match in CAPITALISED.finditer(text) for word in match[0].split())
    return [word for word in words if normalise(word) and normalise(word) not in _FUNCTION_WORDS]


def check_claims(answer: str, cited: str) -> dict[str, Claims]:
    """Claims of the answer against the words it cites, by kind: `numbers`, `dates`, `names`.

    A sum of money is held in its currency, a date by the same or a more exact one (03/09/2021 in either order). A name
    is held where each of its words occurs.
    """
    numbers, stated = find_numbers(answer), normalise(cited)
    held = set(stated.split())
    paid = set(_SUM.findall(stated.replace(" us dollars", " dollars")))
    sums = _SUM.findall(normalise(answer).replace(" us dollars", " dollars"))
    amounts = {amount for amount, _ in paid}  # `price in euros` may stand once, above a table's numbers
    exchanged = {
        amount
        for amount, currency in sums
        if (amount, currency) not in paid and (amount in amounts or not held.issuperset(currency.split()))
    }
    dates = [written for written, _ in find_dates(answer)]
    names = find_names(answer)
    return {
        "numbers": _claims(numbers, [number for number in numbers if number not in held or number in exchanged]),
        "dates": _claims(dates, [date for date in dates if not _states_date(cited, date)]),
        "names": _claims(names, [name for name in names if not held.issuperset(normalise(name).split())]),
    }


def unfounded(claims: Iterable[str], draft: str, read: str) -> list[str]:
    """The unsupported claims of a draft, as it has them, that hold a number, date or name which stands nowhere.

    Args:
        claims: What was found unsupported; a claim without a digit or a capital (`its wording`) names nothing.
        draft: Where they are from.
        read: All that it was written from.
    """
    held, stems = set(normalise(read).split()), _stems(read)
    found = []
    for claim in claims:
        digits = any(character.isdigit() for character in claim)
        known = held.issuperset(normalise(claim).split()) if digits else stems.issuperset(_stems(claim))
        if not known and (digits or claim != claim.lower()):
            found.append(_as_written(claim, draft))
    return list(dict.fromkeys(found))


def _stems(text: str) -> set[str]:
    """Words as names share them: `Müllers` is `Muller`."""
    letters = unicodedata.normalize("NFKD", text)
    return set(tokenise("".join(letter for letter in letters if not unicodedata.combining(letter))))


def _as_written(claim: str, draft: str) -> str:
    """The shortest run of words of the draft that states a claim, which may be normalised: 5000000 is `$5 million`."""
    words = draft.split()
    for length in range(1, _LONGEST_CLAIM + 1):
        for start in range(len(words) - length + 1):
            run = " ".join(words[start : start + length])
            if states(run, claim):
                return run.strip(" .,;:!?()[]\"“”'‘’*")
    return claim


def _states_date(cited: str, date: str) -> bool:
    return states(cited, date) or states(other_reading(cited), date) or states(cited, other_reading(date))


def _claims(stated: list[str], unsupported: list[str]) -> Claims:
    return Claims(len(set(stated)), tuple(dict.fromkeys(unsupported)))


def _opens_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t\"'“‘(*-•")
    return not before or before[-1] in ".!?:\n"
