"""New documents from files and web addresses: read first, refused if there already, never written over another."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from corpus.document import Document
from corpus.errors import CorpusError, DocumentError
from corpus.extraction import Extractor
from corpus.extraction_cache import ExtractionCache
from corpus.fetching import WEB, FetchLimits, fetch
from corpus.loading import document_path, find_documents, parse_document, read_file
from corpus.provenance import Provenance, encode_provenance, provenance_path

FOLDER = "added"
"""Below the corpus folder: where new files go."""
LONGEST_NAME = 120
"""Characters of a file's name that are kept, and bytes at most twice as many; file systems allow 255 bytes."""
MOST_ALIKE = 10_000
"""Files of one name that are told apart by numbers."""


@dataclass(frozen=True, slots=True)
class Added:
    """A document that is in the corpus now."""

    source: str
    """The file or address."""
    path: str
    """`Document.path`."""
    copy_of: str = ""
    """Path of a document that says nearly the same, or empty."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A source that was not taken."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of each source."""

    added: tuple[Added, ...]
    skipped: tuple[Refused, ...]


@dataclass
class _Holdings:
    """The files of a corpus by their size, so that the same content is found without reading them all."""

    corpus: Path
    by_size: dict[int, list[Path]] = field(default_factory=dict)
    taken: dict[bytes, str] = field(default_factory=dict)
    """Content hash and path of what this call took."""

    def __post_init__(self) -> None:
        for path in find_documents(self.corpus):
            try:
                self.by_size.setdefault(path.stat().st_size, []).append(path)
            except OSError:
                continue  # gone meanwhile, or a link to nothing: it holds no content

    def path_of(self, data: bytes) -> str:
        """Where the corpus holds this content, or empty."""
        if earlier := self.taken.get(hashlib.sha256(data).digest()):
            return earlier
        for path in self.by_size.get(len(data), ()):
            try:
                if read_file(path, self.corpus) == data:
                    return document_path(path, self.corpus)
            except DocumentError:
                continue  # what a build cannot read either is no document of the corpus
        return ""

    def take(self, data: bytes, path: str) -> None:
        """Remember what was taken."""
        self.taken[hashlib.sha256(data).digest()] = path


def add_sources(
    sources: Sequence[str | Path],
    corpus: Path,
    *,
    dry_run: bool = False,
    allow_private: bool = False,
    about: Mapping[str, Mapping[str, str]] | None = None,
    limits: FetchLimits | None = None,
    extracted: Path | None = None,
    nearest_copy: Callable[[Document], str] | None = None,
) -> AddReport:
    """Copy files, all files below folders, and what web addresses give, into the corpus.

    A source that cannot be read or is there already is skipped with its reason; the others go on.

    Args:
        sources: Files, folders, and addresses that begin with http:// or https://.
        corpus: The corpus folder.
        dry_run: Only tell what would happen; addresses are fetched all the same, to see what they give.
        allow_private: Whether addresses in private networks and on this machine may be fetched.
        about: Title, publisher and publication date (`title`, `publisher`, `published`) by address, where they are
            known better than the document says itself.
        limits: Of what an address may cost; the defaults when None.
        extracted: Where what is extracted is kept for the build that follows; nowhere when None.
        nearest_copy: Says which document of the corpus one nearly repeats, or nothing; it is added all the same.

    Raises:
        CorpusError: The corpus folder is missing or cannot be written.
    """
    if not corpus.is_dir():
        raise CorpusError(f"There is no corpus folder {corpus}. Name one with --corpus.")
    holdings = _Holdings(corpus)
    added: list[Added] = []
    skipped: list[Refused] = []
    with Extractor(cache=ExtractionCache(extracted) if extracted else None) as extractor:
        for source in _each(sources):
            try:
                name, data, provenance = _take(source, about or {}, limits, allow_private=allow_private)
                document = _add(name, data, provenance, holdings, extractor, dry_run=dry_run)
                copy_of = nearest_copy(document) if nearest_copy else ""
                added.append(Added(str(source), document.path, copy_of))
            except DocumentError as fault:
                skipped.append(Refused(str(source), str(fault)))
            except OSError as fault:
                raise CorpusError(
                    f"{source} cannot be copied into {corpus}: {fault.strerror or fault}. Name a folder that you can "
                    "write with --corpus."
                ) from fault
    return AddReport(tuple(added), tuple(skipped))


def _take(
    source: Path | str, about: Mapping[str, Mapping[str, str]], limits: FetchLimits | None, *, allow_private: bool
) -> tuple[str, bytes, Provenance | None]:
    """Name and bytes of a source, and where an address's are from."""
    if isinstance(source, Path):
        return source.name, read_file(source, source.parent), None
    found = fetch(source, allow_private=allow_private, limits=limits)
    provenance = Provenance(
        address=found.address,
        final_address=found.final_address,
        retrieved=found.retrieved,
        sha256=hashlib.sha256(found.data).hexdigest(),
        content_type=found.content_type,
        **about.get(source, {}),
    )
    return found.name, found.data, provenance


def _each(sources: Sequence[str | Path]) -> Iterator[Path | str]:
    """Files as paths, addresses as strings."""
    for source in sources:
        if isinstance(source, str) and WEB.match(source):
            yield source
            continue
        path = Path(source)
        if path.is_dir() and not path.is_symlink():
            yield from find_documents(path)
        else:
            yield path


def _add(
    name: str,
    data: bytes,
    provenance: Provenance | None,
    holdings: _Holdings,
    extractor: Extractor,
    *,
    dry_run: bool,
) -> Document:
    there = holdings.path_of(data)
    if there:
        raise DocumentError(f"{name} is there already, as {there}.")
    corpus = holdings.corpus
    target = corpus / FOLDER / safe_name(name)
    document = parse_document(data, target, corpus, extractor)
    target = _free(target, holdings) if dry_run else _write(data, provenance, target)
    document = replace(document, path=document_path(target, corpus))
    holdings.take(data, document.path)
    return document


def _numbered(target: Path) -> Iterator[Path]:
    """The names that a file may get, in order."""
    yield target
    yield from (target.with_name(f"{target.stem}-{number}{target.suffix}") for number in range(2, MOST_ALIKE))


def _free(target: Path, holdings: _Holdings) -> Path:
    """The name that a file would get."""
    would_be = {holdings.corpus / path for path in holdings.taken.values()}
    for place in _numbered(target):
        if place not in would_be and not os.path.lexists(place) and not os.path.lexists(provenance_path(place)):
            return place
    raise _too_many(target)


def _too_many(target: Path) -> DocumentError:
    return DocumentError(f"There are {MOST_ALIKE:,} files named like {target} already. Rename the new one.")


def safe_name(name: str) -> str:
    """A file name of letters, digits, dots, hyphens and brackets, short enough for every file system."""
    given = Path(name)
    stem = re.sub(r"[^\w.()-]+", "-", given.stem)[:LONGEST_NAME]
    while len(stem.encode("utf-8", "replace")) > 2 * LONGEST_NAME - 40:
        stem = stem[:-1]
    return f"{stem.strip('.-') or 'document'}{given.suffix.lower()}"


def _write(data: bytes, provenance: Provenance | None, target: Path) -> Path:
    """Write beside the place and link into it, so that a reader sees all of it and nothing is written over.

    The provenance comes first: a build never sees the document without it.
    """
    target.parent.mkdir(exist_ok=True)
    draft = target.with_name(f".{os.getpid()}-{target.name}")
    try:
        _write_synced(draft, data)
        for place in _numbered(target):
            if _link(draft, place, provenance):
                return place
        raise _too_many(target)
    finally:
        draft.unlink(missing_ok=True)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _link(draft: Path, place: Path, provenance: Provenance | None) -> bool:
    """Give the draft its name; False where the name is taken."""
    if os.path.lexists(place):
        return False
    beside = provenance_path(place)
    if provenance is not None:
        about = draft.with_name(f"{draft.name}.provenance")
        _write_synced(about, encode_provenance(provenance))
        try:
            os.link(about, beside)
        except FileExistsError:
            return False
        finally:
            about.unlink()
    elif os.path.lexists(beside):
        return False  # left from a document that was removed; it must not be taken for this one's
    try:
        os.link(draft, place)
    except FileExistsError:
        if provenance is not None:
            beside.unlink()
        return False
    return True
