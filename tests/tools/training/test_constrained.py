"""Constrained answers of a real, untrained model: the form is right whatever it knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.config import Decoding, Launcher, Training
from tools.runs import Example, RunSpec
from tools.task import AnswerFormat
from tools.training.worker import main

pytestmark = pytest.mark.training

OBJECT = AnswerFormat(type="json", fields=["主旨", "日期", "速別"], enums={"速別": ["普通件", "最速件"]})
GOLD = {"主旨": "a", "日期": "b", "速別": "速件"}


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> tuple[Any, Any]:
    from tools.training.models import load_model, load_tokenizer

    return load_tokenizer(tiny_model), load_model(tiny_model, "fp32", all_weights=False)


def evaluate(loaded: tuple[Any, Any], decoding: Decoding, answer: AnswerFormat = OBJECT) -> Any:
    from tools.training.evaluation import Evaluator

    spec = RunSpec(
        run_id="x", task="t", version="v", seed=1, task_type="extraction", answer=answer, primary_metric="field_score",
        lora=None, training=Training(), decoding=decoding, launcher=Launcher(), config_hash="", data_hash="",
        evaluator_hash="", created_at="",
    )  # fmt: skip
    rows = [
        Example(
            id=str(n), messages=[{"role": "user", "content": f"公文{n}請" * (n + 1)}], input={}, expected=GOLD,
            completion=json.dumps(GOLD, ensure_ascii=False),
        )
        for n in range(2)
    ]  # fmt: skip
    return Evaluator(spec, loaded[0], "fp32", 40).evaluate(loaded[1], rows)


def test_objects_that_never_parsed_all_parse_without_a_training(loaded: tuple[Any, Any]) -> None:
    assert evaluate(loaded, Decoding()).metrics["parse_rate"] == 0.0
    found = evaluate(loaded, Decoding(constrained=True))
    assert found.metrics["parse_rate"] == 1.0
    assert {row.parsed["速別"] for row in found.predictions} <= set(OBJECT.enums["速別"])


@pytest.mark.parametrize("budget", [1, 60])
def test_no_budget_cuts_an_object_off(loaded: tuple[Any, Any], budget: int) -> None:
    found = evaluate(loaded, Decoding(constrained=True, max_new_tokens=budget))
    assert [row.failure for row in found.predictions] == [None] * 2
    assert all(list(json.loads(row.raw)) == OBJECT.fields for row in found.predictions)


def test_the_expected_answers_loss_is_that_of_free_answers(loaded: tuple[Any, Any]) -> None:
    assert evaluate(loaded, Decoding(constrained=True)).loss == pytest.approx(evaluate(loaded, Decoding()).loss)


def test_the_likeliest_of_the_declared_values_is_chosen_by_the_model(loaded: tuple[Any, Any]) -> None:
    answers = []
    for enums in (["普通件", "最速件"], ["最速件", "普通件"]):
        answer = OBJECT.model_copy(update={"enums": {"速別": enums}})
        found = evaluate(loaded, Decoding(constrained=True), answer)
        answers.append([row.parsed["速別"] for row in found.predictions])
    assert answers[0] == answers[1]  # not the first of the list


def test_labels_in_other_words_are_asked_written_and_scored_as_labels(make_run: Any) -> None:
    words = {"支持": "yes", "反對": "no", "中立": "neutral"}
    run = make_run(decoding=Decoding(constrained=True), train=False, label_words=words)
    assert main(run.path) == 0
    rows = [json.loads(line) for line in run.file("predictions_valid.jsonl").read_text("utf-8").splitlines()]
    assert run.result().metrics["parse_rate"] == 1.0
    assert all(row["raw"] == words[row["parsed"]] for row in rows)
    assert all(set(row["scores"]) == set(words) for row in rows)
