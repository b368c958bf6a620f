"""What was extracted from files already, so that looking at a corpus, adding to it, building and moving extract once.

One small file for each content and ending. The index keeps it beside its generations; a build removes what no document
of the corpus holds any more. A cache that cannot be written, or whose file was altered, costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Collection, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = "extracted"
"""Name of the cache below the folder of an index."""
_LIBRARIES = ("lxml", "mammoth", "pypdfium2", "trafilatura")
"""Those whose versions decide what is extracted."""

logger = logging.getLogger(__name__)


def hash_data(data: bytes) -> str:
    """What a file's content is kept under: sha256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class ExtractionCache:
    """Replies of the process that extracts, by the content of the file, its ending, and the code that read it."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder; it is made when the first reply is written."""
        self._folder = folder
        self._used: set[str] = set()

    @cached_property
    def _code(self) -> str:
        """Hash of the readers and of the libraries' versions: other code may read the same file otherwise."""
        package = Path(__file__).parent
        sources = [*sorted((package / "readers").glob("*.py")), package / "extraction_worker.py"]
        found = hashlib.sha256(repr([(name, version(name)) for name in _LIBRARIES]).encode())
        for source in sources:
            found.update(source.read_bytes())
        return found.hexdigest()[:16]

    def _file(self, content_hash: str, path: Path) -> Path:
        return self._folder / f"{content_hash}-{self._code}{path.suffix.lower()}.json"

    def read(self, content_hash: str, path: Path, limits: Mapping[str, Any]) -> dict[str, Any] | None:
        """The reply for a file's content, or None where there is none that holds.

        A fault holds for the same path and limits only: its message names the path, and another limit may suffice.
        """
        try:
            checksum, _, content = self._file(content_hash, path).read_bytes().partition(b"\n")
        except OSError:
            return None  # not yet extracted, or not readable: it is extracted
        if checksum.decode("ascii", "replace") != hash_data(content):
            logger.warning("What was extracted from %s was altered on disk; it is extracted again", path)
            return None
        kept: dict[str, Any] = json.loads(content)
        reply: dict[str, Any] = kept["reply"]
        if "fault" in reply and (kept["path"], kept["limits"]) != (os.fsdecode(path), dict(limits)):
            return None
        self._used.add(content_hash)
        return reply

    def write(self, content_hash: str, path: Path, limits: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        """Keep a reply; where that fails, the log says so."""
        self._used.add(content_hash)
        kept = {"path": os.fsdecode(path), "limits": dict(limits), "reply": reply}
        content = json.dumps(kept).encode("ascii")  # escapes what is no Unicode, in names and in texts
        target = self._file(content_hash, path)
        draft = target.with_name(f".{os.getpid()}-{target.name}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                draft.write_bytes(hash_data(content).encode("ascii") + b"\n" + content)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("What was extracted from %s is not kept: %s", path, error)

    def keep_only(self, content_hashes: Collection[str]) -> None:
        """Remove what is of neither these contents nor one that this object has read or written."""
        wanted = self._used.union(content_hashes)
        try:
            with os.scandir(self._folder) as entries:
                doomed = [entry.path for entry in entries if entry.name.partition("-")[0] not in wanted]
            for path in doomed:
                Path(path).unlink(missing_ok=True)
        except FileNotFoundError:
            return  # nothing was ever extracted
        except OSError as error:
            logger.warning("Texts that are no longer needed are left in %s: %s", self._folder, error)
