"""How the command line ends when something goes wrong: a message on standard error, exit code 1, no traceback."""

from __future__ import annotations

import logging
import traceback
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
        except DossierError as fault:
            message = str(fault) or type(fault).__name__
        except KeyboardInterrupt:
            click.echo("dossier: stopped", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            raise
        except MemoryError:
            message = "out of memory. Close other programs, or set a smaller model."
        except OSError as fault:
            message = f"{fault.strerror or fault}{f': {fault.filename}' if fault.filename else ''}"
        except Exception as fault:  # noqa: BLE001  the outermost boundary: a defect ends in words, its trace in the log
            message = f"unexpected {type(fault).__name__}: {fault}. Run again with `dossier -v …` for the details."
        log.debug("%s", traceback.format_exc())
        click.echo(f"dossier: {message}", err=True)
        return ctx.exit(1)
