"""The way of a question: standalone question, candidates, evidence, readings, a written draft, the verified answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Generator as Generator_
from contextlib import closing
from copy import copy
from dataclasses import dataclass, replace
from itertools import chain
from threading import Event as StopEvent

from index import Embedder, Hit, Index, IndexReader, sentence_embedder
from index.cache import Progress
from qa.abbreviations import expand
from qa.answer import Answer, Draft, Event, EvidenceFound, IndexInfo, Passage, Reason
from qa.antecedents import with_antecedents
from qa.asking import asks_for_several, compared_things, tells_of_accounts
from qa.citations import QUOTED_INSTEAD, CitedAnswer, cite
from qa.claims import check_claims, unfounded
from qa.confidence import Calibration, DraftReadings, Readings, take_draft_readings, take_readings
from qa.disagreement import Disagreement, find_disagreement
from qa.evidence import Evidence, in_reading_order
from qa.extents import as_part, holds
from qa.followup import make_standalone
from qa.generator import GenerationError, Generator, Stoppable
from qa.inference import Clock, Inference
from qa.instructions import without_orders
from qa.lists import with_lists
from qa.marking import mark_answer
from qa.notes import answer_notes
from qa.prompt import PROMPTS_HASH
from qa.question import clean_question, read_history
from qa.quoting import Quoted, find_quotes
from qa.ranking import order_hits, rank_sentences, within_budget
from qa.refusal import correct_premise, refusal_reason, refusal_text
from qa.rivals import find_rival
from qa.settings import Settings
from qa.verification import repeats

PASSAGES = 10
"""Candidates that an answer lists, at least."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with everything that was found for it."""

    question: str
    standalone: str
    index: Index
    hits: tuple[Hit, ...]
    ranked: tuple[Evidence, ...]
    passages: tuple[Passage, ...]


class Pipeline:
    """Answers questions from one index with one model. Safe to use from several threads: the model's lock queues."""

    def __init__(
        self,
        reader: IndexReader,
        generator: Generator | None,
        settings: Settings,
        calibration: Calibration | None = None,
    ) -> None:
        self._reader = reader
        self._generator = generator
        self.settings = settings
        self.calibration = calibration or Calibration.load()

    @property
    def index(self) -> Index:
        """The generation that the next question is answered from."""
        return self._reader.current()

    @property
    def generator(self) -> Generator:
        """The answering model.

        Raises:
            GenerationError: The pipeline was opened for searching only.
        """
        if self._generator is None:
            raise GenerationError("This pipeline was opened to search; open it with its model to ask questions.")
        return self._generator

    @property
    def fingerprint(self) -> str:
        """Everything that decides an answer but the question: index, model, engine, settings and calibration."""
        index = self.index
        return repr(
            (
                *(PROMPTS_HASH, index.corpus_hash, index.manifest.weights_hash),
                sentence_embedder(index.embedder).weights_hash,
                *((self._generator.name, self._generator.engine) if self._generator else ()),
                *_answering(self.settings).items(),
                replace(self.calibration, provenance={}),
            )
        )

    def search(self, query: str, k: int = PASSAGES, *, embedded: int | None = None) -> list[Passage]:
        """The `k` best passages for a query, best first, without the model; `embedded` as for `rank_sentences`."""
        index = self.index
        question = clean_question(query, self.settings.question_characters)
        hits = index.search(expand(question, index), max(k, self.settings.candidates))
        hits = order_hits(hits, rank_sentences(question, hits, index, embedded))[:k]
        return list(_passages(hits, (), index))

    def ask(self, question: str, history: Sequence[Mapping[str, str]] = ()) -> Answer:
        """The verified answer; raises as `stream`."""
        for event in self.stream(question, history):
            if isinstance(event, Answer):
                return event
        raise GenerationError("The engine ended without an answer. Ask again; if it stays so: dossier models verify")

    def stream(
        self, question: str, history: Sequence[Mapping[str, str]] = (), stop: StopEvent | None = None
    ) -> Iterator[Event]:
        """The evidence, then drafts of the answer, then the verified answer. Closing the iterator stops the model.

        Args:
            question: What the user typed.
            history: Earlier turns, oldest first, as `{"role": "user" or "assistant", "content": text}`.
            stop: Set from another thread, it stops the model within about a second, whatever it is doing.

        Raises:
            QuestionError: The question is empty or too long, or the history malformed.
            GenerationError: The engine failed.
            StoppedError: `stop` was set.
            IndexFaultError: The index cannot be read.
        """
        if stop is not None:
            stoppable = copy(self)
            stoppable._generator = Stoppable(self.generator, stop)
            yield from stoppable.stream(question, history)
            return
        clock = Clock()
        asked = self._find(question, history, clock)
        yield EvidenceFound(asked.standalone, asked.passages, clock.search_ms)
        if not asked.ranked:
            yield self._refuse(asked, "off_corpus", 0.0, clock)
            return
        model = Inference(self.generator, asked.standalone, clock)
        judged = self._judged(asked)
        readings = _take_readings(asked, judged, model)
        probability = self.calibration.found.probability(readings)
        if probability < self._least_found:
            yield self._refuse(asked, refusal_reason(readings, self.calibration), probability, clock)
            return
        passage = self._passage(asked, judged)
        settings = self.settings
        draft = (yield from model.write(passage, settings.answer_tokens)) if settings.written_answers else ""
        quoted = self._quote(asked, draft, passage, model)
        quotes, dropped = list(quoted.quotes), quoted.dropped
        if settings.written_answers:
            drafted = _take_draft_readings(asked, draft, passage, quoted, model)
            probability = self.calibration.drafted.probability(readings, drafted)
            if probability < self._threshold:
                yield self._refuse(asked, refusal_reason(readings, self.calibration), probability, clock)
                return
        # what stands beside the best sentence of a quote answers something else
        cores = quoted.cores
        disagreement = find_disagreement(cores, asked.ranked, asked.index) or self._rival(asked, cores, model)
        if disagreement and not any(holds(quote, disagreement[1]) for quote in quotes):
            quotes.append(disagreement[1])
        written = [part for part in quoted.written if not repeats(part[0], quotes)]
        parts = written + [as_part(quote, asked.index) for quote in quotes]
        read = "\n".join([asked.standalone, *(sentence.in_place for sentence in passage)])
        invented = unfounded(chain.from_iterable(dropped), draft, read)
        cited = cite(parts, asked.index, invented)
        if not cited.sentences:  # what could be quoted is a mere footnote mark
            yield self._refuse(asked, "not_supported", probability, clock)
            return
        stale_days = settings.stale_days
        notes = answer_notes(asked.standalone, quotes, disagreement, asked.index, stale_days, more=quoted.more)
        best = [core.as_read for core in cores]
        cited = replace(cited, sentences=mark_answer(cited.sentences, draft, asked.standalone, best))
        marked = any(sentence.marked for sentence in cited.sentences)
        if dropped and not invented and not (marked and _hold_claims(quotes, draft)):
            notes = (*notes, QUOTED_INSTEAD)
        yield self._finish(asked, cited, probability, None, clock, notes)

    def _quote(self, asked: _Asked, draft: str, passage: Sequence[Evidence], model: Inference) -> Quoted:
        alone = _verdict_alone(model)
        return find_quotes(asked.standalone, draft, asked.ranked, passage, asked.index, self.settings, alone)

    def _rival(self, asked: _Asked, answering: Sequence[Evidence], model: Inference) -> Disagreement | None:
        """Another source's answer with another value, where the model may read sentences alone."""
        question = asked.standalone
        several = compared_things(question) or (asks_for_several(question) and not tells_of_accounts(question))
        if several or not self.settings.weigh_quotes:
            return None
        return find_rival(question, answering, asked.ranked, asked.index, _verdict_alone(model))

    def readings(
        self, question: str, history: Sequence[Mapping[str, str]] = ()
    ) -> tuple[Readings, DraftReadings] | None:
        """What the confidence in an answer would rest on, were it drafted; None where nothing was retrieved.

        This is what the calibration is fitted on. Raises as `stream`.
        """
        clock = Clock()
        asked = self._find(question, history, clock)
        if not asked.ranked:
            return None
        model = Inference(self.generator, asked.standalone, clock)
        judged = self._judged(asked)
        passage = self._passage(asked, judged)
        readings = _take_readings(asked, judged, model)
        draft = _returned(model.write(passage, self.settings.answer_tokens))
        quoted = self._quote(asked, draft, passage, model)
        return readings, _take_draft_readings(asked, draft, passage, quoted, model)

    def passages(self, question: str) -> tuple[list[Evidence], list[Evidence], list[Evidence]]:
        """What the model would judge from, what it would write from, and every sentence that was found, best first.

        This is what the model's adapter is trained on. Raises as `stream`.
        """
        asked = self._find(question, (), Clock())
        judged = self._judged(asked)
        return judged, self._passage(asked, judged), list(asked.ranked)

    @property
    def _threshold(self) -> float:
        return self.settings.refuse_below if self.settings.refuse_below >= 0 else self.calibration.refuse_below

    @property
    def _least_found(self) -> float:
        """The probability from the evidence below which nothing is written."""
        at_once = self.calibration.refuse_at_once_below if self.settings.written_answers else 1.0
        return min(at_once, self._threshold)

    def _best(self, ranked: Sequence[Evidence]) -> list[Evidence]:
        """What the answer is written from."""
        settings = self.settings
        return within_budget(ranked, settings.passage_sentences, settings.evidence_words, filled=settings.passage_words)

    @staticmethod
    def _readable(best: Sequence[Evidence], index: Index) -> list[Evidence]:
        """Sentences with what their pronouns lean on, and with their lists."""
        return with_lists(with_antecedents(best, index), index)

    def _judged(self, asked: _Asked) -> list[Evidence]:
        """What the model judges from, in reading order."""
        settings = self.settings
        best = within_budget(
            asked.ranked, settings.passage_sentences, settings.evidence_words, until=settings.judged_until
        )
        return in_reading_order(self._readable(best, asked.index))

    def _passage(self, asked: _Asked, judged: Sequence[Evidence]) -> list[Evidence]:
        """What the model writes from: what it has judged, which its cache holds, and the other good sentences."""
        read = {(sentence.document, sentence.start) for sentence in judged}
        best = self._readable(self._best(asked.ranked), asked.index)
        others = [sentence for sentence in best if (sentence.document, sentence.start) not in read]
        return [*judged, *in_reading_order(others)]

    def _find(self, question: str, history: Sequence[Mapping[str, str]], clock: Clock) -> _Asked:
        asked = clean_question(question, self.settings.question_characters)
        turns = read_history(history)
        plain = without_orders(asked)
        standalone = make_standalone(plain, turns, self.generator) if turns and plain else plain or asked
        index = self.index
        begun = clock.now()
        hits = index.search(expand(standalone, index), max(PASSAGES, self.settings.candidates))
        ranked = rank_sentences(standalone, hits, index) if plain else []  # nothing but orders: nothing answers them
        hits = order_hits(hits, ranked)
        clock.search_ms = clock.now() - begun
        return _Asked(
            asked, standalone, index, tuple(hits), tuple(ranked), _passages(hits[:PASSAGES], self._best(ranked), index)
        )

    def _refuse(self, asked: _Asked, reason: Reason, probability: float, clock: Clock) -> Answer:
        best = asked.ranked[:1]
        correction = correct_premise(asked.standalone, asked.ranked) if reason != "off_corpus" else None
        if correction:
            cited = cite([(correction, best)], asked.index, [])
            return self._finish(asked, cited, probability, "false_premise", clock)
        cited = CitedAnswer(refusal_text(reason), (), (), ())
        return self._finish(asked, cited, probability, reason, clock)

    def _finish(
        self,
        asked: _Asked,
        cited: CitedAnswer,
        probability: float,
        reason: Reason | None,
        clock: Clock,
        notes: tuple[str, ...] = (),
    ) -> Answer:
        return Answer(
            question=asked.question,
            standalone_question=asked.standalone,
            abstained=reason is not None,
            reason=reason,
            text=cited.text,
            sentences=cited.sentences,
            citations=cited.citations,
            passages=asked.passages,
            confidence=round(probability, 4),
            notes=cited.notes + notes,
            model=self.generator.name,
            engine=self.generator.engine,
            index=IndexInfo(asked.index.generation, asked.index.corpus_hash),
            timings=clock.timings(),
        )


def open_pipeline(
    settings: Settings,
    *,
    load_model: bool = True,
    embedder: Embedder | None = None,
    progress: Progress | None = None,
) -> Pipeline:
    """Build the index where it is missing or stale, and load the models.

    Args:
        settings: What to open.
        load_model: False for searching alone.
        embedder: The default one when None.
        progress: Told what is done once, and how far it is: checking and converting the models, building the index.

    Raises:
        DossierError: Corpus, index or model cannot be used; the message says what to do.
    """
    from qa.engines import load_generator

    with closing(open_index(settings, embedder, progress)) as index:
        embedder = index.embedder
    generator = load_generator(settings.model, settings.engine, progress) if load_model else None
    return Pipeline(IndexReader(settings.index, embedder), generator, settings)


def open_index(settings: Settings, embedder: Embedder | None = None, progress: Progress | None = None) -> Index:
    """The index that `settings` name, built where it is missing or stale; arguments as for `open_pipeline`.

    Raises:
        DossierError: Corpus or index cannot be used; the message says what to do.
    """
    from index import BuildSettings, SentenceTransformerEmbedder, ensure_index

    how = BuildSettings(vectors=settings.vectors)
    embedder = embedder or SentenceTransformerEmbedder.default(progress)
    return ensure_index(settings.corpus, settings.index, embedder, how, progress)


def _verdict_alone(model: Inference) -> Callable[[Evidence], float]:
    """The log-odds of the model's yes to one sentence or quote, which may tell of one of two things compared."""
    questions = (model.question, *(f"What is {thing}?" for thing in compared_things(model.question)))
    return lambda alone: max(model.judge([alone], each) for each in questions)


def _take_readings(asked: _Asked, judged: Sequence[Evidence], model: Inference) -> Readings:
    return take_readings(asked.standalone, asked.hits, judged, verdict=model.judge(judged))


def _take_draft_readings(
    asked: _Asked, draft: str, passage: Sequence[Evidence], quoted: Quoted, model: Inference
) -> DraftReadings:
    verdict = max(model.judge(read) for read in (quoted.quotes, quoted.cores[:1]) if read)
    return take_draft_readings(asked.standalone, draft, passage, quoted.quotes, verdict=verdict)


def _returned(drafts: Generator_[Draft, None, str]) -> str:
    """What `Inference.write` returns when it has been read to its end."""
    while True:
        try:
            next(drafts)
        except StopIteration as end:
            return str(end.value)


def _hold_claims(quotes: Sequence[Evidence], draft: str) -> bool:
    """Whether the quotes with their titles have every number, date and name of the draft, the question's as well."""
    claims = check_claims(draft, " ".join(quote.in_place for quote in quotes))
    return not any(kind.unsupported for kind in claims.values())


def _passages(hits: Sequence[Hit], evidence: Sequence[Evidence], index: Index) -> tuple[Passage, ...]:
    passages = []
    for hit in hits:
        chunk = hit.chunk
        document = index.documents[chunk.document]
        inside = tuple(
            (e.start, e.end)
            for e in evidence
            if e.document == chunk.document and chunk.start <= e.start and e.end <= chunk.end
        )
        passages.append(
            Passage(
                document=chunk.document,
                start=chunk.start,
                end=chunk.end,
                score=round(hit.score, 6),
                text=document.text[chunk.start : chunk.end],
                title=document.title,
                published=document.published,
                highlights=tuple(sorted(inside)),
            )
        )
    return tuple(passages)


def _answering(settings: Settings) -> dict[str, object]:
    """The settings that decide an answer."""
    names = (
        "candidates",
        "evidence_words",
        "passage_sentences",
        "passage_words",
        "judged_until",
        "quoted_sentences",
        "quoted_for_several",
        "weigh_quotes",
        "answer_tokens",
        "refuse_below",
    )
    return {name: getattr(settings, name) for name in (*names, "written_answers", "stale_days")}
