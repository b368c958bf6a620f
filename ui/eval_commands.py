"""`dossier eval …` and `dossier models …`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ui.output import print_json, progress_shown

PATH = click.Path(path_type=Path)
REQUIRED = ("embedding", "answering")
"""Roles without which nothing is answered; the small model is for tests alone."""


@click.group(epilog="\b\nExample:\n  dossier models verify")
def models() -> None:
    """List the models, or check their files against the pinned hashes."""


@models.command(name="list", epilog="\b\nExample:\n  dossier models list --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_all(as_json: bool) -> None:
    """List the models, their licences, and whether each is there."""
    from index.weights import list_models
    from ui.listing import model_lines

    found = list_models()
    print_json({"models": [asdict(model) for model in found]}) if as_json else click.echo(model_lines(found))


@models.command(epilog="\b\nExample:\n  dossier models verify")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(as_json: bool) -> None:
    """Read every model file and compare it with its pinned hash; exit code 1 on a difference."""
    from corpus.errors import DossierError
    from index.weights import verify_models
    from ui.listing import model_lines

    with progress_shown() as progress:
        found = verify_models(progress)
    print_json({"models": [asdict(model) for model in found]}) if as_json else click.echo(model_lines(found))
    wrong = [model.name for model in found if model.state != "ready" and model.role in REQUIRED]
    if wrong:
        raise DossierError(f"Not ready: {', '.join(wrong)}. Run: make setup")


@click.group(name="eval", epilog="\b\nExample:\n  dossier eval run --limit 20")
def evaluation() -> None:
    """Score the answers to a set of questions, compare two runs, or show a report."""


@evaluation.command(
    epilog="\b\nExample:\n  dossier eval run --limit 20\n  dossier eval run --questions mine.jsonl --corpus ~/articles"
)
@click.option("--questions", type=PATH, help="Question file; the shipped set by default.")
@click.option("--out", type=PATH, help="Folder of the run; a run that was stopped goes on in the same one.")
@click.option("--limit", type=click.IntRange(min=1), help="Ask only the first questions.")
@click.option("--retrieval-only", is_flag=True, help="Search, and score the retrieval alone.")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as one JSON object.")
@click.option("--corpus", type=PATH, help="Folder of documents.")
@click.option("--index", "index_dir", type=PATH, help="Folder of the index.")
def run(
    questions: Path | None,
    out: Path | None,
    limit: int | None,
    retrieval_only: bool,
    as_json: bool,
    corpus: Path | None,
    index_dir: Path | None,
) -> None:
    """Ask every question of a set, score the answers, and write the report."""
    from evals.questions import load_questions
    from evals.runner import run as run_questions
    from ui.listing import score_lines
    from ui.wiring import (
        default_questions,
        default_run_folder,
        document_texts,
        load_settings,
        open_pipeline,
        open_search,
    )

    settings = load_settings(corpus=corpus, index=index_dir)
    documents = document_texts(settings)
    asked = load_questions(questions or default_questions(), documents)
    pipeline = open_search(settings) if retrieval_only else open_pipeline(settings)
    folder = out or default_run_folder()
    scores = run_questions(
        asked, documents, pipeline, folder, limit=limit, retrieval_only=retrieval_only, progress=sys.stderr.isatty()
    )
    print_json(scores.to_json()) if as_json else click.echo(score_lines(scores, folder))


@evaluation.command(epilog="\b\nExample:\n  dossier eval compare evals/baseline evals/runs/2026-11-21-1200")
@click.argument("base", type=PATH)
@click.argument("new", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as one JSON object.")
def compare(base: Path, new: Path, as_json: bool) -> None:
    """Compare two runs question by question; exit code 1 where the new one is not accepted."""
    from evals.compare import compare as compare_runs

    found = compare_runs(base, new)
    if as_json:
        print_json({**asdict(found), "failures": found.failures})
    else:
        click.echo(found.text, nl=False)
    sys.exit(found.exit_code)


@evaluation.command(epilog="\b\nExample:\n  dossier eval report evals/runs/2026-11-21-1200")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--no-open", is_flag=True, help="Only write it and print its path.")
def report(folder: Path, no_open: bool) -> None:
    """Write a run's report again from its answers, and open it in the browser."""
    from evals.report import write_report

    written = write_report(folder)
    click.echo(str(written))
    if not no_open and sys.stdout.isatty():
        click.launch(str(written))


@evaluation.command(epilog="\b\nExample:\n  dossier eval candidates > candidates.jsonl")
def candidates() -> None:
    """Print the answers that readers of the page marked, one JSON object a line: candidates for new questions."""
    from ui.conversations import Conversations
    from ui.wiring import conversations_path

    for turn in Conversations(conversations_path()).voted():
        print_json(
            {
                "id": turn.id,
                "question": turn.answer.standalone_question,
                "vote": turn.vote,
                "comment": turn.comment,
                "answer": turn.answer.to_json(),
            }
        )
