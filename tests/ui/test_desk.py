# ruff: noqa: ANN401  the scripted pipeline is a class of conftest, which importlib mode does not let a test import
from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ui.conversations import Conversations
from ui.desk import Desk, View


@pytest.fixture
def desk(fake_pipeline: Any, tmp_path: Path) -> Desk:
    return Desk(fake_pipeline, Conversations(tmp_path / "c.sqlite3"))


def last(views: Any) -> View:
    return list(views)[-1]


def test_question_evidence_draft_answer(desk: Desk) -> None:
    views = list(desk.ask("Who lauded it?", "", "me", "s"))
    assert "Searching the documents" in views[0].current
    assert views[0].past == ""
    assert 'class="card"' in views[1].current
    assert "answer draft" in views[2].current
    assert views[-1].ended
    assert 'class="number"' in views[-1].current
    assert len(desk.conversations.turns("me", views[-1].conversation)) == 1


def test_a_follow_up_is_asked_with_its_history(desk: Desk, fake_pipeline: Any) -> None:
    first = last(desk.ask("Who lauded it?", "", "me", "s"))
    second = last(desk.ask("And what did he say?", first.conversation, "me", "s"))
    assert second.conversation == first.conversation
    history = fake_pipeline.asked[1][1]
    assert [turn["role"] for turn in history] == ["user", "assistant"]
    assert history[0]["content"] == "Who lauded it?"
    assert "Understood as: Who lauded the agreement of July 2024" in second.current
    last(desk.ask("And when?", first.conversation, "me", "s"))
    assert fake_pipeline.asked[2][1][2]["content"] == "Who lauded the agreement of July 2024 as a historic step?"


def test_the_history_of_another_is_not_used(desk: Desk, fake_pipeline: Any) -> None:
    first = last(desk.ask("Who lauded it?", "", "me", "s"))
    last(desk.ask("And what did he say?", first.conversation, "you", "t"))
    assert fake_pipeline.asked[1][1] == ()


def test_stopping_ends_the_work_within_a_second(desk: Desk, fake_pipeline: Any) -> None:
    fake_pipeline.seconds_a_word = 0.02
    views = desk.ask("endless", "", "me", "s")
    for view in views:
        if "answer draft" in view.current:
            break
    started = time.monotonic()
    desk.stop("s")
    end = last(views)
    assert "Stopped." in end.current
    assert end.ended
    assert fake_pipeline.stopped.wait(1)
    assert time.monotonic() - started < 1
    assert desk.conversations.find("me") == []


def test_closing_the_page_ends_the_work(desk: Desk, fake_pipeline: Any) -> None:
    fake_pipeline.seconds_a_word = 0.02
    views = desk.ask("endless", "", "me", "s")
    for view in views:
        if "answer draft" in view.current:
            break
    views.close()
    assert fake_pipeline.stopped.wait(1)


def test_a_fault_is_never_shown_as_an_answer(desk: Desk) -> None:
    end = last(desk.ask("   ", "", "me", "s"))
    assert "This question cannot be asked" in end.current
    assert "The question is empty" in end.current
    assert "refusal" not in end.current


def test_an_unexpected_fault_is_a_message(desk: Desk, fake_pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(question: str, history: object = ()) -> Any:
        raise RuntimeError("secret detail")
        yield

    monkeypatch.setattr(fake_pipeline, "stream", broken)
    end = last(desk.ask("Who?", "", "me", "s"))
    assert "unexpected fault" in end.current
    assert "secret detail" not in end.current


def test_ten_at_once_keep_their_answers_apart_and_each_gets_its_turn(desk: Desk, fake_pipeline: Any) -> None:
    fake_pipeline.seconds_a_word = 0.002
    questions = ["Who lauded it?", "How many troops?", "Who is the emperor?", "the treaty of 1990", "hostile"] * 2
    ends: dict[int, View] = {}
    waited: list[str] = []

    def ask(number: int) -> None:
        for view in desk.ask(questions[number], "", f"owner {number}", f"s{number}"):
            ends[number] = view
            if "In line" in view.current:
                waited.append(view.current)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert fake_pipeline.most_at_once == 1
    assert any("before yours" in text for text in waited)
    for number, question in enumerate(questions):
        (turn,) = desk.conversations.turns(f"owner {number}", ends[number].conversation)
        assert turn.answer.question == question
        assert turn.answer.text == fake_pipeline.script(question).text


def test_evidence_does_not_wait_for_the_model(desk: Desk, fake_pipeline: Any) -> None:
    fake_pipeline.seconds_a_word = 0.02
    slow = desk.ask("endless", "", "me", "s")
    for view in slow:
        if "answer draft" in view.current:
            break
    quick = desk.ask("Who lauded it?", "", "you", "t")
    next(quick)
    assert 'class="card"' in next(quick).current
    assert "1 question is before yours" in next(quick).current
    desk.stop("t")
    list(quick)
    desk.stop("s")
    list(slow)


def test_the_evidence_of_a_later_question_that_stands_alone_does_not_wait_either(
    desk: Desk, fake_pipeline: Any
) -> None:
    mine = last(desk.ask("Who lauded it?", "", "me", "s")).conversation
    fake_pipeline.seconds_a_word = 0.02
    slow = desk.ask("endless", "", "you", "t")
    for view in slow:
        if "answer draft" in view.current:
            break
    alone = desk.ask("How many troops are stationed in Japan?", mine, "me", "s")
    next(alone)
    assert 'class="card"' in next(alone).current
    desk.stop("s")
    list(alone)
    leaning = desk.ask("And what did he say?", mine, "me", "s")  # the model has to rewrite it first
    assert any("1 question is before yours" in view.current for view in leaning)  # once the stopped one has left
    desk.stop("s")
    list(leaning)
    desk.stop("t")
    list(slow)


def test_a_conversation_that_cannot_be_kept_is_still_answered(fake_pipeline: Any, tmp_path: Path) -> None:
    blocked = tmp_path / "c.sqlite3"
    desk = Desk(fake_pipeline, Conversations(blocked))
    views = desk.ask("Who lauded it?", "", "me", "s")
    next(views)
    blocked.write_bytes(b"rubbish " * 200)
    end = last(views)
    assert "This conversation is not kept." in end.said
    assert 'class="number"' in end.current


def test_the_source_panel_takes_nothing_on_trust(desk: Desk) -> None:
    path = "briefs/us-forces-japan.md"
    assert "54,000" in desk.source({"document": path, "start": 0, "end": 5})
    assert "no longer in the corpus" in desk.source({"document": "../../etc/passwd", "start": 0, "end": 5})
    assert "no longer in the corpus" in desk.source({})
    for start, end in ((-5, 10**9), ("x", None), (9, 3)):
        assert "54,000" in desk.source({"document": path, "start": start, "end": end, "also": ["x", [1], [1, 2]]})


def test_the_lists(desk: Desk) -> None:
    assert "6 documents" not in desk.banner()
    assert "<b>7 documents</b> · index g0001" in desk.banner()
    assert desk.list_documents().count("<tr data-words") == 7
    assert "No conversations yet" in desk.list_conversations("me", "", "")
    assert desk.past("me", "").count('data-action="example"') == 4


def test_a_new_index_is_news_for_a_while() -> None:
    from types import SimpleNamespace

    from ui.index_news import IndexNews

    def index(generation: str, **documents: str) -> Any:
        entries = [SimpleNamespace(path=path, content_hash=found) for path, found in documents.items()]
        return SimpleNamespace(generation=generation, manifest=SimpleNamespace(documents=entries))

    clock = SimpleNamespace(now=0.0)
    news = IndexNews(now=lambda: clock.now)
    assert news.words(index("1", a="x", b="x")) == ""
    assert news.words(index("2", a="y", c="x", d="x")) == (
        "Index updated: 2 documents added, 1 document changed, 1 document removed"
    )
    clock.now = 601
    assert news.words(index("2", a="y", c="x", d="x")) == ""
