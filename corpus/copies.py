"""Near-copies: documents that say the same in nearly the same words, by MinHash.

Broder, On the resemblance and containment of documents (1997): the share of equal minima estimates the Jaccard
similarity of two sets of shingles. The estimate of 128 minima is within .07 of the truth 95 times of 100.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from corpus.document import Document

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


def _similarity(one: bytes, other: bytes) -> float:
    pairs = zip(struct.iter_unpack("<I", one), struct.iter_unpack("<I", other), strict=True)
    return sum(mine == theirs for mine, theirs in pairs) / _MINIMA


def _share_a_band(signatures: Mapping[str, tuple[str, bytes]]) -> list[str]:
    """The paths that share a band with another: only these can be copies or originals, and need memory."""
    import numpy as np

    if not signatures:
        return []
    paths = list(signatures)
    minima = np.frombuffer(b"".join(minhash for _, minhash in signatures.values()), np.uint8)
    bands = minima.reshape(len(paths), -1, 4 * _BAND)  # (documents, bands, 16)
    shared = np.zeros(len(paths), np.bool_)
    for band in range(bands.shape[1]):
        strings = np.ascontiguousarray(bands[:, band]).view(f"S{4 * _BAND}")[:, 0]  # (documents,)
        _, of, counts = np.unique(strings, return_inverse=True, return_counts=True)
        shared |= counts[of] > 1
    return [path for path, found in zip(paths, shared.tolist(), strict=True) if found]


def find_copies(signatures: Mapping[str, tuple[str, bytes]], similarity: float = SIMILARITY) -> dict[str, str]:
    """Which documents nearly repeat which.

    Args:
        signatures: By path: publication date (ISO, or empty) and `signature` of each document.
        similarity: Least similarity of a copy, 0 to 1.

    Returns:
        Path of each copy and of its original: among documents that repeat each other, the earliest published one,
        undated ones last, then the first by path. An original is never a copy itself.
    """
    alike = _share_a_band(signatures)
    order = sorted(alike, key=lambda path: (signatures[path][0] or "9999", path))
    first_with: dict[tuple[int, bytes], str] = {}
    copies: dict[str, str] = {}
    for path in order:
        mine = signatures[path][1]
        bands = [(start, mine[start : start + 4 * _BAND]) for start in range(0, len(mine), 4 * _BAND)]
        # Only the first document of a band is compared: a million equal files must not cost a million squared.
        candidates = dict.fromkeys(first_with[band] for band in bands if band in first_with)
        for candidate in candidates:
            if _similarity(mine, signatures[candidate][1]) >= similarity:
                copies[path] = candidate
                break
        else:
            for band in bands:
                first_with.setdefault(band, path)
    return copies
