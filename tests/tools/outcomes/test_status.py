from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.outcomes.status import task_status
from tools.reading.task import load_task
from tools.results import ClassScore, ResultFiles, SplitResult


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The task of the specification's example."""
    task = tmp_path / "mood"
    (task / "data").mkdir(parents=True)
    (task / "task_definition.yaml").write_text(
        "task_name: mood\ntask_type: classification\ndomain: finance\n"
        'input_format: {template: "{text}"}\noutput_format: {type: label, labels: [pos, neg, neu]}\n'
        "training: {base_model: Qwen/Qwen3-4B, method: sft, lora: {r: 32, alpha: 64}, epochs: 8}\n"
        "success_criteria: {primary_metric: macro_f1, threshold: 0.80}\n",
        encoding="utf-8",
    )
    labels = ["pos"] * 40 + ["neg"] * 35 + ["neu"] * 25
    rows = [json.dumps({"text": f"text {n}", "label": label}) for n, label in enumerate(labels)]
    (task / "data" / "train.jsonl").write_text("\n".join([*rows, json.dumps({"text": "unlabelled"})]), encoding="utf-8")
    (task / "data" / "valid.jsonl").write_text("\n".join(rows[::5]), encoding="utf-8")
    return task


def result(version="v1", split="valid", **scores: float) -> SplitResult:
    scores = scores or {"pos": 0.78, "neg": 0.72, "neu": 0.55}
    macro = sum(scores.values()) / len(scores)
    return SplitResult(
        version=version,
        split=split,
        metrics={"macro_f1": macro, "accuracy": 0.72},
        per_class={label: ClassScore(f1=f1) for label, f1 in scores.items()},
        rows=20,
    )


def test_the_summary_holds_what_the_specification_shows(folder):
    status = task_status(load_task(folder), ResultFiles(results=[result()]))
    assert (status.task_type, status.base_model, status.method, status.lora_r) == (
        "classification",
        "Qwen/Qwen3-4B",
        "sft",
        32,
    )
    assert [(line.metric, line.target) for line in status.metrics] == [("macro_f1", 0.80), ("accuracy", None)]
    assert status.metrics[0].gap == pytest.approx((0.78 + 0.72 + 0.55) / 3 - 0.80)
    assert [(line.label, line.weak) for line in status.classes] == [("pos", False), ("neg", False), ("neu", True)]
    train = status.splits[0]
    assert (train.rows, train.unlabelled, train.shares) == (100, 1, {"pos": 0.40, "neg": 0.35, "neu": 0.25})
    assert status.reached is False


def test_a_class_without_a_known_support_shows_the_validation_rows(folder):
    status = task_status(load_task(folder), ResultFiles(results=[result()]))
    assert [line.support for line in status.classes] == [8, 7, 5]
    assert [line.train_rows for line in status.classes] == [40, 35, 25]


def test_before_any_result_the_targets_are_still_shown(folder):
    status = task_status(load_task(folder), ResultFiles(results=[]))
    assert [(line.metric, line.value, line.gap) for line in status.metrics] == [("macro_f1", None, None)]
    assert (status.version, status.reached, status.classes) == (None, None, [])


def test_a_target_that_is_met_by_a_hair_is_met(folder):
    status = task_status(load_task(folder), ResultFiles(results=[result(pos=0.9, neg=0.8, neu=0.7)]))
    assert status.metrics[0].reached


def test_the_version_asked_for_is_shown_and_test_results_are_not_a_version(folder):
    results = ResultFiles(results=[result("v1", pos=0.5, neg=0.5), result("v2"), result("v3", "test")])
    assert task_status(load_task(folder), results).version == "v2"
    assert task_status(load_task(folder), results, version="v1").version == "v1"
    assert task_status(load_task(folder), results).versions == ["v1", "v2"]


def test_several_seeds_show_each_value(folder):
    seeds = {"1": {"macro_f1": 0.70}, "2": {"macro_f1": 0.66}}
    status = task_status(load_task(folder), ResultFiles(results=[result().model_copy(update={"seeds": seeds})]))
    assert status.metrics[0].seeds == [0.70, 0.66]


def test_the_fields_of_an_extraction_task_stand_where_classes_do(tmp_path):
    task = tmp_path / "letters"
    (task / "data").mkdir(parents=True)
    (task / "task_definition.yaml").write_text(
        "task_name: letters\ntask_type: extraction\n"
        'input_format: {template: "{text}"}\n'
        "output_format: {type: json, schema: {who: {type: string}, when: {type: string}}}\n",
        encoding="utf-8",
    )
    row = json.dumps({"text": "a letter", "output": {"who": "A", "when": "B"}})
    (task / "data" / "train.jsonl").write_text(row, encoding="utf-8")
    metrics = {"field_score": 0.7, "field[who]": 0.9, "field[when]": 0.5}
    scores = SplitResult(version="v1", split="valid", metrics=metrics, rows=10)
    status = task_status(load_task(task), ResultFiles(results=[scores]))
    assert [(line.label, line.f1, line.weak) for line in status.classes] == [("who", 0.9, False), ("when", 0.5, True)]
    assert [line.metric for line in status.metrics] == ["field_score"]
    assert status.splits[0].labels == {}


def test_a_task_with_almost_nothing_in_it_still_has_a_status(tmp_path):
    task = tmp_path / "bare"
    (task / "data").mkdir(parents=True)
    (task / "data" / "train.jsonl").write_text('{"text": "a", "label": "x"}\n', encoding="utf-8")
    status = task_status(load_task(task), ResultFiles(results=[]))
    assert status.name == "bare"
    assert [line.split for line in status.splits] == ["train", "valid", "test"]
