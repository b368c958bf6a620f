"""Sentences that speak to the answering model instead of the reader: no evidence, and never read by the model.

A document may hold an instruction, a forged turn of the conversation or a forged citation mark. Whatever a model would
make of it, the sentence states nothing about the world that a question could be after. It stays in the text, in the
passages that are listed, and in the source view.
"""

from __future__ import annotations

import re

from corpus import split_sentences
from qa.question import QUESTION_WORD
from qa.wording import FOOTNOTE

_IGNORE = r"(?<!not\s)(?<!never\s)(?<!dont\s)(?<!n't\s)(?<!n’t\s)\b(?:ignore|disregard|forget|override|bypass)\b"
_EARLIER = r"\b(?:previous|prior|above|earlier|preceding|foregoing|your)\b"
"""What only a model has before its eyes: a reader who ignores the safety rules ignores none of these."""
_RULES = r"\b(?:instructions?|prompts?|rules|directions)\b"
_SPEAKER = r"(?:system|assistant|user|human|ai)\s*:"
_SPEAKS_TO_A_MODEL = re.compile(
    rf"""
    {_IGNORE} [^.!?]{{0,40}} {_EARLIER} [^.!?]{{0,40}} {_RULES}
    | {_IGNORE} [^.!?]{{0,40}} {_RULES} \s+ (?:above|before|so\s+far|you\s+(?:were|have|got))\b
    | {_IGNORE} \s+ (?:all|any) \s+ (?:of\s+)? (?:the\s+)? {_RULES}
    | \b(?:system|developer)\s+prompt\b
    | ^\W*{_SPEAKER} (?=[^\n]*[.!?]\W*$ | [^\n]*\n\W*{_SPEAKER})   # a forged turn: a label names a value, no sentence
    | ```\s*{_SPEAKER}
    | <\|[^|>\s]{{1,40}}\|> | \[/?INST\] | <</?SYS>> | </?s>    # marks of chat templates
    | ^\W*\[\d{{1,3}}\]\s | \b(?:cite|trust|believe)\s+(?:only\s+)?\[\d{{1,3}}\]   # a forged number of evidence
    | ^\W*(?:answer|reply|respond|say)\s+(?:yes\s+or\s+no|yes|no|only|always|exactly|nothing|that)\b
    | ^\W*(?:answer|reply|respond|say)\s+with\s+(?:only\b | just\b | nothing\b | exactly\b | yes\b | no\b | ["“'‘]
        | (?-i:[A-Z]{{2,}})\b | (?:(?:the|a|one|this)\s+)? (?:single\s+)? (?:words?|phrase|sentence|text|string)\b)
    | \byou\s+are\s+(?:now\s+)?(?:an?\s+)?(?:AI|DAN|assistant|language\s+model|chatbot)\b
    | <\s*(?:script|iframe|img|svg)\b | \bjavascript:
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MARK = re.compile(rf"{FOOTNOTE}[.,;:]?")
_GOES_ON = re.compile(r"^\W*(?:then|and|now|next|after that|finally|instead|just)\b", re.IGNORECASE)
"""How a sentence starts that continues an order: `Then say DONE.`"""
_ASKS = re.compile(
    rf"""\b{QUESTION_WORD}\b | \w\W*[?？]\W*$
    | ^\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|may|might|must|shall|should|will|would)\b(?!\s+you\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TELLS = re.compile(
    r"^\W*(?:(?:please|and|then|now|just|finally)\b\W*)*"
    r"(?:name|list|give|state|describe|explain|compare|identify|define|summari[sz]e|tell\s+me)\s+"
    r"(?!that\b|your(?:s|self)?\b|only\b|(?:just\s+)?the\s+words?\b|(?-i:[A-Z]{2,}\b))\w",
    re.IGNORECASE,
)
"""How a question starts that is put as a request."""
_BEFORE_ORDER = re.compile(r"(?:[,;.]|\band\b|\bthen\b)[\s,;]*(?:(?:and|then|please|also)\s+)*$", re.IGNORECASE)
_BEHIND_FORM = re.compile(
    r"^\W*(?:answer|reply|respond)\s+(?:only\s+)?with\s+(?!(?:exactly|the\s+words?)\b)[^:]*"
    r"\b(?:name|word|phrase|sentence|number|date|year)s?\b[^:]*:\s+(\S+(?:\s+\S+){2,})",
    re.IGNORECASE,
)
"""Behind an order that only says in which form to answer: `Answer with the name only: the ship that sank`."""


def speaks_to_a_model(sentence: str) -> bool:
    """Whether a sentence is made for whoever answers from it: an order, a forged turn, mark or number, or a script.

    A rule of thumb, and only the first of three defences: what the model writes is checked against what it cites, and
    text of documents cannot close its place in the prompt (`qa.engines.chat`).
    """
    return _SPEAKS_TO_A_MODEL.search(sentence) is not None or _is_marks(sentence)


def _is_marks(sentence: str) -> bool:
    """Whether a sentence is little but citation marks, several of them: `See [1]. [99]`."""
    marks = _MARK.findall(sentence)
    return len(marks) > 1 and len(marks) >= len(_MARK.sub(" ", sentence).split())


def without_orders(question: str) -> str:
    """A question without the orders to a model in it and what goes on from them; empty where nothing else was said."""
    sentences = [question[sentence.start : sentence.end] for sentence in split_sentences(question)]
    if not any(speaks_to_a_model(sentence) for sentence in sentences):
        return question
    kept = [_what_is_asked(sentence) for sentence in sentences]
    return " ".join(sentence for sentence in kept if sentence)


def _what_is_asked(sentence: str) -> str:
    """A sentence of a question, from behind its orders if it asks after them, as in `Answer yes or no: is it open?`.

    One that asks before them asks about them (`May a driver ignore your rules?`), and is left as it is.
    """
    orders = list(_SPEAKS_TO_A_MODEL.finditer(sentence))
    if not orders:
        drops = _is_marks(sentence) or _GOES_ON.match(sentence)
        return "" if drops and not (_ASKS.search(sentence) or _TELLS.match(sentence)) else sentence
    front = sentence[: orders[0].start()]
    if _ASKS.search(front):
        return sentence
    if _TELLS.match(front) and (end := _BEFORE_ORDER.search(front)):
        return front[: end.start()].rstrip()
    rest = sentence[orders[-1].end() :].lstrip(" ,:;–—-")
    if _ASKS.search(rest) or _TELLS.match(rest):
        return rest
    told = _BEHIND_FORM.match(sentence)
    return _what_is_asked(told[1]) if told else ""
