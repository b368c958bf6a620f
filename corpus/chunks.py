"""Chunks: runs of whole sentences of one section, the unit of retrieval."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.document import Chunk, Document, Sentence
from corpus.sentences import LIST_MARK

_TOKEN = re.compile(r"\w+|[^\w\s]")
_MARK_BEFORE = re.compile(rf"^(?:[ \t]|>)*{LIST_MARK}[ \t]+\Z", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """How documents are cut; part of the index manifest, so a change needs a new build."""

    target_words: int = 110
    """Words that a chunk aims at: about a news paragraph and a half, four to six sentences."""
    max_tokens: int = 200
    """Most tokens of a chunk (`estimate_tokens`): the default embedder reads 512, title and section included."""


def estimate_tokens(text: str) -> int:
    """Estimate of a text's tokens, without a tokenizer so that chunks do not depend on the embedder.

    A word counts one token for each begun seven letters; a sign, or a character outside the Latin, Greek and Cyrillic
    blocks, one each. On the chunks of the shipped corpus it is .80 to 1.16 times the count of multilingual-e5-small
    (mean .98); the longest with title and section has 237 tokens.
    """
    total = 0
    for match in _TOKEN.finditer(text):
        word = match.group()
        wide = sum(character > "\u052f" for character in word)
        total += wide + math.ceil((len(word) - wide) / 7)
    return total


def _runs(document: Document, sentences: Sequence[Sentence]) -> Iterator[list[Sentence]]:
    """Sentences that may share a chunk: of one section, with nothing but white space and list marks between them."""
    run: list[Sentence] = []
    for sentence in sentences:
        if run:
            between = _MARK_BEFORE.sub("", document.text[run[-1].end : sentence.start])
            if sentence.section != run[-1].section or any(character.isalpha() for character in between):
                yield run
                run = []
        run.append(sentence)
    if run:
        yield run


def _pack(document: Document, run: Sequence[Sentence], settings: ChunkSettings) -> Iterator[list[Sentence]]:
    """Cut a run into chunks of about equal length, each near the target and below the limit where sentences allow."""
    words = [len(document.text[s.start : s.end].split()) for s in run]
    tokens = [estimate_tokens(document.text[s.start : s.end]) for s in run]
    parts = max(1, round(sum(words) / settings.target_words), math.ceil(sum(tokens) / settings.max_tokens))
    goal = sum(words) / parts
    part: list[Sentence] = []
    part_words = part_tokens = 0
    for sentence, sentence_words, sentence_tokens in zip(run, words, tokens, strict=True):
        too_long = part_tokens + sentence_tokens > settings.max_tokens
        # Closing now misses the goal by less than taking one more sentence would.
        full = part_words + sentence_words - goal > goal - part_words
        if part and (too_long or full):
            yield part
            part, part_words, part_tokens = [], 0, 0
        part.append(sentence)
        part_words += sentence_words
        part_tokens += sentence_tokens
    if part:
        yield part


def cut_chunks(document: Document, sentences: Sequence[Sentence], settings: ChunkSettings | None = None) -> list[Chunk]:
    """Chunks of a document in order; each sentence is in exactly one, and none crosses a section heading.

    Args:
        document: Where the sentences are from.
        sentences: `document_sentences(document)`.
        settings: Sizes; the defaults when None.

    Returns:
        Chunks whose id depends on path, section and text alone (and, where these repeat, on which repetition it is).
    """
    settings = settings or ChunkSettings()
    chunks: list[Chunk] = []
    seen: dict[str, int] = {}
    for run in _runs(document, sentences):
        for part in _pack(document, run, settings):
            start, end, section = part[0].start, part[-1].end, part[0].section
            key = f"{document.path}\0{section}\0{document.text[start:end]}"
            seen[key] = seen.get(key, 0) + 1
            key += f"\0{seen[key]}" if seen[key] > 1 else ""
            identifier = hashlib.sha256(key.encode("utf-8")).hexdigest()[:16]
            chunks.append(Chunk(identifier, document.path, start, end, section, tuple((s.start, s.end) for s in part)))
    return chunks


def contextualise(document: Document, chunk: Chunk) -> str:
    """What embedder and BM25 read of a chunk: title and section on a line, then the text."""
    heading = " > ".join(part for part in (document.title, chunk.section) if part)
    return f"{heading}\n{document.text[chunk.start : chunk.end]}"
