"""Citations: exact slices, checked, numbered in the order in which the answer uses them."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from index import Index
from qa.answer import AnswerSentence, Citation
from qa.claims import WORDING
from qa.evidence import Evidence

logger = logging.getLogger(__name__)

_MARKS = re.compile(r"\*{1,3}|`|^#+\s*", re.MULTILINE)
_NUMBERS = re.compile(r"\s*[\[【]\s*\d{1,2}(?:\s*[,;–-]\s*\d{1,2})*\s*[\]】]")
"""Citation marks that are not Dossier's own: `[1]`, `[1, 2]`, `[3-4]`. A year in brackets is none."""


@dataclass(frozen=True, slots=True)
class CitedAnswer:
    """The text of an answer with its sentences, its citations, and notes on what was left out."""

    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    notes: tuple[str, ...]


def cite(parts: Sequence[tuple[str, Sequence[Evidence]]], index: Index, dropped: Sequence[str]) -> CitedAnswer:
    """Number the evidence of each sentence; evidence that is no exact slice of its document is not cited.

    Args:
        parts: Sentences of the answer with what each cites.
        index: The generation that the evidence is from.
        dropped: Claims of the draft that nothing supports.
    """
    numbers: dict[tuple[str, int, int], int] = {}
    citations: list[Citation] = []
    sentences: list[AnswerSentence] = []
    lines: list[str] = []
    for written, evidence in parts:
        text = without_marks(written)
        if not text:
            continue
        cited: list[int] = []
        for sentence in evidence:
            place = (sentence.document, sentence.start, sentence.end)
            if place not in numbers:
                citation = _citation(len(citations) + 1, sentence, index)
                if citation is None:
                    continue
                numbers[place] = citation.number
                citations.append(citation)
            if numbers[place] not in cited:
                cited.append(numbers[place])
        sentences.append(AnswerSentence(text, tuple(cited), supported=bool(cited)))
        lines.append(" ".join([text, *(f"[{number}]" for number in cited)]))
    notes = (_left_out(dropped),) if dropped else ()
    return CitedAnswer(" ".join(lines), tuple(sentences), tuple(citations), notes)


def _left_out(claims: Sequence[str]) -> str:
    """The note on what the model wrote and nothing that is quoted holds."""
    checkable = ", ".join(dict.fromkeys(claim for claim in claims if claim != WORDING))
    missing = f"state it ({checkable})" if checkable else "say it in these words"
    return f"Part of the draft was left out because what is quoted does not {missing}."


def without_marks(written: str) -> str:
    """Text on one line without Markdown and without citation marks, those that removing others makes included."""
    text = _MARKS.sub("", " ".join(written.split()))
    while (less := _NUMBERS.sub("", text)) != text:
        text = less
    return text.strip()


def _citation(number: int, sentence: Evidence, index: Index) -> Citation | None:
    document = index.documents[sentence.document]
    quote = document.text[sentence.start : sentence.end]
    if quote != sentence.text or not quote:
        logger.error("%s[%d:%d] is not what was cited", sentence.document, sentence.start, sentence.end)
        return None
    return Citation(
        number=number,
        document=document.path,
        title=document.title,
        published=document.published,
        url=document.url,
        start=sentence.start,
        end=sentence.end,
        quote=quote,
        page=document.page_of(sentence.start),
    )
