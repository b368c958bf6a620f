"""From retrieved chunks to the few sentences that the model reads."""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

import numpy as np
from numpy.typing import NDArray

from corpus.document import Sentence, Span
from corpus.sentences import LIST_MARK, TABLE_ROW
from corpus.tables import cells_of, find_head, tell_rows
from index import Embedder, Hit, Index, sentence_embedder
from index.lexical import LexicalIndex
from qa.asking import asks_for_several
from qa.instructions import speaks_to_a_model
from qa.period import Period, asked_period, suits
from qa.wording import FOOTNOTE, TIME_NOUN

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
ANTECEDENTS = 2
"""Most sentences that are read for the sake of the pronoun after them."""
LIST_CHARACTERS = 900
"""Length of a list up to which its items are read and quoted with the sentence that announces them, and of all lists
that are read for the sake of one of their sentences."""
LONGEST_LIST = 6000
"""Characters between what announces a list and an item that is still looked for: a late item of a longer list than
`LIST_CHARACTERS` is read with the announcing sentence alone."""
LEAD_IN_CHARACTERS, PLAIN_ITEM_CHARACTERS = 200, 100
"""Longest line without a colon that may announce a list, and longest item without a mark."""
REMEMBERED = 20_000
"""Sentence vectors kept in memory: 30 MB."""
MEANING, CHUNK_MEANING, WORDS, CHUNK_WORDS = 2.1, 1.0, 0.1, 0.4
"""Weights of the four readings of a sentence: the fit of a conditional logit to the questions of five sets, so that a
difference of two scores is about one of log-odds (evals/LOG.md)."""
TIME = 1.6
"""Weight of the time that a question names, in standard deviations of one reading: what is dated outside it loses as
much as the newest gains. Too few questions of the sets name a time to choose it by (evals/LOG.md)."""


_COUNTED = r"(?:\d|(?:two|three|four|five|six|seven|eight|nine|ten|twenty|dozens?|hundreds?|thousands?|millions?)\b)"
_POINTS_BACK = re.compile(
    rf"[\"'“‘(]?(?:(?:This {TIME_NOUN},? )?(?:[Ii]t|[Ii]ts|[Hh]e|[Hh]is|[Ss]he|[Hh]er|[Tt]hey|[Tt]heir)|"
    rf"(?:This|That|These|Those)(?! {TIME_NOUN})|Such|Another|Others|Under it|In it|(?:One|Some)(?! {_COUNTED})|"
    r"Both(?! (?:the |[A-Z]\S+ )*\S+ and\b)|The same|"
    r"The (?:first|second|third|other|latter|former|new|next)(?!(?: [a-z-]+){0,2},? [A-Z]))\b"
)
"""How a sentence begins that leans on the one before; `This year Nowak`, `Some 500 people`, `Both Norway and Chad` and
`The new minister, Ilse Brandt` do not."""
_EMPHASIS = " \t\n*_~"
_NOTE_AT_END = re.compile(rf"{FOOTNOTE}$")
_OPENS = {
    **{'"': r'(?<!\w)"', "'": r"(?<!\w)'", "”": "[“„]", "’": "[‘‚]", "“": "„", "‘": "‚", "»": "«", "«": "»"},
    **{")": r"\(", "]": r"\[", "）": "（", "」": "「", "』": "『"},
}
"""Closing quotation marks and brackets, and what opens them; an apostrophe opens nothing."""
_CLOSINGS, _TAIL = 4, 30
"""Most marks of these and numbers of notes at the end of a question, and most characters that they take."""
_WORD = re.compile(r"[^\W_]{2,}")
_ANNOUNCES = re.compile(r"(?::|\bfollow(?:ing|s)\.)[*_\"'”’)\]]*\s*$")
_PLAIN_ITEM = re.compile(rf"[ \t]*\n[^\n|]{{1,{PLAIN_ITEM_CHARACTERS}}}(?<![.!?:。！？])")
"""A short line right under another, without a stop."""
_ENDS_SENTENCE = re.compile(rf"[.!?。！？](?:[\"'”’)\]*_]|{FOOTNOTE})*\s*$")
_ITEM_MARK = re.compile(rf"((?:[ \t]|>)*){LIST_MARK}[ \t]+")
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
    asked: str = ""
    """The question right before it, a heading as well, which it answers."""
    head: str = ""
    """The head of the table whose row it begins with."""

    @property
    def as_read(self) -> str:
        """The text as models read it and answers show it: a row of a table under the names of its columns."""
        return tell_rows(self.text, self.head)

    @property
    def in_place(self) -> str:
        """The same under its title and section, which say what it is about."""
        return f"{self.title} {self.section} {self.as_read}"

    @property
    def titled(self) -> str:
        """The sentence as it is embedded."""
        return "\n".join(filter(None, (self.title, self.asked, self.as_read)))


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


def with_antecedents(chosen: Sequence[Evidence], index: Index) -> list[Evidence]:
    """The chosen sentences, and behind them what some lean on: for a pronoun, an item, an answer.

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


def asked_before(path: str, start: int, index: Index) -> Span | None:
    """The question right before a place in a document, a sentence or a heading; None where there is none."""
    document, sentences = index.documents[path], index.sentences(path)
    at = bisect_left(sentences, start, key=lambda sentence: sentence.start)
    above = bisect_left(document.headings, (start, 0))
    spans = [(sentence.start, sentence.end) for sentence in sentences[max(0, at - 1) : at]]
    asked = max([*spans, *document.headings[max(0, above - 1) : above]], default=(0, 0))
    between = document.text[asked[1] : start]
    return asked if asks(document.text[slice(*asked)]) and not _WORD.search(between) else None


def asks(sentence: str) -> bool:
    """Whether a sentence is a question, in bold, quotation marks or brackets as well.

    `“Who pays?”` is one, and so is the last of several in one quotation; `She asked “who pays?”` tells of one.
    """
    text = sentence.rstrip(_EMPHASIS)
    if not any(mark in text[-_TAIL:] for mark in "?？"):
        return False
    for _ in range(_CLOSINGS):
        opening = _OPENS.get(text[-1:])
        if note := _NOTE_AT_END.search(text):
            text = text[: note.start()]
        elif opening:
            text, first = text[:-1], _WORD.search(text)
            if first and re.compile(opening).search(text, first.start()):
                return False
        text = text.rstrip(_EMPHASIS)
    return text.rstrip("!").endswith(("?", "？"))


def leans_back(sentence: str) -> bool:
    """Whether a sentence begins with a word that stands for something in the sentence before it."""
    return _POINTS_BACK.match(sentence) is not None


def sentence_before(evidence: Evidence, index: Index) -> Evidence | None:
    """What a sentence leans on: the question right before it, or for one with a pronoun the sentence in its passage.

    None where there is no such thing, or where that speaks to a model, which no evidence does.
    """
    document, sentences = index.documents[evidence.document], index.sentences(evidence.document)
    before = asked_before(evidence.document, evidence.start, index)
    at = bisect_left(sentences, evidence.start, key=lambda sentence: sentence.start)
    if before is None and at and leans_back(evidence.text):
        before = (sentences[at - 1].start, sentences[at - 1].end)
        if document.text[slice(*before)] not in evidence.context:
            return None
    if before is None or speaks_to_a_model(document.text[slice(*before)]):
        return None
    return placed(before, evidence, index)


def row_head(text: str, span: Span) -> str:
    """The head of the table whose row a place of a document begins with; empty where there is none.

    Nor is there one for the head itself, where it is empty or too long to name anything, or where it speaks to a model,
    alone or as the names of the cells.
    """
    start, end = find_head(text, span[0])
    head = text[start:end]
    if start in (end, span[0]) or len(head) > TABLE_ROW or not any(cells_of(head)):
        return ""
    told = tell_rows(text[slice(*span)], head).splitlines()
    return "" if any(map(speaks_to_a_model, (head, *told))) else head


def table_head(evidence: Evidence, index: Index) -> list[Evidence]:
    """The head under which a row is read, as evidence of its own; or nothing."""
    span = find_head(index.documents[evidence.document].text, evidence.start)
    return [placed(span, evidence, index)] if evidence.head else []


def with_lists(chosen: Sequence[Evidence], index: Index) -> list[Evidence]:
    """The chosen sentences, and the lists that they announce or are items of, `LIST_CHARACTERS` of them together.

    A late item of a long list brings the sentence that announces it, and not the items between.
    """
    places = {(evidence.document, evidence.start) for evidence in chosen}
    added: list[Evidence] = []
    left = LIST_CHARACTERS
    for evidence in chosen:
        around = list_around(evidence, index) or _find_list(evidence, index, LONGEST_LIST)[:1]
        new = [part for part in around if (part.document, part.start) not in places]
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
    return _find_list(evidence, index, LIST_CHARACTERS)


def is_cut(quote: Evidence, index: Index) -> bool:
    """Whether a quote ends in a list that is too long to be quoted, and holds only a part of it."""
    sentences = index.sentences(quote.document)
    at = bisect_left(sentences, quote.end, key=lambda sentence: sentence.end)
    last = [placed((sentence.start, sentence.end), quote, index) for sentence in sentences[at : at + 1]]
    found = _find_list(last[0], index, LONGEST_LIST) if last and last[0].end == quote.end else []
    return (
        bool(found)
        and found[-1].end - found[0].end > LIST_CHARACTERS
        and (found[0].start < quote.start or quote.end < found[-1].end)
    )


def late_lead_in(evidence: Evidence, index: Index) -> list[Evidence]:
    """What announces the list of an item that `list_around` does not reach; or nothing."""
    return [] if list_around(evidence, index) else _find_list(evidence, index, LONGEST_LIST)[:1]


def _find_list(evidence: Evidence, index: Index, reach: int) -> list[Evidence]:
    return _announced_list(evidence, index, reach) or _list_under_heading(evidence, index, reach)


def _announced_list(evidence: Evidence, index: Index, reach: int) -> list[Evidence]:
    """The innermost list with the evidence in it, as the announcing sentence and the items within reach; or nothing."""
    text, sentences = index.documents[evidence.document].text, index.sentences(evidence.document)
    at = bisect_left(sentences, evidence.start, key=lambda sentence: sentence.start)
    for first in range(min(at, len(sentences) - 1), -1, -1):
        announcing = sentences[first]
        if evidence.end - announcing.end > reach:
            break
        if _may_announce(text[announcing.start : announcing.end]):
            found = _led_list(evidence, _within_reach(sentences, first, reach), index)
            if found:
                return found
    return []


def _list_under_heading(evidence: Evidence, index: Index, reach: int) -> list[Evidence]:
    """The heading and the items right under it, where the evidence is one of several items and no whole sentence.

    `car charging cable` says nothing without `In the box`.
    """
    headings, sentences = index.documents[evidence.document].headings, index.sentences(evidence.document)
    above = bisect_left(headings, (evidence.start, 0)) - 1
    if above < 0 or _is_whole(evidence.text) or evidence.end - headings[above][1] > reach:
        return []
    first = bisect_left(sentences, headings[above][1], key=lambda sentence: sentence.start)
    spans = [headings[above], *_within_reach(sentences, first, reach)]
    return _led_list(evidence, spans, index, headed=True)


def _led_list(evidence: Evidence, spans: Sequence[Span], index: Index, *, headed: bool = False) -> list[Evidence]:
    """What announces a list, and its items up to the first that speaks to a model; or nothing.

    Nothing where the evidence is not among them, nor where what announces them speaks to a model, and under a heading
    nothing where there is one item only.
    """
    text = index.documents[evidence.document].text
    led = announced_by(text, spans, headed=headed)

    def speaks(place: int) -> bool:
        return speaks_to_a_model(text[slice(*spans[place])])

    ends = (place for place in range(1, len(spans)) if 0 not in led[place] or speaks(place))
    whole = spans[: next(ends, len(spans))]
    if len(whole) <= 1 + headed or all(start != evidence.start for start, _ in whole) or speaks(0):
        return []
    return [placed(span, evidence, index) for span in whole]


def placed(span: Span, evidence: Evidence, index: Index) -> Evidence:
    """Another place of the same document."""
    text = index.documents[evidence.document].text
    start, end = span
    return replace(evidence, start=start, end=end, text=text[start:end], asked="", head=row_head(text, span))


def announced_by(text: str, spans: Sequence[Span], *, headed: bool = False) -> list[tuple[int, ...]]:
    """For each sentence of a text, the places of those that announce the lists it stands in, the outermost first.

    A sentence announces the items under it where it ends in a colon, and where it goes on in them (`The club has`): it
    is a short one without a stop, and so is the first of two items or more. Items have a mark; right under a colon they
    may be short lines without a stop.

    Args:
        text: What the sentences are in.
        spans: Consecutive sentences, in order.
        headed: The first is a heading, and announces what is right under it.
    """
    lists: list[_OpenList] = []
    found: list[tuple[int, ...]] = []
    items: Counter[int] = Counter()
    sure: set[int] = set()
    last_end, depth = 0, -1
    for place, (start, end) in enumerate(spans):
        line_start = text.rfind("\n", 0, start) + 1
        mark = _ITEM_MARK.fullmatch(text, line_start, start)
        between = text[last_end:start] if place else ""
        if mark and last_end <= line_start and not text[last_end if place else line_start : line_start].strip():
            depth = len(mark[1].expandtabs(4))
            lists = [opened for opened in lists if depth >= opened.depth and not opened.plain]
            if lists and lists[-1].place == place - 1:
                lists[-1].depth = depth
                if place - 1 not in sure and _is_whole(text[start:end]):
                    lists.pop()
            items.update(opened.place for opened in lists)
        elif not between.isspace() or "\n" in between:  # not a further sentence of an item
            depth = -1
            under_colon = place and announces(text[slice(*spans[place - 1])])
            if lists and (under_colon or lists[-1].plain) and _PLAIN_ITEM.fullmatch(text[last_end:end]):
                lists[-1].plain = True
            else:
                lists = []
        found.append(tuple(opened.place for opened in lists))
        if announces(text[start:end]) or (headed and place == 0):
            sure.add(place)
        if place in sure or (_may_announce(text[start:end]) and not (lists and lists[-1].plain)):
            lists.append(_OpenList(place, depth + 1))
        last_end = end
    return [tuple(place for place in places if place in sure or items[place] > 1) for places in found]


def announces(sentence: str) -> bool:
    """Whether a sentence ends with a colon, or with `following`, so that what follows is said under it."""
    return _ANNOUNCES.search(sentence) is not None


def _may_announce(sentence: str) -> bool:
    """Whether a sentence announces a list where one stands under it that it goes on in; no table row does."""
    goes_on = len(sentence) <= LEAD_IN_CHARACTERS and not _is_whole(sentence) and not sentence.startswith("|")
    return goes_on or announces(sentence)


def _is_whole(sentence: str) -> bool:
    return _ENDS_SENTENCE.search(sentence) is not None


@dataclass(slots=True)
class _OpenList:
    place: int
    """Of the announcing sentence."""
    depth: int
    """Least indentation of its items, in characters."""
    plain: bool = False
    """Its items are lines without marks."""


def _within_reach(sentences: Sequence[Sentence], first: int, reach: int) -> list[Span]:
    """The sentence at a place, and those that its list may reach."""
    near = takewhile(lambda sentence: sentence.end - sentences[first].end <= reach, islice(sentences, first, None))
    return [(sentence.start, sentence.end) for sentence in near]


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
