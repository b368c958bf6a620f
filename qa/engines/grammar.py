"""A regular expression as a grammar in llama.cpp's notation (GBNF)."""

from __future__ import annotations

from collections.abc import Iterable
from re import _constants as codes  # type: ignore[attr-defined] # the parser that `re` itself uses
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from qa.engines.pattern import portable_pattern
from qa.generator import GenerationError


def grammar(pattern: str) -> str:
    r"""The grammar whose sentences are what `pattern` matches as a whole.

    Raises:
        GenerationError: The pattern uses what no engine enforces; see `portable_pattern`.
    """
    return f"root ::= {_sequence(parser.parse(portable_pattern(pattern)), pattern)}"


def _sequence(items: Iterable[tuple[Any, Any]], pattern: str) -> str:
    return " ".join(_item(code, argument, pattern) for code, argument in items) or '""'


def _item(code: Any, argument: Any, pattern: str) -> str:  # noqa: ANN401 - the parser has no types
    if code is codes.LITERAL:
        return f'"{_written(argument)}"'
    if code is codes.NOT_LITERAL:
        return f"[^{_written(argument)}]"
    if code is codes.IN:
        negated = argument[0][0] is codes.NEGATE
        return f"[{'^' if negated else ''}{''.join(_class_part(part, pattern) for part in argument[negated:])}]"
    if code is codes.BRANCH:
        return f"({' | '.join(_sequence(branch, pattern) for branch in argument[1])})"
    if code is codes.SUBPATTERN:
        return f"({_sequence(argument[3], pattern)})"
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        least, most, repeated = argument
        bounds = f"{{{least},{'' if most is codes.MAXREPEAT else most}}}"
        return f"({_sequence(repeated, pattern)}){bounds}"
    raise GenerationError(f"The pattern {pattern!r} cannot be enforced while decoding ({code}).")


def _class_part(part: tuple[Any, Any], pattern: str) -> str:
    code, argument = part
    if code is codes.LITERAL:
        return _written(argument)
    if code is codes.RANGE:
        return f"{_written(argument[0])}-{_written(argument[1])}"
    raise GenerationError(f"The pattern {pattern!r} cannot be enforced while decoding ({code}).")


def _written(character: int) -> str:
    """A character inside quotes or a class; what has a meaning there by its number, which every version reads."""
    if character < 32 or chr(character) in '"\\[]^-\x7f':
        return {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(chr(character), f"\\x{character:02X}")
    return chr(character)
