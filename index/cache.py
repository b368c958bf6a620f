"""The user's cache folder: where it is, how a file gets into it whole, and who may write at a time."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from corpus.errors import DossierError

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, units done and units in all (bytes, or seconds where the total is 0: not known)."""


class ModelError(DossierError):
    """A model's files are missing, damaged, or could not be written."""


def cache_folder() -> Path:
    """Where joined and converted weights live: $DOSSIER_CACHE, or the user's cache folder. It is not made here."""
    named = os.environ.get("DOSSIER_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("dossier"))


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a small JSON file so that it is either the old one or the whole new one, even after a power cut.

    Raises:
        ModelError: The file cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise writing_failed(path, error) from error


def read_json(path: Path) -> dict[str, Any]:
    """The object that `write_json` wrote; empty where there is none or where it is unreadable."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


@contextlib.contextmanager
def locked(name: str, progress: Progress | None = None) -> Iterator[None]:
    """Hold a lock that other Dossier processes of this user respect; it falls with the process that holds it.

    Raises:
        ModelError: The cache folder cannot be written.
    """
    import filelock

    path = cache_folder() / "locks" / f"{name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_failed(path, error) from error
    lock, waited = filelock.FileLock(path), 0
    while True:
        try:
            lock.acquire(timeout=1)
            break
        except filelock.Timeout:
            waited += 1
            if progress:
                progress("Waiting for another Dossier process to prepare the model", waited, 0)
        except OSError as error:
            raise writing_failed(path, error) from error
    try:
        yield
    finally:
        lock.release()


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Check for free disk space before a long write.

    Raises:
        ModelError: Fewer than `needed` bytes are free on the disk of `folder`.
    """
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ModelError(
            f"The disk of {folder} is too full to {purpose}: {needed / 1e9:.2f} GB are needed and {free / 1e9:.2f} GB "
            "are free. Free some space, or name a folder on another disk in the environment variable DOSSIER_CACHE, "
            "and run the same command again."
        )


def writing_failed(path: Path, error: OSError) -> ModelError:
    """The fault for a file that cannot be written, with the way out."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = f"The disk is full: writing {path} failed. Free some space"
    else:
        what = f"Writing {path} failed ({error.strerror or error}). Make the folder writable"
    return ModelError(f"{what}, or name another folder in the environment variable DOSSIER_CACHE, and run it again.")
