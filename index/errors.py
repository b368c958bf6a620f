"""Faults of an index, each with the command that mends it."""

from __future__ import annotations

from corpus.errors import DossierError


class IndexFaultError(DossierError):
    """An index cannot be built, opened or changed."""


class IndexMissingError(IndexFaultError):
    """There is no complete index in the folder."""


class IndexMismatchError(IndexFaultError):
    """The index was built by another format version, embedder or chunking than the ones that open it."""


class IndexDamagedError(IndexFaultError):
    """A file of the index is missing, cut off or changed."""


class IndexLockedError(IndexFaultError):
    """Another process builds the index and did not finish in time."""
