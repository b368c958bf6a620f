"""Taking documents out of the corpus so that nothing is lost: they wait in a hidden folder that loading passes over."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from corpus.errors import CorpusError
from corpus.loading import document_path, find_documents
from corpus.provenance import is_provenance, provenance_path

TRASH = ".removed"
"""Below the corpus folder: one folder a removal, named by its time, in which the file keeps its path."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A document that was taken out and can be brought back."""

    key: str
    """Its folder in the trash."""
    path: str
    """`Document.path` that it had."""


def remove_document(corpus: Path, path: str) -> Removed:
    """Move a document, and its provenance, into the trash of its corpus.

    Raises:
        CorpusError: There is no such document, or it cannot be moved.
    """
    source = next((file for file in find_documents(corpus) if document_path(file, corpus) == path), None)
    if source is None:
        raise CorpusError(f"There is no document {path} in {corpus}. Look at the documents again.")
    key = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    target = corpus / TRASH / key / source.relative_to(corpus)
    try:
        target.parent.mkdir(parents=True)
        if os.path.lexists(provenance_path(source)):
            provenance_path(source).rename(provenance_path(target))
        source.rename(target)
    except OSError as fault:
        raise CorpusError(f"{source} cannot be removed: {fault.strerror or fault}. Remove it by hand.") from fault
    return Removed(key, path)


def restore_document(corpus: Path, key: str) -> str:
    """Bring a removed document back to where it was; its path.

    Raises:
        CorpusError: It is not in the trash, another document has its place, or it cannot be moved.
    """
    found = next((removed for removed in removed_documents(corpus) if removed.key == key), None)
    if found is None:
        raise CorpusError("This document is not among the removed ones. Look at the documents again.")
    source, target = corpus / TRASH / key / found.path, corpus / found.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for old, new in ((provenance_path(source), provenance_path(target)), (source, target)):
            if os.path.lexists(old):
                os.link(old, new, follow_symlinks=False)  # unlike a rename, it writes over nothing
                old.unlink()
    except FileExistsError as fault:
        raise CorpusError(f"Another document is at {target} now. Rename that one, then bring this one back.") from fault
    except OSError as fault:
        raise CorpusError(f"{target} cannot be brought back: {fault.strerror or fault}.") from fault
    for folder in (source.parent, *source.parent.parents):
        if folder == corpus / TRASH or any(folder.iterdir()):
            break
        folder.rmdir()
    return found.path


def removed_documents(corpus: Path) -> list[Removed]:
    """The documents in the trash, the last removed first."""
    trash = corpus / TRASH
    keys = sorted((entry.name for entry in trash.iterdir()), reverse=True) if trash.is_dir() else []
    return [
        Removed(key, file.relative_to(trash / key).as_posix())
        for key in keys
        for file in sorted((trash / key).rglob("*"))
        if file.is_file() and not is_provenance(file.name)
    ]
