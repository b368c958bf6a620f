"""Abbreviations that the documents themselves define, so that a question may use either form.

Schwartz and Hearst, A Simple Algorithm for Identifying Abbreviation Definitions in Biomedical Text (2003): the short
form stands in brackets behind the long one (or the other way round), and its letters occur in it in order.
"""

from __future__ import annotations

import re
import weakref
from collections import Counter, defaultdict
from collections.abc import Mapping

from index import Index

INITIALS = {
    **{"US": "United States", "USA": "United States"},
    **{"UK": "United Kingdom", "UN": "United Nations", "EU": "European Union"},
}
"""What documents seldom define; a document that does has its own way."""
MOST_TEXT = 20_000_000
"""Characters that are searched for definitions: 20 million take 3 s; in a larger corpus the first documents define."""

_SHORT = r"[A-Z][A-Za-z0-9+-]{1,9}"
_SHORT_IN_BRACKETS = re.compile(rf" \(\s*[\"“]?(?P<short>{_SHORT})[\"”]?\s*\)")
_SHORT_THEN_LONG = re.compile(rf"\b(?P<short>{_SHORT}) \((?P<long>[^()\n]{{5,80}})\)")
_OR_SHORT = re.compile(r", (?:or|abbreviated|known as) (?P<short>[A-Z]{2,10})\b")
_BETWEEN_RUNS = re.compile(r"[^\w.'’ -]")
_MOST_WORDS, _MOST_CHARACTERS = 9, 300
"""How far before a short form its long form is looked for."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9+-]+")

_learned: weakref.WeakKeyDictionary[Index, dict[str, str]] = weakref.WeakKeyDictionary()


def long_form(short: str, before: str) -> str | None:
    """The part at the end of `before` that `short` abbreviates, or None.

    Letters of the short form are matched from its end; the first one must begin a word.
    """
    at = len(before) - 1
    for position in range(len(short) - 1, -1, -1):
        letter = short[position].lower()
        if not letter.isalnum():
            continue
        while at >= 0 and (before[at].lower() != letter or (position == 0 and at > 0 and before[at - 1].isalnum())):
            at -= 1
        if at < 0:
            return None
        at -= 1
    found = before[at + 1 :].strip()
    words = found.split()
    if len(words) < 2 or len(words) > min(len(short) + 5, 2 * len(short)):
        return None
    return found


def find_abbreviations(text: str) -> list[tuple[str, str]]:
    """Pairs of short and long form that a text defines, in order."""
    candidates = [
        *((match["short"], _run_before(text, match.start())) for match in _SHORT_IN_BRACKETS.finditer(text)),
        *((match["short"], match["long"].strip()) for match in _SHORT_THEN_LONG.finditer(text)),
        *((match["short"], _run_before(text, match.start())) for match in _OR_SHORT.finditer(text)),
    ]
    return [
        (short, found)
        for short, before in candidates
        if sum(character.isupper() for character in short) >= 2 and (found := long_form(short, before))
    ]


def _run_before(text: str, end: int) -> str:
    """The last words before `end` with nothing but spaces between them."""
    run = _BETWEEN_RUNS.split(text[max(0, end - _MOST_CHARACTERS) : end])[-1]
    return " ".join(run.split()[-_MOST_WORDS:])


def abbreviations(index: Index) -> dict[str, str]:
    """Short forms in capitals, and the long form that the documents give most often; learned once for an index."""
    if index not in _learned:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        left = MOST_TEXT
        for path in index.documents:
            text = index.documents[path].text
            left -= len(text)
            if left < 0:
                break
            for short, found in find_abbreviations(text):
                counts[short.upper()][found] += 1
        _learned[index] = {short: forms.most_common(1)[0][0] for short, forms in counts.items()}
    return _learned[index]


def other_forms(sentence: str, long_forms: Mapping[str, str]) -> list[tuple[re.Pattern[str], str]]:
    """For each name of which a sentence has a form: the forms that it lacks, each with the form that it has."""
    found, lowered, undotted = [], sentence.lower(), sentence.replace(".", "")
    shorts: defaultdict[str, list[str]] = defaultdict(list)
    for short, spelled in long_forms.items():
        shorts[spelled.lower()].append(short)
    for spelled, briefs in shorts.items():
        if spelled in lowered or any(short in undotted for short in briefs):
            patterns = [_spelled_pattern(spelled), *map(_short_pattern, briefs)]
            written = [pattern.search(sentence) for pattern in patterns]
            form = next((match[0] for match in written if match), None)
            if form:
                found += [(pattern, form) for pattern, match in zip(patterns, written, strict=True) if not match]
    return found


def _spelled_pattern(spelled: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(spelled)}(?!\w)", re.IGNORECASE)


def _short_pattern(short: str) -> re.Pattern[str]:
    """A short form with or without points, but for that of a currency."""
    dotted = r"\.?".join(map(re.escape, short))
    return re.compile(rf"(?<![\w.$]){dotted}(?:(?<=\.\w)\.)?+(?![\w$]|\.\w| dollar)")


def expand(question: str, index: Index) -> str:
    """The question followed by the other form of each abbreviation in it: a query for retrieval, never shown."""
    known = abbreviations(index)
    lowered = question.lower()
    other = [
        known[word.upper()]
        for word in dict.fromkeys(_WORD.findall(question))
        if word.upper() in known and (word.isupper() or len(word) > 3)
    ]
    other += [short for short, found in known.items() if found.lower() in lowered and short.lower() not in lowered]
    return f"{question} {' '.join(other)}" if other else question
