"""A small corpus on disk, and the paths that index tests work in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

TEXTS = {
    "articles/summit.md": "---\ntitle: The summit\npublished: 2024-04-10\n---\n\n"
    "President Biden met Prime Minister Kishida in Washington. They agreed to upgrade the command.\n",
    "briefs/okinawa.md": "---\ntitle: Okinawa\n---\n\n## Bases\n\nThe island hosts many bases. "
    "Marines are stationed there.\n\n## Governor\n\nGovernor Tamaki opposes the new runway at Henoko.\n",
    "briefs/yen.txt": "The budget\nIt plans 43 trillion yen for fiscal 2023 to 2027.\n",
}

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus folder of three documents."""
    root = tmp_path / "corpus"
    for name, text in TEXTS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the index goes; not made yet."""
    return tmp_path / "index"
