"""Conversations and votes, kept on this machine in one SQLite file. Each owner sees their own."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from corpus.errors import DossierError
from qa.answer import Answer
from ui.stored_answer import answer_from_json

FORMAT = 1
TITLE_LENGTH = 90
HASHES = "document_hashes"
"""Stored beside the fields of the answer."""
SCHEMA = """
CREATE TABLE conversation (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL);
CREATE INDEX conversation_owner ON conversation (owner, updated);
CREATE TABLE turn (
  id TEXT PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  question TEXT NOT NULL, said TEXT NOT NULL, answer TEXT NOT NULL, created TEXT NOT NULL,
  vote INTEGER NOT NULL DEFAULT 0, comment TEXT NOT NULL DEFAULT '');
CREATE INDEX turn_conversation ON turn (conversation);
"""


class ConversationError(DossierError):
    """The file of conversations cannot be used, or a conversation is not there."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One entry of the list of past conversations."""

    id: str
    title: str
    updated: str
    """ISO time, UTC."""
    turns: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One answered question, with what its reader thought of the answer."""

    id: str
    answer: Answer
    vote: int = 0
    """-1, 0 or 1."""
    comment: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """The hash that each cited document had when the answer was given."""


@dataclass(frozen=True, slots=True)
class Conversations:
    """The file at `path`; it is made on first use, readable by its user alone."""

    path: Path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.path.touch(mode=0o600)
            connection = sqlite3.connect(self.path, timeout=10)
            try:
                connection.execute("PRAGMA foreign_keys = ON")
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    self._check_format(connection)
                    yield connection
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as fault:
            raise ConversationError(
                f"Conversations in {self.path} cannot be used: {fault}. Move that file away."
            ) from fault

    def _check_format(self, connection: sqlite3.Connection) -> None:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found == 0:
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        elif found != FORMAT:
            raise ConversationError(
                f"{self.path} has format {found}, this version reads {FORMAT}. Move that file away."
            )

    def add(
        self, owner: str, conversation: str, answer: Answer, hashes: Mapping[str, str] | None = None
    ) -> tuple[str, str]:
        """Store an answered turn, with the hashes of the documents that it cites.

        An unknown or empty `conversation` starts a new one. Returns both ids.
        """
        whole = {**answer.to_json(), HASHES: dict(hashes or {})}
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        turn = secrets.token_hex(8)
        with self._open() as connection:
            if not self._owned(connection, owner, conversation):
                conversation = secrets.token_hex(8)
                title = " ".join(answer.question.split())[:TITLE_LENGTH]
                connection.execute(
                    "INSERT INTO conversation VALUES (?, ?, ?, ?, ?)", (conversation, owner, title, now, now)
                )
            connection.execute(
                "INSERT INTO turn (id, conversation, question, said, answer, created) VALUES (?, ?, ?, ?, ?, ?)",
                (turn, conversation, answer.question, answer.text, json.dumps(whole), now),
            )
            connection.execute("UPDATE conversation SET updated = ? WHERE id = ?", (now, conversation))
        return conversation, turn

    def _owned(self, connection: sqlite3.Connection, owner: str, conversation: str) -> bool:
        row = connection.execute(
            "SELECT 1 FROM conversation WHERE id = ? AND owner = ?", (conversation, owner)
        ).fetchone()
        return row is not None

    def find(self, owner: str, words: str = "", limit: int = 200) -> list[Conversation]:
        """Conversations of `owner`, newest first, whose questions or answers hold each of `words`."""
        pattern = [f"%{_escape_like(word)}%" for word in words.split()[:10]]
        said = "(question || ' ' || said) LIKE ? ESCAPE '\\'"
        condition = f" AND EXISTS (SELECT 1 FROM turn WHERE conversation = c.id AND {said})"  # noqa: S608  constant
        with self._open() as connection:
            rows = connection.execute(
                "SELECT id, title, updated, (SELECT count(*) FROM turn WHERE conversation = c.id) FROM conversation c"  # noqa: S608  no input in it
                f" WHERE owner = ?{condition * len(pattern)} ORDER BY updated DESC LIMIT ?",
                (owner, *pattern, limit),
            ).fetchall()
        return [Conversation(*row) for row in rows]

    def turns(self, owner: str, conversation: str) -> list[Turn]:
        """The turns of a conversation, oldest first; empty where `owner` has none of that id."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT t.id, t.answer, t.vote, t.comment FROM turn t JOIN conversation c ON c.id = t.conversation"
                " WHERE c.id = ? AND c.owner = ? ORDER BY t.created",
                (conversation, owner),
            ).fetchall()
        return [_turn(*row) for row in rows]

    def title(self, owner: str, conversation: str) -> str:
        """The first question of a conversation.

        :raises ConversationError: `owner` has none of that id.
        """
        with self._open() as connection:
            row = connection.execute(
                "SELECT title FROM conversation WHERE id = ? AND owner = ?", (conversation, owner)
            ).fetchone()
        if row is None:
            raise ConversationError("There is no such conversation.")
        return str(row[0])

    def delete(self, owner: str, conversation: str) -> None:
        """Remove a conversation and its turns for good."""
        with self._open() as connection:
            connection.execute("DELETE FROM conversation WHERE id = ? AND owner = ?", (conversation, owner))

    def vote(self, owner: str, turn: str, value: int, comment: str | None = None) -> None:
        """Keep what its reader thinks of an answer: -1, 0 or 1; a `comment` replaces an earlier one."""
        mine = "id = ? AND conversation IN (SELECT id FROM conversation WHERE owner = ?)"
        with self._open() as connection:
            connection.execute(f"UPDATE turn SET vote = ? WHERE {mine}", (max(-1, min(1, value)), turn, owner))  # noqa: S608  constant
            if comment is not None:
                connection.execute(f"UPDATE turn SET comment = ? WHERE {mine}", (comment[:2000], turn, owner))  # noqa: S608  constant

    def voted(self) -> Iterator[Turn]:
        """Every turn with a vote or a comment, oldest first: candidates for new evaluation questions."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT id, answer, vote, comment FROM turn WHERE vote != 0 OR comment != '' ORDER BY created"
            ).fetchall()
        for row in rows:
            yield _turn(*row)


def _turn(turn: str, answer: str, vote: int, comment: str) -> Turn:
    stored = json.loads(answer)
    return Turn(turn, answer_from_json(stored), vote, comment, stored.get(HASHES, {}))


def _escape_like(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
