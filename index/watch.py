"""Building whenever the corpus settles after a change."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from corpus.errors import DossierError
from index.build import build
from index.embedder import Embedder
from index.reports import BuildReport, BuildSettings, Progress

SETTLED = 500
"""Milliseconds without a change after which a build starts: a copied folder arrives as one change."""
LONGEST_WAIT = 5_000
"""Milliseconds after which a build starts although changes go on."""

logger = logging.getLogger(__name__)


def watch(
    corpus: Path,
    folder: Path,
    embedder: Embedder,
    settings: BuildSettings | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Iterator[BuildReport]:
    """Bring the index in line with the corpus, now and after each change; closing the iterator ends it.

    Args:
        corpus: The corpus folder.
        folder: The index folder.
        embedder: As for `build`.
        settings: As for `build`.
        progress: As for `build`.
        stop: Ends the iterator when it is set.

    Yields:
        The report of each build that made a new generation. A build that fails is logged; the next change tries again.
    """
    import watchfiles

    def is_visible(change: watchfiles.Change, path: str) -> bool:
        try:
            parts = Path(path).relative_to(corpus.resolve()).parts
        except ValueError:
            parts = Path(path).parts[-1:]
        return not any(part.startswith(".") for part in parts)

    changes = watchfiles.watch(
        corpus.resolve(),
        watch_filter=is_visible,
        step=SETTLED,
        debounce=LONGEST_WAIT,
        stop_event=stop,
        rust_timeout=1_000,
        yield_on_timeout=True,
    )
    # A timeout comes first: only then is it certain that no change can slip between the first build and the watching.
    first = True
    for changed in changes:
        if not changed and not first:
            continue
        first = False
        try:
            report = build(corpus, folder, embedder, settings, progress)
        except DossierError as error:
            logger.warning("The index was not built: %s", error)
            continue
        if report.built:
            yield report
