"""The `dossier` command: reads options, calls the packages below, prints. Heavy imports wait until a command runs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from corpus.errors import DossierError
from ui.eval_commands import evaluation, models
from ui.faults import FaultGroup
from ui.index_commands import add, index
from ui.output import print_json

Command = TypeVar("Command", bound=Callable[..., Any])
ASK_EXAMPLE = """\b
Example:
  dossier ask "When was the Joint Operations Command launched?" --json
  echo '{"id": "a", "question": "Where is it?"}' | dossier ask --jsonl -"""
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def folders(command: Command) -> Command:
    """The options --corpus and --index, as every command that opens an index has them."""
    for option in (
        click.option("--index", "index_dir", type=click.Path(path_type=Path), help="Folder of the index."),
        click.option("--corpus", type=click.Path(path_type=Path), help="Folder of documents."),
    ):
        command = option(command)
    return command


@click.group(
    cls=FaultGroup,
    context_settings=CONTEXT,
    epilog='\b\nExample:\n  dossier serve\n  dossier ask "To whom does the new joint force headquarters report?"',
)
@click.option("-v", "--verbose", is_flag=True, help="Show the log, and the details of a fault, on standard error.")
@click.version_option(package_name="dossier", prog_name="dossier")
def main(verbose: bool) -> None:
    """Answer questions from a folder of documents, with exact citations, on this machine."""
    handler = logging.StreamHandler(sys.stderr)
    # On the handler too: libraries set the levels of their own loggers.
    handler.setLevel(logging.DEBUG if verbose else logging.WARNING)
    words = "%(asctime)s %(levelname)s %(name)s: %(message)s" if verbose else "dossier: %(message)s"
    logging.basicConfig(level=handler.level, format=words, handlers=[handler])


@main.command(epilog="\b\nExample:\n  dossier serve --port 8080 --corpus ~/articles")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: 7860]")
@click.option("--auth", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Names and passwords.")
@folders
def serve(host: str | None, port: int | None, auth: Path | None, corpus: Path | None, index_dir: Path | None) -> None:
    """Open the page in which to ask questions."""
    from ui.server import serve_page
    from ui.wiring import load_settings

    settings = load_settings(corpus=corpus, index=index_dir, host=host, port=port)
    serve_page(settings, auth=auth, announce=click.echo)


@main.command(epilog=ASK_EXAMPLE)
@click.argument("question", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object.")
@click.option("--jsonl", type=click.File("rb"), help="Answer each line of a file; - is standard input.")
@folders
def ask(
    question: str | None, as_json: bool, jsonl: IO[bytes] | None, corpus: Path | None, index_dir: Path | None
) -> None:
    """Answer one question, or with --jsonl a file of them, one Answer a line out."""
    from ui.terminal import answer_lines
    from ui.wiring import load_settings, open_pipeline

    def answer(text: str, history: tuple[Any, ...]) -> dict[str, Any]:
        found: dict[str, Any] = pipeline.ask(text, history).to_json()
        return found

    questions = _questions(question, jsonl, "QUESTION")
    pipeline = open_pipeline(load_settings(corpus=corpus, index=index_dir))
    if question is not None:
        given = pipeline.ask(question)
        print_json(given.to_json()) if as_json else click.echo(answer_lines(given))
        return
    _print_each(questions, answer)


@main.command(epilog='\b\nExample:\n  dossier search "command authority in Japan" -k 5')
@click.argument("query", required=False)
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="Number of passages.")
@click.option("--json", "as_json", is_flag=True, help="Print the passages as one JSON object.")
@click.option("--jsonl", type=click.File("rb"), help="Search for each line of a file; - is standard input.")
@folders
def search(
    query: str | None, k: int, as_json: bool, jsonl: IO[bytes] | None, corpus: Path | None, index_dir: Path | None
) -> None:
    """Find passages, best first, without asking the model."""
    from dataclasses import asdict

    from ui.terminal import passage_lines
    from ui.wiring import load_settings, open_search

    def passages(text: str, history: tuple[Any, ...] = ()) -> dict[str, Any]:
        return {"passages": [asdict(passage) for passage in finder.search(text, k)]}

    questions = _questions(query, jsonl, "QUERY")
    finder = open_search(load_settings(corpus=corpus, index=index_dir))
    if query is not None:
        print_json({"question": query, **passages(query)}) if as_json else click.echo(
            passage_lines(finder.search(query, k))
        )
        return
    _print_each(questions, passages)


@main.command(epilog="\b\nExample:\n  dossier password ann >> passwords.txt && chmod 600 passwords.txt")
@click.argument("name")
@click.password_option("--password", hidden=True)
def password(name: str, password: str) -> None:
    """Print the line that lets NAME log in, for the file of `dossier serve --auth`."""
    from ui.login import hash_password

    if not name.strip() or ":" in name:
        raise click.UsageError("NAME must not be empty or hold a colon")
    if len(password) < 8:
        raise click.UsageError("the password needs at least 8 characters")
    click.echo(f"{name}:{hash_password(password)}")


def _questions(single: str | None, jsonl: IO[bytes] | None, name: str) -> list[Any]:
    """The questions of a file, all checked before one is answered; empty for a single question."""
    from ui.questions import QuestionFileError, read_questions

    if (single is None) == (jsonl is None):
        raise click.UsageError(f"give either {name} or --jsonl FILE")
    if jsonl is None:
        return []
    source = getattr(jsonl, "name", "standard input")
    try:
        lines = jsonl.read().decode("utf-8").split("\n")
    except UnicodeDecodeError as fault:
        line = jsonl_line(fault)
        raise click.UsageError(f"{source}, line {line}: not UTF-8. Nothing was run.") from fault
    try:
        return read_questions(lines, source)
    except QuestionFileError as fault:
        raise click.UsageError(str(fault)) from fault


def jsonl_line(fault: UnicodeDecodeError) -> int:
    """Number, from 1, of the line that holds the first byte that is not UTF-8."""
    return fault.object[: fault.start].count(b"\n") + 1


def _print_each(questions: list[Any], run: Callable[[str, tuple[Any, ...]], dict[str, Any]]) -> None:
    """One line out for each question in, in order; a question at fault gets one with `error`, and exit code 1."""
    failed = 0
    for question in _counted(questions):
        try:
            found = run(question.question, question.history)
        except DossierError as fault:
            failed += 1
            found = {"question": question.question, "error": str(fault)}
        print_json({"id": question.id, **found})
    if failed:
        raise DossierError(f"{failed} of {len(questions)} questions failed; their lines hold an `error`.")


def _counted(questions: list[Any]) -> Iterator[Any]:
    """The questions, with a progress bar on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    return iter(track(questions, "Questions", console=Console(stderr=True), disable=not sys.stderr.isatty()))


main.add_command(index)

main.add_command(add)
main.add_command(evaluation)
main.add_command(models)
