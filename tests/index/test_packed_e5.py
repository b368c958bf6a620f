"""The embedding model's packed file: a small one made here, and the real one."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from index import Embedder, SentenceTransformerEmbedder, sentence_embedder
from index.packed_e5 import ADAPTER_FILE, read_packed, unpack_blocks, write_folder

HIDDEN, LAYERS, HEADS, INTERMEDIATE, POSITIONS, TYPES = 32, 1, 2, 64, 16, 2
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁query", ":", "▁passage", "▁harbour", "▁opened", "<mask>")


def block(scale: float, numbers: list[int]) -> bytes:
    """32 numbers from 0 to 15 in one block."""
    pairs = bytes(low | high << 4 for low, high in zip(numbers[:16], numbers[16:], strict=True))
    return struct.pack("<e", scale) + pairs


def packed_file(positions: int = POSITIONS) -> bytes:
    random = np.random.default_rng(0)
    sizes = {"emb.word": len(PIECES) * HIDDEN, "emb.pos": positions * HIDDEN, "emb.type": TYPES * HIDDEN}
    sizes |= {"emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN}
    for name in ("q", "k", "v", "ao", "fi", "fo"):
        rows, columns = INTERMEDIATE if name == "fi" else HIDDEN, INTERMEDIATE if name == "fo" else HIDDEN
        sizes |= {f"l0.{name}.w": rows * columns, f"l0.{name}.b": rows}
    for name in ("aln", "oln"):
        sizes |= {f"l0.{name}.w": HIDDEN, f"l0.{name}.b": HIDDEN}
    head = b"E5S1" + struct.pack(
        "<I7ifi", 1, HIDDEN, LAYERS, HEADS, INTERMEDIATE, len(PIECES), positions, TYPES, 1e-12, 32
    )
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob))
    head += ends.tobytes() + np.full(len(PIECES), -1.0, "<f4").tobytes() + blob
    head += struct.pack("<iI", 0, 0)
    tensors = []
    for name, size in sizes.items():
        packed = name == "emb.word" or (name.endswith(".w") and "ln" not in name)
        data = (
            b"".join(block(0.01, random.integers(0, 16, 32).tolist()) for _ in range(size // 32))
            if packed
            else random.normal(size=size).astype("<f4").tobytes()
        )
        tensors.append((name.encode(), packed, size, data))
    place = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 16 for name, *_ in tensors)
    directory = struct.pack("<i", len(tensors))
    for name, packed, size, data in tensors:
        directory += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", packed, size, place, len(data))
        place += len(data)
    return head + directory + b"".join(data for *_, data in tensors)


def test_a_block_is_its_numbers_less_eight_times_its_scale() -> None:
    numbers = [*range(16), *reversed(range(16))]
    weights = unpack_blocks(b"xx" + block(0.5, numbers), 2, 32)
    assert weights.tolist() == [(number - 8) / 2 for number in numbers]


def test_the_folder_is_one_that_the_embedder_loads(tmp_path: Path) -> None:
    source = tmp_path / "model.bin"
    source.write_bytes(packed_file())
    folder = tmp_path / "folder"
    folder.mkdir()
    write_folder(source, folder)
    embedder = SentenceTransformerEmbedder.from_folder(folder)
    assert embedder.dimension == HIDDEN
    assert embedder._model.prompts == {"query": "query: ", "document": "passage: "}
    assert embedder._model.tokenizer.tokenize("query:  harbour opened") == ["▁query", ":", "▁harbour", "▁opened"]
    once, twice = embedder.embed_documents(["harbour opened", "harbour  opened"])
    assert np.linalg.norm(once) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(twice, once, atol=1e-6)


def test_the_adapter_is_added_to_its_matrices_and_nothing_else_changes(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(packed_file())
    random = np.random.default_rng(1)
    name = "encoder.layer.0.intermediate.dense"
    halves = {"a": random.normal(size=(2, HIDDEN)), "b": random.normal(size=(INTERMEDIATE, 2))}
    np.savez(tmp_path / "adapter.npz", **{f"{name}.{half}": each.astype(np.float16) for half, each in halves.items()})
    weights = []
    for adapter in (None, tmp_path / "adapter.npz"):
        folder = tmp_path / f"folder-{adapter is None}"
        folder.mkdir()
        write_folder(tmp_path / "model.bin", folder, adapter)
        weights.append(load_file(folder / "model.safetensors"))
    before, after = weights
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed - {"pooler.dense.weight"} == {f"{name}.weight"}  # the pooler is no part of the model, and not read
    added = (after[f"{name}.weight"] - before[f"{name}.weight"]).float().numpy()
    np.testing.assert_allclose(added, halves["b"] @ halves["a"], atol=0.05)


def test_the_adapter_is_for_the_matrices_of_the_default_model() -> None:
    with np.load(ADAPTER_FILE) as stored:
        shapes = {name: stored[name].shape for name in stored.files}
    names = {name.removesuffix(".a") for name in shapes if name.endswith(".a")}
    assert len(shapes) == 2 * len(names) == 2 * 12 * 6
    for name in names:
        assert shapes[f"{name}.a"][0] == shapes[f"{name}.b"][1]
        assert shapes[f"{name}.a"][1] == (1536 if name.endswith("output.dense") and "attention" not in name else 384)


@pytest.mark.parametrize("length", [3, 40, 200, 4000])
def test_a_file_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    (tmp_path / "model.bin").write_bytes(packed_file()[:length])
    with pytest.raises(ValueError, match=r"ends after|begin with|smaller than|greater than"):
        read_packed(tmp_path / "model.bin")


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ValueError, match="E5S1"):
        read_packed(tmp_path / "model.bin")


@pytest.mark.model
def test_the_default_model_finds_an_answer_in_another_language() -> None:
    embedder = SentenceTransformerEmbedder.default()
    passages = embedder.embed_documents(
        ["The harbour was opened by the mayor in 1994.", "Bees visit the meadows behind the dunes."]
    )
    for question in ("¿Quién inauguró el puerto?", "Wer hat den Hafen eröffnet?", "港を開いたのは誰ですか。"):
        first, second = passages @ embedder.embed_query(question)
        assert first > second


@pytest.mark.model
def test_sentences_are_compared_by_another_form_of_the_default_model_only(toy_embedder: Embedder) -> None:
    embedder = SentenceTransformerEmbedder.default()
    adapted = sentence_embedder(embedder)
    assert adapted.weights_hash != embedder.weights_hash
    assert sentence_embedder(toy_embedder) is toy_embedder
    for question, answer, other in (
        (
            "How long does the tour of the mill take?",
            "A walk through the mill lasts fifty minutes.",
            "The tour of the mill is popular with schools.",
        ),
        (
            "How much does a ticket for the museum cost?",
            "Visitors to the museum pay 12 euros.",
            "Keep your ticket for the museum until you leave.",
        ),
    ):
        distances = []
        for each in (embedder, adapted):
            vectors = each.embed_documents([answer, other])
            assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
            first, second = vectors @ each.embed_query(question)
            distances.append(first - second)
        assert distances[1] > 0.1 > distances[0]  # .18 to .22, and .01: on no processor near the limit
