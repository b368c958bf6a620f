"""The training of the adapter: its folders are sound, and sequences are packed so that none sees another."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from transformers import Qwen2Config, Qwen2ForCausalLM

from evals import train_reader
from evals.mean_adapter import mean_of
from evals.questions import Evidence as QuestionEvidence
from evals.questions import Nugget, Question
from evals.train_reader import (
    LAYERS,
    RANK,
    SCALE,
    TENSORS,
    WORLDS,
    Example,
    _add_adapter,
    balance_of,
    pack,
    read_set,
    read_world,
    train,
)
from index import Embedder
from index.weights import MODELS
from qa.evidence import Evidence
from qa.pipeline import open_pipeline
from qa.settings import Settings

SMALL = next(model for model in MODELS if model.name.startswith("smollm2"))


@pytest.mark.parametrize("path", sorted(WORLDS.glob("*.json")), ids=lambda path: path.stem)
def test_every_quote_of_a_world_stands_in_its_document(path: Path) -> None:
    world = json.loads(path.read_text(encoding="utf-8"))
    texts = {document["name"]: " ".join(document["text"].split()) for document in world["documents"]}
    assert len(texts) >= 4
    assert {question["answerable"] for question in world["questions"]} == {True, False}
    for question in world["questions"]:
        assert bool(question.get("evidence")) == bool(question.get("answer")) == question["answerable"]
        for evidence in question.get("evidence", ()):
            assert " ".join(evidence["quote"].split()) in texts[evidence["document"]]


def test_the_worlds_share_no_document_with_what_is_evaluated() -> None:
    evals = WORLDS.parent
    evaluated = {
        " ".join(path.read_text(encoding="utf-8").split())
        for folder in (evals / "folders", evals.parent / "corpus" / "documents")
        for path in folder.rglob("*.md")
    }
    trained = {
        " ".join(document["text"].split())
        for path in WORLDS.glob("*.json")
        for document in json.loads(path.read_text(encoding="utf-8"))["documents"]
    }
    assert len(trained) > 500
    assert not trained & evaluated


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=8), min_size=1, max_size=5))
def test_each_packed_token_sees_what_stands_before_it_and_nothing_else(sequences: list[list[int]]) -> None:
    tokens, depths, sees, places = pack(sequences)
    assert len(tokens) == len({tuple(sequence[: end + 1]) for sequence in sequences for end in range(len(sequence))})
    for sequence, path in zip(sequences, places, strict=True):
        assert tokens[path].tolist() == sequence
        assert depths[path].tolist() == list(range(len(sequence)))
        for end, place in enumerate(path):
            assert set(np.flatnonzero(sees[place])) == set(path[: end + 1])


def test_a_world_is_read_as_the_pipeline_retrieves(toy_embedder: Embedder) -> None:
    examples = read_world(min(WORLDS.glob("*.json")), random.Random(0), toy_embedder)  # noqa: S311
    assert len(examples) >= 15
    assert {example.held for example in examples if example.answer} >= {True}
    assert all(example.held is False for example in examples if not example.answer)
    assert all(example.judged and len(example.read) >= len(example.judged) for example in examples)
    assert all(example.others for example in examples)


def test_a_set_is_read_without_what_finds_a_document_that_is_left_out(toy_embedder: Embedder, tmp_path: Path) -> None:
    corpus = tmp_path / "documents"
    corpus.mkdir()
    told = {"mill.md": "The mill was built in 1821 by Ana Ruiz.", "pier.md": "The pier has 40 lamps and two cranes."}
    for name, text in told.items():
        (corpus / name).write_text(f"# {name}\n\n{text}\n", encoding="utf-8")
    settings = Settings.load({"corpus": corpus, "index": tmp_path / "index", "candidates": 1, "passage_sentences": 1})
    pipeline = open_pipeline(settings, load_model=False, embedder=toy_embedder)

    def question(number: int, text: str, document: str) -> Question:
        evidence = (QuestionEvidence(document, told[document]),) if document else ()
        nuggets = (Nugget(("1821",)),) if document else ()
        return Question(f"q{number}", text, bool(document), nuggets, evidence, (), ())

    asked = [
        question(1, "Who built the mill in 1821?", "mill.md"),
        question(2, "How many lamps has the pier?", "pier.md"),
        question(3, "Who sold the mill that Ana Ruiz built?", ""),
    ]
    examples = read_set(asked, pipeline, ["pier.md"], random.Random(0))  # noqa: S311
    assert [(example.question, example.held, example.answer) for example in examples] == [
        (asked[0].question, True, ""),
        (asked[2].question, False, ""),
    ]
    assert all({sentence.document for sentence in example.judged} == {"mill.md"} for example in examples)
    assert len(read_set(asked, pipeline, [], random.Random(0))) == 3  # noqa: S311


def test_every_second_example_is_one_of_the_set(
    toy_embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOSSIER_INDEX", str(tmp_path / "index"))
    monkeypatch.setattr(train_reader.SentenceTransformerEmbedder, "default", lambda: toy_embedder)
    trained: list[Example] = []
    monkeypatch.setattr(train_reader, "train", lambda examples, *_: trained.extend(examples))
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "pier.md").write_text("The pier has 40 lamps.", encoding="utf-8")
    of_set = {"answerable": False, "nuggets": [], "evidence": [], "tags": [], "history": []}
    texts = [f"Who lit lamp {number} of the pier?" for number in range(3)]
    lines = [json.dumps(of_set | {"id": f"q{number}", "question": text}) for number, text in enumerate(texts)]
    (tmp_path / "set.jsonl").write_text("\n".join(lines), encoding="utf-8")
    named = ["--questions", str(tmp_path / "set.jsonl"), "--corpus", str(tmp_path / "documents"), "--limit", "2"]
    done = CliRunner().invoke(train_reader.main, [str(tmp_path / "out.npz"), "--folders", "1", *named])
    assert done.exit_code == 0, done.output
    assert {example.question for example in trained[::2]} == set(texts[:2])
    assert len(trained) == 4
    assert not {example.question for example in trained[1::2]} & set(texts)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ([], "--corpus"),
        (["--corpus", str(Settings().corpus)], "evaluated"),
        (["--corpus", "documents", "--leave-out", "peir.md"], "peir.md"),
    ],
)
def test_a_set_that_cannot_be_trained_on_is_refused(
    toy_embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOSSIER_INDEX", str(tmp_path / "index"))
    monkeypatch.setattr(train_reader.SentenceTransformerEmbedder, "default", lambda: toy_embedder)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "pier.md").write_text("The pier has 40 lamps.", encoding="utf-8")
    (tmp_path / "set.jsonl").touch()
    refused = CliRunner().invoke(train_reader.main, ["out.npz", "--questions", "set.jsonl", *named])
    assert refused.exit_code == 2
    assert told in refused.output


def test_yes_weighs_as_much_for_quantities_as_for_all_else() -> None:
    def example(question: str, *others: tuple[str, bool], held: bool | None) -> Example:
        nothing = Evidence("a.md", 0, 0, "", "", "", "", 0.0)
        return Example(question, "", (), (), nothing, held, held, None, others)

    examples = [
        example("How many boats?", held=False),
        example("How many crews?", *[("How many oars?", False)] * 4, held=False),
        example("How many piers?", held=True),
        example("Who runs it?", held=True),
        example("Who owns it?", ("Who left?", True), held=True),
        example("Who sold it?", held=False),
        example("Who?", held=None),
    ]
    weights = balance_of(examples)
    drawn = {(True, False): 2 + 3 * 0.7, (True, True): 1, (False, False): 1, (False, True): 2 + 0.7}
    weighed = {kind: weights[kind] * drawn[kind] for kind in drawn}
    assert weighed[True, True] / weighed[True, False] == pytest.approx(weighed[False, True] / weighed[False, False])
    assert sum(weighed.values()) == pytest.approx(sum(drawn.values()))
    assert set(balance_of(examples[3:5]).values()) == {1.0}


@pytest.mark.model
def test_a_model_is_trained_and_its_adapter_written(
    toy_embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(train_reader, "ANSWERING_MODEL", SMALL)
    monkeypatch.setattr(train_reader, "BATCH", 1)
    monkeypatch.setattr(train_reader, "REPORTED", 4)
    monkeypatch.setattr(train_reader, "OTHERS", {})
    choose = random.Random(0)  # noqa: S311
    examples = [each for each in read_world(min(WORLDS.glob("*.json")), choose, toy_embedder) if each.held is not None]
    by_truth = {example.held: example for example in examples}
    with caplog.at_level("INFO", logger=train_reader.__name__):
        train([by_truth[True], by_truth[False]] * 2, 60, choose, tmp_path / "adapter.npz")
    told = [record.args for record in caplog.records if record.name == train_reader.__name__]
    judging = [args[2] for args in told if isinstance(args, tuple)]
    assert len(judging) == 1
    assert np.isfinite(judging).all()
    assert [path.name for path in tmp_path.iterdir()] == ["adapter.npz"]
    halves = np.load(tmp_path / "adapter.npz")
    assert len(halves.files) == 2 * len(LAYERS) * len(TENSORS)
    for name in halves.files:
        assert halves[name].dtype == np.float16
        assert RANK in halves[name].shape
        assert np.isfinite(halves[name]).all()
        assert halves[name].any(), f"{name} was not trained"


def test_an_adapter_changes_nothing_at_first_or_while_off_and_goes_on_from_a_stored_one(tmp_path: Path) -> None:
    config = Qwen2Config(
        vocab_size=32,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=max(LAYERS) + 1,
        num_attention_heads=2,
        num_key_value_heads=1,
    )
    ids = torch.tensor([[3, 5, 7]])

    def say(model: Qwen2ForCausalLM) -> torch.Tensor:
        with torch.no_grad():
            return model(ids).logits

    torch.manual_seed(0)
    model = Qwen2ForCausalLM(config).eval()
    published = say(model)
    adapter = _add_adapter(model, None)
    torch.testing.assert_close(say(model), published)
    with torch.no_grad():
        for _, b in adapter.halves.values():
            b.normal_()
    trained = say(model)
    assert not torch.allclose(trained, published, atol=1e-3)
    adapter.on = False
    torch.testing.assert_close(say(model), published)

    stored = {
        f"{tensor}.{half}": weight.detach().numpy() * (SCALE if half == "b" else 1)
        for tensor, pair in adapter.halves.items()
        for half, weight in zip("ab", pair, strict=True)
    }
    np.savez(tmp_path / "adapter.npz", **stored)
    torch.manual_seed(0)
    other = Qwen2ForCausalLM(config).eval()
    again = _add_adapter(other, tmp_path / "adapter.npz")
    torch.testing.assert_close(say(other), trained)
    assert len(again.halves) == len(LAYERS) * len(TENSORS)
    assert {a.shape[0] for a, _ in again.halves.values()} == {RANK}

    np.savez(tmp_path / "mean.npz", **mean_of([stored, stored]))  # training goes on from a mean, whose rank is larger
    torch.manual_seed(0)
    last = Qwen2ForCausalLM(config).eval()
    mean = _add_adapter(last, tmp_path / "mean.npz")
    torch.testing.assert_close(say(last), trained)
    assert {a.shape[0] for a, _ in mean.halves.values()} == {2 * RANK}
