from corpus import Document
from corpus.copies import find_copies, signature

WORDS = [f"word{number * 7919 % 1009}" for number in range(500)]


def make(words: list[str]) -> Document:
    return Document(path="a.md", text=" ".join(words), content_hash="", title="T")


def test_a_document_with_few_changed_words_is_a_copy_of_the_earliest() -> None:
    changed = list(WORDS)
    changed[100] = changed[300] = "other"
    found = find_copies(
        {
            "a.md": ("", signature(make(WORDS))),
            "b.md": ("2024-07-29", signature(make(changed))),
            "c.md": ("2024-07-28", signature(make(WORDS))),
            "d.md": ("2020-01-01", signature(make(WORDS[::-1]))),
        }
    )
    assert found == {"a.md": "c.md", "b.md": "c.md"}


def test_half_a_document_is_no_copy() -> None:
    found = find_copies({"a.md": ("", signature(make(WORDS))), "b.md": ("", signature(make(WORDS[:250])))})
    assert found == {}


def test_the_shortest_texts() -> None:
    found = find_copies({"a.md": ("", signature(make(["one"]))), "b.md": ("", signature(make(["two"])))})
    assert found == {}
