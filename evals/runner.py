"""Runs a set of questions: goes on where it was stopped, asks nothing twice, scores, and writes the reports."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from platformdirs import user_cache_path
from tqdm import tqdm

from corpus.errors import DossierError
from evals.answer_store import (
    ANSWERS_FILE,
    AnswerCache,
    Outcome,
    answer_key,
    append_record,
    content_hash,
    outcome_of,
    read_records,
    to_record,
    write_records,
    write_text,
)
from evals.errors import EvaluationError
from evals.provenance import code_hash
from evals.questions import Question, question_to_json
from evals.report import write_report
from evals.scores import Gold, QuestionScores, score_question
from evals.summary import SCORES_FILE, RunInfo, Scores, read_scores, summarise
from qa.answer import Answer, Passage

FAULTS_IN_A_ROW = 3
"""So many, and the run stops: the fault is not the question's."""
RETRIEVAL_DEPTH = 10
_log = logging.getLogger(__name__)


class Answerer(Protocol):
    """What is evaluated: the pipeline, or a baseline."""

    @property
    def fingerprint(self) -> str:
        """Names index, model, prompt and settings; two answerers that may answer differently differ in it."""
        ...

    def ask(self, question: str, history: Sequence[Mapping[str, str]]) -> Answer:
        """Answer a question; `history` holds the earlier turns as role and content, oldest first.

        :raises DossierError: a fault, with a message.
        """
        ...

    def search(self, question: str, k: int) -> Sequence[Passage]:
        """The best k passages, in rank order.

        :raises DossierError: a fault, with a message.
        """
        ...


def run(
    questions: Sequence[Question],
    corpus_documents: Mapping[str, str],
    answerer: Answerer,
    out: Path,
    limit: int | None = None,
    retrieval_only: bool = False,
    progress: bool = False,
    cache_folder: Path | None = None,
) -> Scores:
    """Ask the questions that have no answer yet, score all, and write answers.jsonl, scores.json and the reports.

    An answer is written as soon as it is there, so a run that was killed goes on where it stopped. Answers are also
    cached by fingerprint, answering code, question and history: the same pipeline is never asked the same thing twice,
    and a changed scorer scores again without a model.

    Args:
        questions: as `load_questions` gave them.
        corpus_documents: the text of each document by its path.
        answerer: what answers, or only searches.
        out: the folder of the run, made where it is missing.
        limit: ask only the first questions.
        retrieval_only: search, and score the retrieval alone; a follow-up is searched without its history.
        progress: show a bar with the time left on standard error.
        cache_folder: where answers are cached; the user's cache folder by default.

    :raises EvaluationError: `out` cannot be written.
    :raises DossierError: the answerer failed FAULTS_IN_A_ROW times in a row, or in a search. A single fault counts
        against its question, and the scores hold its message.
    """
    asked_for = list(questions[:limit])
    default_cache = user_cache_path("dossier", appauthor=False) / "evaluation"
    session = _Session(asked_for, corpus_documents, answerer, out, retrieval_only, cache_folder or default_cache)
    with _writing_to(out):
        out.mkdir(parents=True, exist_ok=True)
        session.resume()
    seconds, asked = session.ask_missing(progress=progress)
    with _writing_to(out):
        results = session.score_all()
        info = session.describe(seconds, asked)
        scores = summarise(results, [answer.timings for answer in session.answers], info)
        write_text(out / SCORES_FILE, json.dumps(scores.to_json(), ensure_ascii=False, indent=1) + "\n")
        write_report(out)
    return scores


class _Session:
    """One run: the questions, and what is known of each so far."""

    def __init__(
        self,
        questions: Sequence[Question],
        documents: Mapping[str, str],
        answerer: Answerer,
        out: Path,
        retrieval_only: bool,
        cache_folder: Path,
    ) -> None:
        self.questions = questions
        self.documents = documents
        self.answerer = answerer
        self.file = out / ANSWERS_FILE
        self.retrieval_only = retrieval_only
        self.cache = AnswerCache(cache_folder)
        self.fingerprint = content_hash([answerer.fingerprint, code_hash()])
        self.golds = {question.id: Gold.locate(question, documents) for question in questions}
        self.keys = {q.id: answer_key(self.fingerprint, q, retrieval_only=retrieval_only) for q in questions}
        self.outcomes: dict[str, Outcome] = {}
        self.faults: dict[str, str] = {}

    @property
    def answers(self) -> list[Answer]:
        return [outcome.answer for outcome in self.outcomes.values() if outcome.answer]

    def resume(self) -> None:
        """Take what an earlier run or the cache holds; the file of answers then holds that, and no torn or old line."""
        for record in read_records(self.file) if self.file.exists() else ():
            if self.keys.get(record.get("id", "")) == record.get("key") and (outcome := outcome_of(record)):
                self.outcomes[record["id"]] = outcome
        for question in self.questions:
            if question.id not in self.outcomes and (outcome := self.cache.read(self.keys[question.id])):
                self.outcomes[question.id] = outcome
        if len(self.outcomes) < len(self.questions):
            self.score_all()

    def ask_missing(self, *, progress: bool) -> tuple[float, int]:
        """Ask what is not known yet, and give the seconds that took and the number of questions."""
        missing = [question for question in self.questions if question.id not in self.outcomes]
        started = time.monotonic()
        in_a_row = 0
        for question in _with_bar(missing, done=len(self.questions) - len(missing), shown=progress):
            try:
                outcome = self._ask(question)
            except DossierError as error:
                in_a_row += 1
                if self.retrieval_only or in_a_row == FAULTS_IN_A_ROW:
                    raise
                _log.warning("question %s ended in a fault: %s", question.id, error)
                self.faults[question.id] = str(error)
                continue
            in_a_row = 0
            self.outcomes[question.id] = outcome
            self.cache.write(self.keys[question.id], outcome)
            append_record(self.file, to_record(question, self.keys[question.id], outcome, self._score(question)))
        return time.monotonic() - started, len(missing)

    def score_all(self) -> list[QuestionScores]:
        """Score every question, and write those that were asked in the order of the questions."""
        results = [self._score(question) for question in self.questions]
        ended: dict[str, Outcome | str] = {**self.outcomes, **self.faults}
        write_records(
            self.file,
            (
                to_record(question, self.keys[question.id], ended[question.id], result)
                for question, result in zip(self.questions, results, strict=True)
                if question.id in ended
            ),
        )
        return results

    def describe(self, seconds: float, asked: int) -> RunInfo:
        """What was run; a run that asked nothing keeps the time and memory of the one that did."""
        memory = _peak_memory() if asked else None
        if not asked:
            with suppress(EvaluationError):
                earlier = read_scores(self.file.with_name(SCORES_FILE)).run
                if earlier.fingerprint == self.fingerprint:
                    seconds, asked, memory = earlier.seconds, earlier.asked, earlier.peak_memory_bytes
        first = next(iter(self.answers), None)
        return RunInfo(
            fingerprint=self.fingerprint,
            model=first.model if first else "",
            engine=first.engine if first else "",
            generation=first.index.generation if first else "",
            corpus_hash=first.index.corpus_hash if first else "",
            questions_hash=content_hash([question_to_json(question) for question in self.questions]),
            retrieval_only=self.retrieval_only,
            seconds=round(seconds, 3),
            asked=asked,
            peak_memory_bytes=memory,
            faults=self.faults,
        )

    def _ask(self, question: Question) -> Outcome:
        if self.retrieval_only:
            return Outcome(tuple(self.answerer.search(question.question, RETRIEVAL_DEPTH)))
        answer = self.answerer.ask(question.question, question.messages)
        return Outcome(answer.passages, answer)

    def _score(self, question: Question) -> QuestionScores:
        outcome = self.outcomes.get(question.id)
        passages, answer = (outcome.passages, outcome.answer) if outcome else (None, None)
        return score_question(self.golds[question.id], self.documents, passages, answer)


@contextmanager
def _writing_to(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvaluationError(f"cannot write to {out}: {error.strerror}; give another folder with --out") from error


def _with_bar(questions: Sequence[Question], *, done: int, shown: bool) -> Iterable[Question]:
    return tqdm(
        questions,
        desc="questions",
        unit="question",
        initial=done,
        total=done + len(questions),
        disable=not shown,
        file=sys.stderr,
        dynamic_ncols=True,
    )


def _peak_memory() -> int | None:
    """Bytes, or None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
