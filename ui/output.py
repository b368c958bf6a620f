"""What the command line writes: JSON on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


def print_json(value: object) -> None:
    """One line of JSON in UTF-8 on standard output, whatever the locale; flushed, so that a reader can follow."""
    click.echo(json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace"))
    sys.stdout.flush()


@contextmanager
def progress_shown() -> Iterator[Callable[[str, int, int], None]]:
    """A function to call with what is being done, units done, and units in all; bars on standard error.

    Where standard error is no terminal, each new stage is one line.
    """
    if not sys.stderr.isatty():
        stages: set[str] = set()

        def tell(what: str, done: int, total: int) -> None:
            if what not in stages:  # a bar would fill a log file with lines
                stages.add(what)
                click.echo(f"dossier: {what} ({done:,} of {total:,})" if total else f"dossier: {what}", err=True)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TimeRemainingColumn

    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total or None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield advance
