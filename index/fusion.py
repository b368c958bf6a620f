"""Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009."""

from __future__ import annotations

from collections.abc import Sequence

RRF_K = 60
"""The paper's constant: how little the very first ranks count more than the next."""


def fuse(rankings: Sequence[Sequence[int]], k: int = RRF_K) -> list[tuple[int, float]]:
    """Merge rankings of rows into one.

    Args:
        rankings: Rows of each ranking, best first.
        k: Score of a row is the sum over rankings of 1 / (k + rank), rank from 1.

    Returns:
        Rows with their scores, best first; equal scores in row order.
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking, start=1):
            scores[row] = scores.get(row, 0.0) + 1.0 / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
