"""Citations: exact slices, checked, numbered in the order in which the answer uses them."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from index import Index
from qa.answer import AnswerSentence, Citation
from qa.evidence import Evidence

logger = logging.getLogger(__name__)

_EMPHASIS = re.compile(r"(?<![A-Za-z0-9_*])(\*{1,3})(?=[^\s*).,;:!?])([^*]*)(?<=[^\s*(])\1(?![A-Za-z0-9_*])")
_HALF_EMPHASIS = re.compile(r"(?<![A-Za-z0-9_*])\*{2,3}(?=[^\s*])|(?<=[^\s\d*])\*{2,3}(?![A-Za-z0-9_*])|`")
"""Marks whose partner stands in another sentence, and those of code. A lone star may be a sum's or a hotel's."""
_HEADING = re.compile(r"^#{1,6}\s+")
_ITEM = re.compile(r"^[-*+•]\s+")
_NUMBERED = re.compile(r"\d{1,3}[.)]\s")
_ENDS_CLAUSE = re.compile(r"[.,;:!?…。！？][\"'”’)*]*$")
_NUMBER = r"(?!0)\d{1,2}(?:\s*[,;–-]\s*(?!0)\d{1,2})*"
_NUMBERS = re.compile(
    r"(?:^|\s+|(?<=[^\w\s\]])|(?<=[^\W\d_]{2})|(?<=\b\d{4}))" + rf"(?:\[\s*{_NUMBER}\s*\]|【\s*{_NUMBER}\s*】)"
)
"""Citation marks that are not Dossier's own: `[1]`, `[1, 2]`, `[3-4]`; no year in brackets, no `[0, 1]`, no `a[1]`."""


QUOTED_INSTEAD = (
    "The model's own sentence is not shown, because what it cites does not state all of it; "
    "the answer is in the documents' words."
)
"""The note where a sentence gives no number, date or name that the model did not read, but no quote states all of it:
neither what it says beyond the question, which would be marked, nor every name that the question gives."""


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
        dropped: Claims of the draft, as it has them, that no passage which the model read holds.
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
    """The note on what the model wrote and no passage that it read states."""
    return f"Part of the draft was left out because no passage that was read states it ({', '.join(claims)})."


def without_marks(written: str) -> str:
    """Text on one line without Markdown and without citation marks, those that removing others makes included."""
    text = _HALF_EMPHASIS.sub("", _EMPHASIS.sub(r"\2", _on_one_line(written)))
    while (less := _NUMBERS.sub("", text)) != text:
        text = less
    return text.strip()


def _on_one_line(written: str) -> str:
    """The lines in one, without the marks of headings; a list as a sentence: `You may bring: a hat; a coat`."""
    text, listed = "", False
    for line in filter(None, (" ".join(line.split()) for line in written.splitlines())):
        words = _ITEM.sub("", line)
        item = words != line or (_NUMBERED.match(line) is not None and (listed or text.endswith(":")))
        mark = "" if not item or not text or _ENDS_CLAUSE.search(text) else ";"
        text += f"{mark} {_HEADING.sub('', words)}"
        listed = listed or item
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
