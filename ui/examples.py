"""Questions to begin with, made from the documents that are there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from itertools import islice
from pathlib import Path

from corpus.document import Document

EXAMPLES = Path(__file__).parent / "static" / "examples.json"
SHOWN = 4
LOOKED_AT = 20
"""Documents that are read for their titles; a large corpus is not read whole for a welcome."""


def example_questions(documents: Mapping[str, Document]) -> list[str]:
    """The written questions whose documents are all there; for any other corpus, one about each of the first titles."""
    written = [question for question, needs in _written() if all(path in documents for path in needs)]
    if written:
        return written[:SHOWN]
    titles = (document.title for document in islice(documents.values(), LOOKED_AT) if 0 < len(document.title) <= 90)
    return [f"What does “{title}” say?" for title in islice(titles, SHOWN)]


@cache
def _written() -> list[tuple[str, tuple[str, ...]]]:
    return [(entry["question"], tuple(entry["documents"])) for entry in json.loads(EXAMPLES.read_text("utf-8"))]
