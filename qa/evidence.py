"""From retrieved chunks to the few sentences that the model reads."""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

import numpy as np
from numpy.typing import NDArray

from corpus.document import Sentence, Span
from index import Embedder, Hit, Index
from index.lexical import LexicalIndex
from qa.instructions import speaks_to_a_model
from qa.period import Period, asked_period, suits

EMBEDDED = 32
"""Sentences compared with the question by meaning: the best of the candidates by their chunks and words. Those not seen
before cost 5 to 15 ms each; the vectors of the last `REMEMBERED` are kept. With all of them no ranking is better."""
CHARACTERS_OF_A_LONG_WORD = 12
"""Text without spaces counts as words of this length: 1,200 Chinese characters are no single word."""
FEWEST = 4
"""Sentences that are judged at least, however much the best one stands out."""
ANTECEDENTS = 2
"""Most sentences that are read for the sake of the pronoun after them."""
LIST_CHARACTERS = 900
"""Length of a list up to which its items are read and quoted with the sentence that announces them, and of all lists
that are read for the sake of one of their sentences."""
REMEMBERED = 20_000
"""Sentence vectors kept in memory: 30 MB."""
MEANING, CHUNK_MEANING, WORDS, CHUNK_WORDS = 1.6, 0.8, 0.5, 0.6
"""Weights of the four readings of a sentence: the fit of a conditional logit to the questions of the dev half and 302
of SQuAD 2, so that a difference of two scores is about one of log-odds; words weigh more than fitted, for the sake of
questions that need two documents (evals/LOG.md)."""
TIME = 1.6
"""Weight of the time that a question names, in standard deviations of one reading: what is dated outside it loses as
much as the newest gains. Too few questions of the sets name a time to choose it by (evals/LOG.md)."""


_POINTS_BACK = re.compile(
    r"[\"'“‘(]?(?:It|Its|He|His|She|Her|They|Their|This|That|These|Those|Such|Both|Another|The (?:first|second|third|"
    r"other|latter|former|same|new|next)|One|Some|Others|Under it|In it)\b"
)
"""How a sentence begins that leans on the one before."""
_ANNOUNCES = re.compile(r":[*_\"'”’)\]]*\s*$")
_ITEM_MARK = re.compile(r"((?:[ \t]|>)*)(?:[-*+•]|\d{1,3}[.)]|[a-z]\))[ \t]+")
"""What stands on a line before the item of a list; its group is the indentation."""
_remembered: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()
_remembering = threading.Lock()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that may support an answer: `index.documents[document].text[start:end] == text`."""

    document: str
    start: int
    end: int
    text: str
    title: str
    section: str
    published: str
    score: float
    """Weighted sum of four standard scores; comparable within one question only."""
    context: str = ""
    """Text of its chunk, where what the sentence leaves out is said."""

    @property
    def titled(self) -> str:
        """The sentence as it is embedded."""
        return f"{self.title}\n{self.text}"


def rank_sentences(question: str, hits: Sequence[Hit], index: Index) -> list[Evidence]:
    """The sentences of the retrieved chunks, best first: their readings, added with the weights above.

    Where the question names a time, sentences dated outside it fall behind. Sentences that speak to a model are left
    out where there is any other.

    Args:
        question: The standalone question.
        hits: Retrieved chunks, best first.
        index: Where they are from.
    """
    candidates, readings = read_sentences(question, hits, index)
    if not candidates:
        return []
    scores = readings @ np.array([MEANING, CHUNK_MEANING, WORDS, CHUNK_WORDS])  # (candidates,)
    period = asked_period(question)
    if period != Period():
        dated = suits(period, [c.text for c in candidates], [c.published for c in candidates])
        scores = scores + TIME * np.array(dated)
    return [replace(candidates[place], score=float(scores[place])) for place in np.argsort(-scores, kind="stable")]


def read_sentences(question: str, hits: Sequence[Hit], index: Index) -> tuple[list[Evidence], NDArray[np.floating]]:
    """The sentences that may be evidence, without a score yet, and their readings, (sentences, 4), standard scores.

    The cosine of question and sentence (under its title, without which few sentences say what they are about), the
    cosine of question and chunk, BM25 among the candidate sentences, and BM25 of the chunk. Only the `EMBEDDED` best by
    the last three are compared by the first.
    """
    places: list[tuple[Hit, int, int, str]] = []
    speaking: list[tuple[Hit, int, int, str]] = []
    seen: set[str] = set()
    for hit in hits:
        text = index.documents[hit.chunk.document].text
        for start, end in hit.chunk.sentences:
            folded = " ".join(text[start:end].split()).casefold()
            if folded not in seen:
                seen.add(folded)
                place = (hit, start, end, text[start:end])
                (speaking if speaks_to_a_model(place[3]) else places).append(place)
    places = places or speaking
    if not places:
        return [], np.zeros((0, 4))
    others = np.stack(
        [
            standard(np.array([hit.dense_score for hit, _, _, _ in places])),
            standard(LexicalIndex.from_texts(text for _, _, _, text in places).scores(question)),
            standard(np.array([hit.lexical_score for hit, _, _, _ in places])),
        ],
        axis=1,
    )  # (places, 3)
    prior = others @ np.array([CHUNK_MEANING, WORDS, CHUNK_WORDS])
    kept = np.argsort(-prior, kind="stable")[:EMBEDDED]  # (kept,)
    candidates = [_evidence(places[row], index) for row in kept]
    vectors = embed_sentences([candidate.titled for candidate in candidates], index.embedder)  # (kept, dimension)
    cosines = vectors @ index.embedder.embed_query(question)  # (kept,)
    return candidates, np.column_stack([standard(cosines), others[kept]])


def _evidence(place: tuple[Hit, int, int, str], index: Index) -> Evidence:
    hit, start, end, text = place
    document = index.documents[hit.chunk.document]
    return Evidence(
        document=document.path,
        start=start,
        end=end,
        text=text,
        title=document.title,
        section=hit.chunk.section,
        published=document.published,
        score=0.0,
        context=document.text[hit.chunk.start : hit.chunk.end],
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
        length = max(len(evidence.text.split()), len(evidence.text) // CHARACTERS_OF_A_LONG_WORD)
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


def with_antecedents(chosen: Sequence[Evidence], index: Index) -> list[Evidence]:
    """The chosen sentences, and before each that begins with a pronoun the one that stands there in its passage.

    `It has 28 articles` says nothing to a reader who was not told of what. At most `ANTECEDENTS` are added.
    """
    places = {(evidence.document, evidence.start) for evidence in chosen}
    added: list[Evidence] = []
    for evidence in chosen:
        if len(added) == ANTECEDENTS:
            break
        before = sentence_before(evidence, index)
        if before is not None and (before.document, before.start) not in places:
            places.add((before.document, before.start))
            added.append(before)
    return [*chosen, *added]


def leans_back(sentence: str) -> bool:
    """Whether a sentence begins with a word that stands for something in the sentence before it."""
    return _POINTS_BACK.match(sentence) is not None


def sentence_before(evidence: Evidence, index: Index) -> Evidence | None:
    """The sentence that one which begins with a pronoun leans on: the one in front of it in its passage.

    None where there is no pronoun or no such sentence, or where that speaks to a model, which no evidence does.
    """
    if not leans_back(evidence.text):
        return None
    text = index.documents[evidence.document].text
    earlier = [sentence for sentence in index.sentences(evidence.document) if sentence.end <= evidence.start]
    if not earlier:
        return None
    start, end = earlier[-1].start, earlier[-1].end
    if text[start:end] not in evidence.context or speaks_to_a_model(text[start:end]):
        return None
    return replace(evidence, start=start, end=end, text=text[start:end])


def with_lists(chosen: Sequence[Evidence], index: Index) -> list[Evidence]:
    """The chosen sentences, and the lists that they announce or are items of, `LIST_CHARACTERS` of them together."""
    places = {(evidence.document, evidence.start) for evidence in chosen}
    added: list[Evidence] = []
    left = LIST_CHARACTERS
    for evidence in chosen:
        new = [part for part in list_around(evidence, index) if (part.document, part.start) not in places]
        length = sum(len(part.text) for part in new)
        if length <= left:
            left -= length
            places |= {(part.document, part.start) for part in new}
            added += new
    return [*chosen, *added]


def list_around(evidence: Evidence, index: Index) -> list[Evidence]:
    """The list that a sentence announces or is an item of, as the announcing sentence and its items; or nothing.

    `There are three reasons:` says nothing without them, and an item alone does not say what it is an item of. A list
    ends before an item that speaks to a model, and before one that makes it longer than `LIST_CHARACTERS`.
    """
    text, sentences = index.documents[evidence.document].text, index.sentences(evidence.document)
    at = bisect_left(sentences, evidence.start, key=lambda sentence: sentence.start)
    for first in range(min(at, len(sentences) - 1), -1, -1):
        announcing = sentences[first]
        if evidence.end - announcing.end > LIST_CHARACTERS:
            break
        if not announces(text[announcing.start : announcing.end]):
            continue
        spans = [(sentence.start, sentence.end) for sentence in _within_reach(sentences, first)]
        led = announced_by(text, spans)
        parts = [replace(evidence, start=start, end=end, text=text[start:end]) for start, end in spans]
        ends = (place for place in range(1, len(parts)) if 0 not in led[place] or speaks_to_a_model(parts[place].text))
        whole = parts[: next(ends, len(parts))]
        if len(whole) > 1 and any(part.start == evidence.start for part in whole):
            return [] if speaks_to_a_model(whole[0].text) else whole
    return []


def announced_by(text: str, spans: Sequence[Span]) -> list[tuple[int, ...]]:
    """For each sentence of a text, the places of those that announce the lists it stands in, the outermost first.

    Args:
        text: What the sentences are in.
        spans: Consecutive sentences, in order.
    """
    lists: list[_OpenList] = []
    found: list[tuple[int, ...]] = []
    last_end = 0
    for place, (start, end) in enumerate(spans):
        line_start = text.rfind("\n", 0, start) + 1
        mark = _ITEM_MARK.fullmatch(text, line_start, start)
        depth = len(mark[1].expandtabs(4)) if mark else -1
        between = text[last_end:start] if place else ""
        if mark and not text[last_end if place else line_start : line_start].strip():
            lists = [opened for opened in lists if depth >= opened.depth]
            if lists and lists[-1].place == place - 1:
                lists[-1].depth = depth
        elif not between.isspace() or "\n" in between:  # not a further sentence of an item
            lists = []
        found.append(tuple(opened.place for opened in lists))
        if announces(text[start:end]):
            lists.append(_OpenList(place, depth + 1))
        last_end = end
    return found


def announces(sentence: str) -> bool:
    """Whether a sentence ends with a colon, so that what follows is said under it."""
    return _ANNOUNCES.search(sentence) is not None


@dataclass(slots=True)
class _OpenList:
    place: int
    """Of the announcing sentence."""
    depth: int
    """Least indentation of its items, in characters."""


def _within_reach(sentences: Sequence[Sentence], first: int) -> Iterator[Sentence]:
    """The sentence at a place, and those that its list may reach."""
    return takewhile(
        lambda sentence: sentence.end - sentences[first].end <= LIST_CHARACTERS, islice(sentences, first, None)
    )


def in_reading_order(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Documents in the order of their best sentence, each document's sentences as they stand in it."""
    order = {path: place for place, path in reversed(list(enumerate(e.document for e in evidence)))}
    return sorted(evidence, key=lambda e: (order[e.document], e.start))


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
