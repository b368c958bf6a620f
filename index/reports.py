"""How an index is built, and what building, looking and checking report, for people and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from corpus.chunks import ChunkSettings
from corpus.extraction import ExtractionLimits
from corpus.loading import MAX_BYTES
from index.manifest import SkippedEntry

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, units done and units in all."""
State: TypeAlias = Literal["missing", "damaged", "mismatch", "stale", "current"]


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """How an index is built."""

    chunking: ChunkSettings = field(default_factory=ChunkSettings)
    max_bytes: int = MAX_BYTES
    """Largest file that is read, in bytes."""
    max_files: int = 300_000
    """Files of a corpus. A build holds about 2.5 KB for each, so 750 MB; a folder with more is a whole disk, named by
    mistake, and is refused within seconds instead of after a quarter of an hour."""
    limits: ExtractionLimits = field(default_factory=ExtractionLimits)
    """What reading one file that is more than text may cost."""
    vectors: str = "auto"
    """Engine that searches the vectors: see `index.engines.check_setting`."""
    keep: int = 3
    """Generations kept: the current one and two to go back to."""
    lock_timeout: float = 600.0
    """Seconds to wait for another builder: a full build of 100,000 chunks takes about that long."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. `built` is False where nothing had changed, and then the generation is the old one."""

    generation: str
    built: bool
    documents: int
    chunks: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    """Old and new path of documents that only moved; they are in neither `added` nor `removed`."""
    unchanged: int = 0
    skipped: tuple[SkippedEntry, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
    """Path of a near-copy, and of the document that it repeats."""
    chunks_embedded: int = 0
    chunks_reused: int = 0
    seconds: float = 0.0
    bytes: int = 0
    """Size of the generation on disk."""
    collected: tuple[str, ...] = ()
    """Old generations that were removed."""

    def to_json(self) -> dict[str, Any]:
        """The object that `dossier index build --json` prints."""
        value = asdict(self)
        value["skipped"] = [{"path": entry.path, "reason": entry.reason} for entry in self.skipped]
        value["renamed"] = [{"from": old, "to": new} for old, new in self.renamed]
        value["copies"] = [{"path": path, "copy_of": original} for path, original in self.copies]
        return value


@dataclass(frozen=True, slots=True)
class Status:
    """Whether the index still says what the corpus says."""

    state: State
    message: str
    generation: str = ""
    created: str = ""
    embedder: str = ""
    documents: int = 0
    chunks: int = 0
    bytes: int = 0
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    skipped: tuple[SkippedEntry, ...] = ()
    fetched: tuple[tuple[str, str, str], ...] = ()
    """Path, address and time of retrieval (UTC) of documents that came from the web."""
    rolled_back: bool = False
    """Whether the corpus is what a rollback turned away from, so that only an explicit build takes it."""

    def to_json(self) -> dict[str, Any]:
        """The object that `dossier index status --json` prints."""
        value = asdict(self)
        value["skipped"] = [{"path": entry.path, "reason": entry.reason} for entry in self.skipped]
        value["fetched"] = [{"path": path, "url": url, "retrieved": at} for path, url, at in self.fetched]
        return value


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` found; every file of every generation was read and hashed."""

    ok: bool
    """Whether the current generation is complete and as it was written."""
    generation: str
    problems: tuple[str, ...]
    """Of the current generation."""
    checked: tuple[str, ...]
    """Names of all generations that were read."""
    older_problems: tuple[str, ...] = ()
    """Of the others."""

    def to_json(self) -> dict[str, Any]:
        """The object that `dossier index verify --json` prints."""
        return asdict(self)
