"""The baseline: what a tutorial builds. The five nearest chunks are pasted into one prompt, and nothing is checked.

`python -m evals.textbook --out DIR` scores it like the real pipeline, on the same index and the published model.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus import split_sentences
from index import Index
from index.weights import ANSWERING_MODEL
from qa.answer import Answer, AnswerSentence, Citation, IndexInfo, Passage, Timings
from qa.generator import Generator, Message

if TYPE_CHECKING:
    from evals.summary import Scores
    from qa.settings import Settings

PASTED = 5
"""Chunks in the prompt."""
RETRIEVED = 10
"""Chunks that an answer lists, so that retrieval is scored like everybody's."""
MAX_TOKENS = 256
SYSTEM = (
    "Answer the question using only the numbered passages. After each sentence, cite the passages that support it, "
    "like [1] or [2][3]. If the passages do not contain the answer, say: I don't know."
)
_MARKS = re.compile(r"\[(\d+)\]")
_MARKS_AFTER_STOP = re.compile(r"([.!?])\s*((?:\[\d+\]\s*)+)")
_REFUSAL = re.compile(
    r"\bi (?:do not|don['’]t|cannot|can['’]t) (?:know|answer|find|determine)\b"
    r"|\b(?:do|does) not (?:contain|mention|provide|specify|state|say|include)\b"
    r"|\b(?:no|not enough) information\b|\bnot (?:mentioned|specified|stated|provided)\b",
    re.IGNORECASE,
)
"""Looked for in the first sentence: what follows a fact is a remark, and no refusal."""


@dataclass(frozen=True, slots=True)
class Textbook:
    """Answers from an opened index with a loaded model."""

    index: Index
    generator: Generator

    @property
    def fingerprint(self) -> str:
        """Index, model and prompt."""
        index = (self.index.corpus_hash, self.index.manifest.weights_hash)
        model = (self.generator.name, self.generator.engine)
        return repr(("textbook", *index, *model, SYSTEM, PASTED, RETRIEVED, MAX_TOKENS))

    def search(self, question: str, k: int) -> list[Passage]:
        """The k nearest chunks by cosine alone."""
        vector = self.index.embedder.embed_query(question)
        scores, rows = self.index.vectors.search(vector[None, :], k)  # (1, dimension) to (1, k)
        passages = []
        for score, row in zip(scores[0], rows[0], strict=True):
            chunk = self.index.chunks[int(row)]
            document = self.index.documents[chunk.document]
            passages.append(
                Passage(
                    document=chunk.document,
                    start=chunk.start,
                    end=chunk.end,
                    score=float(score),
                    text=self.index.text(chunk),
                    title=document.title,
                    published=document.published,
                )
            )
        return passages

    def ask(self, question: str, history: Sequence[Mapping[str, str]]) -> Answer:
        """Paste, generate, and take the model at its word: a sentence cites the passages whose numbers it names.

        :raises GenerationError: the engine failed.
        """
        started = time.perf_counter()
        passages = self.search(question, RETRIEVED)
        searched = time.perf_counter()
        messages = build_prompt(question, history, passages[:PASTED])
        pieces = []
        first = 0.0
        for piece in self.generator.stream(messages, max_tokens=MAX_TOKENS):
            first = first or time.perf_counter()
            pieces.append(piece)
        ended = time.perf_counter()
        text = "".join(pieces).strip()
        sentences = read_reply(text, len(passages[:PASTED]))
        named = sorted({number for sentence in sentences for number in sentence.citations})
        abstained = not sentences or _REFUSAL.search(sentences[0].text) is not None
        return Answer(
            question=question,
            standalone_question=question,
            abstained=abstained,
            reason="not_in_documents" if abstained else None,
            text=text,
            sentences=sentences,
            citations=tuple(self._citation(number, passages[number - 1]) for number in named),
            passages=tuple(passages),
            confidence=0.0 if abstained else 1.0,
            notes=(),
            model=self.generator.name,
            engine=self.generator.engine,
            index=IndexInfo(self.index.generation, self.index.corpus_hash),
            timings=Timings(
                search_ms=1000 * (searched - started),
                first_token_ms=1000 * ((first or ended) - started),
                total_ms=1000 * (ended - started),
                prompt_tokens=sum(self.generator.count_tokens(message.content) for message in messages),
                answer_tokens=self.generator.count_tokens(text),
            ),
        )

    def _citation(self, number: int, passage: Passage) -> Citation:
        document = self.index.documents[passage.document]
        return Citation(
            number=number,
            document=passage.document,
            title=passage.title,
            published=passage.published,
            url=document.url,
            start=passage.start,
            end=passage.end,
            quote=passage.text,
            page=document.page_of(passage.start),
        )


def build_prompt(question: str, history: Sequence[Mapping[str, str]], passages: Sequence[Passage]) -> list[Message]:
    """The instruction, the conversation so far, then the passages and the question."""
    pasted = "\n\n".join(f"[{number}] {passage.text}" for number, passage in enumerate(passages, start=1))
    turns = [Message(turn["role"], turn["content"]) for turn in history]
    return [Message("system", SYSTEM), *turns, Message("user", f"{pasted}\n\nQuestion: {question}")]


def read_reply(reply: str, passages: int) -> tuple[AnswerSentence, ...]:
    """The sentences of a reply with the passages that they name; numbers of no passage are passed over."""
    text = _MARKS_AFTER_STOP.sub(r" \2\1 ", reply)
    sentences = []
    for span in split_sentences(text):
        sentence = text[span.start : span.end]
        named = dict.fromkeys(int(number) for number in _MARKS.findall(sentence))
        cited = tuple(number for number in named if 1 <= number <= passages)
        words = " ".join(_MARKS.sub(" ", sentence).split())
        if any(character.isalnum() for character in words):
            sentences.append(AnswerSentence(words, cited, supported=bool(cited)))
    return tuple(sentences)


def open_textbook(settings: Settings) -> Textbook:
    """The baseline on the index and model that `settings` name.

    :raises DossierError: the corpus, the index or the model cannot be used.
    """
    from qa.engines import load_generator
    from qa.pipeline import open_index

    return Textbook(open_index(settings), load_generator(settings.model, settings.engine))


def score_textbook(
    questions: Path, out: Path, settings: Settings, limit: int | None = None, *, progress: bool = False
) -> Scores:
    """Run the baseline on a question file.

    :raises DossierError: as `open_textbook`, `load_questions` and `run`.
    """
    from evals.questions import load_questions
    from evals.runner import run

    baseline = open_textbook(settings)
    documents = baseline.index.texts()
    return run(load_questions(questions, documents), documents, baseline, out, limit=limit, progress=progress)


@click.command()
@click.option("--questions", type=click.Path(path_type=Path), default=Path(__file__).with_name("questions.jsonl"))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option("--limit", type=int, help="Ask only the first questions.")
@click.option("--corpus", type=click.Path(path_type=Path), help="Folder of documents.")
@click.option("--index", type=click.Path(path_type=Path), help="Folder of the index.")
@click.option("--model", default=ANSWERING_MODEL.name, show_default=True, help="Answering model, as it was published.")
@click.option("--engine", help="Engine that runs it.")
def main(questions: Path, out: Path, limit: int | None, **flags: object) -> None:
    """Score the textbook baseline like the real pipeline."""
    from corpus.errors import DossierError
    from qa.settings import Settings

    try:
        scores = score_textbook(questions, out, Settings.load(flags), limit, progress=sys.stderr.isatty())
    except DossierError as error:
        raise click.ClickException(str(error)) from error
    for name, rate in scores.primary.items():
        click.echo(f"{name}: {rate.value if rate.value is not None else float('nan'):.3f}")
    click.echo(str(out / "report.html"))


if __name__ == "__main__":
    main()
