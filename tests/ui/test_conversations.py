# ruff: noqa: ANN401  the scripted pipeline is a class of conftest, which importlib mode does not let a test import
from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qa.answer import Answer
from ui.conversations import ConversationError, Conversations, Turn
from ui.export import answer_text, conversation_json, conversation_markdown, markdown_text
from ui.stored_answer import answer_from_json


@pytest.fixture
def store(tmp_path: Path) -> Conversations:
    return Conversations(tmp_path / "data" / "conversations.sqlite3")


@pytest.fixture
def answer(fake_pipeline: Any) -> Answer:
    return fake_pipeline.ask("Who lauded it?")


def test_an_answer_survives_its_json(answer: Answer) -> None:
    sentences = (replace(answer.sentences[0], marked=((0, 2), (3, 7))), *answer.sentences[1:])
    marked = replace(answer, sentences=sentences)
    assert answer_from_json(json.loads(json.dumps(marked.to_json()))) == marked


def test_an_answer_of_a_version_that_marked_nothing_is_read(answer: Answer) -> None:
    stored = answer.to_json()
    for sentence in stored["sentences"]:
        del sentence["marked"]
    assert answer_from_json(stored) == answer


def test_turns_come_back_in_order(store: Conversations, answer: Answer) -> None:
    conversation, _ = store.add("me", "", answer)
    second = replace(answer, question="And then?")
    assert store.add("me", conversation, second)[0] == conversation
    assert [turn.answer for turn in Conversations(store.path).turns("me", conversation)] == [answer, second]
    assert store.title("me", conversation) == "Who lauded it?"
    assert [entry.turns for entry in store.find("me")] == [2]


def test_nobody_sees_the_conversations_of_another(store: Conversations, answer: Answer) -> None:
    conversation, turn = store.add("me", "", answer)
    assert store.turns("you", conversation) == []
    assert store.find("you") == []
    with pytest.raises(ConversationError):
        store.title("you", conversation)
    store.delete("you", conversation)
    store.vote("you", turn, -1, "mine now")
    assert store.turns("me", conversation)[0].vote == 0
    stolen, _ = store.add("you", conversation, answer)
    assert stolen != conversation
    assert len(store.turns("me", conversation)) == 1


def test_search_takes_words_literally(store: Conversations, answer: Answer) -> None:
    store.add("me", "", replace(answer, question="100 % of it?"))
    store.add("me", "", replace(answer, question="Something else"))
    assert [entry.title for entry in store.find("me", "100 %")] == ["100 % of it?"]
    assert [entry.title for entry in store.find("me", "AUSTIN something")] == ["Something else"]
    assert store.find("me", "' OR 1=1 --") == []


def test_deleting_takes_the_turns_along(store: Conversations, answer: Answer) -> None:
    conversation, _ = store.add("me", "", answer)
    store.delete("me", conversation)
    assert store.find("me") == []
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM turn").fetchone() == (0,)
    connection.close()


def test_votes_and_comments_are_kept_with_the_whole_answer(store: Conversations, answer: Answer) -> None:
    _, turn = store.add("me", "", answer)
    store.vote("me", turn, -5, "wrong date")
    store.vote("me", turn, 1)
    (voted,) = store.voted()
    assert (voted.vote, voted.comment, voted.answer) == (1, "wrong date", answer)


def test_hashes_are_those_of_the_time_of_the_answer(store: Conversations, answer: Answer) -> None:
    conversation, _ = store.add("me", "", answer, {"a.md": "then"})
    store.add("me", conversation, answer)  # as stored before hashes were kept
    assert [dict(turn.hashes) for turn in store.turns("me", conversation)] == [{"a.md": "then"}, {}]


def test_ten_writers_lose_nothing(store: Conversations, answer: Answer) -> None:
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: store.add(f"owner {number % 3}", "", answer), range(30)))
    assert sum(len(store.find(f"owner {number}")) for number in range(3)) == 30


def test_the_file_is_for_its_user_alone(store: Conversations, answer: Answer) -> None:
    store.add("me", "", answer)
    assert store.path.stat().st_mode & 0o077 == 0


def test_a_file_of_another_format_or_none_is_refused_and_kept(store: Conversations, tmp_path: Path) -> None:
    store.find("me")
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConversationError, match="format 99"):
        store.find("me")
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"not a database, " * 100)
    with pytest.raises(ConversationError, match="Move that file away"):
        Conversations(broken).find("me")
    assert broken.read_bytes().startswith(b"not a database")


def test_markdown_cannot_carry_markup() -> None:
    assert markdown_text("<script> [a](b) ![c](d) *e* `f` $g$") == (
        "\\<script\\> \\[a\\](b) \\!\\[c\\](d) \\*e\\* \\`f\\` \\$g\\$"
    )
    assert markdown_text("# a\n- b\n1. c\n=d") == "\\# a\n\\- b\n1\\. c\n\\=d"


def test_an_export_has_quotes_places_hashes_and_generation(answer: Answer, fake_pipeline: Any) -> None:
    path = "articles/japan-us-two-plus-two.md"
    hashes = {path: fake_pipeline.documents[path].content_hash}
    text = conversation_markdown("Title", [Turn("t", answer, hashes=hashes)])
    assert f"SHA-256 of {path}: {hashes[path]}" in text.replace("\\", "")
    assert "articles/japan-us-two-plus-two.md:" in text
    assert "index generation g0001" in text
    exported = conversation_json("Title", [Turn("t", answer, hashes=hashes)])
    assert exported["answers"][0]["documents"] == hashes
    assert exported["answers"][0]["index"]["generation"] == "g0001"


def test_a_hostile_export_is_only_text(fake_pipeline: Any) -> None:
    text = conversation_markdown("=cmd()", [Turn("t", fake_pipeline.ask("hostile"))])
    assert "<script>" not in text.replace("\\<script", "")
    assert "<javascript:" not in text


def test_copied_text_has_its_sources(answer: Answer) -> None:
    assert "[1] Japan and U.S. solidify alliance" in answer_text(answer)
