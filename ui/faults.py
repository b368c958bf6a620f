"""How the command line ends when something goes wrong: a message on standard error, exit code 1, no traceback."""

from __future__ import annotations

import logging
from typing import Any

import click

from corpus.errors import DossierError

log = logging.getLogger(__name__)


class FaultGroup(click.Group):
    """A group of commands whose faults are shown as a message."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  as click declares it
        """Run the command; a `DossierError` becomes its message, any other exception a line that names it."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            click.echo("dossier: stopped", err=True)
            return ctx.exit(130)
        except Exception as fault:
            log.debug("The details of the fault", exc_info=True)
            click.echo(f"dossier: {fault_words(fault)}", err=True)
            return ctx.exit(1)


def fault_words(fault: Exception) -> str:
    """What happened, for whoever ran the command."""
    if isinstance(fault, DossierError):
        return str(fault) or type(fault).__name__
    if isinstance(fault, MemoryError):
        return "out of memory. Close other programs, or set a smaller model."
    if isinstance(fault, OSError):
        return f"{fault.strerror or fault}{f': {fault.filename}' if fault.filename else ''}"
    return f"unexpected {type(fault).__name__}: {fault}. Run again with `dossier -v …` for the details."
