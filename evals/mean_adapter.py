"""The mean of adapters: `python -m evals.mean_adapter OUT.npz ONE.npz OTHER.npz`.

Trained from one start, their mean may keep what each learnt and costs no time (model soups: Wortsman et al., 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

Adapter = dict[str, Any]
"""Arrays of float16, as `index.adapter.ADAPTER_FILE`: for a tensor `t`, `t.a` (rank, in) and `t.b` (out, rank)."""


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("adapters", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(out: Path, adapters: Sequence[Path]) -> None:
    """Write the mean of ADAPTERS to OUT; its rank is the sum of theirs."""
    loaded = []
    for path in adapters:
        with np.load(path) as stored:
            loaded.append({name: stored[name] for name in stored.files})
    try:
        mean = mean_of(loaded)
    except ValueError as error:
        raise click.UsageError(f"{error} Name adapters of the same model.") from error
    np.savez(out, **mean)


def mean_of(adapters: Sequence[Adapter]) -> Adapter:
    """One adapter that adds the mean of what these add: their `a` one above the other, a part of each `b` side by side.

    Raises:
        ValueError: They are not for the same tensors.
    """
    names = set().union(*adapters)
    if unshared := names - set(names).intersection(*adapters):
        raise ValueError(f"{min(unshared)} is not in each of the adapters.")
    return {
        name: np.concatenate([adapter[name] for adapter in adapters], axis=0)
        if name.endswith(".a")
        else np.concatenate([adapter[name] / np.float16(len(adapters)) for adapter in adapters], axis=1)
        for name in sorted(names)
    }


if __name__ == "__main__":
    main()
