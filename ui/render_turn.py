"""A whole turn, in each state it passes through: searching, waiting, writing, answered, stopped, failed."""

from __future__ import annotations

from html import escape

from qa.answer import Answer, EvidenceFound
from ui.export import answer_text
from ui.render import (
    SHOWN_EARLIER,
    SHOWN_PASSAGES,
    answer_html,
    basis_html,
    draft_html,
    evidence_html,
    text_html,
    understood_html,
)


def turn_html(
    number: int,
    question: str,
    *,
    found: EvidenceFound | None = None,
    draft: str = "",
    status: str = "Searching the documents…",
) -> str:
    """A turn under way; `status` says what is being waited for until the first word is there."""
    body = draft_html(draft) if draft else f'<div class="answer waiting" aria-busy="true"><p>{escape(status)}</p></div>'
    if found is None:
        return _turn(number, question, "", body, "")
    understood = understood_html(question, found.standalone_question)
    return _turn(number, question, understood, body, evidence_html(found.passages, found.search_ms))


def answered_html(
    number: int,
    answer: Answer,
    *,
    turn: str = "",
    vote: int = 0,
    comment: str = "",
    earlier: bool = False,
    conversation: str = "",
) -> str:
    """A finished turn with what can be done with it.

    `turn` is its id among the stored ones; `vote` (-1, 0 or 1) and `comment` are what its reader thought of it. Beside
    an `earlier` turn, less of the evidence stands open. With a `conversation`, the page's address takes its id as soon
    as the turn is drawn.
    """
    refused = answer.abstained and answer.reason != "false_premise"
    heading = "Related reading, not an answer" if refused else "Evidence found"
    most = SHOWN_EARLIER if earlier else SHOWN_PASSAGES
    return _turn(
        number,
        answer.question,
        understood_html(answer.question, answer.standalone_question),
        answer_html(answer) + _actions(answer, turn, vote) + _comment(comment),
        evidence_html(answer.passages, answer.timings.search_ms, heading=heading, most=most),
        conversation,
    )


def stopped_html(number: int, question: str, draft: str = "", found: EvidenceFound | None = None) -> str:
    """A turn that was stopped: what was written so far was never checked, and says so."""
    written = f'<p class="unchecked" dir="auto">{text_html(draft)}</p>' if draft else ""
    more = " What was written so far was not checked against the documents." if draft else ""
    body = f'<div class="answer stopped"><p class="verdict">Stopped.{more}</p>{written}</div>{_again(question)}'
    return _turn(number, question, "", body, evidence_html(found.passages, found.search_ms) if found else "")


def failed_html(
    number: int, question: str, message: str, verdict: str = "Something went wrong; this is no answer."
) -> str:
    """A turn that ended in a fault; never mistaken for a refusal."""
    body = (
        f'<div class="answer fault" role="alert"><p class="verdict">{escape(verdict)}</p>'
        f'<p dir="auto">{text_html(message)}</p></div>{_again(question)}'
    )
    return _turn(number, question, "", body, "")


def _turn(number: int, question: str, understood: str, body: str, evidence: str, conversation: str = "") -> str:
    kept = f' data-kept="{text_html(conversation)}"' if conversation else ""
    return (
        f'<article class="turn" data-turn="{number}" aria-label="Question {number}"{kept}>'
        f'<div class="asked"><h2 dir="auto">{text_html(question)}</h2>{understood}</div>'
        f'<div class="said">{body}</div>{evidence}</article>'
    )


def _again(question: str) -> str:
    return (
        '<div class="actions"><button type="button" data-action="edit" '
        f'data-question="{text_html(question)}">Ask again</button></div>'
    )


def _comment(comment: str) -> str:
    return f'<p class="quiet kept" dir="auto">Your comment: {text_html(comment)}</p>' if comment else ""


def _actions(answer: Answer, turn: str, vote: int) -> str:
    votes = ""
    if turn:
        votes = "".join(
            f'<button type="button" data-action="vote" data-turn-id="{text_html(turn)}" data-vote="{value}" '
            f'aria-pressed="{"true" if vote == value else "false"}">{name}</button>'
            for value, name in ((1, "Helpful"), (-1, "Not helpful"))
        )
    return (
        f'<div class="actions">{basis_html(answer)}<span class="spread"></span>'
        f'<button type="button" data-action="copy" data-copy="{text_html(answer_text(answer))}">Copy</button>'
        f'<button type="button" data-action="edit" data-question="{text_html(answer.question)}">Ask again</button>'
        f"{votes}</div>"
    )
