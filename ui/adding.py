"""Adding documents from the page: copied into the corpus, then built, with the stages as they pass."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.adding import AddReport, add_sources
from corpus.errors import DossierError
from ui.render import text_html

if TYPE_CHECKING:
    from index import Embedder

log = logging.getLogger(__name__)
MOST_FILES = 50
"""Files taken at once from the page; more are for `dossier add`."""


@dataclass(frozen=True)
class Adder:
    """Copies files into one corpus and builds its index; one at a time."""

    corpus: Path
    index: Path
    embedder: Embedder
    vectors: str = "auto"
    """As the setting of this name."""
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def add(self, files: Sequence[str]) -> Iterator[str]:
        """HTML of each stage, and at last of what was added and what was skipped and why."""
        if len(files) > MOST_FILES:
            yield stage_html(
                f"{len(files)} files at once are too many: {MOST_FILES} are taken here. Use dossier add.", fault=True
            )
            return
        if not self._busy.acquire(blocking=False):
            yield stage_html("Documents are being added already. Try again when that is done.", fault=True)
            return
        stages: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(files, stages), name="dossier-add", daemon=True).start()
        while (stage := stages.get()) is not None:
            yield stage

    def _work(self, files: Sequence[str], stages: queue.SimpleQueue[str | None]) -> None:
        from index import BuildSettings, build

        try:
            stages.put(stage_html("Reading the files…"))
            report = add_sources(files, self.corpus)
            if report.added:
                build(
                    self.corpus,
                    self.index,
                    self.embedder,
                    BuildSettings(vectors=self.vectors),
                    progress=lambda what, done, total: stages.put(stage_html(f"{what}: {done:,} of {total:,}")),
                )
            stages.put(report_html(report))
        except DossierError as fault:
            stages.put(stage_html(str(fault), fault=True))
        except Exception:  # the thread's outermost boundary: the reader is told, the log has the details
            log.exception("Adding documents ended in an unexpected fault")
            stages.put(stage_html("An unexpected fault; the log of the server has the details.", fault=True))
        finally:
            self._busy.release()
            stages.put(None)


def stage_html(words: str, *, fault: bool = False) -> str:
    """One line about the work under way."""
    return f'<p class="stage{" fault" if fault else ""}" role="status">{text_html(words)}</p>'


def report_html(report: AddReport) -> str:
    """`2 documents added, 1 skipped`, and each skipped file with its reason."""
    count = "1 document" if len(report.added) == 1 else f"{len(report.added)} documents"
    skipped = f", {len(report.skipped)} skipped" if report.skipped else ""
    reasons = "".join(
        f"<li>{text_html(Path(entry.source).name)}: {text_html(entry.reason)}</li>" for entry in report.skipped
    )
    return stage_html(f"{count} added{skipped}.") + (f"<ul>{reasons}</ul>" if reasons else "")
