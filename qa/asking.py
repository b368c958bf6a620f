"""What a question asks for: one thing, several, as many as there are, a value, the difference of two things."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from qa.question import BEHIND, QUESTION_WORD
from qa.wording import MONTHS, TIME_NOUN, WEEKDAYS

SortOfValue: TypeAlias = Literal["quantity", "time", "date", ""]
"""What sort of value a question asks for; empty where it asks for none."""

_PLURAL = r"(?!(?:does|has|was)\b)(?:\w{2,}(?<![sui])s|people|men|women|children)\b"
"""A word that may be a plural noun."""
_AUXILIARY = r"(?:are|were|do|did|have|had|can|could|may|might|must|should|will|would|shall)\b"
_COUNT = r"(?:two|three|four|five|six|seven|eight|nine|ten|[2-9]|10)"
_BARE = r"(?:(?!that\b|who\b|which\b)\w+\s+)"
"""A word that begins no relative clause."""
_DIFFER = (
    r"(?:differ|differs|differed|difference|differences|different|conflicting|contradict\w*|discrepanc\w+|"
    r"disagree(?!\s+with)|at\s+odds(?!\s+with))\b|"
    r"\b(?:accounts|articles|documents|figures|reports|sources|texts|versions)\s+(?:\w+\s+){0,2}?agree\b|"
    r"\b(?:some|one(?:\s+\w+)?)\s+(?:\w+\s+)?(?:says?|claims?|reports?|states?|writes?|gives?)\b[^?]{0,200}[,;]\s+"
    r"(?:\w+\s+){0,2}(?:others?|another)\b|"
    r"\b(?:is|was|are|were)\s+(?:it|this|that|they)\s+(?:(?!that\b|who\b|which\b)\S+\s+){1,2}"
    r"or\b(?!\s+(?:not|so|more|less)\b)|"
    r"\b(?:is|was|are|were|do|does|did|has|have)\b[^?]*\d(?:\s+\w+){0,2}\s+or\s+(?:\w+\s+){0,2}[^\s\w]?\d"
)
"""How a question says that accounts differ: `Some say 4, others 5`, `Was it 4 or 5?`"""
_LIST = re.compile(
    rf"\beach\b(?!\s+(?:other\b|{TIME_NOUN}))|\bthe\s+(?:different|various)\s+{_PLURAL}|"
    r"(?:^|[.?!,;:]\s+|\b(?:please|you|and)\s+)(?:list\s+\w|"  # the verbs
    rf"name\s+(?:(?:all|those|every\w+)\b|{_BARE}{{0,3}}{_PLURAL}|{_BARE}{{1,4}}and\b|"
    rf"(?:\w+\s+){{0,2}}{_COUNT}\b|{_BARE}{{0,3}}\w+,))|"
    rf"(?:^|[.?!,;:(]\s*|\b(?:and|me)\s+)which\s+{_PLURAL}|"  # and no relative clause
    rf"\bwhich\s+of\s+{_BARE}{{1,4}}?(?:are|were|have)\b|"
    rf"\b(?:what|which)\s+(?:\w+\s+)?{_PLURAL}\s+{_AUXILIARY}|"
    rf"\b(?:what|how\s+much)\s+(?:do|did)\s+(?:\w+\s+){{0,3}}{_PLURAL}\s+cost\b",
    re.IGNORECASE,
)
_FIXED = rf"\b(?:compare|compared|comparison|contrast|both|versus|vs|respectively)\b|\([ab]\)|\bwhich\s+{_COUNT}\b"
_TWO = rf"(?:two|three)\s+(?:\w+\s+){{0,2}}{_PLURAL}"
_FEW = re.compile(rf"{_FIXED}|\bbetween\b|(?<!\bwhich of the )(?<!\bone of the )\b{_TWO}", re.IGNORECASE)
"""How a question asks for two things or a few."""
_SET = re.compile(rf"{_FIXED}|\b(?:the|these|those)\s+{_TWO}", re.IGNORECASE)
"""How it says which these are, so that it asks for no more."""
_SEVERAL = re.compile(
    rf"\b(?:{_DIFFER}|(?:each|names)\b)|"
    rf"\b{QUESTION_WORD}\b.*(?:,|;|\band|\bor|\?)\s+(?:\w+\s+)?{QUESTION_WORD}\b|"
    r"\b(?:what|which|who|how\s+much)\s+(?:are|were)\b",
    re.IGNORECASE,
)
_ALL = re.compile(
    rf"(?<!\bof )\ball\s+(?:of\s+)?(?:the|these|those)\s+{_BARE}{{0,2}}{_PLURAL}|"
    rf"\bevery\s+(?!(?:\w+\s+)?(?:{TIME_NOUN}|(?:second|minute|hour|decade|century|term|weekday|holiday)s?\b)|"
    rf"(?:one|other|few|{_COUNT}|\d+|{'|'.join((*MONTHS, *WEEKDAYS))})\b)\w+",
    re.IGNORECASE,
)
_ONE_ANSWER = re.compile(
    r"\W*(?:why|how\s+come|am|is|are|was|were|do|does|did|has|have|had|can|could|may|might|must|should|will|would)\b",
    re.IGNORECASE,
)
"""How a question begins that asks for a reason, or for yes or no."""
_ASKS = re.compile(rf"\b{QUESTION_WORD}\b", re.IGNORECASE)
_HOW_MUCH = (
    r"\bhow\s+(?:many|much|often|long|old|far|tall|high|deep|big|large|wide|heavy|fast|hot|cold|warm|thick|loud|strong|"
    r"steep|expensive|quickly|soon|close|great|few|powerful)\b(?!-)"
)
_NUMBER = (
    r"(?:age|amount|budget|capacity|charge|cost|depth|diameter|discount|distance|dose|fare|fee|fine|fraction|height|"
    r"length|level|limit|number|per ?cent|percentage|population|price|proportion|quantity|rate|ratio|rent|salary|score|"
    r"share|size|speed|sum|surcharge|temperature|total|turnout|value|wage|weight|width)s?"
)
_NOUN_ENDS = (
    r"(?=\W{0,9}$|[?!.,;:()]|\s+[–-]|\s+(?:a|an|after|allowed|and|are|as|at|before|below|between|by|can|could|did|do|does|"
    r"each|every|for|from|going|had|has|have|i|if|in|is|it|its|may|must|now|of|on|one|or|over|per|permitted|shall|should|"
    r"since|than|that|the|they|to|today|under|until|up|was|we|were|when|will|with|would|year|you|your)\b)"
)
"""What follows a noun that is the last of its phrase: in `the price commission`, `price` is not."""
_NO_LINK = (
    r"(?!(?:about|after|because|between|by|do|does|did|for|from|in|is|are|that|of|on|or|the|was|were|when|who|which|"
    r"with)\b)"
)
_IS = r"(?:['’]?s|\s+(?:is|are|was|were|will|would)(?:\s+be)?)"
_DOES = r"(?:['’]?s|\s+(?:can|could|did|do|does|had|has|have|is|may|might|must|should|was|were|will|would))"
_VALUES: dict[SortOfValue, re.Pattern[str]] = {
    "quantity": re.compile(
        rf"{_HOW_MUCH}|"
        r"^(?!\W{0,9}(?:\w+\s+)?(?:who|whose|why|which|where)\b).*?(?<!opposite )\b(?:number|percentage)\s+of\b|"
        r"^\W{0,9}(?:the\s+)?(?:(?!(?:wh|how|do|is|in\b|to\b)\w*)[\w-]+\s+)?"
        rf"(?!(?:charge|level)s?\b){_NUMBER}\s+of\b|"  # and no question word
        rf"\b(?:what\s+(?:{_NO_LINK}[\w.'’-]+\s+){{0,2}}?|which\s+(?=perc|prop|frac|share)){_NUMBER}\b{_NOUN_ENDS}|"
        rf"\bwhat{_IS}\s+(?:the\s+)?(?:{_NO_LINK}\S+\s+){{0,4}}?{_NUMBER}\b{_NOUN_ENDS}|"
        rf"(?<!\bon )\bwhat{_DOES}\b[^?]{{0,80}}?(?<!\bthe )(?<!\bof )(?<!\bin )(?<!\ba )(?<!\bno )(?<!\bat )"
        r"(?<!\bits )(?<!\bany )\b(?:costs?|charge|pay|spend|earn|weigh)\b(?!\s+(?:of|attention|for itself)\b)",
        re.IGNORECASE,
    ),
    "time": re.compile(r"\b(?:what time|(?:until|till) when|how (?:late|early))\b", re.IGNORECASE),
    "date": re.compile(
        r"\bwhen\b(?![^?,]*,\s*(?:how|what|which|who)\b)|\b(?:what|which) (?:date|day|month|year)\b", re.IGNORECASE
    ),
}
_NAMING = r"(?!(?:ones?|it|they|them|these|those|this|both|each)\b)[^\s?!;,:]+"
_THING = rf"(?:{_NAMING}\s+){{0,7}}?{_NAMING}"
"""A few words that name something."""
_COMPARED = tuple(
    re.compile(rf"\W{{0,9}}(?:(?:and|so|please|hello|hi)\W{{1,9}})?{form}\s*(?:$|[?!;]|\.(?:\s|$))", re.IGNORECASE)
    for form in (
        r"(?:(?:what['’]?s|what\s+(?:is|are|was|were)|is\s+there|i\s+(?:do\s+not|don['’]?t)\s+understand|"
        r"(?:(?:can|could|would)\s+you\s+)?(?:please\s+)?(?:explain|describe|tell\s+me(?:\s+about)?))\s+)?"
        r"(?:(?:a|any|the)\s+)?(?:(?:most\s+)?(?:basic|big|biggest|core|essential|exact|important|key|main|real)\s+)?"
        rf"differences?\s+between\s+({_THING})\s+(?:and|&)\s+({_THING})",
        rf"how\s+(?:do|does|did)\s+({_THING})\s+(?:and\s+({_THING})\s+(?:differ|compare)(?:\s+from\s+each\s+other)?|"
        rf"(?:differ\s+from|compare\s+(?:to|with))\s+({_THING}))",
        rf"how\s+(?:is|are|was|were)\s+({_THING})\s+(?:and\s+({_THING})\s+different|different\s+(?:from|to|than)\s+({_THING}))",
        rf"what\s+(?:distinguishes\s+({_THING})|sets\s+({_THING})\s+apart|makes\s+({_THING})\s+different)\s+from\s+({_THING})",
        rf"({_THING})\s+(?:vs\.?|versus)\s+({_THING})",
        rf"(?:compare(?:\s+and\s+contrast)?|contrast)\s+({_THING})\s+(?:and|with|to|&)\s+({_THING})",
    )
)
_NO_THING = re.compile(
    rf"\b(?:and|please|{QUESTION_WORD}|in\s+(?:age|cost|length|price|size|terms|time|weight))\b|^[\W\d]+$|"
    r"^(?:before|last|do|does|did|is|are|was|were|can|show|list|give|say)\b",
    re.IGNORECASE,
)
"""What nothing that stands for itself has in it, is, or begins with: `Trade and Industry`, `2024`, `last year`."""
_PART_OF = re.compile(r"(?:an?|the)\s.*\b(?:at|for|in|of|on)\b", re.IGNORECASE)
_HAS_ARTICLE = re.compile(r"(?:an?|the)\b", re.IGNORECASE)
_ACCOUNTS = re.compile(rf"\b(?:{_DIFFER})", re.IGNORECASE)


def asks_for_several(question: str) -> bool:
    """Whether a question compares, asks twice, asks for a list, or says that accounts differ.

    Then one sentence seldom holds the answer. `Which of the four piers` asks for one, `which of the piers were` for
    several.
    """
    forms = (_LIST, _FEW, _SEVERAL)
    return asks_for_list(question) or any(form.search(question) for form in forms) or bool(compared_things(question))


def asks_for_list(question: str) -> bool:
    """Whether a question asks for as many things as there are: `which gardens`, `each of the piers`; not for two."""
    everything = _ALL.search(question) and not _ONE_ANSWER.match(question)
    return bool(everything or _LIST.search(question)) and not _SET.search(question)


def tells_of_accounts(question: str) -> bool:
    """Whether a question says that accounts differ, or asks whether they do."""
    return _ACCOUNTS.search(question) is not None


def sort_of_value(question: str) -> SortOfValue:
    """What sort of value a question asks for, by the words that end first: `how many came when`, `what day is it`.

    An earlier question that is put behind counts only where the question has no question word of its own.
    """
    own = BEHIND.sub("", question)
    text = own if _ASKS.search(own) else question
    asked = {sort: found.end() for sort, words in _VALUES.items() if (found := words.search(text))}
    return min(asked, key=asked.__getitem__, default="")


def compared_things(question: str) -> tuple[str, ...]:
    """The two things that a question compares as a whole: `What is the difference between the Anna and the Elsa?`.

    None where it names what is compared of them, does not ask it at its beginning, or may name the second in part: `the
    deck of the Anna and the Elsa` are two things, `the deck of the Anna and Elsa` may be.
    """
    found = next((match for form in _COMPARED if (match := form.match(question))), None)
    things = tuple(thing.rstrip(".") for thing in found.groups() if thing) if found else ()
    in_part = len(things) > 1 and _PART_OF.match(things[0]) and not _HAS_ARTICLE.match(things[1])
    return () if in_part or any(map(_NO_THING.search, things)) else things
