"""Searches once for every title while nobody asks, so that the first question finds its evidence as fast as any."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from corpus.errors import DossierError
from qa.ranking import EMBEDDED_FOR_SEVERAL
from ui.runs import Line

if TYPE_CHECKING:
    from qa.pipeline import Pipeline

log = logging.getLogger(__name__)
LONGEST = 60.0
"""Seconds after which a large corpus is left as it is."""
POLL = 0.1
"""Seconds between two looks at whether somebody is asking."""


def warm(pipeline: Pipeline, line: Line, seconds: float = LONGEST) -> int:
    """Search for the title of each document; the number of searches.

    The first search loads the embedding model, and every search embeds the sentences that it has not compared before
    (as many as for a question that asks for several things, 5 to 15 ms each), which the pipeline then remembers.
    """
    ends = time.monotonic() + seconds
    searched = 0
    for path, document in pipeline.index.documents.items():
        while not line.empty and time.monotonic() < ends:
            time.sleep(POLL)
        if time.monotonic() >= ends:
            break
        try:
            pipeline.search((document.title or path)[:200], embedded=EMBEDDED_FOR_SEVERAL)
        except DossierError as fault:  # a question will meet it again, and tell its reader
            log.info("Warming up ended: %s", fault)
            break
        searched += 1
    return searched


def start_warming(pipeline: Pipeline, line: Line) -> None:
    """Warm up in the background; it ends with the process."""
    threading.Thread(target=warm, args=(pipeline, line), name="dossier-warming", daemon=True).start()
