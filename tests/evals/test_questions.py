"""The loader of question files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evals.errors import EvaluationError
from evals.questions import (
    Evidence,
    Nugget,
    Turn,
    half,
    load_questions,
    locate_quote,
    question_from_json,
    question_to_json,
)

DOCUMENTS = {"briefs/forces.md": "The force has\nabout  54,000 people. It reports to Hawaii.", "b.md": "Other words."}
GOOD: dict[str, Any] = {
    "id": "size",
    "question": "how big?",
    "answerable": True,
    "nuggets": [{"any_of": ["54,000"], "kind": "number"}, {"any_of": ["Hawaii"], "vital": False}],
    "forbidden": ["45,000"],
    "evidence": [{"document": "briefs/forces.md", "quote": "about 54,000 people", "nugget": 0}],
    "tags": ["number"],
    "history": [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A force."}],
}
NONE: dict[str, Any] = {**GOOD, "id": "none", "answerable": False, "nuggets": [], "evidence": []}


def write(folder: Path, *records: dict[str, Any] | str) -> Path:
    path = folder / "questions.jsonl"
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def defects(folder: Path, *records: dict[str, Any] | str) -> list[str]:
    path = write(folder, *records)
    with pytest.raises(EvaluationError) as caught:
        load_questions(path, DOCUMENTS)
    head, *lines = str(caught.value).splitlines()
    assert "nothing was run" in head
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_reads_every_field(tmp_path: Path) -> None:
    question, unanswerable = load_questions(write(tmp_path, GOOD, "", NONE), DOCUMENTS)
    assert question.nuggets == (Nugget(("54,000",), True, "number"), Nugget(("Hawaii",), False, "text"))
    assert question.evidence == (Evidence("briefs/forces.md", "about 54,000 people", 0),)
    assert question.history == (Turn("user", "What is it?"), Turn("assistant", "A force."))
    assert (question.forbidden, question.tags, question.vital_nuggets) == (("45,000",), ("number",), (0,))
    assert not unanswerable.answerable
    assert question_from_json(question_to_json(question)) == question


def test_forbidden_is_optional_and_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    record = {name: value for name, value in GOOD.items() if name != "forbidden"}
    path = write(tmp_path, "\ufeff" + json.dumps(record))
    assert load_questions(path, DOCUMENTS)[0].forbidden == ()


def test_evidence_without_an_index_supports_every_nugget(tmp_path: Path) -> None:
    both = {"document": "b.md", "quote": "Other words."}
    question = load_questions(write(tmp_path, {**GOOD, "evidence": [*GOOD["evidence"], both]}), DOCUMENTS)[0]
    assert [entry.document for entry in question.evidence_for(0)] == ["briefs/forces.md", "b.md"]
    assert [entry.document for entry in question.evidence_for(1)] == ["b.md"]


def test_every_defect_is_named_with_its_line(tmp_path: Path) -> None:
    found = defects(
        tmp_path,
        GOOD,
        {name: value for name, value in GOOD.items() if name != "tags"} | {"id": "missing"},
        {**GOOD, "id": "unknown", "colour": "red", "evidence": [{"document": "d.md", "quote": "x"}]},
        GOOD,
        {**NONE, "id": "no-nugget", "answerable": True},
        {**GOOD, "id": "refuse", "answerable": False},
        {**GOOD, "id": "elsewhere", "evidence": [{"document": "c.md", "quote": "x"}]},
        {**GOOD, "id": "misquoted", "evidence": [{"document": "b.md", "quote": "Other word s."}]},
        {**GOOD, "id": "Bad Id", "question": " ", "evidence": [{**GOOD["evidence"][0], "nugget": 2}]},
        "{",
        '{"id": "a", "id": "b"}',
        "[]",
    )
    assert found == [
        "2: missing field 'tags'",
        "3: unknown field 'colour'",
        "3: evidence.0.document 'd.md' is not in the corpus",
        "4: id 'size' is repeated, first seen on line 1",
        "5: answerable, but without a vital nugget",
        "5: answerable, but without evidence",
        "6: unanswerable, but with nuggets",
        "6: unanswerable, but with evidence",
        "7: evidence.0.document 'c.md' is not in the corpus",
        "8: evidence.0.quote does not occur in b.md: 'Other word s.'",
        "9: id 'Bad Id' has other characters than a-z, 0-9 and -",
        "9: question is blank",
        "9: evidence.0.nugget is 2, and there are 2 nuggets",
        "10: not JSON: Expecting property name enclosed in double quotes at column 2",
        "11: repeated field 'id'",
        *(
            f"11: missing field {name!r}"
            for name in ("question", "answerable", "nuggets", "evidence", "tags", "history")
        ),
        "12: line: Input should be an object",
    ]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"answerable": "yes"}, "answerable"),
        ({"history": [{"role": "system", "content": "x"}]}, "history.0.role"),
        ({"history": [{"role": "user"}]}, "missing field 'history.0.content'"),
        ({"history": [{"role": "user", "content": "x", "time": 1}]}, "unknown field 'history.0.time'"),
        ({"history": [{"role": "user", "content": "\n"}]}, "history.0.content is blank"),
        ({"history": "earlier"}, "history"),
        ({"nuggets": [{"any_of": []}]}, "nuggets.0.any_of has no wording"),
        ({"nuggets": [{"any_of": ["x"], "kind": "fact"}]}, "nuggets.0.kind"),
        ({"nuggets": [{"any_of": ["x"], "vital": False}], "evidence": GOOD["evidence"]}, "without a vital nugget"),
        ({"evidence": [{"document": "b.md"}]}, "missing field 'evidence.0.quote'"),
        ({"forbidden": [1]}, "forbidden.0"),
    ],
)
def test_a_malformed_field_is_named(tmp_path: Path, change: dict[str, Any], place: str) -> None:
    (found,) = defects(tmp_path, {**GOOD, **change})
    assert found.startswith("1: ")
    assert place in found


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="--questions"):
        load_questions(tmp_path / "none.jsonl", DOCUMENTS)
    assert defects(tmp_path, "") == ["1: the file holds no question"]
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9"}\n')
    with pytest.raises(EvaluationError, match=r"latin\.jsonl:1: not UTF-8 at byte 9"):
        load_questions(tmp_path / "latin.jsonl", DOCUMENTS)


def test_a_quote_is_found_whatever_white_space_stands_between_its_words() -> None:
    assert locate_quote("a\n b  c, a b c", "a b\tc") == [(0, 7), (9, 14)]
    assert locate_quote("a.c", "abc") == []


def test_halves_are_fixed_by_the_id() -> None:
    # printf a | sha256sum ends in bb, which is odd; printf d | sha256sum ends in e4.
    assert half("a") == "test"
    assert half("d") == "dev"
    counts = Counter(half(f"question-{number}") for number in range(1000))
    assert abs(counts["dev"] - 500) < 60
