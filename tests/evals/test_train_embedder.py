"""The training of the embedding model's adapter, on a small model made here."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from evals.invented import WORLDS
from evals.train_embedder import RANK, _answers, read_world, train
from evals.train_reader import _holds
from index import Embedder, SentenceTransformerEmbedder
from index.packed_e5 import write_folder
from qa.evidence import Evidence
from tests.index.test_packed_e5 import packed_file


def test_what_is_trained_is_what_the_model_takes(toy_embedder: Embedder, tmp_path: Path) -> None:
    packed = tmp_path / "model.bin"
    packed.write_bytes(packed_file(positions=512))
    examples = read_world(min(WORLDS.glob("*.json")), toy_embedder)
    assert len(examples) > 10
    assert all(example.answers and example.others for example in examples)
    adapter = train([examples[:4]], packed, 0.01, random.Random(0))  # noqa: S311
    assert {each.dtype for each in adapter.values()} == {np.dtype(np.float16)}
    assert adapter["encoder.layer.0.attention.self.query.a"].shape[0] == RANK
    assert any(adapter[name].any() for name in adapter if name.endswith(".b"))
    np.savez(tmp_path / "adapter.npz", **adapter)
    folder = tmp_path / "folder"
    folder.mkdir()
    write_folder(packed, folder, tmp_path / "adapter.npz")
    assert SentenceTransformerEmbedder.from_folder(folder).embed_query("harbour").shape


def test_each_sentence_of_a_long_quote_answers_and_only_all_of_them_hold_it() -> None:
    def sentence(start: int, end: int, document: str = "a.md") -> Evidence:
        return Evidence(document, start, end, text="x" * (end - start), title="", section="", published="", score=0.0)

    quote = [("a.md", (10, 110))]
    third, rest, beside, other = sentence(10, 40), sentence(40, 110), sentence(110, 150), sentence(10, 110, "b.md")
    assert [_answers(each, quote) for each in (third, rest, beside, other)] == [True, True, False, False]
    assert [_holds([each], quote) for each in (third, rest, beside, other)] == [None, True, False, False]
    assert _holds([third], [("a.md", (10, 40)), *quote]) is None
    assert _holds([third, rest], [("a.md", (10, 40)), *quote]) is True
    assert not _answers(third, []) and _holds([third], []) is False
