"""A short version of `python -m evals.faults`; evals/LOG.md has the counts of the long one."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from evals.faults import Ground, Tally, main, run, table
from index.generations import generation_folder


def test_nothing_is_lost_by_faults() -> None:
    logging.getLogger("index").setLevel(logging.CRITICAL)
    try:
        tallies = run(kills=6, sizes=8, damages=12, changes=3, seconds=2.0)
    finally:
        logging.getLogger("index").setLevel(logging.NOTSET)
    assert [tally.losses for tally in tallies] == [[]] * 5, table(tallies)
    assert all(tally.faults or tally.name.startswith("readers") for tally in tallies), table(tallies)
    assert all(tally.answers > 0 for tally in tallies)


def test_a_loss_is_counted(tmp_path: Path) -> None:
    import random

    ground = Ground(tmp_path, random.Random(0), documents=2)  # noqa: S311 - no secret
    name = ground.build()
    tally = Tally("x")
    ground.check_serves(tally)
    assert tally.answers and not tally.losses
    (generation_folder(ground.index, name) / "chunks.jsonl").write_bytes(b"")
    ground.check_serves(tally)
    assert len(tally.losses) == 1 and "nothing serves" in tally.losses[0]
    ground.texts["report-1.txt"] = {"another text"}
    ground.check_mended(tally)
    assert any("no text it had" in loss for loss in tally.losses)


def test_the_command_prints_and_keeps_the_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evals.faults.run", lambda *numbers, shown: [Tally("builder killed", 3, 12, 4)])
    monkeypatch.setattr("evals.faults.logging.disable", lambda level: None)
    done = CliRunner().invoke(main, ["--out", str(tmp_path)])
    assert done.exit_code == 0 and "| builder killed | 3 | 4 | 12 | 0 |" in done.output
    assert (tmp_path / "faults.json").exists()
    monkeypatch.setattr("evals.faults.run", lambda *numbers, shown: [Tally("builder killed", losses=["gone"])])
    assert CliRunner().invoke(main, []).exit_code == 1
