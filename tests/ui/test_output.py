from __future__ import annotations

import pytest

from ui.output import progress_shown


def test_without_a_terminal_each_stage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_shown() as progress:
        for done in range(3):
            progress("Embedding chunks", done, 3)
        for seconds in range(1, 4):
            progress("Converting a model (once)", seconds, 0)  # nobody knows how long it takes
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "dossier: Embedding chunks (0 of 3)\ndossier: Converting a model (once)\n"


def test_a_stage_of_unknown_length_has_a_bar_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with progress_shown() as progress:
        progress("Compiling a model (once)", 0, 0)
        progress("Compiling a model (once)", 5, 0)
        progress("Embedding chunks", 1, 3)
