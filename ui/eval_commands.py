"""`dossier eval …` and `dossier models …`."""

from __future__ import annotations

import click


@click.group(name="eval")
def evaluation() -> None:
    """Score the answers on a set of questions, compare two runs, or open a report."""


@click.group()
def models() -> None:
    """List the models, or check their files against the pinned hashes."""
