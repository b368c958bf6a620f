"""Regular expressions that mean the same to Python and to every engine's constraint."""

from __future__ import annotations

import re

from qa.generator import GenerationError

_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": r" \t\n\r"}
"""What the shorthands stand for: the engines disagree about letters and digits beyond ASCII."""

_CONTROLS = {"n": r"\n", "r": r"\r", "t": r"\t"}

_SPECIAL = set("\\^$.|?*+()[]{}-/")


def escape(text: str) -> str:
    """A pattern that only this text matches."""
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
    return "".join(named.get(c) or (f"\\{c}" if c in _SPECIAL - set("-/") else c) for c in text)


def portable_pattern(pattern: str) -> str:
    r"""The same language in the syntax on which the engines agree.

    `.` becomes any character but a line feed, `\d`, `\w` and `\s` become their ASCII classes, needless escapes
    (those of `re.escape`) and anchors at the ends go.

    Raises:
        GenerationError: Python cannot read the pattern, or it uses look-around, back references, boundaries, anchors
            inside, or negated shorthands, which the engines do not have.
    """
    try:
        re.compile(pattern)
    except re.error as error:
        raise GenerationError(f"The pattern {pattern!r} is not a regular expression: {error}.") from error
    body = pattern.removeprefix("^")
    if body.endswith("$") and not body.endswith("\\$"):
        body = body[:-1]
    out: list[str] = []
    at, in_class = 0, False
    while at < len(body):
        character = body[at]
        if character == "\\":
            at += 1
            out.append(_escaped(body[at], in_class, pattern))
        elif in_class:
            in_class = character != "]"
            out.append(character)
        elif character == ".":
            out.append(r"[^\n]")
        elif character == "[":
            in_class = True
            opening = re.match(r"\[\^?\]?", body[at:])
            text = opening[0] if opening else character
            out.append(text.replace("]", r"\]"))
            at += len(text) - 1
        elif character in "^$":
            raise _unsupported(pattern, "an anchor inside")
        elif body.startswith("(?", at) and not body.startswith("(?:", at):
            raise _unsupported(pattern, "look-around, a flag or a named group")
        else:
            out.append(character)
        at += 1
    return "".join(out)


def _escaped(character: str, in_class: bool, pattern: str) -> str:
    if character in _CLASSES:
        return _CLASSES[character] if in_class else f"[{_CLASSES[character]}]"
    if character in _CONTROLS:
        return _CONTROLS[character]
    if character.isalnum():
        raise _unsupported(pattern, f"\\{character}")
    return f"\\{character}" if character in _SPECIAL else character


def _unsupported(pattern: str, what: str) -> GenerationError:
    return GenerationError(
        f"The pattern {pattern!r} uses {what}, which the engines do not have. Write it out in classes."
    )
