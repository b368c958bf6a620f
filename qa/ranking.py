"""From retrieved chunks to the few sentences that the model reads: ranked, and as many as it needs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from corpus.document import Span
from index import Embedder, Hit, Index, sentence_embedder
from index.lexical import LexicalIndex
from qa.antecedents import asked_before
from qa.asking import asks_for_several
from qa.evidence import Evidence, row_head
from qa.instructions import speaks_to_a_model
from qa.period import Period, asked_period, suits

EMBEDDED = 32
"""Sentences compared with the question by meaning: the best of the candidates by their chunks and words. Those not seen
before cost 5 to 15 ms each; the vectors of the last `REMEMBERED` are kept. With all of them one thing is found no
better (evals/LOG.md)."""
EMBEDDED_FOR_SEVERAL = 256
"""The same where a question asks for several things: what many documents state alike stands far down by words."""
CHARACTERS_OF_A_LONG_WORD = 12
"""Text without spaces counts as words of this length: 1,200 Chinese characters are no single word."""
FEWEST = 4
"""Sentences that are judged at least, however much the best one stands out."""
REMEMBERED = 20_000
"""Sentence vectors kept in memory: 30 MB."""
MEANING, CHUNK_MEANING, WORDS, CHUNK_WORDS = 2.1, 1.0, 0.1, 0.4
"""Weights of the four readings of a sentence: the fit of a conditional logit to the questions of five sets, so that a
difference of two scores is about one of log-odds (evals/LOG.md)."""
TIME = 1.6
"""Weight of the time that a question names, in standard deviations of one reading: what is dated outside it loses as
much as the newest gains. Too few questions of the sets name a time to choose it by (evals/LOG.md)."""
_remembered: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()
_remembering = threading.Lock()


def rank_sentences(question: str, hits: Sequence[Hit], index: Index, embedded: int | None = None) -> list[Evidence]:
    """The sentences of the retrieved chunks, best first: their readings, added with the weights above.

    Where the question names a time, sentences dated outside it fall behind. Sentences that speak to a model are left
    out where there is any other.

    Args:
        question: The standalone question.
        hits: Retrieved chunks, best first.
        index: Where they are from.
        embedded: The most sentences that are compared by meaning; by what the question asks for when None.
    """
    candidates, readings = read_sentences(question, hits, index, embedded)
    if not candidates:
        return []
    scores = readings @ np.array([MEANING, CHUNK_MEANING, WORDS, CHUNK_WORDS])  # (candidates,)
    period = asked_period(question)
    if period != Period():
        dated = suits(period, [c.text for c in candidates], [c.published for c in candidates])
        scores = scores + TIME * np.array(dated)
    return [replace(candidates[place], score=float(scores[place])) for place in np.argsort(-scores, kind="stable")]


def read_sentences(
    question: str, hits: Sequence[Hit], index: Index, embedded: int | None = None
) -> tuple[list[Evidence], NDArray[np.floating]]:
    """The sentences that may be evidence, without a score yet, and their readings, (sentences, 4), standard scores.

    The cosine of question and sentence (under its title, without which few sentences say what they are about), the
    cosine of question and chunk, BM25 among the candidate sentences, and BM25 of the chunk. Only the `embedded` best by
    the last three are compared by the first.
    """
    places: list[tuple[Hit, Evidence]] = []
    speaking: list[tuple[Hit, Evidence]] = []
    seen: set[str] = set()
    for hit in hits:
        text = index.documents[hit.chunk.document].text
        for span in hit.chunk.sentences:
            folded = " ".join(text[slice(*span)].split()).casefold()
            if folded not in seen:
                seen.add(folded)
                evidence = _evidence(hit, span, index)
                speaks = any(map(speaks_to_a_model, {evidence.text, evidence.as_read}))
                (speaking if speaks else places).append((hit, evidence))
    places = places or speaking
    if not places:
        return [], np.zeros((0, 4))
    words = LexicalIndex.from_texts(f"{evidence.asked} {evidence.as_read}" for _, evidence in places)
    others = np.stack(
        [
            standard(np.array([hit.dense_score for hit, _ in places])),
            standard(words.scores(question)),
            standard(np.array([hit.lexical_score for hit, _ in places])),
        ],
        axis=1,
    )  # (places, 3)
    prior = others @ np.array([CHUNK_MEANING, WORDS, CHUNK_WORDS])
    most = embedded or (EMBEDDED_FOR_SEVERAL if asks_for_several(question) else EMBEDDED)
    kept = np.argsort(-prior, kind="stable")[:most]  # (kept,)
    candidates = [places[row][1] for row in kept]
    embedder = sentence_embedder(index.embedder)
    vectors = embed_sentences([candidate.titled for candidate in candidates], embedder)  # (kept, dimension)
    cosines = vectors @ embedder.embed_query(question)  # (kept,)
    return candidates, np.column_stack([standard(cosines), others[kept]])


def _evidence(hit: Hit, span: Span, index: Index) -> Evidence:
    document = index.documents[hit.chunk.document]
    asked = asked_before(document.path, span[0], index)
    return Evidence(
        document=document.path,
        start=span[0],
        end=span[1],
        text=document.text[slice(*span)],
        title=document.title,
        section=hit.chunk.section,
        published=document.published,
        score=0.0,
        context=document.text[hit.chunk.start : hit.chunk.end],
        asked=document.text[slice(*asked)] if asked else "",
        head=row_head(document.text, span),
    )


def within_budget(
    ranked: Sequence[Evidence], sentences: int, words: int, *, until: float = 1.0, filled: int = 0
) -> list[Evidence]:
    """The best sentences, until one of them states the answer with the probability `until`, if any sentence does.

    A difference of two scores is one of log-odds, so the softmax of the scores is the probability of each sentence.

    Args:
        ranked: The sentences that were found, best first.
        sentences: The most that are taken, where they are not short.
        words: The most words that they have together; the best sentence is taken however long it is.
        until: Probability from which on no more are taken, but never fewer than `FEWEST`; 1 takes all that fit.
        filled: More sentences than `sentences` are taken as long as they have fewer words than this together.
    """
    taken: list[Evidence] = []
    used = 0
    for place, evidence in enumerate(ranked[: _needed(ranked, until)]):
        if place >= sentences and used >= filled:
            break
        text = evidence.as_read
        length = max(len(text.split()), len(text) // CHARACTERS_OF_A_LONG_WORD)
        if taken and used + length > words:
            continue
        taken.append(evidence)
        used += length
    return taken


def _needed(ranked: Sequence[Evidence], until: float) -> int:
    """How many of the best sentences hold the answer with a probability of `until`, at least `FEWEST`."""
    if until >= 1.0 or not ranked:
        return len(ranked)
    scores = np.array([evidence.score for evidence in ranked])
    odds = np.exp(scores - scores.max())
    return max(FEWEST, int(np.searchsorted(np.cumsum(odds) / odds.sum(), until)) + 1)


def order_hits(hits: Sequence[Hit], ranked: Sequence[Evidence]) -> list[Hit]:
    """The chunks in the order of their best sentence, then those without a ranked one as they were."""
    best: dict[tuple[str, int], int] = {}
    for place, sentence in enumerate(ranked):
        best.setdefault((sentence.document, sentence.start), place)

    def rank(hit: Hit) -> int:
        places = (best.get((hit.chunk.document, start), len(ranked)) for start, _ in hit.chunk.sentences)
        return min(places, default=len(ranked))

    return sorted(hits, key=rank)


def embed_sentences(texts: Sequence[str], embedder: Embedder) -> NDArray[np.float32]:
    """Vectors of sentences, (len(texts), dimension), from memory where they were asked for before."""
    with _remembering:
        known = {
            text: vector for text in texts if (vector := _remembered.get((embedder.weights_hash, text))) is not None
        }
    new = [text for text in dict.fromkeys(texts) if text not in known]
    if new:
        known.update(zip(new, embedder.embed_documents(new), strict=True))
    with _remembering:
        for text in texts:
            _remembered[embedder.weights_hash, text] = known[text]
            _remembered.move_to_end((embedder.weights_hash, text))
        while len(_remembered) > REMEMBERED:
            _remembered.popitem(last=False)
    return np.stack([known[text] for text in texts])


def standard(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Standard scores, (n,); zeros where all values are the same."""
    spread = values.std()
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)
