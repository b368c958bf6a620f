"""Every score of one question, against values worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from evals.questions import Nugget, Question
from evals.scores import Gold, count_invalid, count_supported, score_answer, score_question, score_retrieval
from qa.answer import Answer

MakeQuestion = Callable[..., Question]
MakeAnswer = Callable[..., Answer]
SIZE = "USFJ has about 54,000 military personnel."
HEAD = "It is led by General Stephen Jost."
SEAT = "It sits at Yokota Base."
START = "The Joint Operations Command began on March 24, 2025."
PEOPLE = "It has about 240 people."


def test_a_right_answer(documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer) -> None:
    gold = Gold.locate(make_question(), documents)
    answer = make_answer(("It has 54 thousand soldiers.", [SIZE]), ("It is in Yokota.", []))
    scores = score_answer(gold, documents, answer)
    assert (scores.correct, scores.missing, scores.forbidden) == (True, (), ())
    assert (scores.vital, scores.supported) == (1, 1)
    assert (scores.cited, scores.precise, scores.sentences, scores.cited_sentences) == (1, 1, 2, 1)
    assert scores.invalid_citations == 0
    assert {kind: (claims.stated, claims.unsupported) for kind, claims in scores.claims.items()} == {
        "numbers": (1, ()),
        "dates": (0, ()),
        "names": (1, ("Yokota",)),
    }
    result = score_question(gold, documents, answer.passages, answer)
    assert (result.failure, result.cluster, result.half) == (None, "forces.md", make_question().half)


def test_citation_marks_are_no_words(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    question = make_question(nuggets=["1"])
    answer = make_answer(("It has many [1].", [SIZE]))
    assert not score_answer(Gold.locate(question, documents), documents, answer).correct


def test_an_optional_nugget_need_not_be_stated(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    question = make_question(nuggets=["54,000", Nugget(("personnel",), vital=False)])
    scores = score_answer(Gold.locate(question, documents), documents, make_answer(("It has 54,000.", [SIZE])))
    assert (scores.correct, scores.vital) == (True, 1)


def test_every_vital_nugget_is_asked_for(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    question = make_question(nuggets=["54,000", "Jost"], quotes=[(SIZE, 0), (HEAD, 1)])
    gold = Gold.locate(question, documents)
    half = make_answer(("It has 54,000 people.", [SIZE]))
    assert (score_answer(gold, documents, half).missing, count_supported(gold, half)) == ((1,), 1)
    both = make_answer(("It has 54,000 people and General Jost leads it.", [SIZE, HEAD]))
    assert (score_answer(gold, documents, both).correct, count_supported(gold, both)) == (True, 2)
    crossed = make_answer(("It has 54,000 people.", [HEAD]), ("General Jost leads it.", [SIZE]))
    assert (score_answer(gold, documents, crossed).correct, count_supported(gold, crossed)) == (True, 0)


def test_a_citation_has_to_hold_half_of_the_quote(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    gold = Gold.locate(make_question(), documents)
    assert len(SIZE) == 41
    assert count_supported(gold, make_answer(("54,000", [SIZE[:21]]))) == 1
    assert count_supported(gold, make_answer(("54,000", [SIZE[:20]]))) == 0
    assert count_supported(gold, make_answer(("54,000", [documents["forces.md"]]))) == 1


def test_alternative_evidence(documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer) -> None:
    gold = Gold.locate(make_question(quotes=[PEOPLE, SIZE]), documents)
    assert len(gold.groups) == 1
    assert count_supported(gold, make_answer(("54,000", [SIZE]))) == 1
    assert score_retrieval(gold, make_answer(("x", []), passages=[SIZE]).passages).found


def test_a_forbidden_wording_makes_an_answer_wrong(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    gold = Gold.locate(make_question(forbidden=("240",)), documents)
    answer = make_answer(("It has 54,000 people, or 240.", [SIZE]))
    scores = score_answer(gold, documents, answer)
    assert (scores.correct, scores.forbidden) == (False, ("240",))
    assert score_question(gold, documents, answer.passages, answer).failure == "wrong words"


def test_a_refusal_counts_nothing_whatever_it_says(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    refusal = make_answer(("It has 54,000 people.", [SIZE]), abstained=True)
    gold = Gold.locate(make_question(), documents)
    scores = score_answer(gold, documents, refusal)
    assert (scores.correct, scores.supported, scores.vital, scores.cited, scores.sentences) == (False, 0, 1, 0, 0)
    nothing = Gold.locate(make_question(nuggets=()), documents)
    result = score_question(nothing, documents, refusal.passages, refusal)
    assert (result.failure, result.retrieval, result.cluster) == (None, None, "question size")


def test_citation_precision(documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer) -> None:
    gold = Gold.locate(make_question(nuggets=["54,000", Nugget(("Ichigaya",), vital=False)]), documents)
    answer = make_answer(
        ("It has 54,000 people.", [SIZE, HEAD]),  # evidence; neither evidence nor nugget
        ("It sits in Ichigaya.", ["It sits at Ichigaya."]),  # holds the nugget of its sentence
        ("It is old.", ["Ichigaya"]),  # holds a nugget, but of another sentence
    )
    scores = score_answer(gold, documents, answer)
    assert (scores.cited, scores.precise) == (4, 2)


def test_words_marked_as_the_answer(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    gold = Gold.locate(make_question(nuggets=["54,000"]), documents)
    answer = make_answer(("“It has 54,000 people, 9 of them here.”", [SIZE]))

    def marking(*spans: tuple[int, int], abstained: bool = False) -> tuple[bool, bool]:
        sentences = (replace(answer.sentences[0], marked=spans),)
        scores = score_answer(gold, documents, replace(answer, sentences=sentences, abstained=abstained))
        return scores.marked, scores.rightly_marked

    assert marking() == marking((8, 14), abstained=True) == (False, False)
    assert marking((8, 14)) == marking((24, 25), (8, 14)) == (True, True)
    assert marking((24, 25)) == (True, False)


def test_retrieval_scores(documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer) -> None:
    question = make_question(nuggets=["54,000", "240"], quotes=[(SIZE, 0), (PEOPLE, 1)])
    gold = Gold.locate(question, documents)
    passages = make_answer(passages=[HEAD, SIZE, START, SIZE, SEAT, PEOPLE]).passages
    scores = score_retrieval(gold, passages)
    assert scores.recall == (0.0, 0.5, 0.5, 1.0)
    assert scores.reciprocal_rank == 1 / 2
    assert scores.ndcg == pytest.approx((1 / math.log2(3) + 1 / math.log2(7)) / (1 + 1 / math.log2(3)))
    assert scores.found
    both_at_once = replace(passages[0], document="forces.md", start=0, end=100)
    one_document = make_question(nuggets=["54,000", "Jost"], quotes=[(SIZE, 0), (HEAD, 1)])
    assert score_retrieval(Gold.locate(one_document, documents), [both_at_once]).ndcg == 1.0


def test_passages_beyond_the_tenth_do_not_count(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    passages = make_answer(passages=[HEAD] * 10 + [SIZE]).passages
    scores = score_retrieval(Gold.locate(make_question(), documents), passages)
    assert (scores.recall, scores.reciprocal_rank, scores.ndcg, scores.found) == ((0.0,) * 4, 0.0, 0.0, False)


def test_invalid_citations(documents: dict[str, str], make_answer: MakeAnswer) -> None:
    answer = make_answer(("It has 54,000 people.", [SIZE]), ("It has 240.", [PEOPLE]))
    assert count_invalid(answer, documents) == 0
    first, second = answer.citations
    assert count_invalid(replace(answer, citations=(replace(first, start=1), second)), documents) == 1
    assert count_invalid(replace(answer, citations=(replace(first, document="none.md"), second)), documents) == 1
    assert count_invalid(replace(answer, citations=(replace(first, quote=""), second)), documents) == 1
    assert count_invalid(replace(answer, citations=(first,)), documents) == 1


def test_the_reason_of_each_failure(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    gold = Gold.locate(make_question(), documents)
    elsewhere = {"passages": [HEAD, START]}
    cases = {
        "refused": make_answer(("No.", []), abstained=True),
        "not retrieved": make_answer(("No.", []), abstained=True, **elsewhere),
        "retrieved and not used": make_answer(("It has 240 people.", [PEOPLE])),
        "wrong words": make_answer(("It has 55,000 people.", [SIZE])),
        "unsupported": make_answer(("It has 54,000 people.", [HEAD])),
        None: make_answer(("It has 54,000 people.", [SIZE]), **elsewhere),
    }
    for reason, answer in cases.items():
        assert score_question(gold, documents, answer.passages, answer).failure == reason
    assert score_question(gold, documents, None, None).failure == "fault"


def test_retrieval_alone(documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer) -> None:
    gold = Gold.locate(make_question(), documents)
    result = score_question(gold, documents, make_answer(passages=[HEAD]).passages, None)
    assert (result.failure, result.answer) == ("not retrieved", None)
    assert score_question(gold, documents, make_answer(passages=[SIZE]).passages, None).failure is None


def test_planted_errors_are_each_found(
    documents: dict[str, str], make_question: MakeQuestion, make_answer: MakeAnswer
) -> None:
    question = make_question(forbidden=("240",))
    gold, none = Gold.locate(question, documents), Gold.locate(make_question("none", nuggets=()), documents)
    right = make_answer(("USFJ has about 54,000 people.", [SIZE]))
    assert score_question(gold, documents, right.passages, right).failure is None

    citation = right.citations[0]
    shifted = replace(right, citations=(replace(citation, start=citation.start + 3, end=citation.end + 3),))
    swapped = replace(
        right,
        text=right.text.replace("54,000", "45,000"),
        sentences=(replace(right.sentences[0], text="USFJ has about 45,000 people."),),
    )
    refused = make_answer(("The documents do not say.", []), abstained=True)
    mixed_up = make_answer(("USFJ has about 54,000 people, 240 of them in Tokyo.", [SIZE, PEOPLE]))

    def failure(gold: Gold, answer: Answer) -> str | None:
        return score_question(gold, documents, answer.passages, answer).failure

    assert failure(gold, shifted) == "invalid citation"
    assert score_answer(gold, documents, shifted).invalid_citations == 1
    assert failure(gold, swapped) == "wrong words"
    assert score_answer(gold, documents, swapped).claims["numbers"].unsupported == ("45000",)
    assert failure(gold, refused) == "refused"
    assert failure(none, right) == "answered the unanswerable"
    assert failure(gold, mixed_up) == "wrong words"
    assert score_answer(gold, documents, mixed_up).forbidden == ("240",)
