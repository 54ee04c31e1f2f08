from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.writers import Scripted, good, writer_of
from tests.support.writers import make_task as make_writable
from tools.change import ChangeKind
from tools.edit_config import EditConfigArgs, apply_edits, edit_config
from tools.errors import InputError, MissingPart, NotFound
from tools.generate_data import GenerateDataArgs, generate_data, plan_class_weights, plan_oversampling, weights_change
from tools.reading.task import load_split, load_task
from tools.running.recipe import apply_recipe
from tools.task import Task

COUNTS = {"正面": 60, "負面": 30, "中立": 10}


def make_task(folder: Path, config: str = "", definition: str = "") -> Task:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "configs").mkdir(exist_ok=True)
    (folder / "task_definition.yaml").write_text(
        "task_name: t\ntask_type: classification\ninput_format: {template: '{text}'}\n"
        f"output_format: {{type: label, labels: [正面, 負面, 中立]}}\n{definition}",
        encoding="utf-8",
    )
    if config:
        (folder / "configs" / "training_config.yaml").write_text(config, encoding="utf-8")
    rows = [
        {"id": f"{label}{n}", "text": f"{label} {n}", "label": label}
        for label, count in COUNTS.items()
        for n in range(count)
    ]
    write = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "data" / "train.jsonl").write_text(write, encoding="utf-8")
    (folder / "data" / "valid.jsonl").write_text(
        write.replace('"id": "', '"id": "v').replace(" ", "  ", 1), encoding="utf-8"
    )
    return load_task(folder)


def after(task: Task, *changes: object) -> Task:
    text = apply_edits(task.config.text, [edit for change in changes for edit in change.edits])  # type: ignore[attr-defined]
    (task.path / "configs" / "training_config.yaml").write_text(text, encoding="utf-8")
    return load_task(task.path)


def test_every_label_below_the_count_is_raised_to_it(tmp_path: Path) -> None:
    task = make_task(tmp_path, "lora: {r: 8}\n")
    change = plan_oversampling(task, 50)
    assert change.kind is ChangeKind.recipe
    assert [(edit.path, edit.old, edit.new) for edit in change.edits] == [
        (("data", "oversample", "負面"), None, 50),
        (("data", "oversample", "中立"), None, 50),
    ]
    assert "負面 30 → 50, 中立 10 → 50" in str(change.summary)
    trained = apply_recipe(after(task, change), load_split(task, "train").split)
    assert trained.after == {"正面": 60, "負面": 50, "中立": 50}
    assert trained.problems == []


def test_without_a_count_no_row_is_repeated_more_than_four_times(tmp_path: Path) -> None:
    change = plan_oversampling(make_task(tmp_path), None)
    assert {edit.path[-1]: edit.new for edit in change.edits} == {"負面": 60, "中立": 40}


def test_a_label_that_is_repeated_enough_already_is_left_alone(tmp_path: Path) -> None:
    task = make_task(tmp_path, "data:\n  oversample:\n    中立: 55\n")
    assert [edit.path[-1] for edit in plan_oversampling(task, 50).edits] == ["負面"]
    with pytest.raises(InputError):
        plan_oversampling(task, 20)


def test_unknown_labels_are_named_all_at_once_with_their_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        plan_oversampling(make_task(tmp_path), 500, ["中性", "壞", "負面"])
    assert [problem.value for problem in caught.value.problems] == ["中性", "壞"]
    assert "中立" in str(caught.value.problems[0].hint)


def test_excluded_rows_do_not_count(tmp_path: Path) -> None:
    task = make_task(tmp_path, "data:\n  exclude: [中立0, 中立1]\n")
    change = plan_oversampling(task, 9, ["中立"])
    assert change.edits[0].new == 9


def test_class_weights_are_inverse_to_frequency_and_capped(tmp_path: Path) -> None:
    change = plan_class_weights(make_task(tmp_path))
    assert {edit.path[-1]: edit.new for edit in change.edits} == {"正面": 0.56, "負面": 1.11, "中立": 3.0}


def test_oversampling_is_reckoned_with_when_weights_are_planned(tmp_path: Path) -> None:
    task = make_task(tmp_path, "data:\n  oversample:\n    中立: 60\n    負面: 60\n")
    with pytest.raises(InputError) as caught:
        plan_class_weights(task)
    assert "already" in str(caught.value.message)


def test_only_the_labels_asked_for_get_weights(tmp_path: Path) -> None:
    change = plan_class_weights(make_task(tmp_path), ["負面"])
    assert [edit.path for edit in change.edits] == [("training", "class_weights", "負面")]


def test_weights_that_stand_in_the_definition_are_written_down_with_the_new_one(tmp_path: Path) -> None:
    task = make_task(tmp_path, "lora: {r: 8}\n", "training: {class_weights: {正面: 0.8, 負面: 1.2}}\n")
    change = weights_change(task, {"中立": 1.5})
    assert change is not None
    assert after(task, change).config.values.training.class_weights == {"正面": 0.8, "負面": 1.2, "中立": 1.5}


def test_weights_that_are_set_already_are_no_change(tmp_path: Path) -> None:
    task = make_task(tmp_path, "training:\n  class_weights: {中立: 1.5}\n")
    assert weights_change(task, {"中立": 1.5, "正面": 1.0}) is None


def test_more_rows_than_a_memory_holds_are_refused_before_the_line_is_written(tmp_path: Path) -> None:
    task = make_task(tmp_path, "lora: {r: 8}\n")
    before = task.config.text
    change = plan_oversampling(task, 99_999_999_999)
    with pytest.raises(InputError) as refused:
        edit_config(EditConfigArgs(task_dir=tmp_path, edits=change.edits, expected_sha256=task.config.sha256))
    assert "1000000" in " ".join(str(problem) for problem in refused.value.problems)
    assert load_task(tmp_path).config.text == before


def test_the_tool_plans_without_writing(tmp_path: Path) -> None:
    make_task(tmp_path, "lora: {r: 8}\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = generate_data(GenerateDataArgs(task_dir=tmp_path, action="oversample", count=500))
    assert result.rows_before == COUNTS
    assert result.change is not None and len(result.change.edits) == 3
    weights = generate_data(GenerateDataArgs(task_dir=tmp_path, action="class_weights")).change
    assert weights is not None and weights.edits
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_new_rows_need_a_model_and_the_error_says_what_works_without_one(tmp_path: Path) -> None:
    args = GenerateDataArgs(task_dir=tmp_path, action="generate", labels=["中立"], count=200, output="new.jsonl")
    with pytest.raises(MissingPart) as caught:
        generate_data(args)
    assert "oversample" in str(caught.value.hint)
    assert "class_weights" in str(caught.value.hint)
    assert caught.value.page == "methods/data-generation"
    assert "iterate review" in str(caught.value.hint)


def test_new_rows_are_written_for_one_label_and_are_no_change_yet(tmp_path: Path) -> None:
    task = make_writable(tmp_path / "t")
    writer = writer_of(Scripted(good))
    result = generate_data(
        GenerateDataArgs(task_dir=task.path, action="generate", labels=["中立"], count=5), writer, lambda _: None
    )
    assert result.change is None
    assert result.generated is not None and result.generated.report.passed == 5
    with pytest.raises(InputError, match="one label at a time"):
        generate_data(GenerateDataArgs(task_dir=task.path, action="generate", labels=["中立", "支持"]), writer)


def test_a_task_without_labels_is_told_so(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    definition = task.definition.model_copy(
        update={
            "task_type": "generation",
            "answer": task.definition.answer.model_copy(update={"type": "text", "labels": []}),
        }
    )
    (tmp_path / "data" / "train.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(NotFound) as caught:
        plan_oversampling(task.model_copy(update={"definition": definition}), 5)
    assert "no labels" in str(caught.value.problems[0].message)
