from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Index
from qa import ranking as ranking_module
from qa.evidence import Evidence
from qa.ranking import FEWEST, order_hits, rank_sentences, read_sentences, standard, within_budget

QUESTION = "Who opened the Velm harbour?"


def test_the_sentence_that_answers_stands_first_and_every_one_is_a_slice(small_index: Index) -> None:
    hits = small_index.search(QUESTION, 10)
    ranked = rank_sentences(QUESTION, hits, small_index)
    first = ranked[0]
    assert first.text == "Mayor Ilse Brandt opened the Velm harbour on May 4, 1994."
    assert (first.document, first.title, first.published) == ("harbour.md", "The harbour of Velm", "2024-07-28")
    assert len(ranked) == sum(len(hit.chunk.sentences) for hit in hits)
    assert [e.score for e in ranked] == sorted((e.score for e in ranked), reverse=True)
    for sentence in ranked:
        assert small_index.documents[sentence.document].text[sentence.start : sentence.end] == sentence.text
    assert next(e for e in ranked if "second pier" in e.text).section == "Plans"


def test_the_first_reading_is_the_cosine_in_standard_scores(small_index: Index) -> None:
    embedder = small_index.embedder
    sentences, readings = read_sentences(QUESTION, small_index.search(QUESTION, 10), small_index)
    cosines = embedder.embed_documents([s.titled for s in sentences]) @ embedder.embed_query(QUESTION)
    assert readings[:, 0] == pytest.approx(standard(cosines), abs=1e-4)


def test_the_same_words_count_once(make_index: Callable[[dict[str, str]], Index]) -> None:
    texts = {
        "a.txt": "Dock\nThe dock opened in 1994. It is long.\n",
        "b.txt": "Pier\nThe  DOCK opened in 1994. It is short.\n",
    }
    index = make_index(texts)
    ranked = rank_sentences("When did the dock open?", index.search("When did the dock open?", 10), index)
    folded = [" ".join(e.text.split()).casefold() for e in ranked]
    assert len(set(folded)) == len(folded)
    assert "the dock opened in 1994." in folded


def test_nothing_retrieved_ranks_nothing(small_index: Index) -> None:
    assert rank_sentences(QUESTION, [], small_index) == []


@pytest.mark.parametrize("question", ["???", "日本", "the of and", "x" * 2000])
def test_a_question_without_words_of_the_corpus_still_ranks(small_index: Index, question: str) -> None:
    ranked = rank_sentences(question, small_index.search(question, 10), small_index)
    assert all(np.isfinite(e.score) for e in ranked)


def test_a_sentence_is_embedded_once(small_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = type(small_index.embedder).embed_documents

    def counting(self: Any, texts: Sequence[str]) -> Any:  # noqa: ANN401
        asked.extend(texts)
        return real(self, texts)

    ranking_module._remembered.clear()
    monkeypatch.setattr(type(small_index.embedder), "embed_documents", counting)
    hits = small_index.search(QUESTION, 10)
    first = rank_sentences(QUESTION, hits, small_index)
    assert len(asked) == len(set(asked)) == len(first)
    rank_sentences("Who is the director of the museum?", hits, small_index)
    assert len(asked) == len(first)


def test_memory_has_a_limit(small_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking_module, "REMEMBERED", 3)
    rank_sentences(QUESTION, small_index.search(QUESTION, 10), small_index)
    assert len(ranking_module._remembered) == 3
    ranking_module._remembered.clear()


def test_the_budget_passes_over_what_is_too_long(evidence: Callable[..., Evidence]) -> None:
    ranked = [evidence(text) for text in ("a b c", "d " * 20, "e f", "g", "h i")]
    assert [e.text for e in within_budget(ranked, 5, 6)] == ["a b c", "e f", "g"]
    assert [e.text for e in within_budget(ranked, 3, 6)] == ["a b c", "e f"]
    assert [e.text for e in within_budget(ranked[1:], 3, 6)] == ["d " * 20]
    assert within_budget([], 3, 6) == []


def test_of_short_sentences_more_are_read(evidence: Callable[..., Evidence]) -> None:
    short = [evidence(f"s{place} t") for place in range(9)]
    assert within_budget(short, 3, 99, filled=9) == short[:5]
    assert within_budget(short, 6, 99, filled=9) == short[:6]
    assert within_budget(short, 3, 8, filled=9) == short[:4]


def test_reading_ends_where_the_evidence_is_surely_read(evidence: Callable[..., Evidence]) -> None:
    def scored(*scores: float) -> list[Evidence]:
        return [replace(evidence(f"s{place}"), score=score) for place, score in enumerate(scores)]

    clear, vague = scored(9.0, *[2.0] * 9), scored(*[2.0] * 10)
    assert len(within_budget(clear, 10, 99, until=0.98)) == FEWEST
    assert len(within_budget(vague, 10, 99, until=0.75)) == 8
    assert within_budget(vague, 5, 99, until=0.75) == vague[:5]
    assert within_budget(clear, 10, 99) == clear
    assert within_budget(vague[:2], 10, 99, until=0.98) == vague[:2]
    assert within_budget([], 10, 99, until=0.98) == []


def test_text_without_spaces_counts_by_its_length(evidence: Callable[..., Evidence]) -> None:
    ranked = [evidence("漢字" * 600), evidence("漢字" * 600), evidence("It rained.")]
    assert within_budget(ranked, 3, 110) == [ranked[0], ranked[2]]


@given(st.lists(st.integers(1, 12), max_size=12), st.integers(1, 10), st.integers(1, 30))
def test_the_budget_holds_and_the_best_sentence_is_always_in(lengths: list[int], sentences: int, words: int) -> None:
    ranked = [Evidence("a.md", n, n + 1, "word " * length, "", "", "", 0.0) for n, length in enumerate(lengths)]
    taken = within_budget(ranked, sentences, words)
    assert taken[:1] == ranked[:1]
    assert len(taken) <= sentences
    assert len(taken) <= 1 or sum(len(e.text.split()) for e in taken) <= words
    assert [e.start for e in taken] == sorted(e.start for e in taken)


def test_chunks_follow_their_best_sentence(small_index: Index) -> None:
    hits = small_index.search(QUESTION, 10)
    ranked = rank_sentences(QUESTION, hits, small_index)
    last = list(reversed(ranked))
    ordered = order_hits(hits, last)
    assert ordered[0].chunk.document == last[0].document
    assert ordered[0].chunk.start <= last[0].start < ordered[0].chunk.end
    assert sorted(hit.row for hit in ordered) == sorted(hit.row for hit in hits)
    assert order_hits(hits, []) == list(hits)
