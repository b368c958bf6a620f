import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from corpus import normalise


def test_line_ends_spaces_and_marks() -> None:
    assert normalise("\ufeffa\r\nb\rc\u2028d\u00a0e\u202ff\u2007g") == "a\nb\nc\nd e f g"


def test_text_is_composed() -> None:
    assert normalise("e\u0301") == "\u00e9"


def test_reordering_and_control_characters_are_removed() -> None:
    assert normalise("a\x00b\u202ec\u2066d\x1b[31m") == "abcd[31m"


@given(st.text(alphabet=st.characters()))
def test_is_idempotent_and_storable(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once.encode("utf-8").decode("utf-8") == once
    assert "\r" not in once
