"""Normalisation of text, done once on loading; every offset in Dossier points into its result."""

from __future__ import annotations

import re
import unicodedata

_NO_BREAK_SPACES = re.compile("[\u00a0\u2007\u202f]")
_LINE_ENDS = re.compile("\r\n|[\r\u000b\u000c\u0085\u2028\u2029]")
# Control characters, byte order marks, and the marks that reorder text on the page (a quote must read as it is stored).
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\u202a-\u202e\u2066-\u2069]")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def normalise(text: str) -> str:
    """Unicode NFC with LF line ends, plain spaces, and no control, byte-order or bidirectional-override characters.

    Idempotent: `normalise(normalise(text)) == normalise(text)`.

    Args:
        text: Decoded text; a lone surrogate becomes U+FFFD.

    Returns:
        The text that `Document.text` stores. It can always be written as UTF-8.
    """
    text = _LONE_SURROGATES.sub("\ufffd", text)
    text = _LINE_ENDS.sub("\n", text)
    text = _NO_BREAK_SPACES.sub(" ", text)
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
