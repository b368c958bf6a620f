"""A corpus of any size for measurements: shuffled sentences of the shipped one, and vectors that cost nothing."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from corpus.loading import find_documents, load_document
from corpus.sentences import document_sentences
from index.embedder import Vector, Vectors

CHUNKS_A_DOCUMENT = 10
_PARAGRAPH = 5
_SENTENCES_A_CHUNK = 5.4
"""Sentences of the shipped corpus that fill a chunk, as measured on a corpus made here."""
_TITLE = re.compile(r"Report (\d+)")


def shipped_sentences(documents: Path) -> list[str]:
    """The sentences of a corpus that have at least eight words."""
    sentences = []
    for path in find_documents(documents):
        document = load_document(path, documents)
        texts = (document.text[sentence.start : sentence.end] for sentence in document_sentences(document))
        sentences += [" ".join(text.split()) for text in texts if len(text.split()) >= 8]
    return sentences


def write_corpus(folder: Path, sentences: Sequence[str], chunks: int, seed: int = 0) -> int:
    """Write documents of shuffled sentences that are cut into about so many chunks.

    Each document names its number in its title and in one sentence, so that it is nobody's copy and can be asked for.

    Returns:
        Number of documents.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    number = 0
    for number in range(max(1, round(chunks / CHUNKS_A_DOCUMENT))):
        place = folder / f"{number // 1000:04d}"
        if number % 1000 == 0:
            place.mkdir(parents=True, exist_ok=True)
        (place / f"report-{number:07d}.md").write_text(document_text(number, sentences, chance), encoding="utf-8")
    return number + 1


def document_text(number: int, sentences: Sequence[str], chance: random.Random) -> str:
    """One document, as a Markdown file."""
    count = round(CHUNKS_A_DOCUMENT * _SENTENCES_A_CHUNK)
    chosen = chance.sample(sentences, min(count, len(sentences)))
    chosen[chance.randrange(len(chosen))] = f"Report {number} was written by office {number % 977} on day {number}."
    paragraphs = (" ".join(chosen[start : start + _PARAGRAPH]) for start in range(0, len(chosen), _PARAGRAPH))
    return f"---\ntitle: Report {number}\n---\n\n" + "\n\n".join(paragraphs) + "\n"


@dataclass(frozen=True)
class SyntheticEmbedder:
    """Vectors in clusters, drawn from a hash of the text instead of read out of it by a model.

    The documents fall into `topics`; a vector is its topic's centre and a part of its own, both normal with variances
    that fall with the dimension, as those of text embeddings do. Two chunks of a topic have a cosine of about .5,
    others of about 0, and so has a question and the chunks of the topic that it names.
    """

    topics: int = 2_000
    dimension: int = 384
    name: str = "synthetic"
    own: float = 1.0
    """Length of a vector's own part beside that of its topic's."""

    @property
    def weights_hash(self) -> str:
        """Everything that decides the vectors."""
        return f"synthetic-{self.topics}-{self.dimension}-{self.own}"

    @cached_property
    def _scales(self) -> Vector:
        scales = (np.arange(self.dimension) + 8.0) ** -0.5
        unit: Vector = (scales / np.linalg.norm(scales)).astype(np.float32)
        return unit

    @cached_property
    def _centres(self) -> Vectors:
        drawn = np.random.default_rng(7).standard_normal((self.topics, self.dimension), dtype=np.float32)
        centres: Vectors = drawn * self._scales  # (topics, dimension), of length about 1
        return centres

    def _draw(self, text: str, own: float) -> Vector:
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        found = _TITLE.search(text)
        topic = int(hashlib.blake2b(found[1].encode(), digest_size=4).hexdigest(), 16) if found else digest[0]
        noise = np.random.default_rng(int.from_bytes(digest)).standard_normal(self.dimension, dtype=np.float32)
        vector: Vector = self._centres[topic % self.topics] + own * noise * self._scales
        return vector

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_documents`."""
        vectors = np.stack([self._draw(text, self.own) for text in texts])
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_query(self, text: str) -> Vector:
        """See `Embedder.embed_query`."""
        vector = self.embed_documents([text])[0] + self._draw(f"question {text}", 1.0) * 0.6
        unit: Vector = vector / np.linalg.norm(vector)
        return unit
