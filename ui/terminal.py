"""An answer and its passages as plain text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from qa.answer import Answer, Passage
from ui.words import REASONS, plain

WIDTH = 100


def answer_lines(answer: Answer) -> str:
    """The answer, its sources with their quotes, and its notes."""
    lines: list[str] = []
    if answer.standalone_question != answer.question:
        lines += [f"Understood as: {answer.standalone_question}", ""]
    if answer.abstained and answer.reason:
        lines.append(REASONS[answer.reason])
    if answer.text and (not answer.abstained or answer.reason == "false_premise"):
        lines += [_wrap(answer.text)]
    if answer.citations:
        lines.append("")
    for citation in answer.citations:
        dated = f", {citation.published}" if citation.published else ""
        paged = f", page {citation.page}" if citation.page else ""
        lines.append(f"[{citation.number}] {citation.title} ({citation.document}{dated}{paged})")
        lines.append(_wrap(f"“{citation.quote}”", "    "))
    if answer.abstained and answer.reason != "false_premise" and answer.passages:
        lines += ["", "Related reading, not an answer:"]
        lines += [
            f"  {passage.title or passage.document} ({passage.document})"
            for passage in _first_of_each(answer.passages)[:3]
        ]
    lines += ["", *(f"Note: {note}" for note in answer.notes)] if answer.notes else []
    return plain("\n".join(lines))


def passage_lines(passages: Sequence[Passage]) -> str:
    """The passages in rank order, each with its place and its text."""
    blocks = [
        f"{rank}. {passage.title or passage.document} "
        f"({passage.document}:{passage.start}-{passage.end}, {passage.score:.4f})\n{_wrap(passage.text, '   ')}"
        for rank, passage in enumerate(passages, start=1)
    ]
    return plain("\n\n".join(blocks) or "Nothing found.")


def _first_of_each(passages: Sequence[Passage]) -> list[Passage]:
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.document, passage)
    return list(first.values())


def _wrap(text: str, indent: str = "") -> str:
    paragraphs = (
        textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
        for line in text.splitlines()
    )
    return "\n".join(paragraphs)
