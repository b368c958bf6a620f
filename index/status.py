"""Looking at an index without changing it: does it say what the corpus says, and is it what was written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from corpus.extraction_cache import FOLDER, ExtractionCache
from index.embedder import Embedder
from index.engines import engine_problems
from index.errors import IndexDamagedError, IndexFaultError, IndexMismatchError, IndexMissingError
from index.generations import generation_folder, generation_names, read_current, read_declined
from index.index import check_fit
from index.manifest import Manifest, SkippedEntry, check_files, hash_corpus, read_manifest
from index.reports import BuildSettings, Status, VerifyReport
from index.survey import survey


def status(
    corpus: Path, folder: Path, embedder: Embedder | None = None, settings: BuildSettings | None = None
) -> Status:
    """Compare the index with the corpus, without changing anything or loading a model.

    What is extracted from new files on the way is kept for the build that follows.

    Args:
        corpus: The corpus folder.
        folder: The index folder.
        embedder: Compare the index with it and with the settings too, when given.
        settings: How the index should have been built; the defaults when None.

    Raises:
        CorpusError: The corpus is missing or unreadable.
    """
    settings = settings or BuildSettings()
    name = read_current(folder)
    if not name:
        return Status("missing", f"There is no index in {folder}. Run: dossier index build")
    path = generation_folder(folder, name)
    try:
        manifest = read_manifest(path)
        problems = check_files(path, manifest, hash_up_to=0)
        if problems:
            raise IndexDamagedError(f"The index is damaged: {problems[0]}. Run: dossier index build")
        if embedder is not None:
            check_fit(manifest, embedder, settings.chunking, settings.vectors)
    except IndexMismatchError as error:
        return Status("mismatch", str(error), generation=name)
    except IndexFaultError as error:
        return Status("damaged", str(error), generation=name)
    return _compare(corpus, folder, manifest, settings)


def _compare(corpus: Path, folder: Path, manifest: Manifest, settings: BuildSettings) -> Status:
    before = {entry.path: entry.content_hash for entry in manifest.documents}
    now: dict[str, str] = {}
    skipped = []
    cache = ExtractionCache(folder / FOLDER)
    for item in survey(corpus, manifest, settings, cache):
        if item.document is not None:
            now[item.path] = item.document.content_hash
        elif item.known is not None:
            now[item.path] = item.known.content_hash
        else:
            skipped.append(SkippedEntry(item.path, item.reason, item.mark))
    found = Status(
        "current",
        "The index is up to date.",
        generation=manifest.generation,
        created=manifest.created,
        embedder=manifest.embedder,
        documents=len(manifest.documents),
        chunks=manifest.chunks,
        bytes=manifest.size,
        added=tuple(path for path in now if path not in before),
        changed=tuple(path for path in now if path in before and before[path] != now[path]),
        removed=tuple(path for path in before if path not in now),
        skipped=tuple(skipped),
        fetched=tuple((entry.path, entry.url, entry.retrieved) for entry in manifest.documents if entry.retrieved),
    )
    if not (found.added or found.changed or found.removed):
        return found
    counts = f"{len(found.added)} added, {len(found.changed)} changed, {len(found.removed)} removed"
    if read_declined(folder) == hash_corpus(now):
        message = f"The index was rolled back ({counts} since). To take the corpus as it is, run: dossier index build"
        return replace(found, state="stale", message=message, rolled_back=True)
    return replace(found, state="stale", message=f"The corpus has changed ({counts}). Run: dossier index build")


def verify(folder: Path) -> VerifyReport:
    """Read and hash every file of every generation, and compare what Milvus holds.

    Raises:
        IndexMissingError: There is no index.
    """
    current = read_current(folder)
    names = generation_names(folder)
    if not current:
        raise IndexMissingError(f"There is no index in {folder}. Run: dossier index build")
    problems: dict[str, list[str]] = {}
    for name in names:
        path = generation_folder(folder, name)
        try:
            manifest = read_manifest(path)
            problems[name] = check_files(path, manifest) + engine_problems(path, manifest)
        except IndexFaultError as error:
            problems[name] = [str(error)]
    older = [f"{name}: {problem}" for name in names if name != current for problem in problems[name]]
    return VerifyReport(not problems[current], current, tuple(problems[current]), tuple(names), tuple(older))
