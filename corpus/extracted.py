"""What a reader takes from a file: the meeting point of formats and documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from corpus.document import Span


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a reader takes from one file, before it becomes a `Document`."""

    text: str
    """Main text, not yet normalised when `headings` and `pages` are empty; otherwise already normalised."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the front matter (title, author, kind, publisher, url, published, ...); unknown keys are ignored."""
    headings: tuple[Span, ...] = ()
    pages: tuple[int, ...] = ()


Reader: TypeAlias = Callable[[bytes, Path], Extracted]
"""Takes the bytes of a file and its path (for messages), and raises `DocumentError`."""
