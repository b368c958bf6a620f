"""`dossier index …` and `dossier add`: the corpus and its index, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.output import print_json, progress_shown

if TYPE_CHECKING:
    from index import BuildReport
    from qa.settings import Settings

CORPUS = click.option("--corpus", type=click.Path(path_type=Path), help="Folder of documents.")
INDEX = click.option("--index", "index_dir", type=click.Path(path_type=Path), help="Folder of the index.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _settings(corpus: Path | None, index_dir: Path | None) -> Settings:
    from ui.wiring import load_settings

    return load_settings(corpus=corpus, index=index_dir)


@click.group(epilog="\b\nExample:\n  dossier index build --corpus ~/articles")
def index() -> None:
    """Build the index, look at it, check it, or go back to the one before."""


@index.command(epilog="\b\nExample:\n  dossier index build --corpus ~/articles --index ~/articles-index")
@CORPUS
@INDEX
@JSON
@click.option("--watch", is_flag=True, help="Go on, and build whenever the corpus settles after a change.")
def build(corpus: Path | None, index_dir: Path | None, as_json: bool, watch: bool) -> None:
    """Bring the index in line with the corpus; only what changed is embedded."""
    from index import BuildSettings
    from index import build as build_index
    from ui.listing import build_lines
    from ui.wiring import open_embedder

    settings = _settings(corpus, index_dir)
    embedder = open_embedder()
    how = BuildSettings(vectors=settings.vectors)

    def show(report: BuildReport) -> None:
        print_json(report.to_json()) if as_json else click.echo(build_lines(report))

    if not watch:
        with progress_shown() as progress:
            report = build_index(settings.corpus, settings.index, embedder, how, progress)
        show(report)
        return
    from index.watch import watch as watch_corpus

    click.echo(f"dossier: watching {settings.corpus}; Ctrl+C ends it.", err=True)
    for report in watch_corpus(settings.corpus, settings.index, embedder, how):
        show(report)


@index.command(epilog="\b\nExample:\n  dossier index status --json")
@CORPUS
@INDEX
@JSON
def status(corpus: Path | None, index_dir: Path | None, as_json: bool) -> None:
    """Tell whether the index still says what the corpus says; nothing is changed."""
    from index import status as compare
    from ui.listing import status_lines

    settings = _settings(corpus, index_dir)
    found = compare(settings.corpus, settings.index)
    print_json(found.to_json()) if as_json else click.echo(status_lines(found))


@index.command(epilog="\b\nExample:\n  dossier index verify")
@CORPUS
@INDEX
@JSON
def verify(corpus: Path | None, index_dir: Path | None, as_json: bool) -> None:
    """Read and hash every file of every generation; exit code 1 where the current one is damaged."""
    from corpus.errors import DossierError
    from index import verify as check
    from ui.listing import verify_lines

    report = check(_settings(corpus, index_dir).index)
    print_json(report.to_json()) if as_json else click.echo(verify_lines(report))
    if not report.ok:
        raise DossierError(f"The index generation {report.generation} is damaged. Run: dossier index build")


@index.command(name="list", epilog="\b\nExample:\n  dossier index list")
@CORPUS
@INDEX
@JSON
def list_all(corpus: Path | None, index_dir: Path | None, as_json: bool) -> None:
    """List the generations that are kept, newest first."""
    from dataclasses import asdict

    from index import list_generations
    from ui.listing import generation_lines

    found = list_generations(_settings(corpus, index_dir).index)
    print_json({"generations": [asdict(entry) for entry in found]}) if as_json else click.echo(generation_lines(found))


@index.command(epilog="\b\nExample:\n  dossier index rollback")
@CORPUS
@INDEX
@JSON
def rollback(corpus: Path | None, index_dir: Path | None, as_json: bool) -> None:
    """Go back to the generation before the current one."""
    from index import rollback as go_back

    name = go_back(_settings(corpus, index_dir).index)
    print_json({"generation": name}) if as_json else click.echo(f"Index generation {name} serves now.")


@click.command(
    epilog="\b\nExample:\n  dossier add ~/Downloads/article.pdf notes/ https://example.org/article\n"
    "  dossier add --dry-run notes/\n  dossier add --public security-treaty-1960"
)
@click.argument("sources", nargs=-1, metavar="PATH_OR_URL ...")
@click.option("--dry-run", is_flag=True, help="Only tell what would happen.")
@click.option("--allow-private", is_flag=True, help="Fetch from private networks and this machine, too.")
@click.option("--public", is_flag=True, help="Take names of public documents behind the briefs; without one, list all.")
@CORPUS
@INDEX
@JSON
def add(
    sources: tuple[str, ...],
    dry_run: bool,
    allow_private: bool,
    public: bool,
    corpus: Path | None,
    index_dir: Path | None,
    as_json: bool,
) -> None:
    """Copy documents into the corpus, then build the index; exit code 1 where none could be added."""
    from dataclasses import asdict

    from corpus.adding import add_sources
    from corpus.errors import DossierError
    from corpus.extraction_cache import FOLDER
    from corpus.public import public_documents
    from index import BuildSettings
    from index import build as build_index
    from index.nearest_copy import NearestCopy
    from ui.listing import add_lines, build_lines, public_lines
    from ui.wiring import open_embedder

    listed = public_documents(sources) if public else []
    if public and not sources:
        print_json({"public": [asdict(entry) for entry in listed]}) if as_json else click.echo(public_lines(listed))
        return
    if not sources:
        raise click.UsageError("Name files, folders or addresses, or a public document with --public.")
    settings = _settings(corpus, index_dir)
    report = add_sources(
        [entry.address for entry in listed] if public else sources,
        settings.corpus,
        dry_run=dry_run,
        allow_private=allow_private,
        about={entry.address: entry.about for entry in listed},
        extracted=settings.index / FOLDER,
        nearest_copy=NearestCopy(settings.index),
    )
    built = None
    if report.added and not dry_run:
        embedder = open_embedder()
        how = BuildSettings(vectors=settings.vectors)
        with progress_shown() as progress:
            built = build_index(settings.corpus, settings.index, embedder, how, progress)
    if as_json:
        print_json({**asdict(report), "dry_run": dry_run, "build": built.to_json() if built else None})
    else:
        click.echo("\n".join([add_lines(report), *([build_lines(built)] if built else [])]))
    if not report.added:
        raise DossierError("No document was added.")
