"""Embedders: from texts to unit vectors."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.cache import ModelError, Progress

Vectors: TypeAlias = NDArray[np.float32]
"""(n, dimension), float32, each row of length 1, so that an inner product is a cosine."""
Vector: TypeAlias = NDArray[np.float32]
"""(dimension,), float32, of length 1."""

BATCH = 32
"""Texts embedded at once: larger batches gain nothing on two cores."""
QUERIES = 256
"""Vectors of questions kept."""

logger = logging.getLogger(__name__)


class Embedder(Protocol):
    """Maps texts to unit vectors. The same text gives the same vector, whatever else is in the batch, to 1e-5."""

    @property
    def name(self) -> str:
        """Shown to people, and part of the index manifest."""
        ...

    @property
    def weights_hash(self) -> str:
        """Hash of everything that decides the vectors; an index of another hash is refused."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of passages, (len(texts), dimension)."""
        ...

    def embed_query(self, text: str) -> Vector:
        """Unit vector of a question, (dimension,)."""
        ...


def sentence_embedder(embedder: Embedder) -> Embedder:
    """What compares single sentences with a question, where `embedder` compares the chunks of an index.

    For the default model the same one with our adapter (`index/packed_e5.py`); any other model itself.
    """
    from index.weights import EMBEDDING_MODEL

    return _adapted() if embedder.weights_hash == EMBEDDING_MODEL.sha256 else embedder


@cache
def _adapted() -> SentenceTransformerEmbedder:
    from index.weights import EMBEDDING_MODEL, sentence_folder, sentence_hash

    name = f"{EMBEDDING_MODEL.name} for sentences"
    return SentenceTransformerEmbedder(sentence_folder(), name=name, weights_hash=sentence_hash(), dimension=384)


class SentenceTransformerEmbedder:
    """A sentence-transformers model from a local folder, loaded on the first text."""

    def __init__(
        self, folder: Path, *, name: str, weights_hash: str, dimension: int, device: str | None = None
    ) -> None:
        self.folder = folder
        self.name = name
        self.weights_hash = weights_hash
        self.dimension = dimension
        self._device = device
        self._loaded: Any = None
        self._queries: dict[str, Vector] = {}

    @classmethod
    def default(cls, progress: Progress | None = None) -> SentenceTransformerEmbedder:
        """multilingual-e5-small from its installed package, checked by hash and converted once.

        Args:
            progress: Told how far checking and converting are.

        Raises:
            index.cache.ModelError: It is not installed or damaged, or the disk is full; the message says what to do.
        """
        from index.weights import EMBEDDING_MODEL, embedding_folder, sentence_folder

        folder = embedding_folder(progress)
        sentence_folder(progress)  # written here, where the progress is told
        return cls(folder, name=EMBEDDING_MODEL.name, weights_hash=EMBEDDING_MODEL.sha256, dimension=384)

    @classmethod
    def from_folder(cls, folder: Path, device: str | None = None) -> SentenceTransformerEmbedder:
        """Any sentence-transformers folder that the user named; its model is loaded to learn the dimension.

        Raises:
            index.cache.ModelError: The folder holds no model that sentence-transformers can load.
        """
        from index.weights import checked_hash

        weights = next(
            (folder / file for file in ("model.safetensors", "pytorch_model.bin") if (folder / file).is_file()), None
        )
        if weights is None:
            raise ModelError(f"{folder} holds no model.safetensors. Name a sentence-transformers model folder.")
        embedder = cls(folder, name=folder.name, weights_hash=checked_hash(weights), dimension=0, device=device)
        embedder.dimension = int(embedder._model.get_embedding_dimension())
        return embedder

    @property
    def _model(self) -> Any:  # noqa: ANN401 - sentence-transformers ships no usable annotations
        if self._loaded is None:
            import torch
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging as transformers_logging

            transformers_logging.disable_progress_bar()
            bfloat16 = cpu_has_bfloat16() and self._device in (None, "cpu") and not torch.cuda.is_available()
            try:
                self._loaded = SentenceTransformer(
                    str(self.folder),
                    device=self._device,
                    local_files_only=True,
                    model_kwargs={"dtype": torch.bfloat16 if bfloat16 else torch.float32},
                )
            except (OSError, ValueError, KeyError) as error:
                raise ModelError(f"The embedding model in {self.folder} cannot be loaded: {error}") from error
            logger.info("Loaded %s in %s", self.name, "bfloat16" if bfloat16 else "float32")
        return self._loaded

    def _embed(self, texts: Sequence[str], prompt_name: str) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            list(texts),
            prompt_name=prompt_name if prompt_name in self._model.prompts else None,
            batch_size=BATCH,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        # Not left to the model: some folders lack the Normalize step, and bfloat16 leaves lengths of 0.99 to 1.01.
        unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return unit

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of passages, (len(texts), dimension)."""
        return self._embed(texts, "document")

    def embed_query(self, text: str) -> Vector:
        """Unit vector of a question, (dimension,)."""
        known = self._queries.get(text)
        if known is None:
            known = self._embed([text], "query")[0]
            known.setflags(write=False)
            if len(self._queries) >= QUERIES:
                self._queries.clear()
            self._queries[text] = known
        return known


def cpu_has_bfloat16() -> bool:
    """Whether this CPU computes bfloat16 itself; emulated, it is slower than float32."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
