"""Near-copies: documents that say the same in nearly the same words, by MinHash.

Broder, On the resemblance and containment of documents (1997): the share of equal minima estimates the Jaccard
similarity of two sets of shingles. The estimate of 128 minima is within .07 of the truth 95 times of 100.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from corpus.document import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIMILARITY = 0.8
"""Jaccard similarity of three-word shingles from which on a document is a copy: about 20 words in 500 replaced."""

SIGNATURE_BYTES = 512
_MINIMA = 128
_BAND = 4
"""Minima a band: documents that share a band are compared; of pairs at similarity .8, 1 in 10,000,000 shares none."""
_WORD = re.compile(r"\w+")


def signature(document: Document) -> bytes:
    """128 minima of the shingles of a document's text, as little-endian 32-bit numbers: 512 bytes."""
    import rensa

    words = _WORD.findall(document.text.lower())
    shingles = [" ".join(words[start : start + 3]) for start in range(max(1, len(words) - 2))]
    minhash = rensa.RMinHash(num_perm=_MINIMA, seed=42)
    minhash.update(shingles)
    return struct.pack(f"<{_MINIMA}I", *minhash.digest())


class Dated(Protocol):
    """What decides which of two documents is the original."""

    @property
    def path(self) -> str:
        """`Document.path`."""

    @property
    def published(self) -> str:
        """ISO date, or empty."""


def _shared_bands(minima: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which bands of each document another document has too, (documents, bands): only these can find a copy."""
    import numpy as np

    count = len(minima)
    halves = (
        np.ascontiguousarray(minima).view(np.uint64).reshape(count, _MINIMA // _BAND, _BAND // 2)
    )  # (documents, bands, 2)
    shared: NDArray[np.bool_] = np.zeros(halves.shape[:2], np.bool_)
    for band in range(halves.shape[1]):
        # Two bands that fall together by chance cost a comparison and nothing else.
        mixed = halves[:, band, 0] * np.uint64(0x9E3779B97F4A7C15) ^ halves[:, band, 1]
        _, of, counts = np.unique(mixed, return_inverse=True, return_counts=True)
        shared[:, band] = counts[of] > 1
    return shared


def find_copies(
    documents: Sequence[Dated], signatures: bytes | bytearray, similarity: float = SIMILARITY
) -> dict[str, str]:
    """Which documents nearly repeat which.

    Args:
        documents: Path and publication date of each.
        signatures: The `signature` of each, one after the other.
        similarity: Least similarity of a copy, 0 to 1.

    Returns:
        Path of each copy and of its original: among documents that repeat each other, the earliest published one,
        undated ones last, then the first by path. An original is never a copy itself.
    """
    import numpy as np

    minima = np.frombuffer(signatures, "<u4").reshape(len(documents), _MINIMA)  # (documents, 128)
    shared = _shared_bands(minima)
    alike = np.flatnonzero(shared.any(axis=1)).tolist()
    alike.sort(key=lambda number: (documents[number].published or "9999", documents[number].path))
    first_with: dict[tuple[int, bytes], int] = {}
    copies: dict[str, str] = {}
    for number in alike:
        mine: Any = minima[number]
        bands = [
            (band, mine[band * _BAND : (band + 1) * _BAND].tobytes())
            for band in np.flatnonzero(shared[number]).tolist()
        ]
        # Only the first document of a band is compared: a million equal files must not cost a million squared.
        candidates = dict.fromkeys(first_with[band] for band in bands if band in first_with)
        for candidate in candidates:
            if np.count_nonzero(mine == minima[candidate]) >= similarity * _MINIMA:
                copies[documents[number].path] = documents[candidate].path
                break
        else:
            for band in bands:
                first_with.setdefault(band, number)
    return copies
