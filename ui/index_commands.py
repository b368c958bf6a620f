"""`dossier index …` and `dossier add`: the corpus and its index, from the command line."""

from __future__ import annotations

import click


@click.group()
def index() -> None:
    """Build the index, look at it, check it, or go back to the one before."""


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="PATH_OR_URL ...")
def add(sources: tuple[str, ...]) -> None:
    """Add documents to the corpus, then build the index."""
