"""The mean of adapters adds the mean of what they add."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from evals.mean_adapter import Adapter, main


def _adapter(seed: int, rank: int, tensor: str = "blk.0.attn_q.weight") -> Adapter:
    draw = np.random.default_rng(seed)
    return {
        f"{tensor}.a": draw.normal(size=(rank, 6)).astype(np.float16),
        f"{tensor}.b": draw.normal(size=(5, rank)).astype(np.float16),
    }


def _added(adapter: Adapter) -> NDArray[np.float32]:
    b, a = (adapter[f"blk.0.attn_q.weight.{half}"].astype(np.float32) for half in "ba")
    added: NDArray[np.float32] = b @ a
    return added


@pytest.mark.parametrize("ranks", [(2, 2), (2, 3), (1, 2, 4)])
def test_the_mean_adds_the_mean_of_what_they_add(tmp_path: Path, ranks: tuple[int, ...]) -> None:
    adapters = [_adapter(seed, rank) for seed, rank in enumerate(ranks)]
    paths = [tmp_path / f"{seed}.npz" for seed in range(len(ranks))]
    for path, adapter in zip(paths, adapters, strict=True):
        np.savez(path, **adapter)
    out = tmp_path / "mean.npz"
    result = CliRunner().invoke(main, [str(out), *map(str, paths)])
    assert result.exit_code == 0, result.output
    with np.load(out) as stored:
        mean = {name: stored[name] for name in stored.files}
    assert {part.dtype for part in mean.values()} == {np.dtype(np.float16)}
    assert mean["blk.0.attn_q.weight.a"].shape == (sum(ranks), 6)
    np.testing.assert_allclose(_added(mean), np.mean([_added(adapter) for adapter in adapters], axis=0), atol=2e-2)


def test_adapters_of_other_tensors_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", **_adapter(0, 2))
    np.savez(tmp_path / "other.npz", **_adapter(0, 2, "blk.1.attn_q.weight"))
    out = tmp_path / "mean.npz"
    result = CliRunner().invoke(main, [str(out), str(tmp_path / "one.npz"), str(tmp_path / "other.npz")])
    assert result.exit_code == 2
    assert "blk.0.attn_q.weight.a is not in each of the adapters. Name adapters of the same model." in result.output
    assert not out.exists()
