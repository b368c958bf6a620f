# ruff: noqa: ANN401  the scripted pipeline is a class of conftest, which importlib mode does not let a test import
from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import ui.wiring
from corpus.errors import DossierError
from ui.cli import main
from ui.questions import QuestionFileError, read_questions


@pytest.fixture
def dossier(fake_pipeline: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr(ui.wiring, "open_pipeline", lambda settings: fake_pipeline)
    monkeypatch.setattr(ui.wiring, "open_search", lambda settings: fake_pipeline)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: str | bytes = "") -> Result:
        return CliRunner().invoke(main, arguments, input=stdin)

    return run


def test_help_needs_no_heavy_module_and_answers_at_once() -> None:
    script = (
        "import sys, ui.cli; "
        "heavy = {'torch', 'gradio', 'faiss', 'openvino_genai', 'transformers', 'numpy', 'rich', 'httpx'}; "
        "heavy &= set(sys.modules); "
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    # Processor time beside that of what any command line imports: a machine may be slow, and have other work.
    libraries, helps = "import click, json, logging, pathlib, tomllib", "from ui.cli import main; main(['--help'])"
    pairs = [(_processor_seconds(libraries), _processor_seconds(helps)) for _ in range(5)]
    bare, whole = map(min, zip(*pairs, strict=True))
    assert whole < 4 * bare


def _processor_seconds(script: str) -> float:
    """Of a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    for name, command in getattr(group, "commands", {}).items():
        found += commands(command, (*path, name))
    return found


def test_every_command_of_the_design_is_there() -> None:
    expected = {
        ("serve",), ("ask",), ("search",), ("add",), ("index",), ("eval",), ("models",),
        ("index", "build"), ("index", "status"), ("index", "verify"), ("index", "list"), ("index", "rollback"),
        ("eval", "run"), ("eval", "compare"), ("eval", "report"), ("models", "list"), ("models", "verify"),
    }  # fmt: skip
    assert expected <= set(commands(main))


@pytest.mark.parametrize("path", commands(main))
def test_every_help_shows_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert "Example:" in result.output


def test_ask_prints_one_object(dossier: Any) -> None:
    result = dossier("ask", "Who lauded it?", "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert set(answer) >= {
        "question", "standalone_question", "abstained", "reason", "text", "sentences", "citations", "passages",
        "confidence", "notes", "model", "engine", "index", "timings",
    }  # fmt: skip
    assert set(answer["citations"][0]) >= {
        "number", "document", "title", "published", "url", "start", "end", "quote", "page",
    }  # fmt: skip
    assert set(answer["passages"][0]) >= {"document", "start", "end", "score", "text"}
    assert set(answer["index"]) == {"generation", "corpus_hash"}
    assert result.stdout.count("\n") == 1


def test_ask_in_words(dossier: Any) -> None:
    result = dossier("ask", "Who lauded it?")
    assert result.exit_code == 0
    assert "[1] Japan and U.S. solidify alliance" in result.stdout
    assert "“U.S. Secretary of Defense Lloyd Austin" in result.stdout


def test_a_refusal_is_done_and_not_a_fault(dossier: Any) -> None:
    result = dossier("ask", "Who is the emperor?")
    assert result.exit_code == 0
    assert result.stdout.startswith("The documents do not state this.")


def test_hostile_text_cannot_steer_the_terminal(dossier: Any, fake_pipeline: Any) -> None:
    result = dossier("ask", "hostile")
    assert "\u202e" not in result.stdout
    assert "\x1b" not in result.stdout


def test_jsonl_gives_a_line_for_each_question_with_its_id(dossier: Any, fake_pipeline: Any) -> None:
    lines = [
        '{"id": "a", "question": "Who lauded it?", "answerable": true}',
        "",
        '{"id": 7, "question": "And he?", "history": [{"role": "user", "content": "Who?"}]}',
        '{"question": "How many troops?"}',
    ]
    result = dossier("ask", "--jsonl", "-", stdin="\n".join(lines))
    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == ["a", 7, 4]
    assert all("citations" in answer for answer in answers)
    assert fake_pipeline.asked[1] == ("And he?", ({"role": "user", "content": "Who?"},))


def test_a_question_at_fault_has_its_own_line_and_the_rest_goes_on(dossier: Any) -> None:
    lines = '{"id": "a", "question": "  "}\n{"id": "b", "question": "Who?"}'
    result = dossier("ask", "--jsonl", "-", stdin=lines)
    assert result.exit_code == 1
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert first == {"id": "a", "question": "  ", "error": "The question is empty. Type one."}
    assert second["id"] == "b"
    assert "1 of 2 questions failed" in result.stderr


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "an object is needed, not list"),
        ('{"id": "a"}', "`question` is missing"),
        ('{"id": null, "question": "x"}', "`id` must be"),
        ('{"id": true, "question": "x"}', "`id` must be"),
        ('{"question": "x", "history": [{"role": "system", "content": "x"}]}', "a turn of `history`"),
        ('{"question": "x", "history": "x"}', "`history` must be a list"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_malformed_line_is_refused_before_anything_runs(
    dossier: Any, fake_pipeline: Any, line: str, reason: str
) -> None:
    result = dossier("ask", "--jsonl", "-", stdin='{"question": "fine"}\n' + line)
    assert result.exit_code == 2
    assert "line 2" in result.stderr
    assert reason in result.stderr
    assert fake_pipeline.asked == []
    assert result.stdout == ""


def test_a_file_that_is_not_utf8_is_refused_with_its_line(dossier: Any) -> None:
    result = dossier("ask", "--jsonl", "-", stdin=b'{"question": "a"}\n{"question": "\xff"}')
    assert result.exit_code == 2
    assert "line 2: not UTF-8" in result.stderr


def test_wrong_usage_is_2(dossier: Any) -> None:
    for arguments in (
        ["ask"],
        ["ask", "x", "--jsonl", "-"],
        ["search", "x", "-k", "0"],
        ["nothing"],
        ["ask", "x", "--no"],
    ):
        assert dossier(*arguments).exit_code == 2, arguments


def test_search_prints_passages(dossier: Any) -> None:
    result = dossier("search", "troops", "-k", "2", "--json")
    found = json.loads(result.stdout)
    assert found["question"] == "troops"
    assert len(found["passages"]) == 2
    lines = dossier("search", "--jsonl", "-", stdin='{"id": "a", "question": "troops"}').stdout.splitlines()
    assert [set(json.loads(line)) for line in lines] == [{"id", "passages"}]
    assert "1. " in dossier("search", "troops").stdout


def test_a_fault_is_one_message_and_never_a_traceback(dossier: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for fault, words in (
        (DossierError("No index. Run: dossier index build"), "dossier: No index. Run: dossier index build"),
        (ValueError("odd"), "unexpected ValueError: odd"),
        (PermissionError(13, "Permission denied", "/x"), "Permission denied: /x"),
        (MemoryError(), "out of memory"),
    ):

        def fail(settings: object, fault: BaseException = fault) -> None:
            raise fault

        monkeypatch.setattr(ui.wiring, "open_pipeline", fail)
        result = dossier("ask", "Who?")
        assert result.exit_code == 1
        assert words in result.stderr
        assert "Traceback" not in result.output
        assert result.stdout == ""


def test_an_unknown_setting_is_a_message(dossier: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("dossier.toml").write_text("colour = 'red'\n")
    result = dossier("ask", "Who?")
    assert result.exit_code == 1
    assert "colour" in result.stderr


def test_output_is_utf8_whatever_the_locale() -> None:
    script = "from ui.output import print_json; print_json({'a': 'é 日本 \\udc80'})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, env={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    )
    assert json.loads(done.stdout) == {"a": "é 日本 \udc80"}
    assert "日本".encode() in done.stdout


def test_an_empty_question_file_is_refused() -> None:
    with pytest.raises(QuestionFileError, match="holds no question"):
        read_questions(["", "  "], "f")


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_questions(['\ufeff{"id": "a", "question": "b"}'], "f")[0].id == "a"


def test_an_evaluation_runs_compares_and_reports(dossier: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    question = {
        "id": "size",
        "question": "How many troops are there?",
        "answerable": True,
        "nuggets": [{"any_of": ["54,000"], "vital": True, "kind": "number"}],
        "evidence": [{"document": "briefs/us-forces-japan.md", "quote": "USFJ's own description gives about 54,000"}],
        "tags": ["number"],
        "history": [],
    }
    Path("questions.jsonl").write_text(json.dumps(question) + "\n")
    done = dossier("eval", "run", "--questions", "questions.jsonl", "--out", "run", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["questions"]
    in_words = dossier("eval", "run", "--questions", "questions.jsonl", "--out", "retrieval", "--retrieval-only")
    assert in_words.exit_code == 0, in_words.output
    assert "Report: retrieval/report.html" in in_words.stdout
    compared = dossier("eval", "compare", "run", "run", "--json")
    assert compared.exit_code == 0
    assert json.loads(compared.stdout)["failures"] == []
    assert dossier("eval", "report", "run", "--no-open").stdout.strip() == "run/report.html"
    missing = dossier("eval", "compare", "run", "nothing")
    assert missing.exit_code == 1
    assert "Traceback" not in missing.output
    Path("questions.jsonl").write_text('{"id": "x"}\nrubbish\n')
    refused = dossier("eval", "run", "--questions", "questions.jsonl")
    assert refused.exit_code == 1
    assert "questions.jsonl:2" in refused.stderr


def test_marked_answers_are_candidates_for_questions(
    dossier: Any, fake_pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.conversations import Conversations

    monkeypatch.setattr(ui.wiring, "conversations_path", lambda: tmp_path / "c.sqlite3")
    store = Conversations(tmp_path / "c.sqlite3")
    _, turn = store.add("me", "", fake_pipeline.ask("Who lauded it?"))
    store.vote("me", turn, -1, "the date is missing")
    (line,) = dossier("eval", "candidates").stdout.splitlines()
    assert json.loads(line)["comment"] == "the date is missing"
