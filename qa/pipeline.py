"""The way of a question: standalone question, candidates, evidence, readings, a written draft, the verified answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Generator as Generator_
from contextlib import closing
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import chain
from threading import Event as StopEvent

import numpy as np

from corpus import normalise
from index import Embedder, Hit, Index, IndexReader, sentence_embedder
from index.cache import Progress
from qa.abbreviations import INITIALS, abbreviations, expand
from qa.answer import Answer, Draft, Event, EvidenceFound, IndexInfo, Passage, Reason, Timings
from qa.antecedents import with_antecedents
from qa.asking import asks_for_several, compared_things, tells_of_accounts
from qa.citations import QUOTED_INSTEAD, CitedAnswer, cite
from qa.claims import check_claims, unfounded
from qa.confidence import Calibration, DraftReadings, Readings, doubt_of, take_draft_readings, take_readings, trust_of
from qa.disagreement import Disagreement, find_disagreement
from qa.evidence import Evidence, in_reading_order
from qa.extents import as_part, holds, with_headings
from qa.followup import make_standalone
from qa.generator import GenerationError, Generator, Message, Stoppable
from qa.instructions import without_orders
from qa.lists import with_lists
from qa.marking import mark_answer
from qa.notes import answer_notes
from qa.prompt import NO, PROMPTS_HASH, YES, verdict_prompt, writing_prompt
from qa.question import clean_question, read_history
from qa.quotes import (
    CANDIDATES,
    choose_quotes,
    least_doubted_first,
    rank_for_quoting,
    to_the_point,
    with_year,
)
from qa.ranking import order_hits, rank_sentences, within_budget
from qa.refusal import correct_premise, refusal_reason, refusal_text
from qa.rivals import find_rival
from qa.settings import Settings
from qa.several import choose_stated
from qa.verification import Part, finished_sentences, repeats, tidy, verify

PASSAGES = 10
"""Candidates that an answer lists, at least."""
CUT_SHORT = 2
"""Tokens by which a reply that was cut may seem shorter when it is counted again as text."""


@dataclass
class _Clock:
    """What is kept of one question on its way: milliseconds since it, tokens, and the verdicts."""

    begun: float = field(default_factory=time.perf_counter)
    first_token_ms: float = 0.0
    search_ms: float = 0.0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    verdicts: dict[tuple[str, tuple[Evidence, ...]], float] = field(default_factory=dict)
    """By what was asked, and what the model read."""

    def now(self) -> float:
        return (time.perf_counter() - self.begun) * 1000.0

    def timings(self) -> Timings:
        total = self.now()
        return Timings(
            search_ms=round(self.search_ms, 1),
            first_token_ms=round(self.first_token_ms or total, 1),
            total_ms=round(total, 1),
            prompt_tokens=self.prompt_tokens,
            answer_tokens=self.answer_tokens,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with everything that was found for it."""

    question: str
    standalone: str
    index: Index
    hits: tuple[Hit, ...]
    ranked: tuple[Evidence, ...]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class _Quoted:
    """What is quoted for a question, and what of the draft its quotes support."""

    ranked: Sequence[Evidence]
    """The sentences as they are ranked with the draft."""
    quotes: Sequence[Evidence]
    written: Sequence[Part]
    """The draft's own sentences that the quotes support."""
    dropped: Sequence[list[str]]
    """The unsupported claims of each of the others."""
    more: bool
    """Whether a list may have items beyond the quotes."""

    def cores(self, ranked: Sequence[Evidence]) -> list[Evidence | None]:
        """The best sentence in each quote, for which it is quoted; `ranked` has those that were found, best first."""
        stated = (*self.ranked, *ranked)
        return [next((sentence for sentence in stated if holds(quote, sentence)), None) for quote in self.quotes]


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
        clock = _Clock()
        asked = self._find(question, history, clock)
        yield EvidenceFound(asked.standalone, asked.passages, clock.search_ms)
        if not asked.ranked:
            yield self._refuse(asked, "off_corpus", 0.0, clock)
            return
        judged = self._judged(asked)
        readings = self._take_readings(asked, judged, clock)
        probability = self.calibration.found.probability(readings)
        if probability < self._least_found:
            yield self._refuse(asked, refusal_reason(readings, self.calibration), probability, clock)
            return
        passage = self._passage(asked, judged)
        draft = (yield from self._write(asked.standalone, passage, clock)) if self.settings.written_answers else ""
        quoted = self._quote(asked, draft, passage, clock)
        quotes, dropped = list(quoted.quotes), quoted.dropped
        if self.settings.written_answers:
            drafted = self._take_draft_readings(asked, draft, passage, quoted, clock)
            probability = self.calibration.drafted.probability(readings, drafted)
            if probability < self._threshold:
                yield self._refuse(asked, refusal_reason(readings, self.calibration), probability, clock)
                return
        # what stands beside the best sentence of a quote answers something else
        answering = [core for core in quoted.cores(asked.ranked) if core]
        disagreement = find_disagreement(answering, asked.ranked, asked.index) or self._rival(asked, answering, clock)
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
        stale_days = self.settings.stale_days
        notes = answer_notes(asked.standalone, quotes, disagreement, asked.index, stale_days, more=quoted.more)
        best = [core.as_read for core in answering]
        cited = replace(cited, sentences=mark_answer(cited.sentences, draft, asked.standalone, best))
        marked = any(sentence.marked for sentence in cited.sentences)
        if dropped and not invented and not (marked and _hold_claims(quotes, draft)):
            notes = (*notes, QUOTED_INSTEAD)
        yield self._finish(asked, cited, probability, None, clock, notes)

    def _rival(self, asked: _Asked, answering: Sequence[Evidence], clock: _Clock) -> Disagreement | None:
        """Another source's answer with another value, where the model may read sentences alone."""
        question = asked.standalone
        several = compared_things(question) or (asks_for_several(question) and not tells_of_accounts(question))
        if several or not self.settings.weigh_quotes:
            return None
        return find_rival(question, answering, asked.ranked, asked.index, self._verdict_alone(question, clock))

    def _verdict_alone(self, question: str, clock: _Clock) -> Callable[[Evidence], float]:
        """The log-odds of the model's yes to one sentence or quote, which may tell of one of two things compared."""
        questions = (question, *(f"What is {thing}?" for thing in compared_things(question)))
        return lambda quote: max(self._judge(each, [quote], clock) for each in questions)

    def _quote(self, asked: _Asked, draft: str, passage: Sequence[Evidence], clock: _Clock) -> _Quoted:
        question, index = asked.standalone, asked.index
        ranked = rank_for_quoting(question, draft, [*asked.ranked[:CANDIDATES], *passage], index)
        quotes = choose_quotes(question, draft, ranked, index, 1)
        long_forms = {**INITIALS, **abbreviations(index)}
        written, dropped = verify(draft, quotes, question, long_forms)
        settings, several, more = self.settings, asks_for_several(question), False
        if several or dropped or not written:  # one quote is not enough
            most = settings.quoted_for_several if several else settings.quoted_sentences
            verdict = self._verdict_alone(question, clock)
            if settings.weigh_quotes and several:
                quotes, more = choose_stated(question, draft, ranked, asked.ranked, index, most, verdict)
            elif settings.weigh_quotes:  # one of several facts answers nothing
                ranked = least_doubted_first(ranked, index, verdict)
                quotes = to_the_point(question, draft, choose_quotes(question, draft, ranked, index, most))
            else:
                quotes = choose_quotes(question, draft, ranked, index, most, several=several)
            quotes = with_headings(draft, with_year(question, quotes, ranked), index)
            written, dropped = verify(draft, quotes, question, long_forms)
        return _Quoted(ranked, quotes, written, dropped, more)

    def readings(
        self, question: str, history: Sequence[Mapping[str, str]] = ()
    ) -> tuple[Readings, DraftReadings] | None:
        """What the confidence in an answer would rest on, were it drafted; None where nothing was retrieved.

        This is what the calibration is fitted on. Raises as `stream`.
        """
        clock = _Clock()
        asked = self._find(question, history, clock)
        if not asked.ranked:
            return None
        judged = self._judged(asked)
        passage = self._passage(asked, judged)
        readings = self._take_readings(asked, judged, clock)
        draft = _returned(self._write(asked.standalone, passage, clock))
        quoted = self._quote(asked, draft, passage, clock)
        return readings, self._take_draft_readings(asked, draft, passage, quoted, clock)

    def passages(self, question: str) -> tuple[list[Evidence], list[Evidence], list[Evidence]]:
        """What the model would judge from, what it would write from, and every sentence that was found, best first.

        This is what the model's adapter is trained on. Raises as `stream`.
        """
        asked = self._find(question, (), _Clock())
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

    def _take_readings(self, asked: _Asked, passage: Sequence[Evidence], clock: _Clock) -> Readings:
        verdict = self._judge(asked.standalone, passage, clock)
        return take_readings(asked.standalone, asked.hits, passage, verdict=verdict)

    def _take_draft_readings(
        self, asked: _Asked, draft: str, passage: Sequence[Evidence], quoted: _Quoted, clock: _Clock
    ) -> DraftReadings:
        made_of = quoted.cores(asked.ranked)[:1]
        read = [list(quoted.quotes), *([sentence] for sentence in made_of if sentence)]
        verdict = max(self._judge(asked.standalone, quotes, clock) for quotes in read)
        return take_draft_readings(asked.standalone, draft, passage, quoted.quotes, verdict=verdict)

    def _find(self, question: str, history: Sequence[Mapping[str, str]], clock: _Clock) -> _Asked:
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

    def _judge(self, question: str, chosen: Sequence[Evidence], clock: _Clock) -> float:
        read = question, tuple(replace(sentence, score=0.0) for sentence in chosen)
        if read not in clock.verdicts:
            messages = verdict_prompt(question, chosen)
            self._count_prompt(messages, clock)
            said = [choice.logprob for choice in self.generator.score(messages, (*YES, *NO))]
            odds = float(np.logaddexp.reduce(said[: len(YES)]) - np.logaddexp.reduce(said[len(YES) :]))
            trust = trust_of(question, " ".join(sentence.in_place for sentence in chosen))
            clock.verdicts[read] = odds + doubt_of(question) - trust
        return clock.verdicts[read]

    def _count_prompt(self, messages: Sequence[Message], clock: _Clock) -> None:
        """Keep the length of the longest prompt."""
        tokens = sum(self.generator.count_tokens(message.content) for message in messages)
        clock.prompt_tokens = max(clock.prompt_tokens, tokens)

    def _write(self, question: str, passage: Sequence[Evidence], clock: _Clock) -> Generator_[Draft, None, str]:
        """Drafts as far as they are written; returns the last, whole one."""
        written = ""
        messages = writing_prompt(question, passage)
        self._count_prompt(messages, clock)
        for piece in self.generator.stream(messages, max_tokens=self.settings.answer_tokens):
            written = normalise(written + piece)
            if "\n" in written.strip():
                break
            if written.strip():
                clock.first_token_ms = clock.first_token_ms or clock.now()
                yield Draft(tidy(written, passage))
        written = written.strip().partition("\n")[0]
        tokens = self.generator.count_tokens(written)
        clock.answer_tokens += tokens
        draft = tidy(written, passage) if written else ""
        return finished_sentences(draft) if tokens >= self.settings.answer_tokens - CUT_SHORT else draft

    def _refuse(self, asked: _Asked, reason: Reason, probability: float, clock: _Clock) -> Answer:
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
        clock: _Clock,
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


def _returned(drafts: Generator_[Draft, None, str]) -> str:
    """What `Pipeline._write` returns when it has been read to its end."""
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
