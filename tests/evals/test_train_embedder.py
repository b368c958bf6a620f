"""The training of the embedding model's adapter, on a small model made here."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from evals.invented import WORLDS
from evals.train_embedder import RANK, read_world, train
from index import Embedder, SentenceTransformerEmbedder
from index.packed_e5 import write_folder
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
