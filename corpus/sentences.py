"""Sentences as exact slices of a document's text.

The boundaries within a line come from sentencex (evals/LOG.md compares five libraries); a few of its wrong splits are
rejoined. A sentence never crosses a blank line, a heading, or a line end that ends a paragraph.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import groupby

from corpus.document import Document, Sentence, Span

MAX_SENTENCE = 1200
"""Characters; what is longer (a table without stops, a log) is cut at white space. News sentences have 40 to 400."""
MIN_REPEATED_WORDS = 8
"""Words of a paragraph from which on a verbatim repetition in one document is dropped; shorter ones may be labels."""

LIST_MARK = (
    r"(?:[-*+•●◦▪■‣∙·–—\uf0a7\uf0b7]|\((?:\d{1,3}|[A-Za-z]|[ivx]{2,5})\)|(?:\d{1,3}|[A-Za-z]|[ivx]{2,5})\)|\d{1,3}\.|"
    r"(?:[a-h]|[ivx]{1,5})\.(?!\s(?:\d|\w\.)))"
)
"""What stands before the item of a list, as part of a regular expression: a dash, a bullet (those of Word's symbol font
as well), a number, or a letter. No initial (`A. Smith`) and no abbreviation (`c. 1900`, `e. g.`)."""

_PIECE = 4000
"""Characters handed to sentencex at once: it is quadratic in open quotes and brackets (1,000,000 characters: 45 s)."""
_MARK = re.compile(rf"[ \t]*(?:>[ \t]*)*(?:{LIST_MARK}[ \t]+)?")
_STARTS_UNIT = re.compile(r"[ \t]*(?:\||>[ \t])")
_ITEM = re.compile(rf"[ \t]*(?:>[ \t]*)*({LIST_MARK})[ \t]")
_BULLETS = frozenset("*+•●◦▪■‣∙\uf0a7\uf0b7")
"""Marks that stand nowhere but before an item; a dash, a letter or a number may begin a line of prose."""
_STARTS_LIST = re.compile(r"[ \t]*(?:>[ \t]*)*(?:[-∙·–—]|\(?[1aAi][.)])[ \t]")
"""The mark of a first item, or one that all items share."""
TABLE_ROW = 400
"""Characters of the longest row of a table that is one sentence, whatever stops are in its cells: no cell says anything
without the others. Longer rows lay out prose."""
_ENDS_SENTENCE = re.compile(r"[.!?…:;。！？][\"'”’»)\]*_]*$")
_WRAP_WIDTHS = range(45, 101)
"""Columns at which people wrap paragraphs; longer lines are paragraphs, shorter ones lists."""

# sentencex splits after these although the sentence goes on, and before the mark that ends a run-in heading:
# `**May dogs come in?** Guide dogs may.` is one sentence, since neither half says it alone.
_JOIN_AFTER = re.compile(
    r"(?:^|[\s(\"'“‘])(?:(?:Adm|Art|Brig|Capt|Cmdr|Col|Cpl|Ft|Gen|Gov|Hon|Lt|Maj|Mlle|Mme|Ms|Mt|Rep|Rev|Sen|"
    r"Sgt|Sra|Srta|St|cf|Cf|approx|bzw|ggf|inkl|insges|sog|[Vv]gl|zzgl)\.)$"
)
_JOIN_AFTER_BEFORE_NUMBER = re.compile(
    r"(?:^|[\s(])(?:No|Nos|Abs|Ch|ch|chap|fig|Fig|mind|para|vol|Vol|pp?|Sec|sec|sect|ca?)\.$"
)
_COUNTRY_BEFORE_OFFICE = re.compile(r"(?:U\.S|U\.K|U\.N|E\.U)\.$")
_OFFICE = re.compile(
    r"\s*(?:Under[ -]?[Ss]ecretar|Deputy|Assistant|Acting|Secretar|Ambassador|Army|Navy|Marine|Air Force)"
)
_PLURAL_INITIALS = re.compile(r"(?:^|\s)([A-Z])\1\. ([A-Z])\2\.")
"""`EE. UU.`"""
_DAY = re.compile(r"(?i:^|\(|\b(?:am|ab|bis|vom|zum|seit|der|den|dem|des|und)\s+)(?:3[01]|[12]?\d)\.$")
_GERMAN_MONTH = re.compile(
    r"(?:Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)\b"
)
_SAYS_WHO = re.compile(r"[–—-]\s*[a-zß-ÿ]")
"""`“Who is there?” – asked Ann`"""
_NOTE = re.compile(r"(?:\[[^\]\s]{1,4}\]|[¹²³⁰⁴-⁹†‡]+)(?:\s|\[|$)")
_ENDS_BEFORE = re.compile(
    r"(?:(?<=[a-z]{4}[.!?])\d{1,3}|(?:(?<=[.!?])|(?<=[.!?][\"”’)]))(?:\[[^\]\s]{1,4}\]|[¹²³⁰⁴-⁹†‡])+|"
    r"^\((?:[^()\s]+\s+){2,}[^()\s]*[.!?]\))\s+(?=[\"“‘(]?[A-ZÀ-Þ])"
)
"""Where sentencex sees no end: behind the number of a note (`It is closed.3 The`), and a sentence in brackets. Behind
an abbreviation (`mind.18 Jahre`) there is none."""
_CLOSES_EMPHASIS = re.compile(r"[*_]+(?:\s|$)")
_INITIAL_BEFORE_INITIAL = re.compile(r"(?:^|[\s.\-])[A-Z]\.$")


def _ends_abbreviated(before: str, after: str) -> bool:
    """Whether what stands before a boundary ends with an abbreviation that no sentence ends with, before `after`."""
    return bool(_JOIN_AFTER.search(before) or (after[:1].isdigit() and _JOIN_AFTER_BEFORE_NUMBER.search(before)))


def _goes_on(before: str, after: str) -> bool:
    """Whether a boundary between the two stripped pieces is a wrong split."""
    if not before or not after:
        return True
    if after[0] in ",;:)]}%" or (after[0].islower() and before[-1] == "."):
        return True
    if not any(character.isalpha() for character in before) and re.fullmatch(r"[\d.()*_]+", before):
        return True  # the number of a list line
    if _ends_abbreviated(before, after) or _CLOSES_EMPHASIS.match(after):
        return True
    if before[-1] in "\"'”’“»" and _SAYS_WHO.match(after):
        return True
    if _PLURAL_INITIALS.match(f"{before[-4:]} {after[:3]}"):
        return True
    if _DAY.search(before) and _GERMAN_MONTH.match(after):
        return True
    return bool(_COUNTRY_BEFORE_OFFICE.search(before) and _OFFICE.match(after))


def _boundaries(text: str, language: str) -> list[int]:
    """Ends of the sentences of one line (no line ends inside), the last one at `len(text)`."""
    import sentencex

    pieces: list[str] = sentencex.segment(language, text) if text else []
    if "".join(pieces) != text:  # never seen; offsets must not depend on it
        return [len(text)]
    ends: list[int] = []
    start = end = 0
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=False):
        end += len(piece)
        touches = not piece[-1:].isspace()
        split_initials = touches and _INITIAL_BEFORE_INITIAL.search(piece) and following[:1].isalpha()
        note = touches and _NOTE.match(following)
        if following and (split_initials or note or _goes_on(text[start:end].strip(), following.strip())):
            continue
        sentence = text[start:end]
        ends += [
            start + missed.end()
            for missed in _ENDS_BEFORE.finditer(sentence)
            if not _ends_abbreviated(sentence[: missed.start()], missed[0])
        ]
        ends.append(end)
        start = end
    return ends


def _cut_long(text: str, start: int, end: int, limit: int) -> Iterator[Span]:
    """`start` to `end` in parts of at most `limit` characters, cut after white space where there is any."""
    while end - start > limit:
        space = max(text.rfind(mark, start + 1, start + limit) for mark in (" ", "\t", "\n"))
        cut = space + 1 if space > start else start + limit
        yield start, cut
        start = cut
    yield start, end


def _lines(text: str) -> Iterator[Span]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


def _item_mark(line: str) -> str:
    """The mark before the item that a line begins, with 1 for any number and a for any letters; empty if there is none.

    All marks of one list are the same then.
    """
    mark = _ITEM.match(line)
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"\d+", "1", mark[1])) if mark else ""


def _lone_marks(block: Sequence[str], below: Sequence[str]) -> set[str]:
    """The marks of a block that may stand in the middle of a sentence: no bullets, and each the only one of its kind.

    One that begins a list, as `-` and `1.` do, needs a sentence that ends: `- passport` is a list of one item.

    Args:
        block: Its lines.
        below: The first line of the next block, which may be a further item.
    """
    listed = Counter(map(_item_mark, [*block, *below]))
    ended = _ENDS_SENTENCE.search(block[-1].rstrip()) is not None
    inside = {_item_mark(line) for line in block if ended or not _STARTS_LIST.match(line)}
    return {mark for mark in inside if listed[mark] == 1} - _BULLETS


def _is_wrapped(line: str, following: str, width: int, lone: Set[str]) -> bool:
    """Whether the break between two lines of a block only wraps a paragraph of `width` columns.

    A line that begins with a mark is an item, unless that may stand in a sentence and the line before breaks one off:
    `Velm` and, in a new line, `v. Orla`.

    Args:
        line: A line of the block.
        following: The next one.
        width: Characters of the longest line.
        lone: The marks that may stand in the middle of a sentence.
    """
    if width not in _WRAP_WIDTHS or _STARTS_UNIT.match(following) or line.startswith("|"):
        return False
    full = len(line.rstrip()) + 1 + len(following.split(maxsplit=1)[0]) > width
    ended = _ENDS_SENTENCE.search(line.rstrip()) is not None
    mark = _item_mark(following)
    if mark:
        return full and not ended and mark in lone
    return full or (following.lstrip()[0].islower() and not ended)


def _units(text: str, heading_lines: set[int]) -> Iterator[Span]:
    """Spans in which sentences are looked for: a line, or the lines of a wrapped paragraph."""
    filled = groupby(_lines(text), lambda line: line[0] not in heading_lines and text[slice(*line)].strip() != "")
    blocks = [list(lines) for is_filled, lines in filled if is_filled]
    for number, block in enumerate(blocks):
        below = blocks[number + 1][:1] if number + 1 < len(blocks) else []
        width = max(end - start for start, end in block)
        lone = _lone_marks([text[slice(*line)] for line in block], [text[slice(*line)] for line in below])
        unit_start: int | None = None
        for (start, end), following in zip(block, [*block[1:], None], strict=True):
            unit_start = start if unit_start is None else unit_start
            if following is not None and _is_wrapped(text[start:end], text[slice(*following)], width, lone):
                continue
            yield unit_start, end
            unit_start = None


def split_sentences(
    text: str, headings: Sequence[Span] = (), language: str = "en", limit: int = MAX_SENTENCE
) -> list[Sentence]:
    """Sentences of a normalised text, in order, not overlapping, without white space at either end.

    Args:
        text: `Document.text`.
        headings: `Document.headings`; the lines that hold them are no sentences but name the section of those below.
        language: ISO 639 code; sentencex falls back to English for those it does not know.
        limit: Characters of the longest sentence.

    Returns:
        Sentences that each hold a letter or digit. List and quotation marks at the start of a line are left out,
        other Markdown stays inside.
    """
    heading_starts = [start for start, _ in headings]
    heading_lines = {text.rfind("\n", 0, start) + 1 for start in heading_starts}
    sentences: list[Sentence] = []
    for unit_start, unit_end in _units(text, heading_lines):
        above = bisect_right(heading_starts, unit_start)
        section = text[slice(*headings[above - 1])] if above else ""
        mark = _MARK.match(text, unit_start, unit_end)
        body_start = mark.end() if mark else unit_start
        for piece_start, piece_end in _cut_long(text, body_start, unit_end, _PIECE):
            start = piece_start
            piece = text[piece_start:piece_end].replace("\n", " ")
            is_row = piece.lstrip().startswith("|") and len(piece) <= TABLE_ROW
            for length in [len(piece)] if is_row else _boundaries(piece, language or "en"):
                end = piece_start + length
                for cut_start, cut_end in _cut_long(text, start, end, limit):
                    inner = text[cut_start:cut_end]
                    left = cut_start + len(inner) - len(inner.lstrip())
                    right = cut_start + len(inner.rstrip())
                    if any(character.isalnum() for character in text[left:right]):
                        sentences.append(Sentence(left, right, section))
                start = end
    return sentences


def _repeated_spans(text: str) -> list[Span]:
    """Paragraphs (lines) that come again, word for word, later in the text."""
    last: dict[str, Span] = {}
    repeated: list[Span] = []
    for start, end in _lines(text):
        line = text[start:end].strip()
        if len(line.split()) < MIN_REPEATED_WORDS:
            continue
        if line in last:
            repeated.append(last[line])
        last[line] = (start, end)
    return sorted(repeated)


def document_sentences(document: Document) -> list[Sentence]:
    """The sentences of a document that can be retrieved and cited.

    Left out are a first line that only repeats the title, and each paragraph of eight words or more that the document
    repeats word for word, except its last occurrence.
    """
    text = document.text
    dropped = _repeated_spans(text)
    first_end = text.find("\n")
    if first_end >= 0 and text[:first_end].strip() == document.title:
        dropped.insert(0, (0, first_end))
    starts = [start for start, _ in dropped]

    def is_kept(sentence: Sentence) -> bool:
        at = bisect_right(starts, sentence.start)
        return at == 0 or sentence.start >= dropped[at - 1][1]

    sentences = [s for s in split_sentences(text, document.headings, document.language) if is_kept(s)]
    return sentences or split_sentences(text, document.headings, document.language)
