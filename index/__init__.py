"""The index: embedding, vectors, BM25, generations on disk, and hybrid search over them."""

from index.build import build, ensure_index
from index.embedder import Embedder, SentenceTransformerEmbedder, sentence_embedder
from index.errors import (
    IndexDamagedError,
    IndexFaultError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
)
from index.generations import GenerationInfo, list_generations, rollback
from index.index import Hit, Index, IndexReader
from index.reports import BuildReport, BuildSettings, Progress, Status, VerifyReport
from index.status import status, verify
from index.vectors import VectorStore

__all__ = [
    "BuildReport",
    "BuildSettings",
    "Embedder",
    "GenerationInfo",
    "Hit",
    "Index",
    "IndexDamagedError",
    "IndexFaultError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexMissingError",
    "IndexReader",
    "Progress",
    "SentenceTransformerEmbedder",
    "Status",
    "VectorStore",
    "VerifyReport",
    "build",
    "ensure_index",
    "list_generations",
    "rollback",
    "sentence_embedder",
    "status",
    "verify",
]
