"""Where a document of the corpus was fetched from: a small JSON file beside it, `NAME.provenance.json`.

The document itself stays as it came. The hash binds the two: where the file has been replaced since, its provenance
no longer holds and is passed over.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

ENDING = ".provenance.json"
MAX_BYTES = 64 * 2**10
"""Largest provenance that is read; one that Dossier writes has about 500 bytes."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where and when a file was fetched, and what its publisher calls it."""

    address: str
    """As the user named it."""
    final_address: str
    """After the redirects."""
    retrieved: str
    """UTC, ISO 8601."""
    sha256: str
    """Of the file, in hexadecimal."""
    content_type: str = ""
    title: str = ""
    publisher: str = ""
    published: str = ""
    """ISO date. The last three are given for public documents, and stand above what the file says of itself."""

    @property
    def metadata(self) -> dict[str, str]:
        """What overrides the metadata that a reader found."""
        given = {"title": self.title, "publisher": self.publisher, "published": self.published}
        return {
            "url": self.address,
            "retrieved": self.retrieved,
            **{name: value for name, value in given.items() if value},
        }


def provenance_path(document: Path) -> Path:
    """The file beside a document that says where it is from."""
    return document.with_name(document.name + ENDING)


def is_provenance(name: str) -> bool:
    """Whether a file's name is that of a provenance, which is no document."""
    return name.endswith(ENDING)


def encode_provenance(provenance: Provenance) -> bytes:
    """JSON text for people, without the fields that are empty."""
    given = {name: value for name, value in asdict(provenance).items() if value}
    return (json.dumps(given, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def decode_provenance(content: bytes, document: Path, data: bytes) -> Provenance | None:
    """The provenance of a document whose bytes are `data`, or None where it does not hold; the log says why."""
    beside = provenance_path(document)
    try:
        value: Any = json.loads(content)
        if not isinstance(value, Mapping):
            raise TypeError("it holds no object")
        names = {field.name for field in fields(Provenance)}
        found = Provenance(**{name: str(text) for name, text in value.items() if name in names})
    except (ValueError, TypeError, RecursionError) as error:
        logger.warning("%s is passed over: %s. Mend it or remove it.", beside, error)
        return None
    if found.sha256 != hashlib.sha256(data).hexdigest():
        logger.warning("%s is passed over: %s is another file than the one that was fetched.", beside, document.name)
        return None
    return found
