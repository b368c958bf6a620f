"""Reading formats from strangers in a process of its own, with limits of time and memory.

A decompression bomb, a loop or a fault in a library ends that process and nothing else: the file is skipped with a
reason. The bytes go in and the text comes out through pipes; the process opens no file that it was not given.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpus.errors import CorpusError, DocumentError, PassingDocumentError
from corpus.extracted import Extracted
from corpus.extraction_cache import ExtractionCache, hash_data

FILES_A_PROCESS = 200
"""Files that one process reads: libraries leak, and starting anew costs a second."""
LENGTH = struct.Struct("<Q")
"""Before each message: its bytes."""
_REPLY_BYTES_A_CHARACTER = 12
"""Most bytes of a character in a reply: two escaped surrogates."""
_REPLY_BYTES_BESIDE = 2**20
"""For title, author and the like, or the reason of a fault."""


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """What reading one file may cost."""

    seconds: float = 60.0
    """Of CPU time, so that a busy machine reads what an idle one reads: a PDF of 1,000 pages takes 5 to 10."""
    patience: float = 900.0
    """Seconds of wall time, for a process that waits or gets no CPU; the next build tries again."""
    memory: int = 2**30
    """Address space of the process in bytes; the libraries take 300 MB of it, a page of 10 MB 200 MB more."""
    characters: int = 10_000_000
    """Of the text: twenty long novels. Beyond it is a log, a data set or a mistake."""


class Extractor:
    """A process that reads files one after the other; started at the first file, and anew when it had to be ended.

    For one thread at a time. Leaving the `with` block ends the process.
    """

    def __init__(self, limits: ExtractionLimits | None = None, cache: ExtractionCache | None = None) -> None:
        """Takes what a file may cost, and where what was extracted is kept; None keeps nothing."""
        self.limits = limits or ExtractionLimits()
        self._cache = cache
        self._process: subprocess.Popen[bytes] | None = None
        self._read = 0

    def __enter__(self) -> Extractor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                _close_quietly(pipe)

    def extract(self, data: bytes, path: Path) -> Extracted:
        """What the reader of the file's ending takes from its bytes; the cache may know it.

        Raises:
            DocumentError: It cannot be read, or not within the limits.
            PassingDocumentError: It got too little CPU to be read.
            CorpusError: No process can be started.
        """
        if self._cache is None:
            return _decode(self._reply(data, path), path)
        content_hash, limits = hash_data(data), asdict(self.limits)
        reply = self._cache.read(content_hash, path, limits)
        if reply is None:
            reply = self._reply(data, path)
            self._cache.write(content_hash, path, limits, reply)
        return _decode(reply, path)

    def _reply(self, data: bytes, path: Path) -> dict[str, Any]:
        """What the process says of a file; a file that takes too long is a fault like another."""
        fresh = self._process is None or self._read >= FILES_A_PROCESS
        try:
            return self._ask(data, path)
        except _EndedError as ended:
            self.close()
            if ended.starved:
                raise PassingDocumentError(f"{path} {ended}") from ended
            if not fresh and not ended.timed_out:  # what other files left in the process must not decide over this one
                try:
                    return self._ask(data, path)
                except _EndedError as again:
                    self.close()
                    ended = again
            if ended.timed_out:
                return {"fault": f"{path} {ended}"}
            raise DocumentError(f"{path} {ended}") from ended

    def _ask(self, data: bytes, path: Path) -> dict[str, Any]:
        process = self._started()
        self._read += 1
        timer = threading.Timer(self.limits.patience, process.kill)
        timer.start()
        try:
            return self._exchange(process, data, path)
        except (BrokenPipeError, EOFError) as error:
            starved = not timer.is_alive()
            process.wait()
            raise self._why(process.returncode, starved=starved) from error
        finally:
            timer.cancel()

    def _exchange(self, process: subprocess.Popen[bytes], data: bytes, path: Path) -> dict[str, Any]:
        if process.stdin is None or process.stdout is None:
            raise EOFError
        name = os.fsencode(path)
        for message in (name, data):
            process.stdin.write(LENGTH.pack(len(message)))
            process.stdin.write(message)
        process.stdin.flush()
        (length,) = LENGTH.unpack(_read_exactly(process, LENGTH.size))
        if length > self.limits.characters * _REPLY_BYTES_A_CHARACTER + _REPLY_BYTES_BESIDE:
            process.kill()
            raise EOFError
        reply: dict[str, Any] = json.loads(_read_exactly(process, length))
        return reply

    def _why(self, code: int, *, starved: bool) -> _EndedError:
        if starved:
            return _EndedError(f"was not read after {self.limits.patience:g} seconds. Build again.", starved=True)
        if code == -signal.SIGXCPU:
            return _EndedError(
                f"could not be read within {self.limits.seconds:g} seconds. Split it, or save it as plain text.",
                timed_out=True,
            )
        by = signal.Signals(-code).name if code < 0 and -code in set(signal.Signals) else f"exit code {code}"
        return _EndedError(
            f"ended the process that read it ({by}): it is damaged, or needs more than "
            f"{self.limits.memory // 2**20:,} MiB. Split it, or save it as plain text."
        )

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._read >= FILES_A_PROCESS:
            self.close()
        if self._process is None:
            package = Path(__file__).parent
            # No variable of the user's environment: secrets stay here, and the hash seed fixes the order of sets.
            environment = {
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONPATH": str(package.parent),
                "PYTHONHASHSEED": "0",
                "PYTHONDONTWRITEBYTECODE": "1",
                "LC_ALL": "C.UTF-8",
                "TZ": "UTC",
            }
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with arguments of ours
                    [sys.executable, "-P", "-m", "corpus.extraction_worker", json.dumps(asdict(self.limits))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                )
            except OSError as error:
                raise CorpusError(f"No process can be started to read files in: {error.strerror or error}.") from error
            self._read = 0
        return self._process


class _EndedError(Exception):
    """The process is gone; the message follows the name of the file."""

    def __init__(self, why: str, *, timed_out: bool = False, starved: bool = False) -> None:
        super().__init__(why)
        self.timed_out = timed_out
        self.starved = starved


def _read_exactly(process: subprocess.Popen[bytes], length: int) -> bytes:
    content = process.stdout.read(length) if process.stdout else b""
    if len(content) < length:
        raise EOFError
    return content


def _close_quietly(pipe: Any) -> None:  # noqa: ANN401 - either end
    try:
        pipe.close()
    except BrokenPipeError:
        return  # what was not yet written is for nobody


def _decode(reply: Mapping[str, Any], path: Path) -> Extracted:
    if "fault" in reply:
        raise DocumentError(str(reply["fault"]))
    try:
        return Extracted(
            text=str(reply["text"]),
            metadata=dict(reply["metadata"]),
            headings=tuple((int(start), int(end)) for start, end in reply["headings"]),
            pages=tuple(int(start) for start in reply["pages"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentError(f"{path} could not be read: what its reader said has the wrong form.") from error
