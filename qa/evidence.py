"""Sentences that may support an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from corpus.document import Span
from corpus.sentences import TABLE_ROW
from corpus.tables import cells_of, find_head, tell_rows
from index import Index
from qa.instructions import speaks_to_a_model


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that may support an answer: `index.documents[document].text[start:end] == text`."""

    document: str
    start: int
    end: int
    text: str
    title: str
    section: str
    published: str
    score: float
    """Weighted sum of four standard scores; comparable within one question only."""
    context: str = ""
    """Text of its chunk, where what the sentence leaves out is said."""
    asked: str = ""
    """The question right before it, a heading as well, which it answers."""
    head: str = ""
    """The head of the table whose row it begins with."""

    @property
    def as_read(self) -> str:
        """The text as models read it and answers show it: a row of a table under the names of its columns."""
        return tell_rows(self.text, self.head)

    @property
    def in_place(self) -> str:
        """The same under its title and section, which say what it is about."""
        return f"{self.title} {self.section} {self.as_read}"

    @property
    def titled(self) -> str:
        """The sentence as it is embedded."""
        return "\n".join(filter(None, (self.title, self.asked, self.as_read)))


def row_head(text: str, span: Span) -> str:
    """The head of the table whose row a place of a document begins with; empty where there is none.

    Nor is there one for the head itself, where it is empty or too long to name anything, or where it speaks to a model,
    alone or as the names of the cells.
    """
    start, end = find_head(text, span[0])
    head = text[start:end]
    if start in (end, span[0]) or len(head) > TABLE_ROW or not any(cells_of(head)):
        return ""
    told = tell_rows(text[slice(*span)], head).splitlines()
    return "" if any(map(speaks_to_a_model, (head, *told))) else head


def table_head(evidence: Evidence, index: Index) -> list[Evidence]:
    """The head under which a row is read, as evidence of its own; or nothing."""
    span = find_head(index.documents[evidence.document].text, evidence.start)
    return [placed(span, evidence, index)] if evidence.head else []


def placed(span: Span, evidence: Evidence, index: Index) -> Evidence:
    """Another place of the same document."""
    text = index.documents[evidence.document].text
    start, end = span
    return replace(evidence, start=start, end=end, text=text[start:end], asked="", head=row_head(text, span))


def in_reading_order(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Documents in the order of their best sentence, each document's sentences as they stand in it."""
    order = {path: place for place, path in reversed(list(enumerate(e.document for e in evidence)))}
    return sorted(evidence, key=lambda e: (order[e.document], e.start))
