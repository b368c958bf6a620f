"""A turn of the conversation as HTML. Every text is escaped here, and nowhere else is HTML made of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from typing import TypeAlias

from corpus.document import Span
from qa.answer import Answer, AnswerSentence, Citation, Passage
from ui.words import REASONS, confidence_words, date_words, disagreement, note_kind, plain

Mark: TypeAlias = tuple[int, int, str]
"""Where a mark begins and ends, and the class of its element; empty for none."""
MARKER = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)
BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
LONGEST_TAIL = 24
"""Characters of a last word that is kept on one line with its citation."""
SHOWN_PASSAGES = 4
"""Passages that stand open beside the turn that is read, and beside an earlier one."""
SHOWN_EARLIER = 2
EXCERPT = 240
"""Characters of a passage without an evidence sentence that its card shows."""


def text_html(text: str) -> str:
    """`text` escaped for element content and quoted attributes, without control characters."""
    return escape(plain(text), quote=True)


def source_html(text: str) -> str:
    """Words of a document, escaped; the asterisks of Markdown's bold stay in the text and are not shown."""
    return text_html(text).replace("**", '<span class="bold-mark">**</span>')


def marked_html(text: str, part: Span, marks: Sequence[Mark], as_html: Callable[[str], str] = source_html) -> str:
    """Part of a text, escaped, with what of the marks lies in it; they are in order and do not overlap."""
    at, end = part
    html = ""
    for first, past, kind in marks:
        low, high = max(at, first), min(end, past)
        if low < high:
            named = f' class="{kind}"' if kind else ""
            html += f"{as_html(text[at:low])}<mark{named}>{as_html(text[low:high])}</mark>"
            at = high
    return html + as_html(text[at:end])


def evidence_html(
    passages: Sequence[Passage], search_ms: float, *, heading: str = "Evidence found", most: int = SHOWN_PASSAGES
) -> str:
    """The passages as cards: those with evidence sentences stand open, up to `most`, the rest behind a fold."""
    if not passages:
        return '<aside class="evidence"><h3>Nothing found in the documents</h3></aside>'
    evidence = [passage for passage in passages if passage.highlights]
    shown = evidence[:most] or list(passages[:most])
    rest = [_card(passage) for passage in passages if passage not in shown]
    more = "1 more passage" if len(rest) == 1 else f"{len(rest)} more passages"
    folded = f"<details><summary>{more}</summary><ol>{''.join(rest)}</ol></details>" if rest else ""
    timed = f' title="found in {search_ms / 1000:.2f} s"' if search_ms else ""
    return (
        f'<aside class="evidence" aria-label="{escape(heading)}"><h3{timed}>{escape(heading)}</h3>'
        f"<ol>{''.join(_card(passage) for passage in shown)}</ol>{folded}</aside>"
    )


def _card(passage: Passage) -> str:
    start, end = passage.highlights[0] if passage.highlights else (passage.start, passage.end)
    dated = f" <time>{text_html(date_words(passage.published))}</time>" if passage.published else ""
    return (
        f'<li><button type="button" class="card" {_place(passage.document, start, end)}>'
        f'<span class="title" dir="auto">{text_html(passage.title or passage.document)}</span>{dated}'
        f'<span class="words" dir="auto">{_excerpt(passage)}</span></button></li>'
    )


def _excerpt(passage: Passage) -> str:
    """Up to two evidence sentences, marked; without one, the beginning of the passage."""
    if not passage.highlights:
        text = HEADING.sub("", passage.text)
        cut = text[:EXCERPT].rsplit(" ", 1)[0] if len(text) > EXCERPT else text
        return source_html(cut) + ("…" if len(cut) < len(text) else "")
    parts = []
    for start, end in passage.highlights[:2]:
        words = passage.text[max(0, start - passage.start) : max(0, end - passage.start)]
        parts.append(f"<mark>{source_html(words)}</mark>")
    return " … ".join(parts)


def _place(document: str, start: int, end: int) -> str:
    return f'data-document="{text_html(document)}" data-start="{start}" data-end="{end}"'


def citation_html(citation: Citation) -> str:
    """The number of a citation as a button; title, date and the quoted words appear on hover and focus."""
    where = ", ".join(
        part
        for part in (
            citation.title or citation.document,
            date_words(citation.published),
            f"page {citation.page}" if citation.page else "",
        )
        if part
    )
    return (
        f'<span class="cite"><button type="button" class="number" data-number="{citation.number}" '
        f"{_place(citation.document, citation.start, citation.end)} "
        f'aria-label="Source {citation.number}: {text_html(where)}" '
        f'aria-description="{text_html(citation.quote)}">{citation.number}</button>'
        f'<span class="tip" role="tooltip"><b>{text_html(where)}</b> '
        f'<q dir="auto">{source_html(citation.quote)}</q></span></span>'
    )


def draft_html(text: str) -> str:
    """What the model has written so far; its citation numbers cannot be opened before the answer is checked."""
    body = MARKER.sub(lambda match: f"<sup>{match[1]}</sup>", text_html(text))
    return f'<div class="answer draft" aria-busy="true"><p dir="auto">{body}<span class="caret"></span></p></div>'


def answer_html(answer: Answer) -> str:
    """The checked answer: its sentences with their citations, or the refusal, then notes and what stands behind it."""
    if answer.abstained and answer.reason != "false_premise":
        return _refusal(answer)
    lead = ""
    if answer.abstained:
        lead = f'<p class="verdict">{escape(REASONS["false_premise"])}</p>'
    kind = "answer premise" if answer.abstained else "answer"
    return f'<div class="{kind}">{lead}{_body(answer)}</div>{_notes(answer)}'


def _refusal(answer: Answer) -> str:
    verdict = REASONS[answer.reason] if answer.reason else "The documents give no answer."
    said = MARKER.sub("", answer.text).strip()
    more = f'<p dir="auto">{text_html(said)}</p>' if said and said.casefold() != verdict.casefold() else ""
    return f'<div class="answer refusal"><p class="verdict">{escape(verdict)}</p>{more}</div>{_notes(answer)}'


def _body(answer: Answer) -> str:
    chips = {citation.number: citation_html(citation) for citation in answer.citations}
    whole = AnswerSentence(MARKER.sub("", answer.text), _numbers(answer.text), supported=True)
    sentences = answer.sentences or (whole,)
    blocks: list[str] = []
    items: list[str] = []
    running: list[str] = []

    def flush() -> None:
        if running:
            blocks.append(f'<p dir="auto">{" ".join(running)}</p>')
            running.clear()
        if items:
            blocks.append(f"<ul>{''.join(items)}</ul>")
            items.clear()

    for sentence in sentences:
        bullet = BULLET.match(sentence.text)
        if sentence.quoted or bool(bullet) != bool(items):
            flush()
        if sentence.quoted:
            blocks.append(f'<blockquote dir="auto">{_sentence(sentence, chips)}</blockquote>')
        elif bullet:
            items.append(f'<li dir="auto">{_sentence(sentence, chips)}</li>')
        else:
            running.append(_sentence(sentence, chips))
    flush()
    return "".join(blocks)


def _numbers(text: str) -> tuple[int, ...]:
    found = [int(number) for match in MARKER.finditer(text) for number in match[1].split(",")]
    return tuple(dict.fromkeys(found))


def _sentence(sentence: AnswerSentence, chips: dict[int, str]) -> str:
    cited = "".join(chips.get(number, "") for number in sentence.citations)
    bullet = BULLET.match(sentence.text)
    words = _with_tail(sentence, bullet.end() if bullet else 0, cited)
    if sentence.supported:
        return f'<span class="sentence">{words}</span>'
    return f'<span class="sentence unsupported">{words} <span class="flag">not supported by the documents</span></span>'


def _with_tail(sentence: AnswerSentence, start: int, cited: str) -> str:
    """The words from a place on with their citations after them, which a line never begins with."""
    end = len(sentence.text.rstrip())
    last = sentence.text.rfind(" ", start, end) + 1 or start
    if not cited or end - last > LONGEST_TAIL:
        return _words(sentence, start, end) + cited
    return f'{_words(sentence, start, last)}<span class="tail">{_words(sentence, last, end)}{cited}</span>'


def _words(sentence: AnswerSentence, start: int, end: int) -> str:
    """Part of a sentence, with what is marked in it."""
    return marked_html(sentence.text, (start, end), [(*span, "") for span in sentence.marked], text_html)


def _notes(answer: Answer) -> str:
    shown = []
    for note in answer.notes:
        kind = note_kind(note)
        sides = disagreement(note)
        if sides:
            body = f"<p>Sources disagree.</p>{_two_sides(sides, answer.passages)}"
        elif kind == "disagree" and len(answer.citations) > 1:
            body = f'<p dir="auto">{text_html(note)}</p>{_side_by_side(answer.citations)}'
        else:
            body = f'<p dir="auto">{text_html(note)}</p>'
        shown.append(f'<div class="note {kind}">{body}</div>')
    return f'<div class="notes">{"".join(shown)}</div>' if shown else ""


def _two_sides(sides: Sequence[tuple[str, str]], passages: Sequence[Passage]) -> str:
    """What each of the two sources says, as the note gives it; its title opens the words where they were retrieved."""
    cells = [
        f'<li>{_side_title(source, words, passages)}<q dir="auto">{source_html(words)}</q></li>'
        for source, words in sides
    ]
    return f'<ul class="beside">{"".join(cells)}</ul>'


def _side_title(source: str, words: str, passages: Sequence[Passage]) -> str:
    # The note has the words on one line and may have cut them, which it marks with an ellipsis.
    pattern = re.compile(r"\s+".join(re.escape(word) for word in words.removesuffix("…").split()))
    for passage in passages:
        found = pattern.search(passage.text) if source.startswith(passage.title) else None
        if found:
            place = _place(passage.document, passage.start + found.start(), passage.start + found.end())
            return f'<button type="button" class="card-link title" {place} dir="auto">{text_html(source)}</button>'
    return f'<span class="title" dir="auto">{text_html(source)}</span>'


def _side_by_side(citations: Sequence[Citation]) -> str:
    """What each source says, with its date, oldest first."""
    cells = [
        f"<li><b>{text_html(date_words(citation.published) or 'undated')}</b> "
        f'<span class="title" dir="auto">{text_html(citation.title)}</span>'
        f'<q dir="auto">{source_html(citation.quote)}</q>{citation_html(citation)}</li>'
        for citation in sorted(citations, key=lambda citation: citation.published or "9999")
    ]
    return f'<ul class="beside">{"".join(cells)}</ul>'


def basis_html(answer: Answer) -> str:
    """Confidence in words; the number, the seconds and the model on hover."""
    percent = f"{answer.confidence * 100:.0f} %"
    words = confidence_words(answer.confidence)
    more = (
        f"{percent} that the documents answer this; {answer.timings.total_ms / 1000:.1f} s, {text_html(answer.model)}"
    )
    return (
        f'<span class="confidence" tabindex="0" role="img" title="{more}" aria-label="{words}, {percent}">'
        f'<i style="--share:{answer.confidence:.2f}"></i>{words}</span>'
    )


def understood_html(question: str, standalone: str) -> str:
    """How a follow-up was read, where that differs from what was typed."""
    if not standalone or standalone.strip() == question.strip():
        return ""
    return f'<p class="understood" dir="auto">Understood as: {text_html(standalone)}</p>'
