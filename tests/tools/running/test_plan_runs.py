"""From a recipe to planned runs: what a run holds, and what gives it another id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.planned_task import CONFIG, configure, ids, make_task, plans, rows, write_rows
from tools.errors import InputError, NotFound
from tools.launch_training import LaunchArgs, launch_training
from tools.reading.task import load_task
from tools.running.weights import keep_weights
from tools.runs import Example
from tools.scoring.evaluator import evaluator_hash


@pytest.fixture
def folder(tmp_path):
    """A task folder with two seeds."""
    return make_task(tmp_path / "stance")


def test_a_plan_holds_each_split_word_for_word(folder):
    plan = plans(folder)[0]
    train = [Example.model_validate_json(line) for line in plan.data["train.jsonl"].splitlines()]
    assert [example.id for example in train] == [f"train{n}" for n in range(6)]
    assert train[1].completion == train[1].expected == "反對"
    assert train[1].messages[-1]["content"].startswith("文本：train 第 1 句\n只輸出")
    assert train[1].input == {"text": "train 第 1 句"}
    assert plan.rows == {"train": 6, "valid": 4, "test": 3}
    assert plan.spec.training.seed == plan.spec.seed == 1


def test_the_evaluator_hashes_are_those_of_the_rows_as_evaluated(folder):
    spec = plans(folder)[0].spec
    task = load_task(folder).definition
    for split, digest in (("valid", spec.evaluator_hash), ("test", spec.test_evaluator_hash)):
        expected = [(row["id"], row["label"]) for row in rows(split, 4 if split == "valid" else 3)]
        assert digest == evaluator_hash("classification", task.answer, expected)


def test_equal_input_gives_equal_ids_and_each_seed_its_own(folder):
    first = ids(folder)
    assert first == ids(folder)
    assert [name.split("-")[1] for name in first] == ["s1", "s2"]
    assert ids(folder, seeds=[2, 2, 7])[0] == first[1]
    assert len(set(first)) == len(first)


@pytest.mark.parametrize(
    "config",
    [
        'training: {command: "true", seeds: [1, 2], learning_rate: 0.002}',
        CONFIG + "lora: {r: 4}",
        CONFIG + "decoding: {max_new_tokens: 3}",
        CONFIG + "prompt: {system: 你好}",
        CONFIG + "data: {exclude: [train3]}",
        CONFIG + "data: {oversample: {支持: 5}}",
        'training: {command: "true", seeds: [1, 2], learning_rate: 0.001, class_weights: {支持: 2.0}}',
    ],
)
def test_what_decides_about_the_outcome_changes_the_id(folder, config):
    before = ids(folder)
    configure(folder, config)
    assert not set(before) & set(ids(folder))


@pytest.mark.parametrize(
    "config",
    [
        "# a comment\n" + CONFIG,
        'training: {learning_rate: 1e-3, seeds: [2, 1], command: "true"}',
        CONFIG + "launcher: {threads: 1}",
    ],
)
def test_what_does_not_decide_keeps_the_id(folder, config):
    before = ids(folder)
    configure(folder, config)
    assert set(before) == set(ids(folder))


def test_a_changed_row_of_any_split_changes_the_id(folder):
    seen = set(ids(folder))
    for split in ("train", "valid", "test"):
        write_rows(folder / "data" / f"{split}.jsonl", rows(split, 5))
        now_ids = set(ids(folder))
        assert not seen & now_ids
        seen |= now_ids


def test_class_weights_reach_the_rows(folder):
    configure(folder, 'training: {command: "true", class_weights: {支持: 2.0}}')
    lines = plans(folder)[0].data["train.jsonl"].splitlines()
    assert [json.loads(line)["weight"] for line in lines] == [2.0, 1.0, 2.0, 1.0, 2.0, 1.0]


def test_without_a_test_file_nothing_is_sealed_and_training_is_possible(folder):
    (folder / "data" / "test.jsonl").unlink()
    plan = plans(folder)[0]
    assert plan.spec.test_evaluator_hash is None
    assert set(plan.data) == {"train.jsonl", "valid.jsonl"}


def test_no_training_rows_are_refused_before_anything_is_written(folder):
    write_rows(folder / "data" / "train.jsonl", [])
    with pytest.raises(InputError, match="train"):
        launch_training(LaunchArgs(task_dir=folder, version="v2"))
    assert not (folder / "runs").exists()


@pytest.mark.parametrize("version", ["", "../v2", "v2/..", "v 2", "v..2", ".v2", "v2\n", "版本"])
def test_a_version_name_that_is_no_plain_folder_name_is_refused(folder, version):
    with pytest.raises(InputError):
        ids(folder, version)


def test_evaluating_the_weights_of_another_version_names_them(folder, tmp_path):
    source = tmp_path / "adapter"
    source.mkdir()
    for seed in (1, 2):
        keep_weights(folder, "v1", seed, source, (f"v1-s{seed}", f"sha{seed}"))
    specs = [plan.spec for plan in plans(folder, "v3", train=False, weights_from="v1")]
    assert [Path(spec.adapter_from).name for spec in specs] == ["adapter", "adapter_seed2"]
    assert not specs[0].train
    assert set(ids(folder, "v3")).isdisjoint(spec.run_id for spec in specs)
    with pytest.raises(NotFound):
        plans(folder, "v3", train=False, weights_from="v9")
