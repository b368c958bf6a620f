"""Which pairs of sentences of two documents are said to disagree: 289 of them, judged by reading.

`disagreements.jsonl` is from the invented folders, three folders of `evals/folders` and the shipped documents. `found`
pairs stand there; of a `written` pair the second sentence was written, and its document only lends its title. Rules
were tuned on the half `tuned` (evals/LOG.md). A value that a sentence itself calls changed or dates
otherwise (an update, a plan and its outcome) is no disagreement. The 79 of `titles` and `tables` are invented whole; 67
were judged before the rules for them were written, and twelve are of a reader who tried to make the rules fail. What
stands `above` a row in its document is given with it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from corpus.document import Document
from index import Embedder, Index, build
from qa.disagreement import find_disagreement
from qa.evidence import Evidence
from qa.ranking import rank_sentences

PAIRS = [json.loads(line) for line in (Path(__file__).parent / "disagreements.jsonl").read_text("utf-8").splitlines()]
RAILWAY = Path(__file__).parents[2] / "evals/folders/railway/documents"


@pytest.mark.parametrize(
    ("half", "true", "false"), [("tuned", 16, 1), ("kept", 11, 1), ("titles", 11, 0), ("tables", 12, 0)]
)
def test_no_fewer_disagreements_are_found_and_no_more_are_wrong(
    evidence: Callable[..., Evidence], half: str, true: int, false: int
) -> None:
    found = [pair["disagree"] for pair in PAIRS if pair["half"] == half and _disagree(pair, evidence)]
    assert found.count(True) >= true
    assert found.count(False) <= false


def test_which_of_two_is_cited_changes_nothing(evidence: Callable[..., Evidence]) -> None:
    for pair in PAIRS:
        turned = {**pair, "one": pair["other"], "other": pair["one"]}
        assert _disagree(pair, evidence) == _disagree(turned, evidence), pair


@pytest.mark.parametrize(
    ("text", "rival", "found"),
    [
        ("It has two halls, the Velm hall with 14 lamps, and a shed.", "The Velm hall has 12 lamps.", True),
        ("The ferry had been late for nine days.", "For eleven days the ferry had been late.", True),
        ("The ferry costs 26 euros a month.", "The ferry for students costs 15 euros a month.", False),
        ("Meals are paid up to EUR 14.", "From 1 October 2024 meals are paid up to EUR 17.", False),
        ("Meals are paid up to EUR 14.", "The meals paid were EUR 17.", False),
        ("The winter survey found 41 fish a haul.", "The summer survey found 55 fish a haul.", False),
        ("The crane KP-1 lifts 12 tons of stone.", "The crane lifts 14 tons of stone.", False),
        ("On 3 October the mayor of Velm died.", "On 9 October the mayor of Velm was buried.", False),
        ("The ferry carried 120 people.", "In 2019 the ferry carried 140 people.", False),
        (
            "The Velm hall was opened in 1934, and its season begins on 1 May.",
            "The Velm hall was opened in 1936.",
            True,
        ),
        ("The Velm hall was opened on 10 May.", "The Velm hall was opened in May 2024.", False),
    ],
)
def test_what_a_clause_says_beside_its_value_tells_what_it_is_of(
    small_index: Index, evidence: Callable[..., Evidence], text: str, rival: str, found: bool
) -> None:
    pair = evidence(text, "a.md"), evidence(rival, "b.md")
    assert (find_disagreement(pair[:1], pair, small_index) is not None) == found


@pytest.mark.parametrize(
    ("title", "rival"), [("Recipe 1: rye bread", "Recipe 2: plum cake"), ("Minutes, May 2023", "Minutes, June 2024")]
)
def test_documents_of_a_series_do_not_disagree(
    small_index: Index, evidence: Callable[..., Evidence], title: str, rival: str
) -> None:
    one = evidence("The dough rests for 40 minutes.", "a.md", title=title)
    other = evidence("The dough rests for 55 minutes.", "b.md", title=rival)
    assert find_disagreement([one], [other], small_index) is None


def test_retrieval_puts_the_other_side_before_the_rule(tmp_path: Path, toy_embedder: Embedder) -> None:
    shutil.copytree(RAILWAY, tmp_path / "documents")
    build(tmp_path / "documents", tmp_path / "index", toy_embedder)
    question = "How high was the damage of the accident at Grønli Junction?"
    with closing(Index.open(tmp_path / "index", toy_embedder)) as index:
        ranked = rank_sentences(question, index.search(question, 40), index)
        cited = [sentence for sentence in ranked if "damage amounts to 17.3 million" in sentence.text]
        disagreement = find_disagreement(cited, ranked, index)
    assert disagreement is not None
    assert disagreement[1].text == "It put the damage at about 12 million kroner."


def test_one_row_of_several_of_a_label_is_not_compared(
    make_index: Callable[..., Index], quoted: Callable[..., Evidence]
) -> None:
    table = "| Station | Departure |\n|---|---|\n| Velm | 7:15 |\n"
    told = "The departure at Velm is at 9:15."
    for more, found in (("", True), ("| Velm | 9:30 |\n", False)):
        index = make_index({"a.txt": f"Trains\n\n{table}{more}", "b.txt": f"Notes\n\n{told}\n"})
        row, sentence = quoted(index, "a.txt", "| Velm | 7:15 |"), quoted(index, "b.txt", told)
        assert (find_disagreement([row], [sentence], index) is not None) == found


def _disagree(pair: dict[str, Any], evidence: Callable[..., Evidence]) -> bool:
    documents, sides = {}, []
    for side in (dict(pair["one"]), dict(pair["other"])):
        above = side.pop("above", "")
        sides.append(evidence(**side, start=len(above), end=len(above) + len(side["text"])))
        documents[side["document"]] = Document(side["document"], above + side["text"], "", side["title"])
    index = cast(Index, SimpleNamespace(documents=documents))
    return find_disagreement(sides[:1], sides[1:], index) is not None
