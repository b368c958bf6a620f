"""Lists: what announces one, and its items, which are read and quoted together."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from corpus.document import Sentence, Span
from corpus.sentences import LIST_MARK
from index import Index
from qa.evidence import Evidence, placed
from qa.instructions import speaks_to_a_model
from qa.wording import FOOTNOTE

LIST_CHARACTERS = 900
"""Length of a list up to which its items are read and quoted with the sentence that announces them, and of all lists
that are read for the sake of one of their sentences."""
LONGEST_LIST = 6000
"""Characters between what announces a list and an item that is still looked for: a late item of a longer list than
`LIST_CHARACTERS` is read with the announcing sentence alone."""
LEAD_IN_CHARACTERS, PLAIN_ITEM_CHARACTERS = 200, 100
"""Longest line without a colon that may announce a list, and longest item without a mark."""
_ANNOUNCES = re.compile(r"(?::|\bfollow(?:ing|s)\.)[*_\"'”’)\]]*\s*$")
_PLAIN_ITEM = re.compile(rf"[ \t]*\n[^\n|]{{1,{PLAIN_ITEM_CHARACTERS}}}(?<![.!?:。！？])")
"""A short line right under another, without a stop."""
_ENDS_SENTENCE = re.compile(rf"[.!?。！？](?:[\"'”’)\]*_]|{FOOTNOTE})*\s*$")
_ITEM_MARK = re.compile(rf"((?:[ \t]|>)*){LIST_MARK}[ \t]+")
"""What stands on a line before the item of a list; its group is the indentation."""


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
