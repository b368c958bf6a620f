"""The process of `corpus.extraction`: reads files from standard input, and writes what they hold as JSON.

Run as `python -m corpus.extraction_worker LIMITS`; a message is its length in eight bytes, then its bytes.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

from corpus.errors import DocumentError
from corpus.extraction import LENGTH, ExtractionLimits


def main() -> None:
    """Serve until standard input ends."""
    limits = ExtractionLimits(**json.loads(sys.argv[1]))
    logging.disable()  # libraries complain about every odd page; what matters comes as a fault
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not come between the messages
    requests = sys.stdin.buffer
    restrict(limits)
    while name := receive(requests):
        data = receive(requests)
        allow_seconds(limits)
        reply = json.dumps(extract(data, Path(os.fsdecode(name)), limits)).encode("ascii")
        replies.write(LENGTH.pack(len(reply)))
        replies.write(reply)
        replies.flush()


def restrict(limits: ExtractionLimits) -> None:
    """Take away what reading a file does not need: memory, writing files, starting programs, dumps of memory."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def allow_seconds(limits: ExtractionLimits) -> None:
    """Set the limit of CPU time from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + limits.seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def receive(stream: BinaryIO) -> bytes:
    """The next message; empty at the end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return b""
    return stream.read(LENGTH.unpack(head)[0])


def extract(data: bytes, path: Path, limits: ExtractionLimits) -> dict[str, Any]:
    """What a reader takes from a file, or the fault, as JSON holds it."""
    from corpus.loading import reader_of

    try:
        found = reader_of(path)(data, path)
    except DocumentError as fault:
        return {"fault": str(fault)}
    except MemoryError:
        os._exit(os.EX_OSERR)  # the rest of this process cannot be trusted to fit either
    except RecursionError:
        return {"fault": f"{path} is nested too deeply to be read. Save it as plain text."}
    except Exception as error:  # noqa: BLE001 - a library failed on a file from a stranger, in whatever way it likes
        reason = " ".join(f"{type(error).__name__} {error}".split())[:200]
        return {"fault": f"{path} is damaged or of a kind that cannot be read ({reason}). Save it as plain text."}
    if len(found.text) > limits.characters:
        return {
            "fault": f"{path} has {len(found.text):,} characters, {limits.characters:,} are allowed. Split it.",
        }
    return {
        "text": found.text,
        "metadata": {name: value for name, value in found.metadata.items() if isinstance(value, str) and value},
        "headings": found.headings,
        "pages": found.pages,
    }


if __name__ == "__main__":
    main()
