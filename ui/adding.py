"""Changing the corpus from the page: documents added, removed and brought back, then built, with the stages."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from corpus.adding import AddReport, add_sources
from corpus.errors import DossierError
from corpus.extraction_cache import FOLDER
from corpus.fetching import WEB
from corpus.loading import MAX_BYTES, READERS
from corpus.removing import Removed, remove_document, removed_documents, restore_document
from ui.render import text_html

if TYPE_CHECKING:
    from index import Embedder

log = logging.getLogger(__name__)
MOST_FILES = 50
"""Files or addresses taken at once from the page; more are for `dossier add`."""
Tell: TypeAlias = Callable[[str], None]
"""Shows a stage of the work."""


@dataclass(frozen=True)
class Adder:
    """Changes one corpus and builds its index; one change at a time."""

    corpus: Path
    index: Path
    embedder: Embedder
    vectors: str = "auto"
    """As the setting of this name."""
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def add(self, files: Sequence[str]) -> Iterator[str]:
        """Add uploaded files: HTML of each stage, and at last of what was added and what was skipped and why."""
        return self._stages(lambda tell: self._add(files, "Reading the files…", tell))

    def add_addresses(self, text: str) -> Iterator[str]:
        """Add what the addresses in `text` give, one a line or between spaces; stages as for `add`."""
        addresses = text.split()
        if not addresses or not all(WEB.match(address) for address in addresses):  # a path would be read here
            words = "Paste an address that begins with https:// or http://."
            return iter([notice_html(stage_html(words, fault=True))])
        return self._stages(lambda tell: self._add(addresses, "Fetching…", tell))

    def remove(self, path: str) -> Iterator[str]:
        """Take a document out of corpus and index; the last stage has a button that undoes it."""
        return self._stages(lambda tell: self._remove(path, tell))

    def undo(self, key: str) -> Iterator[str]:
        """Bring back a removed document, and the index generation that held it."""
        return self._stages(lambda tell: self._undo(key, tell))

    def removed(self) -> list[Removed]:
        """The documents that can be brought back, the last removed first."""
        return removed_documents(self.corpus)

    def _stages(self, work: Callable[[Tell], str]) -> Iterator[str]:
        if not self._busy.acquire(blocking=False):
            yield notice_html(
                stage_html("The documents are being changed already. Try again when that is done.", fault=True)
            )
            return
        stages: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(work, stages), name="dossier-add", daemon=True).start()
        while (stage := stages.get()) is not None:
            yield notice_html(stage)

    def _work(self, work: Callable[[Tell], str], stages: queue.SimpleQueue[str | None]) -> None:
        try:
            stages.put(work(lambda words: stages.put(stage_html(words))))
        except DossierError as fault:
            stages.put(stage_html(str(fault), fault=True))
        except Exception:  # the thread's outermost boundary: the reader is told, the log has the details
            log.exception("Changing the documents ended in an unexpected fault")
            stages.put(stage_html("An unexpected fault; the log of the server has the details.", fault=True))
        finally:
            self._busy.release()
            stages.put(None)

    def _add(self, sources: Sequence[str], begin: str, tell: Tell) -> str:
        if len(sources) > MOST_FILES:
            words = f"{len(sources)} at once are too many: {MOST_FILES} are taken here. Use dossier add."
            return stage_html(words, fault=True)
        from index.nearest_copy import NearestCopy

        tell(begin)
        known = NearestCopy(self.index)
        report = add_sources(sources, self.corpus, extracted=self.index / FOLDER, nearest_copy=known)
        if report.added:
            self._build(tell)
        return report_html(report, self.corpus)

    def _remove(self, path: str, tell: Tell) -> str:
        tell("Removing…")
        removed = remove_document(self.corpus, path)
        try:
            self._build(tell)
        except DossierError:
            restore_document(self.corpus, removed.key)  # the last document stays: an empty corpus has no index
            raise
        return stage_html(f"{path} removed.") + undo_html(removed)

    def _undo(self, key: str, tell: Tell) -> str:
        from index import rollback

        tell("Bringing it back…")
        path = restore_document(self.corpus, key)
        if self._generation_before_held(path):
            log.info("Went back to the index generation %s", rollback(self.index))
        self._build(tell)  # nothing to do where the generation fits; what changed in between is taken in
        return stage_html(f"{path} is back.")

    def _generation_before_held(self, path: str) -> bool:
        """Whether the generation before the current one differs from it by this document alone."""
        from index.generations import read_current, readable_manifests

        manifests = readable_manifests(self.index)
        held = {name: {entry.path for entry in manifest.documents} for name, manifest in manifests.items()}
        current = read_current(self.index)
        earlier = [name for name in held if name < current]
        return bool(earlier) and current in held and held[max(earlier)] == held[current] | {path}

    def _build(self, tell: Tell) -> None:
        from index import BuildSettings, build

        build(
            self.corpus,
            self.index,
            self.embedder,
            BuildSettings(vectors=self.vectors),
            progress=lambda what, done, total: tell(f"{what}: {done:,} of {total:,}"),
        )


def limits_html() -> str:
    """What can be added on the page."""
    endings = " ".join(sorted(READERS))
    return (
        f'<p class="quiet">Files can be dropped anywhere on the page: {endings}, up to {MAX_BYTES // 2**20} MiB each, '
        f"{MOST_FILES} at once.</p>"
    )


def notice_html(stage: str) -> str:
    """A stage in a bar that can be put away."""
    return (
        f'<div class="change"><div>{stage}</div><button type="button" data-action="dismiss" '
        'aria-label="Close this message">✕</button></div>'
    )


def stage_html(words: str, *, fault: bool = False) -> str:
    """One line about the work under way."""
    return f'<p class="stage{" fault" if fault else ""}">{text_html(words)}</p>'


def undo_html(removed: Removed) -> str:
    """A button that brings a removed document back."""
    return (
        f'<button type="button" class="undo" data-action="undo" data-key="{text_html(removed.key)}" '
        f'aria-label="Undo: bring back {text_html(removed.path)}">Undo</button>'
    )


def report_html(report: AddReport, corpus: Path) -> str:
    """`2 documents added, 1 skipped`, and each skipped source with its reason, which names no folder of the server."""
    count = "1 document" if len(report.added) == 1 else f"{len(report.added)} documents"
    skipped = f", {len(report.skipped)} skipped" if report.skipped else ""
    reasons = "".join(
        f"<li>{text_html(entry.source if WEB.match(entry.source) else Path(entry.source).name)}: "
        f"{text_html(entry.reason.replace(f'{corpus}{os.sep}', ''))}</li>"
        for entry in report.skipped
    )
    reasons += "".join(
        f"<li>{text_html(entry.path)} says nearly the same as {text_html(entry.copy_of)}: it counts once.</li>"
        for entry in report.added
        if entry.copy_of
    )
    return stage_html(f"{count} added{skipped}.") + (f"<ul>{reasons}</ul>" if reasons else "")
