from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Embedder, Index, build
from qa.answer import AnswerSentence, Citation
from qa.citations import cite, without_marks
from qa.evidence import Evidence


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    class Flat:
        dimension, name, weights_hash = 2, "flat", "flat"

        def embed_documents(self, texts: list[str]) -> object:
            import numpy as np

            return np.tile(np.array([1.0, 0.0], np.float32), (len(texts), 1))

        def embed_query(self, text: str) -> object:
            return self.embed_documents([text])

    root: Path = tmp_path_factory.mktemp("cited")
    (root / "corpus").mkdir()
    matter = "---\ntitle: Harbour\npublished: 2024-07-28\nurl: https://example.org\n---\n\n"
    (root / "corpus" / "a.md").write_text(matter + "It opened in 1994. It has 12 cranes.\n", encoding="utf-8")
    (root / "corpus" / "b.txt").write_text("Wéather 日本\nRain fell “all” winter. 😀 ended it.\n", encoding="utf-8")
    embedder: Embedder = Flat()  # type: ignore[assignment] # two constant axes are enough to build
    build(root / "corpus", root / "index", embedder)
    opened = Index.open(root / "index", embedder)
    yield opened
    opened.close()


def test_numbers_follow_the_order_of_use(index: Index, quoted: Callable[..., Evidence]) -> None:
    opened, cranes = quoted(index, "a.md", "It opened in 1994."), quoted(index, "a.md", "It has 12 cranes.")
    answer = cite([("It has 12 cranes.", [cranes]), ("It opened in 1994, with them.", [opened, cranes])], index, [])
    assert answer.text == "It has 12 cranes. [1] It opened in 1994, with them. [2] [1]"
    assert answer.sentences == (
        AnswerSentence("It has 12 cranes.", (1,), supported=True),
        AnswerSentence("It opened in 1994, with them.", (2, 1), supported=True),
    )
    start = index.documents["a.md"].text.index("It has")
    assert answer.citations[0] == Citation(
        number=1,
        document="a.md",
        title="Harbour",
        published="2024-07-28",
        url="https://example.org",
        start=start,
        end=start + 17,
        quote="It has 12 cranes.",
    )
    assert [citation.number for citation in answer.citations] == [1, 2]
    assert answer.notes == ()


def test_what_no_passage_states_is_said(index: Index, quoted: Callable[..., Evidence]) -> None:
    cranes = quoted(index, "a.md", "It has 12 cranes.")
    (note,) = cite([("It has 12 cranes.", [cranes])], index, ["$5 million", "Brandt"]).notes
    assert note == "Part of the draft was left out because no passage that was read states it ($5 million, Brandt)."


def test_evidence_that_is_no_slice_is_not_cited(
    index: Index, quoted: Callable[..., Evidence], caplog: pytest.LogCaptureFixture
) -> None:
    cranes = quoted(index, "a.md", "It has 12 cranes.")
    shifted = replace(cranes, start=cranes.start + 1, end=cranes.end + 1)
    with caplog.at_level(logging.ERROR):
        answer = cite([("It has 12 cranes.", [shifted]), ("It has 12.", [cranes])], index, [])
    assert answer.text == "It has 12 cranes. It has 12. [1]"
    assert answer.sentences[0] == AnswerSentence("It has 12 cranes.", (), supported=False)
    assert [citation.quote for citation in answer.citations] == ["It has 12 cranes."]
    assert "is not what was cited" in caplog.text


@pytest.mark.parametrize(
    "written",
    [
        "**It** has `12` cranes. [7]",
        "# It has 12 [1] cranes.",
        "It has [1, 2] 12 cranes [3-4].",
        "It has 12 cranes.[[1]2]",
        "It has 12 [ 3 ] cranes. [1][2]",
        "It has 12 cranes. [１]",
        "It has 12 cranes. 【1】",
    ],
)
def test_marks_and_numbers_of_the_model_are_not_shown(
    index: Index, quoted: Callable[..., Evidence], written: str
) -> None:
    answer = cite([(written, [quoted(index, "a.md", "It has 12 cranes.")])], index, [])
    assert answer.text == "It has 12 cranes. [1]"


def test_a_year_in_brackets_stays(index: Index, quoted: Callable[..., Evidence]) -> None:
    answer = cite([("In [1994] it opened.", [quoted(index, "a.md", "It opened in 1994.")])], index, [])
    assert answer.text == "In [1994] it opened. [1]"


def test_a_sentence_of_which_nothing_is_left_is_not_shown(index: Index, quoted: Callable[..., Evidence]) -> None:
    cranes = quoted(index, "a.md", "It has 12 cranes.")
    answer = cite([("[1]", [cranes]), ("It has 12 cranes.", [cranes])], index, [])
    assert answer.text == "It has 12 cranes. [1]"
    assert len(answer.sentences) == 1


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("A 4*6 photo costs 2*3 krones.", "A 4*6 photo costs 2*3 krones."),
        ("2**10, 5 * 6 * 7 and x ** y", "2**10, 5 * 6 * 7 and x ** y"),
        ("4* and 5* hotels, price (*) and (*)", "4* and 5* hotels, price (*) and (*)"),
        ("***So*** **bold *and* set**, (*note*)", "So bold and set, (note)"),
        ("**Its partner is elsewhere", "Its partner is elsewhere"),
        ("这是**重点**内容", "这是重点内容"),
        ("Values in [0, 1] are a[0] and a[12].", "Values in [0, 1] are a[0] and a[12]."),
        ("Japan[12] rose in 1994[3], and fell [4].", "Japan rose in 1994, and fell."),
        ("You may bring:\n\n* a hat\n* a coat\n* a tent", "You may bring: a hat; a coat; a tent"),
        ("The items are:\n- a hat\n- a coat", "The items are: a hat; a coat"),
        ("- a hat,\n- a coat", "a hat, a coat"),
        ("Steps:\n1. Open it\n2. Close it", "Steps: 1. Open it; 2. Close it"),
        ("It came on May\n12. Then it left.", "It came on May 12. Then it left."),
        ("#1 of them\n## Heading\nat -5 degrees", "#1 of them Heading at -5 degrees"),
    ],
)
def test_what_is_shown_keeps_what_marks_nothing(written: str, shown: str) -> None:
    assert without_marks(written) == without_marks(shown) == shown


places = st.tuples(st.sampled_from(["a.md", "b.txt"]), st.integers(0, 50), st.integers(0, 50), st.booleans())


@given(st.lists(st.tuples(st.text(max_size=20), st.lists(places, max_size=4)), max_size=5))
def test_every_citation_is_an_exact_slice_and_numbers_are_used_in_order(
    index: Index, drawn: list[tuple[str, list[tuple[str, int, int, bool]]]]
) -> None:
    def evidence(document: str, start: int, end: int, honest: bool) -> Evidence:
        text = index.documents[document].text[start:end] if honest else "It has 13 cranes."
        return Evidence(document, start, end, text, "", "", "", 0.0)

    answer = cite([(written, [evidence(*place) for place in cited]) for written, cited in drawn], index, [])
    assert [citation.number for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    for citation in answer.citations:
        assert citation.quote == index.documents[citation.document].text[citation.start : citation.end] != ""
    used = [number for sentence in answer.sentences for number in sentence.citations]
    assert list(dict.fromkeys(used)) == [citation.number for citation in answer.citations]
    assert all(sentence.supported == bool(sentence.citations) for sentence in answer.sentences)
    assert all(len(set(sentence.citations)) == len(sentence.citations) for sentence in answer.sentences)
