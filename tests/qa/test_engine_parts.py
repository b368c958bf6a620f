"""What the engines are made of, without a model: prompt, pattern, streaming, choosing, and the server's interface."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.cache import cache_folder, read_json
from index.weights import ANSWERING_MODEL
from qa.engines import choosing, load_generator, openvino_engine
from qa.engines.chat import USUAL_CONTROL_TOKENS, looks_like_control, neutralise, render_prompt
from qa.engines.openai_engine import OpenAIGenerator
from qa.engines.pattern import escape, portable_pattern
from qa.engines.streaming import TextSoFar, Write, stream_pieces
from qa.generator import GenerationError, Message

TOKENS = ["<|im_start|>", "<|im_end|>", "</s>", "[INST]", "<s>"]


def test_a_control_token_is_broken_and_other_text_kept() -> None:
    assert neutralise("a <|im_end|> b", TOKENS) == "a < |im_end|> b"
    assert neutralise("x < y, f<g>, [1], “quote”", TOKENS) == "x < y, f<g>, [1], “quote”"


@given(st.lists(st.sampled_from([*TOKENS, "<", "|", "im_", "end|>", "s>", "[", " ", "é", "\n"])).map("".join))
def test_no_control_token_survives(text: str) -> None:
    safe = neutralise(text, TOKENS)
    assert not any(token in safe for token in TOKENS)
    assert safe.replace(" ", "") == text.replace(" ", "")


def test_what_looks_like_a_control_token() -> None:
    assert all(looks_like_control(token) or token == "<</SYS>>" or "SYS" in token for token in USUAL_CONTROL_TOKENS)
    assert not any(looks_like_control(text) for text in ["<", "<>", "a<b>", "[1]", "[", "< b>", "->"])


def chat_ml(chat: list[dict[str, str]]) -> str:
    turns = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in chat)
    return turns + "<|im_start|>assistant\n"


def test_the_prompt_ends_with_the_beginning_of_the_reply() -> None:
    messages = [Message("user", "Hi<|im_end|>"), Message("assistant", "Well,")]
    expected = "<|im_start|>user\nHi< |im_end|><|im_end|>\n<|im_start|>assistant\nWell,"
    assert render_prompt(messages, chat_ml, TOKENS) == expected


@pytest.mark.parametrize("messages", [[], [Message("tool", "x")]])
def test_a_chat_that_no_template_knows_is_refused(messages: list[Message]) -> None:
    with pytest.raises(GenerationError, match="role"):
        render_prompt(messages, chat_ml, TOKENS)


@pytest.mark.parametrize(
    ("pattern", "portable"),
    [
        (r"(yes|no)", "(yes|no)"),
        (r"^a.b$", r"a[^\n]b"),
        (r"\d+\.\d", r"[0-9]+\.[0-9]"),
        (r"[\d.]", "[0-9.]"),
        (r"[^\w\s]", r"[^A-Za-z0-9_ \t\n\r]"),
        (r"a\ b\"\'", "a b\"'"),
        (r"[]x]", r"[\]x]"),
        (r"(?:ab){2,3}?\n", r"(?:ab){2,3}?\n"),
        (r"5\$", r"5\$"),
    ],
)
def test_a_pattern_in_the_common_syntax(pattern: str, portable: str) -> None:
    assert portable_pattern(pattern) == portable


@pytest.mark.parametrize("pattern", ["(", r"a(?=b)", r"(a)\1", r"\bx", "a^b", r"(?i)a", r"\W", r"(?P<n>a)"])
def test_a_pattern_that_the_engines_do_not_share_is_refused(pattern: str) -> None:
    with pytest.raises(GenerationError, match="pattern"):
        portable_pattern(pattern)


@given(st.text())
def test_an_escaped_text_matches_itself_alone(text: str) -> None:
    assert re.fullmatch(escape(text), text)
    assert re.fullmatch(portable_pattern(escape(text)), text)
    assert not re.fullmatch(escape(text), text + "x")


@given(st.text(alphabet="ab1 .\n-]é"), st.sampled_from([r"a.b", r"[\d.]+", r"\w*\s?", "[^a-b]*", r"(a|1)+\.?"]))
def test_the_portable_pattern_accepts_what_python_accepts_of_ascii(text: str, pattern: str) -> None:
    assert bool(re.fullmatch(pattern, text, re.ASCII)) == bool(re.fullmatch(portable_pattern(pattern), text))


def test_pieces_come_in_order_and_closing_stops() -> None:
    told: list[bool] = []

    def run(write: Write) -> None:
        for number in range(1000):
            told.append(write(f"{number} "))
            if told[-1]:
                return
            free.wait(0.001)

    free, lock = threading.Event(), threading.Lock()
    stream = stream_pieces(run, lock)
    assert [next(stream), next(stream)] == ["0 ", "1 "]
    stream.close()  # type: ignore[attr-defined] # a generator
    assert told[-1]
    assert len(told) < 1000
    assert not lock.locked()


def test_what_the_run_raises_reaches_the_reader() -> None:
    def run(write: Write) -> None:
        write("a")
        raise GenerationError("broken")

    stream = stream_pieces(run, threading.Lock())
    assert next(stream) == "a"
    with pytest.raises(GenerationError, match="broken"):
        next(stream)


def test_nothing_runs_before_the_first_piece_is_asked_for() -> None:
    ran: list[bool] = []
    stream_pieces(lambda _: ran.append(True), threading.Lock()).close()  # type: ignore[attr-defined] # a generator
    assert ran == []


@given(st.text())
def test_text_is_written_in_whole_characters(text: str) -> None:
    pieces: list[str] = []

    def write(piece: str) -> bool:
        pieces.append(piece)
        return False

    so_far = TextSoFar(lambda tokens: bytes(tokens).decode("utf-8", "replace"), write)
    for byte in text.encode():
        so_far.add([byte])
    so_far.finish()
    assert "".join(pieces) == text
    if "\N{REPLACEMENT CHARACTER}" not in text:
        assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)


@pytest.mark.parametrize(
    ("model", "engine", "message"),
    [
        ("", "vroom", "no engine 'vroom'"),
        ("", "openai", "needs an address"),
        ("http://127.0.0.1:1/v1", "openvino", "an address"),
        ("./not-there", "auto", "no model at"),
        ("~/not-there.gguf", "auto", "no model at"),
        ("someone/some-model", "openvino", "needs a folder or a GGUF"),
        ("someone/some-model", "int8", "needs a GGUF file"),
        (".", "int8", "int8 and llamacpp a GGUF file"),
        ("http://127.0.0.1:1/v1", "int8", "an address"),
    ],
)
def test_a_model_that_fits_no_engine_is_refused(model: str, engine: str, message: str) -> None:
    with pytest.raises(GenerationError, match=message):
        load_generator(model, engine)


@pytest.mark.parametrize(
    ("gpu", "avx512", "kernels", "shipped", "engine"),
    [
        (True, True, True, True, "transformers"),
        (False, True, True, True, "openvino"),
        (False, False, True, True, "int8"),
        (False, False, True, False, "llamacpp"),
        (False, False, False, True, "llamacpp"),
    ],
)
def test_the_machine_and_the_model_choose_the_engine(
    monkeypatch: pytest.MonkeyPatch, *, gpu: bool, avx512: bool, kernels: bool, shipped: bool, engine: str
) -> None:
    monkeypatch.setattr(choosing, "has_gpu", lambda: gpu)
    monkeypatch.setattr(choosing, "has_avx512", lambda: avx512)
    monkeypatch.setattr(choosing, "has_eight_bit", lambda: kernels)
    assert choosing.engine_for("auto", shipped=shipped) == engine
    assert choosing.engine_for("openvino", shipped=shipped) == "openvino"


def test_a_processor_without_the_kernels_is_told_before_anything_is_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "has_eight_bit", lambda: False)
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(GenerationError, match="Choose the engine llamacpp"):
        load_generator(str(tmp_path / "model.gguf"), "int8")


def test_the_default_model_has_the_adapter_and_a_named_one_is_as_it_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published, adapted = tmp_path / "published.gguf", tmp_path / "adapted.gguf"
    monkeypatch.setattr(choosing, "ensure_file", lambda model, progress: published)
    monkeypatch.setattr(choosing, "ensure_adapted", lambda source, progress: adapted)
    monkeypatch.setattr(choosing, "_load_gguf", lambda path, sha256, name, engine, progress: (path, name))
    assert load_generator("") == load_generator("default") == (adapted, "adapted")
    assert load_generator(ANSWERING_MODEL.name) == (published, ANSWERING_MODEL.name)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="holds no model for the engine auto"):
        load_generator(str(tmp_path))


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for OpenVINO: each opening is noted, and compiles a blob where there is none."""
    openings: list[str] = []

    def open_pipeline(folder: Path, cache: Path) -> str:
        blob = cache / "1.blob"
        openings.append(blob.read_text() if blob.exists() else "nothing")
        if openings[-1] == "damaged":
            raise GenerationError("bad blob")
        cache.mkdir(parents=True, exist_ok=True)
        blob.write_text("whole")
        return "pipeline"

    monkeypatch.setenv("DOSSIER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(openvino_engine, "_open_pipeline", open_pipeline)
    return openings


def blob_of(folder: Path) -> Path:
    return next((cache_folder() / "compiled").glob(f"{folder.name}-*")) / "1.blob"


def test_a_model_is_compiled_once(compiled: list[str], tmp_path: Path) -> None:
    assert openvino_engine._load(tmp_path, None) == "pipeline"
    assert openvino_engine._load(tmp_path, None) == "pipeline"
    assert compiled == ["nothing", "whole"]


def test_what_a_killed_process_compiled_is_thrown_away(compiled: list[str], tmp_path: Path) -> None:
    openvino_engine._load(tmp_path, None)
    blob = blob_of(tmp_path)
    blob.with_name("complete.json").unlink()
    blob.write_text("half")
    openvino_engine._load(tmp_path, None)
    blob.write_text("longer than it was")
    openvino_engine._load(tmp_path, None)
    assert compiled == ["nothing", "nothing", "nothing"]
    assert read_json(blob.with_name("complete.json"))["files"] == {"1.blob": 5}


def test_a_compiled_form_that_does_not_load_is_made_again(compiled: list[str], tmp_path: Path) -> None:
    openvino_engine._load(tmp_path, None)
    blob = blob_of(tmp_path)
    blob.write_text("damaged")
    mark = read_json(blob.with_name("complete.json"))
    mark["files"]["1.blob"] = len("damaged")
    blob.with_name("complete.json").write_text(json.dumps(mark))
    assert openvino_engine._load(tmp_path, None) == "pipeline"
    assert compiled == ["nothing", "damaged", "nothing"]


class Server:
    """Answers as an OpenAI-compatible server does, and keeps what it was asked."""

    def __init__(self, reply: str = "", status: int = 200) -> None:
        self.reply = reply
        self.status = status
        self.asked: list[dict[str, object]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": "first"}, {"id": "second"}]})
        self.asked.append(json.loads(request.content))
        if self.status != 200:
            return httpx.Response(self.status, text="too many questions")
        if self.asked[-1].get("logprobs"):
            top = [{"token": "yes", "logprob": -0.2}, {"token": "N", "logprob": -2.0}, {"token": "x", "logprob": -9.0}]
            return httpx.Response(200, json={"choices": [{"logprobs": {"content": [{"top_logprobs": top}]}}]})
        pieces = [{"delta": {"content": piece}} for piece in re.findall(r"\S+\s*", self.reply)]
        parts = [{"choices": [choice]} for choice in [*pieces, {"delta": {}, "finish_reason": "stop"}]]
        return httpx.Response(200, text="".join(f"data: {json.dumps(part)}\n\n" for part in parts) + "data: [DONE]\n\n")


def connect(server: Server, model: str = "") -> OpenAIGenerator:
    return OpenAIGenerator("http://test/v1/", model, httpx.Client(transport=httpx.MockTransport(server)))


def test_a_server_streams_its_reply() -> None:
    server = Server("It is Paris.")
    generator = connect(server, "second")
    assert (generator.name, generator.engine) == ("second", "openai")
    messages = [Message("user", "Hi <|im_end|>"), Message("assistant", "It")]
    assert list(generator.stream(messages, max_tokens=9, pattern="It .+")) == ["It ", "is ", "Paris."]
    asked = server.asked[0]
    assert asked["messages"] == [
        {"role": "user", "content": "Hi < |im_end|>"},
        {"role": "assistant", "content": "It"},
    ]
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("second", 9, 0)
    assert asked["guided_regex"] == r"It [^\n]+"
    assert asked["continue_final_message"] is True
    generator.close()


def test_a_server_that_ignores_the_pattern_is_refused() -> None:
    with pytest.raises(GenerationError, match="did not hold its reply"):
        list(connect(Server("Something else")).stream([Message("user", "Hi")], max_tokens=9, pattern="(yes|no)"))


def test_a_server_scores_by_the_first_token() -> None:
    choices = connect(Server()).score([Message("user", "Hi")], ["yes", "No", "maybe"])
    assert [(choice.text, choice.logprob) for choice in choices] == [("yes", -0.2), ("No", -2.0), ("maybe", -9.0)]


def test_faults_of_a_server_are_told() -> None:
    with pytest.raises(GenerationError, match="answered 429: too many questions"):
        list(connect(Server(status=429)).stream([Message("user", "Hi")], max_tokens=9))
    with pytest.raises(GenerationError, match="does not have third"):
        connect(Server(), "third")
    with pytest.raises(GenerationError, match="cannot be reached"):
        load_generator("http://127.0.0.1:9/v1")
    strange = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text="<html>")))
    with pytest.raises(GenerationError, match="not OpenAI's"):
        OpenAIGenerator("http://test/v1", client=strange)
    strange.close()
