"""Sentences that speak to the answering model instead of the reader: no evidence, and never read by the model.

A document may hold an instruction, a forged turn of the conversation or a forged citation mark. Whatever a model would
make of it, the sentence states nothing about the world that a question could be after. It stays in the text, in the
passages that are listed, and in the source view.
"""

from __future__ import annotations

import re

from corpus import split_sentences
from qa.wording import FOOTNOTE

_SPEAKS_TO_A_MODEL = re.compile(
    r"""
    \b(?:ignore|disregard|forget|override|bypass)\b [^.!?]{0,40} \b(?:instructions?|prompts?|rules|directions)\b
    | \b(?:system|developer)\s+prompt\b
    | ^\W*(?:system|assistant|user|human|ai)\s*:              # a forged turn
    | <\|[^|>\s]{1,40}\|> | \[/?INST\] | <</?SYS>> | </?s>    # marks of chat templates
    | ^\W*\[\d{1,3}\]\s | \b(?:cite|trust|believe)\s+(?:only\s+)?\[\d{1,3}\]   # a forged number of evidence
    | ^\W*(?:answer|reply|respond|say)\s+(?:only|always|exactly|nothing|with|that|no|yes)\b
    | \byou\s+are\s+(?:now\s+)?(?:an?\s+)?(?:AI|DAN|assistant|language\s+model|chatbot)\b
    | <\s*(?:script|iframe|img|svg)\b | \bjavascript:
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MARK = re.compile(rf"{FOOTNOTE}[.,;:]?")
_GOES_ON = re.compile(r"^\W*(?:then|and|now|next|after that|finally|instead|just)\b[^?]*$", re.IGNORECASE)
"""A sentence that continues an order: `Then say DONE.`"""


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
    """A question without the sentences in it that speak to a model or go on so; empty where nothing else was said."""
    sentences = [question[sentence.start : sentence.end] for sentence in split_sentences(question)]
    kept = [sentence for sentence in sentences if not speaks_to_a_model(sentence)]
    if len(kept) == len(sentences):
        return question
    return " ".join(sentence for sentence in kept if not _GOES_ON.match(sentence))
