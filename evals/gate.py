"""The gate: a fixed slice of the set on the real model, against the scores of the last accepted run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from evals.compare import Comparison, compare_scores
from evals.errors import EvaluationError
from evals.questions import Question
from evals.runner import Answerer, run
from evals.summary import read_scores

FOLDER = Path(__file__).parent
SLICE = FOLDER / "slice.json"
BASELINE = FOLDER / "baseline" / "scores.json"
SIZE = 24


def choose_slice(questions: Sequence[Question], size: int = SIZE) -> list[str]:
    """Ids of a balanced sample of the dev half: half unanswerable, each half spread over its rarest tags, by hash.

    A question stands for its rarest tag, and the tags take turns, so that a rare kind of question is there too. The
    choice depends on nothing but ids and tags.
    """
    dev = [question for question in questions if question.half == "dev"]
    chosen: list[str] = []
    for answerable in (True, False):
        side = [question for question in dev if question.answerable is answerable]
        chosen += _take_turns(side)[: size - size // 2 if answerable else size // 2]
    return sorted(chosen)


def read_slice(questions: Sequence[Question], file: Path = SLICE) -> list[Question]:
    """The questions of the committed slice.

    :raises EvaluationError: the file is missing, or names a question that is not in the set.
    """
    try:
        ids = json.loads(file.read_text(encoding="utf-8"))["ids"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"{file} holds no slice of the set; write it with evals.gate.write_slice") from error
    known = {question.id: question for question in questions}
    if unknown := [question_id for question_id in ids if question_id not in known]:
        raise EvaluationError(f"{file} names questions that are not in the set: {', '.join(unknown)}")
    return [known[question_id] for question_id in ids]


def write_slice(questions: Sequence[Question], file: Path = SLICE) -> None:
    """Choose the slice and write it; done once, so that later runs have the same questions."""
    file.write_text(json.dumps({"ids": choose_slice(questions)}, indent=1) + "\n", encoding="utf-8")


def run_gate(
    questions: Sequence[Question],
    corpus_documents: Mapping[str, str],
    answerer: Answerer,
    out: Path,
    *,
    baseline: Path = BASELINE,
    slice_file: Path = SLICE,
    cache_folder: Path | None = None,
) -> Comparison:
    """Ask the slice, and compare with the accepted run, which holds the same questions among others.

    :raises EvaluationError: there is no slice or no accepted run.
    :raises DossierError: as `run`.
    """
    scores = run(read_slice(questions, slice_file), corpus_documents, answerer, out, cache_folder=cache_folder)
    return compare_scores(read_scores(baseline), scores)


def _take_turns(questions: Sequence[Question]) -> list[str]:
    counts: dict[str, int] = {}
    for question in questions:
        for tag in question.tags or ("",):
            counts[tag] = counts.get(tag, 0) + 1
    by_tag: dict[str, list[str]] = {}
    for question in sorted(questions, key=lambda each: hashlib.sha256(each.id.encode()).digest()):
        rarest = min(question.tags or ("",), key=lambda tag: (counts[tag], tag))
        by_tag.setdefault(rarest, []).append(question.id)
    turns = zip_longest(*(by_tag[tag] for tag in sorted(by_tag)))
    return [question_id for turn in turns for question_id in turn if question_id is not None]
