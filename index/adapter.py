"""The answering model as it answers: the published weights, and an adapter of our own added to those of attention.

The adapter was trained to tell what passages state from what they come near to, and to write as the published model
does (`python -m evals.train_reader`; LoRA: Hu et al., 2021). It is added once, into a GGUF that every engine reads.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.cache import ModelError, Progress, cache_folder, locked, require_space, writing_failed
from index.weights import hash_file, is_checked, recorded_hash, remember_check

ADAPTER_FILE = Path(__file__).with_name("adapter.npz")
"""For a tensor `t` of the model `t.a`, (rank, in), and `t.b`, (out, rank), float16: `t.b @ t.a` is added to it."""
GROWTH = 1.06
"""Size of the file that is written, per byte of the one that it is made from: 1.044, with a margin."""


def ensure_adapted(source: Path, progress: Progress | None = None) -> Path:
    """The model's file with the adapter, written once from the checked file.

    Args:
        source: The model as it was published, a GGUF file.
        progress: Told how many tensors are written.

    Raises:
        ModelError: The file does not hold the tensors that the adapter is for, or the disk is full.
    """
    target = adapted_file(source)
    if is_checked(target, recorded_hash(target)):
        return target
    with locked(f"adapter-{target.stem}", progress):
        if is_checked(target, recorded_hash(target)):  # another process did it while this one waited
            return target
        temporary = target.with_name(f"{target.name}.writing")
        require_space(target, int(source.stat().st_size * GROWTH), f"add the adapter to {source.name}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)  # of a process that was killed
            _write(source, temporary, progress)
            temporary.replace(target)
        except OSError as error:
            raise writing_failed(target, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        remember_check(target, hash_file(target, progress))
    return target


def adapted_file(source: Path) -> Path:
    """Where the model with the adapter belongs; the adapter's hash is part of its name."""
    return cache_folder() / "weights" / f"{source.stem}-reader-{adapter_hash()[:8]}.gguf"


@cache
def adapter_hash() -> str:
    """sha256 of the adapter, in hexadecimal."""
    return hashlib.sha256(ADAPTER_FILE.read_bytes()).hexdigest()


def remove_damaged_adapted(source: Path, progress: Progress | None = None) -> str:
    """Read the file again, and remove it when it is no longer what was written; the hash that it was written with."""
    target = adapted_file(source)
    written = recorded_hash(target)
    if target.is_file() and hash_file(target, progress) != written:
        target.unlink()
    return written


def _write(source: Path, target: Path, progress: Progress | None) -> None:
    import gguf

    with np.load(ADAPTER_FILE) as stored:
        parts = {name: stored[name].astype(np.float32) for name in stored.files}
    reader = gguf.GGUFReader(source)
    missing = {name.removesuffix(".a") for name in parts if name.endswith(".a")} - {t.name for t in reader.tensors}
    if missing:
        raise ModelError(f"{source} does not hold {sorted(missing)[0]}, which the adapter is for.")
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            of = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=of)
    for done, tensor in enumerate(reader.tensors):
        data, kind = tensor.data, tensor.tensor_type
        if f"{tensor.name}.a" in parts:
            kind = gguf.GGMLQuantizationType.Q8_0
            data = gguf.quantize(_adapted(tensor, parts), kind)
        writer.add_tensor(tensor.name, data, raw_shape=data.shape, raw_dtype=kind)
        if progress:
            progress("Adding the adapter to the weights", done, len(reader.tensors))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _adapted(tensor: Any, parts: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:  # noqa: ANN401
    """The tensor with the adapter added, (out, in)."""
    added: NDArray[np.float32] = parts[f"{tensor.name}.b"] @ parts[f"{tensor.name}.a"]
    return as_openvino_reads(tensor).reshape(added.shape) + added


def as_openvino_reads(tensor: Any) -> NDArray[np.float32]:  # noqa: ANN401 - gguf's tensors have no stubs
    """The weights of a tensor of a GGUF file, float32, as OpenVINO reads them, which the adapter was trained on.

    It rounds the zero point of a block of 32 weights in Q4_K to a whole number, which moves them by 9 % of their size.
    """
    import gguf
    from gguf.quants import Q4_K

    if tensor.tensor_type != gguf.GGMLQuantizationType.Q4_K:
        weights: NDArray[np.float32] = gguf.dequantize(tensor.data, tensor.tensor_type)
        return weights
    blocks = tensor.data.reshape(-1, 144)  # 256 weights: two scales, 12 bytes of scales of 32, 128 of two weights each
    scale, least = (blocks[:, at : at + 2].copy().view(np.float16).astype(np.float32) for at in (0, 2))
    scales, leasts = (part.astype(np.float32) for part in Q4_K.get_scale_min(blocks[:, 4:16]))
    step = (scale * scales).astype(np.float16).astype(np.float32)[..., None]
    zero = np.divide((least * leasts)[..., None], step, out=np.zeros_like(step), where=step > 0)
    halves = blocks[:, 16:].reshape(-1, 4, 1, 32) >> np.array([0, 4], dtype=np.uint8).reshape(1, 1, 2, 1)
    whole: NDArray[np.float32] = (halves & 15).reshape(-1, 8, 32).astype(np.float32)
    rounded: NDArray[np.float32] = (whole - np.clip(np.round(zero), 0, 15)) * step
    return rounded
