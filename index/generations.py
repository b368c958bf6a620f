"""The folder of an index: complete generations, which one is current, who builds, and who still reads.

<index>/CURRENT                      the generation's name, replaced atomically
<index>/DECLINED                     the corpus hash that a rollback went back from
<index>/build.lock, BUILDER          who builds
<index>/extracted/                   what was extracted from files already: corpus.extraction_cache
<index>/generations/<name>/          complete: its manifest.json was written last, then the folder got its name
<index>/generations/.building-<pid>/ not complete; the next builder removes it
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from index.errors import (
    IndexDamagedError,
    IndexFaultError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
)
from index.manifest import MANIFEST_FILE, Manifest, check_files, read_manifest

CURRENT_FILE = "CURRENT"
DECLINED_FILE = "DECLINED"
BUILDER_FILE = "BUILDER"

HASH_UP_TO = 64 * 2**20
"""Bytes of a generation that are hashed when it is opened or kept, the smallest files first (64 MiB: 40 ms). Of what is
left, vectors and BM25 of a large one, sizes are compared; documents and chunks are checked record by record as they are
read."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """One line of `dossier index list`."""

    generation: str
    current: bool
    created: str
    documents: int
    chunks: int
    bytes: int
    problem: str = ""
    """Why it cannot be opened, or empty."""


def generations_folder(folder: Path) -> Path:
    """Where the generations of an index are."""
    return folder / "generations"


def generation_names(folder: Path) -> list[str]:
    """Names of the generations in the folder, oldest first; names start with their number."""
    try:
        entries = sorted(entry.name for entry in generations_folder(folder).iterdir() if not entry.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise IndexFaultError(f"The index folder {folder} cannot be read: {error.strerror}.") from error
    return entries


def read_current(folder: Path) -> str:
    """Name of the current generation, empty where there is none."""
    try:
        name = (folder / CURRENT_FILE).read_bytes().decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise IndexFaultError(f"{folder / CURRENT_FILE} cannot be read: {error.strerror}.") from error
    return name if name in generation_names(folder) else ""


def generation_folder(folder: Path, name: str) -> Path:
    """The folder of a generation."""
    return generations_folder(folder) / name


def sync(path: Path) -> None:
    """Bring a file or folder onto the disk, so that it outlives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str) -> None:
    """Replace a small file so that readers see the old or the new one, even after a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def switch(folder: Path, name: str, declined: str = "") -> None:
    """Make a generation the current one.

    Args:
        folder: The index folder.
        name: A complete generation.
        declined: Corpus hash of the state that a rollback turns away from; a build gives none.
    """
    if declined:
        write_atomically(folder / DECLINED_FILE, declined + "\n")
    write_atomically(folder / CURRENT_FILE, name + "\n")
    if not declined:
        (folder / DECLINED_FILE).unlink(missing_ok=True)


def read_declined(folder: Path) -> str:
    """The corpus hash that a rollback went back from, empty where there was no rollback since the last build."""
    try:
        return (folder / DECLINED_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def list_generations(folder: Path) -> list[GenerationInfo]:
    """All generations, newest first."""
    current = read_current(folder)
    infos = []
    for name in reversed(generation_names(folder)):
        path = generation_folder(folder, name)
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        try:
            manifest = read_manifest(path)
        except IndexFaultError as error:
            infos.append(GenerationInfo(name, name == current, "", 0, 0, size, str(error)))
        else:
            documents = len(manifest.documents)
            infos.append(GenerationInfo(name, name == current, manifest.created, documents, manifest.chunks, size))
    return infos


def readable_manifests(folder: Path) -> dict[str, Manifest]:
    """The manifests of all generations by name, as far as they can be read."""
    manifests = {}
    for name in generation_names(folder):
        with contextlib.suppress(IndexFaultError):
            manifests[name] = read_manifest(generation_folder(folder, name))
    return manifests


class ReaderHold:
    """A shared lock on a generation's manifest: while it is held, the generation is not collected."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            IndexMissingError: The generation is gone, or goes just now.
        """
        path = folder / MANIFEST_FILE
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise IndexMissingError(f"{folder} holds no complete index. Run: dossier index build") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if os.fstat(self._descriptor).st_ino != path.stat().st_ino:
                raise FileNotFoundError(errno.ENOENT, "replaced", str(path))
        except OSError as error:
            os.close(self._descriptor)
            raise IndexMissingError(f"{folder} is being removed. Run: dossier index build") from error

    def release(self) -> None:
        """Let the generation go; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> ReaderHold:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            self.release()


def _remove_unless_held(path: Path) -> bool:
    """Remove a generation that no reader holds."""
    manifest = path / MANIFEST_FILE
    doomed = path.with_name(f".removing-{path.name}")
    with contextlib.ExitStack() as stack:
        if manifest.is_file():
            descriptor = os.open(manifest, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
    return True


def _is_damaged(path: Path) -> bool:
    try:
        return bool(check_files(path, read_manifest(path), HASH_UP_TO))
    except IndexMismatchError:
        return False
    except IndexFaultError:
        return True


def collect(folder: Path, keep: int) -> list[str]:
    """Remove generations beyond the newest `keep` and the current one, and what killed builders left. Needs the lock.

    Damaged generations go first: nothing can be answered from them, and they must not push a sound one out.

    Returns:
        Names of the generations that were removed; those that a reader still holds wait for the next build.
    """
    current = read_current(folder)
    others = [name for name in generation_names(folder) if name != current]
    damaged = [name for name in others if _is_damaged(generation_folder(folder, name))]
    sound = [name for name in generation_names(folder) if name not in damaged]
    old = [name for name in others if name in damaged or name not in sound[-max(keep, 1) :]]
    removed = [name for name in old if _remove_unless_held(generation_folder(folder, name))]
    if removed:
        logger.info("Removed old index generations: %s", ", ".join(removed))
    return removed


def remove_leftovers(folder: Path) -> None:
    """Remove what killed builders left. Needs the lock."""
    with contextlib.suppress(FileNotFoundError):
        for entry in generations_folder(folder).iterdir():
            if entry.name.startswith("."):
                shutil.rmtree(entry, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        for name in (CURRENT_FILE, DECLINED_FILE):
            for entry in folder.glob(f".{name}.*"):
                entry.unlink(missing_ok=True)


def _holder(folder: Path) -> str:
    try:
        value = json.loads((folder / BUILDER_FILE).read_text(encoding="utf-8"))
        return f"process {value['pid']} on {value['host']}, since {value['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


@contextlib.contextmanager
def build_lock(folder: Path, timeout: float) -> Iterator[None]:
    """Hold the right to change an index. It falls with the process that holds it.

    Args:
        folder: The index folder; made where it is missing.
        timeout: Seconds to wait for another builder; 0 does not wait.

    Raises:
        IndexLockedError: Another builder did not finish in time; the message names it.
        IndexFaultError: The folder cannot be written.
    """
    import filelock

    try:
        generations_folder(folder).mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / "build.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            logger.warning("The index %s is being built by %s; waiting.", folder, _holder(folder))
            lock.acquire(timeout=timeout)
    except filelock.Timeout as error:
        raise IndexLockedError(
            f"The index {folder} is being built by {_holder(folder)}, which did not finish within {timeout:.0f} s. "
            "Wait for it or end it, then run: dossier index build"
        ) from error
    except OSError as error:
        raise IndexFaultError(f"The index folder {folder} cannot be written: {error.strerror or error}.") from error
    try:
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with contextlib.suppress(OSError):
            (folder / BUILDER_FILE).write_text(json.dumps(holder), encoding="utf-8")
        yield
    finally:
        (folder / BUILDER_FILE).unlink(missing_ok=True)
        lock.release()


def rollback(folder: Path, timeout: float = 60.0) -> str:
    """Go back to the newest generation before the current one that can be opened.

    Until the corpus changes again, `ensure_index` does not build what was turned away from.

    Returns:
        The name of the generation that is now current.

    Raises:
        IndexMissingError: There is no earlier generation.
        IndexLockedError: A build is running.
    """
    with build_lock(folder, timeout):
        current = read_current(folder)
        if not current:
            raise IndexMissingError(f"{folder} holds no complete index. Run: dossier index build")
        declined = read_declined(folder)
        with contextlib.suppress(IndexFaultError):
            declined = declined or read_manifest(generation_folder(folder, current)).corpus_hash
        for name in reversed([name for name in generation_names(folder) if name < current]):
            try:
                path = generation_folder(folder, name)
                problems = check_files(path, read_manifest(path))
                if problems:
                    raise IndexDamagedError(problems[0])
            except IndexFaultError as error:
                logger.warning("Passed over generation %s: %s", name, error)
                continue
            switch(folder, name, declined or "unknown")
            return name
    raise IndexMissingError(f"There is no generation before {current}. See: dossier index list")
