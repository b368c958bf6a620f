from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import (
    ChunkSettings,
    Document,
    contextualise,
    cut_chunks,
    document_sentences,
    find_documents,
    load_document,
    normalise,
)
from corpus.chunks import estimate_tokens
from corpus.loading import find_headings

SHIPPED = Path(__file__).resolve().parents[2] / "corpus" / "documents"


def make(text: str, title: str = "T") -> Document:
    return Document(path="a.md", text=text, content_hash="", title=title, headings=find_headings(text))


def test_chunks_are_whole_sentences_near_the_target_within_sections() -> None:
    text = "## One\n" + "This sentence has six words here. " * 40 + "\n\n## Two\nShort end here."
    document = make(text)
    chunks = cut_chunks(document, document_sentences(document))
    words = [len(text[c.start : c.end].split()) for c in chunks]
    assert [c.section for c in chunks] == ["One", "One", "Two"]
    assert words == [120, 120, 3]
    assert [len(c.sentences) for c in chunks] == [20, 20, 1]


def test_a_chunk_does_not_span_a_dropped_paragraph() -> None:
    deck = "The meeting occurred against a backdrop of uncertainty in the region."
    document = make(f"Lead.\n\n{deck}\n\nMiddle.\n\n{deck}\n\nEnd.")
    chunks = cut_chunks(document, document_sentences(document))
    assert [document.text[c.start : c.end] for c in chunks] == ["Lead.", f"Middle.\n\n{deck}\n\nEnd."]


def test_context_is_title_and_section_before_the_text() -> None:
    document = make("## Size\nIt is big.", title="The force")
    (chunk,) = cut_chunks(document, document_sentences(document))
    assert contextualise(document, chunk) == "The force > Size\nIt is big."


def test_ids_come_from_content_and_stay_when_something_else_changes() -> None:
    before = make("## A\nFirst.\n\n## B\nSecond.")
    after = make("## A\nFirst, changed.\n\n## B\nSecond.")
    ids = [[c.id for c in cut_chunks(d, document_sentences(d))] for d in (before, after)]
    assert ids[0][1] == ids[1][1] and ids[0][0] != ids[1][0]
    moved = replace(before, path="b.md")
    assert not set(ids[0]) & {c.id for c in cut_chunks(moved, document_sentences(moved))}


def test_repeated_sections_get_ids_of_their_own() -> None:
    document = make("## A\nSame.\n\n## B\nOther.\n\n## A\nSame.")
    ids = [c.id for c in cut_chunks(document, document_sentences(document))]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("mark", ["-", "1.", "a)", "(b)", "i."])
def test_the_items_of_a_list_share_a_chunk(mark: str) -> None:
    document = make(f"The club has\n\n{mark} members;\n{mark} friends.")
    (chunk,) = cut_chunks(document, document_sentences(document))
    assert len(chunk.sentences) == 3


def test_the_shipped_corpus_stays_below_the_limit() -> None:
    limits = ChunkSettings()
    for path in find_documents(SHIPPED):
        document = load_document(path, SHIPPED)
        sentences = document_sentences(document)
        chunks = cut_chunks(document, sentences)
        assert [s for c in chunks for s in c.sentences] == [(s.start, s.end) for s in sentences]
        assert all(estimate_tokens(document.text[c.start : c.end]) <= limits.max_tokens for c in chunks)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(st.text(max_size=40), st.sampled_from(["\n\n", "\n# H\n", "A sentence. ", "No. 3 ", "x" * 50])),
        max_size=60,
    ),
    st.integers(1, 60),
    st.integers(5, 120),
)
def test_every_sentence_is_in_one_chunk_and_offsets_hold(pieces: list[str], words: int, tokens: int) -> None:
    document = make(normalise("".join(pieces)))
    sentences = document_sentences(document)
    limits = ChunkSettings(target_words=words, max_tokens=tokens)
    chunks = cut_chunks(document, sentences, limits)
    assert [span for chunk in chunks for span in chunk.sentences] == [(s.start, s.end) for s in sentences]
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    sections = {(s.start, s.end): s.section for s in sentences}
    for chunk in chunks:
        assert (chunk.start, chunk.end) == (chunk.sentences[0][0], chunk.sentences[-1][1])
        assert {sections[span] for span in chunk.sentences} == {chunk.section}
        # Only a single sentence may be longer than the limit.
        total = sum(estimate_tokens(document.text[start:end]) for start, end in chunk.sentences)
        assert total <= tokens or len(chunk.sentences) == 1
