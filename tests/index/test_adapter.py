"""The adapter: added to the weights once, whole or not at all, and to what it was trained on."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

from index import adapter
from index.adapter import ADAPTER_FILE, adapted_file, as_openvino_reads, ensure_adapted, remove_damaged_adapted
from index.cache import ModelError

ROWS, COLUMNS = 4, 512
PLAIN = gguf.GGMLQuantizationType.F32


def random_blocks() -> NDArray[np.uint8]:
    """Weights in Q4_K, (ROWS, bytes of a row): scales of a likely size, the rest at random."""
    random = np.random.default_rng(3)
    blocks = random.integers(0, 256, (ROWS * COLUMNS // 256, 144), dtype=np.uint8)
    blocks[:, 0:4] = np.array([0.01, 0.02], dtype=np.float16).view(np.uint8)
    return blocks.reshape(ROWS, -1)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOSSIER_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "Tiny.gguf"
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_uint32("qwen2.block_count", 1)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    blocks = random_blocks()
    writer.add_tensor("blk.0.attn_q.weight", blocks, raw_shape=blocks.shape, raw_dtype=gguf.GGMLQuantizationType.Q4_K)
    writer.add_tensor("output.weight", np.arange(8, dtype=np.float32).reshape(2, 4), raw_dtype=PLAIN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, NDArray[np.float16]]:
    random = np.random.default_rng(5)
    parts = {
        "blk.0.attn_q.weight.a": random.normal(size=(2, COLUMNS)).astype(np.float16),
        "blk.0.attn_q.weight.b": random.normal(size=(ROWS, 2)).astype(np.float16),
    }
    np.savez(tmp_path / "adapter.npz", **parts)
    monkeypatch.setattr(adapter, "ADAPTER_FILE", tmp_path / "adapter.npz")
    adapter.adapter_hash.cache_clear()
    yield parts
    adapter.adapter_hash.cache_clear()


def tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    return {t.name: gguf.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(path).tensors}


def test_the_adapter_is_added_to_its_tensors_and_nothing_else_changes(
    source: Path, parts: dict[str, NDArray[np.float16]]
) -> None:
    before, reader = tensors(source), gguf.GGUFReader(ensure_adapted(source))
    after = tensors(adapted_file(source))
    added = parts["blk.0.attn_q.weight.b"].astype(np.float32) @ parts["blk.0.attn_q.weight.a"].astype(np.float32)
    assert np.abs(after["blk.0.attn_q.weight"] - before["blk.0.attn_q.weight"] - added).mean() < 0.15
    assert np.abs(added).mean() > 0.5
    assert (after["output.weight"] == before["output.weight"]).all()
    assert reader.fields["qwen2.block_count"].contents() == 1
    assert reader.fields["tokenizer.ggml.tokens"].contents() == ["a", "b"]


def test_the_zero_points_are_whole_as_openvino_rounds_them(source: Path) -> None:
    tensor = gguf.GGUFReader(source).tensors[0]
    exact = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(-1, 32)
    rounded = as_openvino_reads(tensor).reshape(-1, 32)
    steps = np.array([np.diff(np.unique(block)).min(initial=np.inf) for block in exact])
    there = np.isfinite(steps) & (steps > 0)
    whole = rounded[there] / steps[there, None]
    assert there.sum() > 32
    assert np.abs(whole - np.round(whole)).max() < 0.05
    shift = (rounded - exact)[there]
    assert np.ptp(shift, axis=1).max() < 0.05  # the same for all weights of a block


def test_it_is_written_once_and_again_where_it_is_damaged(source: Path, parts: dict[str, NDArray[np.float16]]) -> None:
    path = ensure_adapted(source)
    written = path.read_bytes()
    left_over = path.with_name(f"{path.name}.writing")
    left_over.write_bytes(b"half")
    assert ensure_adapted(source).stat().st_mtime_ns == path.stat().st_mtime_ns
    path.write_bytes(written[:-9])
    assert ensure_adapted(source).read_bytes() == written
    assert not left_over.exists()


def test_verifying_removes_what_is_no_longer_what_was_written(
    source: Path, parts: dict[str, NDArray[np.float16]]
) -> None:
    path = ensure_adapted(source)
    assert remove_damaged_adapted(source)
    assert path.exists()
    path.write_bytes(b"x" + path.read_bytes()[1:])
    remove_damaged_adapted(source)
    assert not path.exists()


def test_another_model_is_refused(source: Path, tmp_path: Path, parts: dict[str, NDArray[np.float16]]) -> None:
    np.savez(tmp_path / "adapter.npz", **{f"another.{name}": part for name, part in parts.items()})
    adapter.adapter_hash.cache_clear()
    with pytest.raises(ModelError, match="does not hold another"):
        ensure_adapted(source)
    assert not adapted_file(source).exists()


def test_the_shipped_adapter_has_both_halves_of_each_tensor() -> None:
    with np.load(ADAPTER_FILE) as stored:
        shapes = {name: stored[name].shape for name in stored.files}
        assert all(np.isfinite(stored[name].astype(np.float32)).all() for name in stored.files)
    halves = {name[:-2] for name in shapes}
    assert halves
    assert all(shapes[f"{name}.a"][0] == shapes[f"{name}.b"][1] for name in halves)
