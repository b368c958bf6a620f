"""An answer or a conversation as Markdown and JSON, to take away. Text of documents cannot become markup in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from qa.answer import Answer, Citation
from ui.conversations import Turn
from ui.words import REASONS, date_words, plain

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~$&])")
LINE_START = re.compile(r"^(\s*)([-+=>]|\d+[.)])", re.MULTILINE)


def answer_text(answer: Answer) -> str:
    """The answer and its numbered sources as plain text, for the clipboard."""
    said = answer.text or (REASONS[answer.reason] if answer.reason else "")
    sources = [f"[{c.number}] {_source(c)}: “{c.quote}”{f' {c.url}' if c.url else ''}" for c in answer.citations]
    return plain("\n".join([answer.question, "", said, *([""] if sources else []), *sources]))


def _source(citation: Citation) -> str:
    parts = (
        citation.title or citation.document,
        date_words(citation.published),
        f"page {citation.page}" if citation.page else "",
    )
    return ", ".join(part for part in parts if part)


def markdown_text(text: str) -> str:
    """`text` so that Markdown shows it as it is: no link, image, HTML or formula can come out of it."""
    escaped = SPECIAL.sub(r"\\\1", plain(text))
    return LINE_START.sub(
        lambda match: f"{match[1]}\\{match[2]}" if not match[2][0].isdigit() else _number(match), escaped
    )


def _number(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2][:-1]}\\{match[2][-1]}"


def conversation_markdown(title: str, turns: Sequence[Turn]) -> str:
    """Every answered turn with its quotes, dates, places in the documents, and the documents' hashes."""
    parts = [f"# {markdown_text(title)}"]
    for turn in turns:
        answer = turn.answer
        parts.append(f"## {markdown_text(answer.question)}")
        if answer.standalone_question.strip() != answer.question.strip():
            parts.append(f"Understood as: {markdown_text(answer.standalone_question)}")
        if answer.abstained and answer.reason:
            parts.append(f"**{REASONS[answer.reason]}**")
        if answer.text:
            parts.append(markdown_text(answer.text))
        parts += [f"> {markdown_text(' '.join(note.split()))}" for note in answer.notes]
        parts += [_citation_markdown(citation) for citation in answer.citations]
        parts += [f"SHA-256 of {markdown_text(path)}: {markdown_text(value)}" for path, value in turn.hashes.items()]
        parts.append(f"Model {markdown_text(answer.model)}, index generation {markdown_text(answer.index.generation)}.")
    return "\n\n".join(parts) + "\n"


def _citation_markdown(citation: Citation) -> str:
    link = f" <{citation.url}>" if re.fullmatch(r"https?://[^\s<>]+", citation.url) else ""
    quote = markdown_text(" ".join(citation.quote.split()))
    place = f"{citation.document}:{citation.start}-{citation.end}"
    return f"\\[{citation.number}\\] {markdown_text(_source(citation))} ({markdown_text(place)}){link}  \n“{quote}”"


def conversation_json(title: str, turns: Sequence[Turn]) -> dict[str, Any]:
    """The whole answers, each with the hashes that its cited documents had then: a quote can be checked later."""
    return {"title": title, "answers": [{**turn.answer.to_json(), "documents": dict(turn.hashes)} for turn in turns]}
