from hypothesis import given
from hypothesis import strategies as st

from corpus import Document
from corpus.copies import find_copies, signature

WORDS = [f"word{number * 7919 % 1009}" for number in range(500)]


def found_among(documents: dict[str, tuple[str, list[str]]]) -> dict[str, str]:
    """`find_copies` over documents by path: publication date and words."""
    dated = [
        Document(path=path, text="", content_hash="", title="", published=day) for path, (day, _) in documents.items()
    ]
    return find_copies(dated, b"".join(signature(make(words)) for _, words in documents.values()))


def make(words: list[str]) -> Document:
    return Document(path="a.md", text=" ".join(words), content_hash="", title="T")


def test_a_document_with_few_changed_words_is_a_copy_of_the_earliest() -> None:
    changed = list(WORDS)
    changed[100] = changed[300] = "other"
    found = found_among(
        {
            "a.md": ("", WORDS),
            "b.md": ("2024-07-29", changed),
            "c.md": ("2024-07-28", WORDS),
            "d.md": ("2020-01-01", WORDS[::-1]),
        }
    )
    assert found == {"a.md": "c.md", "b.md": "c.md"}


def test_half_a_document_is_no_copy() -> None:
    found = found_among({"a.md": ("", WORDS), "b.md": ("", WORDS[:250])})
    assert found == {}


def test_the_shortest_texts() -> None:
    found = found_among({"a.md": ("", ["one"]), "b.md": ("", ["two"])})
    assert found == {}
    assert find_copies([], b"") == {}


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "2024-07-28"]), st.lists(st.sampled_from(WORDS[:3]), max_size=4)), max_size=8
    )
)
def test_copies_agree_with_comparing_every_pair(given_documents: list[tuple[str, list[str]]]) -> None:
    documents = {f"{number}.md": document for number, document in enumerate(given_documents)}
    signatures = {path: signature(make(words)) for path, (_, words) in documents.items()}
    originals: list[str] = []
    expected = {}
    for path in sorted(documents, key=lambda path: (documents[path][0] or "9999", path)):
        alike = [original for original in originals if _share(signatures[original], signatures[path]) >= 0.8]
        if alike:
            expected[path] = alike
        else:
            originals.append(path)
    found = found_among(documents)
    assert found.keys() == expected.keys()
    assert all(found[path] in expected[path] for path in found)


def _share(one: bytes, other: bytes) -> float:
    return sum(one[at : at + 4] == other[at : at + 4] for at in range(0, len(one), 4)) / (len(one) // 4)
