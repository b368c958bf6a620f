"""The public documents behind the shipped briefs, which a user can fetch: `corpus/public-documents.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import CorpusError

FILE = Path(__file__).parent / "public-documents.toml"


@dataclass(frozen=True, slots=True)
class PublicDocument:
    """An official document that is on the open internet."""

    name: str
    """Of the brief that describes it, without its ending."""
    title: str
    publisher: str
    address: str
    date: str = ""
    """ISO date, or empty for a page without one."""

    @property
    def about(self) -> dict[str, str]:
        """What `corpus.adding.add_sources` takes as known about its address."""
        known = {"title": self.title, "publisher": self.publisher, "published": self.date}
        return {name: value for name, value in known.items() if value}


def public_documents(names: Sequence[str] = (), file: Path = FILE) -> list[PublicDocument]:
    """The public documents of these names in their order, or all.

    Raises:
        CorpusError: A name is not in the list, or the list cannot be read.
    """
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))
        found = {name: PublicDocument(name, **entry) for name, entry in entries.items()}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise CorpusError(f"The list of public documents {file} cannot be read: {error}.") from error
    unknown = [name for name in names if name not in found]
    if unknown:
        raise CorpusError(f"There is no public document {unknown[0]!r}. To see them all, run: dossier add --public")
    return [found[name] for name in names] if names else list(found.values())
