"""Reports about the index and the models as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ui.words import plain

if TYPE_CHECKING:
    from pathlib import Path

    from corpus.adding import Added, AddReport
    from corpus.public import PublicDocument
    from evals.summary import Scores
    from index import BuildReport, GenerationInfo, Status, VerifyReport
    from index.weights import ModelStatus

LISTED = 20
"""Names of each kind that are printed; the JSON has all."""


def megabytes(size: int) -> str:
    """A size in bytes as megabytes (10^6), or kilobytes below one."""
    return f"{size / 1e6:,.1f} MB" if size >= 1_000_000 else f"{size / 1e3:,.1f} kB"


def _named(what: str, names: Iterable[str]) -> list[str]:
    listed = list(names)
    more = [f"  … and {len(listed) - LISTED} more"] if len(listed) > LISTED else []
    return [f"{what}: {len(listed)}", *(f"  {name}" for name in listed[:LISTED]), *more] if listed else []


def add_lines(report: AddReport) -> str:
    """What became of each file."""
    return plain(
        "\n".join(
            [
                *_named("Added", (f"{entry.source} as {entry.path}{_repeats(entry)}" for entry in report.added)),
                *_named("Skipped", (entry.reason for entry in report.skipped)),
            ]
        )
    )


def _repeats(entry: Added) -> str:
    return f", nearly the same as {entry.copy_of}" if entry.copy_of else ""


def public_lines(documents: Sequence[PublicDocument]) -> str:
    """One block a public document: its name, what it is, and where."""
    blocks = [
        f"{document.name}\n  {document.title}\n  {document.publisher}{f', {document.date}' if document.date else ''}\n"
        f"  {document.address}"
        for document in documents
    ]
    return plain("\n".join([*blocks, "To fetch some: dossier add --public NAME ..."]))


def build_lines(report: BuildReport) -> str:
    """What a build did."""
    state = "built" if report.built else "already up to date"
    return plain(
        "\n".join(
            [
                f"Index generation {report.generation} {state}: {report.documents:,} documents, "
                f"{report.chunks:,} chunks, {megabytes(report.bytes)}, {report.seconds:.1f} s.",
                *_named("Added", report.added),
                *_named("Changed", report.changed),
                *_named("Removed", report.removed),
                *_named("Renamed", (f"{old} → {new}" for old, new in report.renamed)),
                *([f"Unchanged: {report.unchanged:,}"] if report.unchanged else []),
                *_named("Skipped", (entry.reason for entry in report.skipped)),
                *_named("Near-copies", (f"{path}, of {original}" for path, original in report.copies)),
                *(
                    [f"Chunks embedded: {report.chunks_embedded:,}, reused: {report.chunks_reused:,}"]
                    if report.built
                    else []
                ),
            ]
        )
    )


def status_lines(status: Status) -> str:
    """Whether the index fits the corpus, and what differs."""
    facts = (
        f"Generation {status.generation} of {status.created}: {status.documents:,} documents, "
        f"{status.chunks:,} chunks, {megabytes(status.bytes)}, embedded by {status.embedder}."
    )
    return plain(
        "\n".join(
            [
                status.message,
                *([facts] if status.created else []),
                *_named("Added", status.added),
                *_named("Changed", status.changed),
                *_named("Removed", status.removed),
                *_named("Skipped", (entry.reason for entry in status.skipped)),
                *_named("From the web", (f"{path}, {url}, retrieved {at}" for path, url, at in status.fetched)),
            ]
        )
    )


def verify_lines(report: VerifyReport) -> str:
    """What was read and what was wrong."""
    first = f"Index generation {report.generation} is {'as it was written' if report.ok else 'damaged'}."
    checked = f"{len(report.checked)} generations read."
    return plain(
        "\n".join(
            [first, checked, *_named("Problems", report.problems), *_named("In older ones", report.older_problems)]
        )
    )


def generation_lines(generations: Sequence[GenerationInfo]) -> str:
    """One line a generation, the current one with a star."""
    lines = [
        f"{'*' if entry.current else ' '} {entry.generation}  {entry.created}  {entry.documents:,} documents, "
        f"{entry.chunks:,} chunks, {megabytes(entry.bytes)}{f'  {entry.problem}' if entry.problem else ''}"
        for entry in generations
    ]
    return plain("\n".join(lines) or "No index yet. Run: dossier index build")


def model_lines(models: Sequence[ModelStatus]) -> str:
    """One block a model: what it is for, under which licence, and whether it is there."""
    blocks = [
        f"{model.name} ({model.role}, {model.licence}, {megabytes(model.size)}): {model.state}"
        + (f"\n  {model.path}" if model.path else "")
        + f"\n  sha256 {model.sha256}"
        + (f"\n  {model.message}" if model.message else "")
        for model in models
    ]
    return plain("\n".join(blocks))


def score_lines(scores: Scores, folder: Path) -> str:
    """The primary scores with their intervals, and where the report is."""
    rates = scores.primary or scores.overall.rates
    lines = [f"{len(scores.questions)} questions."]
    for name, rate in rates.items():
        if rate.value is not None:
            interval = f"  [{rate.low:.3f}, {rate.high:.3f}]" if rate.low is not None and rate.high is not None else ""
            lines.append(f"{name.replace('_', ' ')}: {rate.value:.3f}{interval}")
    return plain("\n".join([*lines, f"Report: {folder / 'report.html'}"]))
