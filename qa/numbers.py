"""Numbers, units, clock times and sums of money, however they are written, in one form each."""

from __future__ import annotations

import re
from decimal import Decimal

from text_to_num import alpha2digit

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
ALONE = r"(?<![\w.,])(?<!\b[^\W\d_][-–—])(?<!\b[^\W\d_]{2}[-–—])(?<!\b[^\W\d_]{3}[-–—])"
"""Before a number that stands for itself, not for a part of a release (3.1.2) or a name (F-35, MiG-29)."""
MINUS = "−"
"""What a sign becomes; a hyphen joins words."""
_LABELLED = (
    r"(?:room|flat|apartment|suite|hall|house|building|block|ward|gate|platform|pier|dock|berth|bay|seat|row|exit"
    r"|junction|route|bus|tram|road|highway|plot|lot|stand|box|section|article|clause|paragraph|chapter|rule|schedule"
    r"|appendix|annex|figure|fig|table|form|no(?=\.))"
)
_NUMBERED = r"\d+[a-z](?-i:(?<![ghlm]))"  # a building 12m high
_MORE_LABELS = rf"(?:(?:\s*[-–,/&]\s*|\s+(?:and|or|to)\s+){_NUMBERED})"
LABEL = rf"(?i:\b{_LABELLED}(?:\.?\s+{_NUMBERED}{_MORE_LABELS}*|(?:e?s)\.?\s+{_NUMBERED}{_MORE_LABELS}+)\b)"
"""What is numbered, and its number with a letter, as part of a regular expression: room 12B is no billion.

A plural before one number is a verb or a count: the hall seats 12K.
"""
_COUNTS = {
    word: number
    for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), start=1)  # noqa: SIM905
}
_AMOUNT = rf"(?:{NUMBER}|(?:{'|'.join(_COUNTS)})\b)"
_SCALES = {
    **{"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12},
    **{"k": 1000, "m": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9, "tn": 10**12},
}
_SCALE_WORD = r"(?:hundred|thousand|million|billion|trillion)\b"
_SCALE = rf"(?:[\s-]*{_SCALE_WORD}|\s?(?:mn|bn|tn)\b|[kmb]\b)"
_UNITS = {
    **{"$": "dollars", "usd": "dollars", "dollar": "dollars", "a$": "aud", "au$": "aud", "ca$": "c dollars"},
    **{"€": "euros", "eur": "euros", "euro": "euros", "£": "pounds", "gbp": "pounds", "pound": "pounds"},
    **{"¥": "yen", "jpy": "yen", "yen": "yen", "%": "percent", "percent": "percent"},
}
_SIGN = r"(?:(?:[a-z]{0,3}\$|[€£¥]|\b(?:usd|eur|gbp|jpy)\b)\s?)"
_UNIT = (
    r"(?:\s?(?:%|[€£¥$](?!\s?\d))"
    r"|[\s-]*(?:per\s?cent|dollars?|usd|euros?|eur|pounds?|gbp|yen|jpy)\b)"
)
_SYMBOLS = {
    r"(?:km|kilomet(?:er|re)s?) ?(?:/ ?|per |an )h(?:our)?|kph": "kmh",
    r"miles? (?:per|an) hour": "mph",
    r"kilomet(?:er|re)s?": "km",
    r"centimet(?:er|re)s?": "cm",
    r"millimet(?:er|re)s?": "mm",
    r"met(?:er|re)s?": "m",
    r"millilit(?:er|re)s?": "ml",
    r"centilit(?:er|re)s?": "cl",
    r"lit(?:er|re)s?": "l",
    r"kilogram(?:me)?s?|kilos?": "kg",
    r"milligram(?:me)?s?": "mg",
    r"gram(?:me)?s?": "g",
    r"kilowatt[ -]hours?": "kwh",
    r"kilowatts?": "kw",
    r"megawatts?": "mw",
    r"watts?": "w",
    r"volts?": "v",
    r"kilohertz": "khz",
    r"megahertz": "mhz",
    r"gigahertz": "ghz",
    r"hertz": "hz",
    r"kilobytes?": "kb",
    r"megabytes?": "mb",
    r"gigabytes?": "gb",
    r"terabytes?": "tb",
    r"hectares?": "ha",
    r"(?:metric )?tons?|(?:metric )?tonnes?|(?<=\d )t": "tons",
    r"ft|(?<=\d )foot|(?<=square )foot": "feet",
    r"lbs?": "pounds",
    r"oz": "ounces",
    r"yds?": "yards",
    r"inch(?:es)?": "inches",
    r"(?<=\d )(?:hrs?|h)": "hours",
    r"mins|(?<=\d )min": "minutes",
    r"secs|(?<=\d )sec": "seconds",
    r"per ?cent": "percent",
    r"degrees? c(?:elsius|entigrade)?|celsius": "c",
    r"degrees? f(?:ahrenheit)?|fahrenheit": "f",
}
"""Units as they are written, each as a part of a regular expression, and what they are read as: the symbol where no
other word has its letters. `h`, `foot` and the like are units only behind a number; a pound weighs and pays.
"""
_POWERS = {"square": "2", "sq": "2", "cubic": "3", "cu": "3"}
MEASURE = (
    r"(?:[kcmµ]?m[23]?|[km]?g|[mc]?l|[mk]?wh?|[kmgt]b|[kmg]?hz|[km]?v|ma|ha|c|f|kmh|mph|percent"
    r"|miles?|feet2?|inches|yards?|pounds?|ounces?|tons|acres?"
    r"|seconds?|minutes?|hours?|days?|weeks?|months?|years?|degrees?|points?)"
)
"""Units as they are read: what stands before one is measured, so that 1.50 is 1.5, as release 3.10 is not 3.1."""
_WRITTEN_UNIT = re.compile(
    rf"\b(?:(?P<power>{'|'.join(_POWERS)})\.?\s)?"
    rf"(?:{'|'.join(f'(?P<_{place}>{written})' for place, written in enumerate(_SYMBOLS))}|(?P<symbol>[ckm]?m))"
    r"(?=[23]?\b)"
)
_READ_AS = {f"_{place}": unit for place, unit in enumerate(_SYMBOLS.values())}
_LABELS = re.compile(rf"({LABEL})")
_SINGLE = re.compile(rf"{ALONE}({MINUS}?)({_SIGN})?({NUMBER})({_SCALE})?({_UNIT})?")
_RANGE = re.compile(
    rf"{ALONE}({_SIGN})?({_AMOUNT})(\s*[-–—]\s*|\s+(?:to|or)\s+)({_SIGN})?({_AMOUNT})({_SCALE})?({_UNIT})?"
)
_BETWEEN = re.compile(rf"\bbetween\s+({_SIGN}?{_AMOUNT}{_SCALE}?)\s+and\s+(?={_SIGN}?{_AMOUNT})")
_MIXED = re.compile(r"(?:(?<![\w.,/])(\d{1,3})\s+)?(?<![\w.,/⁄])(\d{1,2})(?:⁄([1-9]\d?)|/([23458]))(?![\w/]|\.\d)")
"""A fraction, a whole number before it included; with a slash only one that measures, so that 24/7 stays."""
_AND_A_HALF = re.compile(rf"(?<![\w.,])({_AMOUNT})\s+and\s+(?:a|one)\s+(half|quarter)\b")
_PART_OF = re.compile(
    rf"\bhalf[\s-]+an?[\s-]+|\bhalf[\s-]+(?={_SCALE_WORD}|dozen\b)|\b(three[\s-]+)?quarters?\s+of\s+an?\s+(?={_SCALE_WORD})"
)
_SLASHED = re.compile(rf"({_SIGN})({NUMBER}{_SCALE})/(?={NUMBER}{_SCALE})")
_SIGNED = re.compile(rf"(?<![^\s(“\"\[])(?<!\d\s)[-–](?=(?:{_SIGN})?{_AMOUNT})")
_MINUS_WORD = re.compile(r"(?<!\d\s)\bminus\s+(?=\d)")
_GROUPED = re.compile(r"(?<![\w.,])(?!0)\d{1,3}(?: \d{3})+(?!\w)")
_CLOCK = re.compile(
    r"(?<![\w.:])(?:(\d{1,2})(?:[:.]([0-5]\d))?(\s*[-–—]\s*|\s+(?:to|or|until)\s+))?"
    r"(\d{1,2})(?:[:.]([0-5]\d))?\s*([ap])\.?\s?m\b\.?"
)
_FULL_CLOCK = re.compile(r"(?<![\w.:])([01]?\d|2[0-3]):([0-5]\d)(?![\w:]|[.,]\d)")
_NOON = re.compile(r"\b(?:12(?::00)?\s+)?(noon|midnight)\b")
_DOZEN = re.compile(rf"(?<![\w.,])(a|{_AMOUNT})[\s-]+dozen\b")
_SEVERAL = re.compile(r"\b(tens|(?:hundred|thousand|million|billion|trillion)s)\b")
_GLUED = re.compile(rf"{ALONE}({NUMBER})(?!(?:st|nd|rd|th|an)\b)([^\W\d_]{{2,}}|[cfghlmvw])\b")
"""A number and its unit; one letter may be a part of a section (10b), or of a decade (1960s)."""
_PLAIN = re.compile(rf"(?<![\w.]){NUMBER}(?!\w|\.\d)(?=( {MEASURE}\b)?)")


def read_numbers(folded: str) -> str:
    """Case-folded text with each number as its digits, each clock time as `15h00`, each sum with its currency behind.

    The ends of a range share what is written once: `$3-5 billion` is `3000000000 dollars 5000000000 dollars`.
    """
    pieces = _LABELS.split(folded)
    return "".join(piece if place % 2 else _read(piece) for place, piece in enumerate(pieces))


def read_times(folded: str) -> str:
    """Case-folded text with each clock time as `15h00`."""
    text = _NOON.sub(lambda match: f" {'12' if match[1] == 'noon' else '0'}h00 ", folded)
    text = _CLOCK.sub(_read_clock, text)
    return _FULL_CLOCK.sub(lambda match: f" {_time(match[1], match[2])} ", text)


def _read(folded: str) -> str:
    text = _MIXED.sub(_add_parts, folded)
    text = _AND_A_HALF.sub(lambda match: _as_text(_value(match[1]) + Decimal(_PARTS[match[2]])), text)
    text = _PART_OF.sub(_part, text)
    text = _DOZEN.sub(lambda match: _as_text(12 * (_value(match[1]) if match[1] != "a" else Decimal(1))), text)
    text = _GROUPED.sub(lambda match: match[0].replace(" ", ""), text)
    text = _SIGNED.sub(MINUS, text)
    text = _BETWEEN.sub(r" \1 - ", text)
    text = read_times(text)
    text = _SLASHED.sub(r"\1\2 \1", text)
    text = _RANGE.sub(_read_range, text)
    text = _SINGLE.sub(_read_single, text)
    text = _GLUED.sub(r"\1 \2", text)
    text = _words_to_digits(re.sub(r"(?<!\d)[-–—]|[-–—](?!\d)", " ", text))
    text = _MINUS_WORD.sub(MINUS, text)
    text = _WRITTEN_UNIT.sub(_read_unit, text)
    return _PLAIN.sub(lambda match: _plain(match[0], measures=bool(match[1])), text)


_PARTS = {"half": ".5", "quarter": ".25"}


def _add_parts(match: re.Match[str]) -> str:
    parts = Decimal(match[2]) / Decimal(match[3] or match[4])
    return f" {_as_text(Decimal(match[1] or 0) + round(parts, 4))} "


def _part(match: re.Match[str]) -> str:
    return "0.5 " if match[0].startswith("half") else "0.75 " if match[1] else "0.25 "


def _value(amount: str) -> Decimal:
    return Decimal(_COUNTS[amount]) if amount in _COUNTS else Decimal(amount.replace(",", ""))


def _read_clock(match: re.Match[str]) -> str:
    first, first_minutes, link, hour, minutes, half = match.groups()
    if int(hour) > 12:
        return match[0]
    before = ""
    if first:  # `9 to 5 p.m.` does not begin in the evening
        same = int(first) <= int(hour)
        before = (_time(first, first_minutes, half) if same else match[0][: match.start(3) - match.start()]) + link
    return f" {before} {_time(hour, minutes, half)} "


def _time(hour: str, minutes: str | None, half: str = "") -> str:
    hours = int(hour) % 12 + 12 * (half == "p") if half else int(hour)
    return f"{hours}h{minutes or '00'}"


def _read_range(match: re.Match[str]) -> str:
    low_sign, low, link, sign, high, scale, unit = match.groups()
    if not (low_sign or sign or scale or unit) or _value(low) >= _value(high):
        return match[0]
    ends = _sum(low, scale, low_sign or unit or sign), _sum(high, scale, sign or unit or low_sign)
    return f" {link} ".join(ends)


def _read_single(match: re.Match[str]) -> str:
    minus, sign, number, scale, unit = match.groups()
    return _sum(number, scale, sign or unit, minus) if sign or scale or unit else match[0]


def _sum(amount: str, scale: str | None, unit: str | None, minus: str = "") -> str:
    letter = (scale or "").strip(" -\n\t")
    if letter in ("m", "b") and not unit:  # 5m is a length and 10b a section; £5m is a sum
        return f" {minus}{amount}{letter} "
    key = re.sub(r"[\s.-]", "", unit or "")
    other = f"{key[:-1]} dollars" if key.endswith("$") else ""
    name = _UNITS.get(key) or _UNITS.get(key.removesuffix("s"), other)
    return f" {minus}{_as_text(_value(amount) * _SCALES.get(letter, 1))} {name} "


def _words_to_digits(text: str) -> str:
    """`three` as `3`; `hundreds` count nothing exactly and stay words."""
    pieces = _SEVERAL.split(text)
    return "".join(piece if place % 2 else alpha2digit(piece, "en", threshold=0) for place, piece in enumerate(pieces))


def _read_unit(match: re.Match[str]) -> str:
    unit = _READ_AS.get(match.lastgroup or "", match["symbol"])
    return unit + _POWERS.get(match["power"], "")


def _plain(number: str, *, measures: bool) -> str:
    if number.startswith("0") and number.isdigit():
        return number  # a code or part of one (007, 0042) and no quantity
    number = number.replace(",", "")
    fraction = number.partition(".")[2]
    return number if fraction.strip("0") and not measures else _as_text(Decimal(number))


def _as_text(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
