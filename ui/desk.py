"""What the page's handlers do: one method each, without Gradio, so that each can be tested by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.document import Document
from qa.answer import Answer, Draft, EvidenceFound
from qa.followup import leans_on_history
from qa.question import read_history
from qa.timeline import Timeline
from ui.adding import Adder
from ui.conversations import ConversationError, Conversations, Turn
from ui.index_news import IndexNews
from ui.render_lists import banner_html, conversations_html, documents_html, reports_html, welcome_html
from ui.render_source import gone_html, panel_html
from ui.render_turn import answered_html, failed_html, stopped_html, turn_html
from ui.runs import Failed, Line, Run, Runs, Stopped, Waiting

if TYPE_CHECKING:
    from qa.pipeline import Pipeline

log = logging.getLogger(__name__)
FRAME = 0.06
"""Seconds between two drafts sent to the page: as fast as eyes follow, and no faster."""
REPORT_FILE = "report.html"
SHOWN_QUESTION = 2000
"""Characters of a question that the page repeats."""


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows of a conversation while a question is under way; None leaves a part as it is."""

    current: str
    past: str | None = None
    conversation: str = ""
    said: str = ""
    """For screen readers: what just happened."""
    ended: bool = False


@dataclass(frozen=True)
class Desk:
    """One pipeline, the conversations about its documents, and the questions under way."""

    pipeline: Pipeline
    conversations: Conversations
    runs_folder: Path = Path("evals") / "runs"
    """Where the runs of the evaluation are."""
    adder: Adder | None = None
    """What adds documents from the page; without one, nothing can be added there."""
    line: Line = field(default_factory=Line)
    runs: Runs = field(default_factory=Runs)
    news: IndexNews = field(default_factory=IndexNews)
    timeline: Timeline = field(default_factory=Timeline)

    def ask(self, question: str, conversation: str, owner: str, session: str) -> Iterator[View]:
        """Ask in a conversation; the first view shows the question at once. Closing it stops the work."""
        shown = question[:SHOWN_QUESTION]
        try:
            turns = self.conversations.turns(owner, conversation)
        except ConversationError as fault:
            yield View(failed_html(1, shown, str(fault)), "", said=str(fault), ended=True)
            return
        past = _turns_html(turns, earlier=len(turns))
        number = len(turns) + 1
        history = [
            message
            for turn in turns
            for message in (
                {"role": "user", "content": turn.answer.standalone_question},
                {"role": "assistant", "content": turn.answer.text},
            )
        ]
        alone = not history or not leans_on_history(question, read_history(history))
        run = Run(lambda stop: self.pipeline.stream(question, history, stop), self.line, evidence_first=alone)
        self.runs.start(session, run)
        yield View(turn_html(number, shown), past, conversation, "Searching the documents.")
        try:
            yield from self._follow(run, number, shown, conversation, owner)
        finally:
            self.runs.finish(session, run)

    def _follow(self, run: Run, number: int, question: str, conversation: str, owner: str) -> Iterator[View]:
        found: EvidenceFound | None = None
        draft = ""
        drawn = 0.0
        for step in run.steps():
            if isinstance(step, EvidenceFound):
                found = step
                said = f"{len(step.passages)} passages found. Writing the answer."
                yield View(turn_html(number, question, found=found, status="Reading the evidence…"), said=said)
            elif isinstance(step, Waiting):
                ahead = "1 question is" if step.before == 1 else f"{step.before} questions are"
                status = f"In line: {ahead} before yours."
                yield View(turn_html(number, question, found=found, status=status), said=status)
            elif isinstance(step, Draft):
                draft = step.text
                if time.monotonic() - drawn >= FRAME:
                    drawn = time.monotonic()
                    yield View(turn_html(number, question, found=found, draft=draft))
            elif isinstance(step, Answer):
                yield self._finished(step, number, conversation, owner)
            elif isinstance(step, Stopped):
                yield View(stopped_html(number, question, draft, found), said="Stopped.", ended=True)
            elif isinstance(step, Failed):
                yield View(failed_html(number, question, step.message, step.verdict), said=step.message, ended=True)

    def _finished(self, answer: Answer, number: int, conversation: str, owner: str) -> View:
        """The answer, stored; one that cannot be stored is shown all the same."""
        said = answer.text or "The documents give no answer."
        try:
            stored, turn = self.conversations.add(owner, conversation, answer, self._hashes(answer))
        except ConversationError as fault:
            log.warning("%s", fault)
            return View(answered_html(number, answer), said=f"{said} This conversation is not kept.", ended=True)
        html = answered_html(number, answer, turn=turn, conversation=stored)
        return View(html, conversation=stored, said=said, ended=True)

    def _hashes(self, answer: Answer) -> dict[str, str]:
        """The hash of each cited document; none where the index was replaced since and the document is gone."""
        cited = {citation.document for citation in answer.citations}
        documents = self.pipeline.index.documents
        return {path: documents[path].content_hash for path in sorted(cited) if path in documents}

    def stop(self, session: str) -> None:
        """Stop what a session asked."""
        self.runs.stop(session)

    def source(self, place: Mapping[str, Any]) -> str:
        """The source panel for what was clicked: `document`, `start`, `end`, optionally `also` and `label`."""
        document = self.pipeline.index.documents.get(str(place.get("document", "")))
        if document is None:
            return gone_html("This document is no longer in the corpus.")
        start, end = _span(place.get("start"), place.get("end"), document)
        given = place.get("also")
        pairs = [pair for pair in given if isinstance(pair, list) and len(pair) == 2] if isinstance(given, list) else []
        also = [_span(low, high, document) for low, high in pairs]
        return panel_html(document, (start, end), also, str(place.get("label", ""))[:40])

    def past(self, owner: str, conversation: str) -> str:
        """The finished turns of a conversation, or a welcome where there is none."""
        turns = self.conversations.turns(owner, conversation)
        if not turns:
            return welcome_html(self.pipeline.index.documents)
        return _turns_html(turns, earlier=len(turns) - 1)

    def banner(self) -> str:
        """Which index and which model serve."""
        index = self.pipeline.index
        generator = self.pipeline.generator
        return banner_html(
            len(index.documents), index.generation, generator.name, generator.engine, self.news.words(index)
        )

    def list_conversations(self, owner: str, words: str, open_now: str) -> str:
        """The past conversations of an owner that hold `words`."""
        return conversations_html(self.conversations.find(owner, words), open_now)

    def list_documents(self) -> str:
        """The documents of the index, as a table and a timeline."""
        index = self.pipeline.index
        counts = {entry.path: entry.chunks for entry in index.manifest.documents}
        removed = self.adder.removed() if self.adder else None
        return documents_html(dict(index.documents.items()), counts, self.timeline.events(index), removed)

    def list_reports(self) -> str:
        """The last runs of the evaluation that have a report, newest first."""
        reports = sorted(self.runs_folder.glob(f"*/{REPORT_FILE}"), key=lambda file: file.stat().st_mtime, reverse=True)
        return reports_html([file.parent.name for file in reports[:20]])


def _turns_html(turns: Sequence[Turn], *, earlier: int) -> str:
    """Finished turns, the first `earlier` of them with less evidence beside them."""
    return "".join(
        answered_html(place, turn.answer, turn=turn.id, vote=turn.vote, comment=turn.comment, earlier=place <= earlier)
        for place, turn in enumerate(turns, start=1)
    )


def _span(start: object, end: object, document: Document) -> tuple[int, int]:
    """Offsets from the page, which can say anything, kept inside the document."""
    try:
        low, high = int(str(start)), int(str(end))
    except ValueError:
        return 0, 0
    return max(0, min(low, len(document.text))), max(0, min(high, len(document.text)))
