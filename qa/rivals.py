"""Two sources that answer a question with different values, in whatever words: the model says yes to each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from index import Index
from qa.antecedents import leans_back
from qa.asking import sort_of_value
from qa.confidence import doubt_of
from qa.disagreement import Disagreement, source_of, told_apart
from qa.evidence import Evidence
from qa.values import Value, find_values

RIVALS, STATED = 8, -0.5
"""Best candidates that may be another answer, and the log-odds of the model's yes that both need, before its doubt of
quantities is made good (evals/LOG.md)."""
_NO_QUANTITY = frozenset({"date", "time", "weekday", "ordinal"})


def find_rival(
    question: str,
    answering: Sequence[Evidence],
    ranked: Sequence[Evidence],
    index: Index,
    verdict: Callable[[Evidence], float],
) -> Disagreement | None:
    """A sentence that answers a question for a value, and one of another source that answers it with another value.

    `qa.disagreement` compares what two sentences say beside their values; here the model's clear yes to each alone
    takes the place of that. Each gives one value of the sort that is asked for, both of one kind, leans on no sentence
    before it, and nothing tells apart what they are of.

    Args:
        question: The standalone question, about one thing.
        answering: The sentences that the answer rests on.
        ranked: The candidates, best first; the first `RIVALS` are looked at.
        index: Where they are from.
        verdict: The log-odds that the model gives to a sentence's stating the answer; not a number counts as a no.
    """
    sort = sort_of_value(question)
    least = STATED + doubt_of(question)
    for sentence, other in product(answering, ranked[:RIVALS]):
        values, rivals = (_of_sort(sort, place.text) for place in (sentence, other))
        if (
            len(values) == len(rivals) == 1
            and values[0].kind == rivals[0].kind
            and values[0].contradicts(rivals[0])
            and source_of(other, index) != source_of(sentence, index)
            and not (leans_back(sentence.text) or leans_back(other.text))
            and not told_apart(sentence, other, values[0].kind)
            and verdict(sentence) >= least
            and verdict(other) >= least
        ):
            return sentence, other
    return None


def _of_sort(sort: str, text: str) -> list[Value]:
    """The values of a text that a question for one of a sort may be after."""
    values = find_values(text)
    return [value for value in values if (sort == "quantity" and value.kind not in _NO_QUANTITY) or value.kind == sort]
