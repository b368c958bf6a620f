"""Parts off, one at a time; and a model that is asked nothing twice."""

from __future__ import annotations

from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

import qa.extents
from evals.ablation import READINGS, Variant, calibrated, run_variant, switched, table, variants
from evals.calibrate import FITTED, FITTED_DRAFTED
from evals.remembering import RememberingGenerator
from qa.confidence import Calibration
from qa.generator import Generator, Message
from qa.settings import Settings


def test_a_prompt_is_asked_once_and_remembered_without_a_model(tmp_path: Path, scripted: Any) -> None:  # noqa: ANN401
    file, prompt = tmp_path / "replies.sqlite", [Message("user", "Who?")]
    model = scripted(replies=["Ilse.", "Never said."], scores=[[-0.1, -3.0]])
    first = RememberingGenerator(lambda: model, file, "model")
    for _ in range(2):
        assert list(first.stream(prompt, max_tokens=9)) == ["Ilse."]
        assert [choice.logprob for choice in first.score(prompt, ("yes", "no"))] == [-0.1, -3.0]
        assert first.count_tokens("one two") == model.count_tokens("one two")
    assert first.asked == 2
    first.close()

    def load() -> Generator:
        pytest.fail("no model is needed")

    again = RememberingGenerator(load, file, "model")
    assert list(again.stream(prompt, max_tokens=9)) == ["Ilse."]
    assert [choice.text for choice in again.score(prompt, ("yes", "no"))] == ["yes", "no"]
    assert again.count_tokens("one two") > 0
    assert again.asked == 0
    again.close()


def test_every_part_that_is_switched_off_exists_and_comes_back() -> None:
    for variant in variants():
        for name in variant.patches:
            resolve_name(name)  # raises where there is none
        Settings(**dict(variant.settings))
    before = qa.extents.NEIGHBOUR_LEAD
    with pytest.raises(KeyError), switched(Variant("", {"qa.extents.NEIGHBOUR_LEAD": 0.0})):
        assert qa.extents.NEIGHBOUR_LEAD == 0.0
        raise KeyError
    assert before == qa.extents.NEIGHBOUR_LEAD


def test_other_readings_are_fitted_to_the_committed_questions() -> None:
    assert READINGS.exists()
    assert calibrated(None) is None
    fitted = calibrated((("verdict",), ("verdict",)))
    assert fitted is not None
    assert set(fitted.found.weights) == set(fitted.drafted.weights) == {"verdict"}
    assert fitted.found.weights["verdict"] > 0.0
    usual = calibrated((FITTED, FITTED_DRAFTED))
    assert usual is not None
    assert (usual.found, usual.drafted) == (Calibration.load().found, Calibration.load().drafted)


def test_two_variants_and_their_table(small_evaluation: Any, scripted: Any) -> None:  # noqa: ANN401
    of = small_evaluation
    scores = {}
    for variant in (Variant("all"), Variant("refuse", settings={"refuse_below": 1.1})):
        model = scripted(replies=["The Velm harbour opened in 1994."], scores=[[-0.1, -9.0, -9.0, -9.0]])
        scores[variant.name] = run_variant(variant, of.questions, of.reader, model, of.settings)
    assert scores["all"].rates["accuracy"].value == 1.0
    rows = table(scores).splitlines()
    assert rows[2].startswith("| all | 1.00 |")
    assert rows[3].startswith("| refuse | 0.00 (-1.00) |")
