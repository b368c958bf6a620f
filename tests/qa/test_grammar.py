from __future__ import annotations

import pytest

from qa.engines.grammar import grammar
from qa.generator import GenerationError


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yes", '"y" "e" "s"'),
        ("(yes|no)", '(("y" "e" "s" | "n" "o"))'),
        (r"[^\n]+", r"([^\n]){1,}"),
        (r".\.", r'[^\n] "."'),
        (r"a*b?c{2,3}d{2}", '("a"){0,} ("b"){0,1} ("c"){2,3} ("d"){2,2}'),
        (r"a+?", '("a"){1,}'),
        (r"[a-c_\d]", "[a-c_0-9]"),
        (r"[^\]\[\\^-]", r"[^\x5D\x5B\x5C\x5E\x2D]"),
        (r"\"\\\-", r'"\x22" "\x5C" "\x2D"'),
        ("\\n\\t", r'"\n" "\t"'),
        ("日|é", "[日é]"),
        ("", '""'),
        ("(a|)", '(("a" | ""))'),
    ],
)
def test_a_pattern_as_a_grammar(pattern: str, expected: str) -> None:
    assert grammar(pattern) == f"root ::= {expected}"


def test_a_list_of_numbers_as_a_grammar() -> None:
    assert grammar(r"none|\[(2|1)\](, \[(2|1)\]){0,1}") == (
        'root ::= ("n" "o" "n" "e" | "\\x5B" ([21]) "\\x5D" (("," " " "\\x5B" ([21]) "\\x5D")){0,1})'
    )


@pytest.mark.parametrize("pattern", ["(", r"a(?=b)", r"(a)\1", r"\bx", "a^b", r"\W", "(?>a)", "a++"])
def test_what_cannot_be_enforced_is_refused(pattern: str) -> None:
    with pytest.raises(GenerationError, match="pattern"):
        grammar(pattern)
