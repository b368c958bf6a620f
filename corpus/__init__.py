"""Documents: finding, loading, normalising, and cutting them into sentences and chunks."""

from corpus.chunks import ChunkSettings, contextualise, cut_chunks
from corpus.document import Chunk, Document, Sentence, Span
from corpus.errors import CorpusError, DocumentError, DossierError
from corpus.loading import find_documents, load_document
from corpus.normalise import normalise
from corpus.sentences import document_sentences, split_sentences

__all__ = [
    "Chunk",
    "ChunkSettings",
    "CorpusError",
    "Document",
    "DocumentError",
    "DossierError",
    "Sentence",
    "Span",
    "contextualise",
    "cut_chunks",
    "document_sentences",
    "find_documents",
    "load_document",
    "normalise",
    "split_sentences",
]
