"""The steps of a measurement, with scripted results: what was measured is not measured again after a break."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals import index_sizes

BUILT = {
    "seconds": 2.0, "processor": 1.0, "peak": 90.0, "held": 30.0, "chunks": 20, "documents": 2, "embedded": 20,
    "disk": 3.0,
}  # fmt: skip
QUERIED = {
    "open": 5.0, "open_processor": 4.0, "held": 8.0, "engine": "flat", "recall": 1.0, "query_p50": 0.4,
    "query_p95": 0.5, "vectors_p50": 0.1, "vectors_p95": 0.1, "bm25_p50": 0.1, "bm25_p95": 0.1,
}  # fmt: skip


def test_a_measurement_that_was_broken_off_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def scripted(step: str, *options: str) -> dict[str, Any]:
        done.append(step)
        if done == ["build", "query"]:
            raise KeyboardInterrupt
        return QUERIED if step == "query" else {**BUILT, "embedded": 20 if done.count("build") == 1 else 10}

    monkeypatch.setattr(index_sizes, "_in_a_process", scripted)
    with pytest.raises(KeyboardInterrupt):
        index_sizes.measure(20, tmp_path, real=False)
    result = index_sizes.measure(20, tmp_path, real=False, keep=True)
    assert done == ["build", "query", "query", "build"]
    assert (result.chunks, result.engine, result.one_more_embedded, result.query_p95) == (20, "flat", 10, 0.5)
    corpus = tmp_path / "20-synthetic" / "corpus"
    assert sorted(path.name for path in corpus.rglob("*.md")) == [
        "report-0000000.md", "report-0000001.md", "report-one-more.md",
    ]  # fmt: skip
    assert index_sizes.measure(20, tmp_path, real=False) == result
    assert len(done) == 4 and not (tmp_path / "20-synthetic").exists()


def test_the_table_and_how_things_grow(tmp_path: Path) -> None:
    names = index_sizes.SizeResult.__dataclass_fields__
    small = index_sizes.SizeResult(**dict.fromkeys(names, 1) | {"embedder": "synthetic", "chunks": 10})
    large = index_sizes.SizeResult(**dict.fromkeys(names, 10) | {"embedder": "synthetic", "chunks": 1000})
    assert index_sizes.table([small, large]).count("\n") == 3
    assert index_sizes.growth([small, large]).startswith(
        "Exponents of growth from 10 to 1,000 chunks: build_processor 0.50,"
    )
    assert index_sizes.growth([small]) == ""
    index_sizes.plot([small, large], tmp_path / "sizes.svg")
    assert "<svg" in (tmp_path / "sizes.svg").read_text(encoding="utf-8")
