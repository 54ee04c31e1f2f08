from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tools.config import TrainingConfig
from tools.making.task_scripts import SCRIPTS
from tools.reading.task import list_tasks, load_split, load_task
from tools.task import Row, SplitName
from tools.versioning.records import drift

TASKS = Path(__file__).resolve().parents[2] / "tasks"
NAMES = ["entity-sentiment", "official-doc", "stance"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
SIZES = {"stance": (340, 240, 300), "entity-sentiment": (333, 170, 210), "official-doc": (160, 55, 80)}


def raw_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rows(name: str, split: SplitName) -> list[Row]:
    read = load_split(load_task(TASKS / name), split)
    assert read.problems == []
    return read.split.rows


def test_three_tasks_are_bundled():
    assert sorted(list_tasks(TASKS)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_task_is_read_without_a_single_problem(name: str):
    task = load_task(TASKS / name)
    assert (task.name, task.definition.task_name, task.definition.language) == (name, name, "zh-TW")
    assert task.problems == []
    assert task.config.problems == []


@pytest.mark.parametrize("name", NAMES)
def test_the_splits_have_the_sizes_that_the_documentation_says(name: str):
    assert tuple(len(rows(name, split)) for split in SPLITS) == SIZES[name]
    text = (TASKS / name / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(data/[\w/]+\.jsonl)` \| (\d+) \|", text, re.M)
    assert {file: int(count) for file, count in table} == {
        path.relative_to(TASKS / name).as_posix(): len(raw_rows(path))
        for path in (TASKS / name / "data").rglob("*.jsonl")
    }


@pytest.mark.parametrize("name", ["stance", "entity-sentiment"])
def test_the_class_counts_of_the_readme_are_those_of_the_data(name: str):
    text = (TASKS / name / "README.md").read_text(encoding="utf-8")
    header = re.search(r"^\| 檔案 \| 筆數 \| (.+) \|$", text, re.M)
    assert header is not None
    labels = header[1].split(" | ")
    for split in SPLITS:
        line = re.search(rf"^\| `data/{split}\.jsonl` \| \d+ \| (.+) \|$", text, re.M)
        assert line is not None
        counts = load_split(load_task(TASKS / name), split).split.label_counts()
        assert dict(zip(labels, map(int, line[1].split(" | ")), strict=True)) == counts


@pytest.mark.parametrize("name", NAMES)
def test_no_question_stands_in_two_splits_and_no_id_twice(name: str):
    every = {split: rows(name, split) for split in SPLITS}
    keys = [{row.key for row in every[split]} for split in SPLITS]
    assert not keys[0] & keys[1]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]
    ids = [row.id for split in SPLITS for row in every[split]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_is_one_that_the_definition_declares(name: str):
    answer = load_task(TASKS / name).definition.answer
    for split in SPLITS:
        for row in rows(name, split):
            if isinstance(row.answer, dict):
                assert list(row.answer) == answer.fields
                assert all(row.answer[field] in allowed for field, allowed in answer.enums.items())
            else:
                assert row.answer in answer.labels


@pytest.mark.parametrize("name", ["stance", "entity-sentiment"])
def test_the_pool_is_unlabelled_and_overlaps_no_split(name: str):
    pool = raw_rows(TASKS / name / "data" / "raw" / "pool.jsonl")
    assert not any("label" in row for row in pool)
    fields = load_task(TASKS / name).definition.input_fields
    asked = {tuple(row[field] for field in fields) for row in pool}
    for split in SPLITS:
        assert not asked & {tuple(row.fields[field] for field in fields) for row in rows(name, split)}


def test_the_answers_of_the_pool_are_not_shipped():
    assert list(TASKS.rglob("*pool_labels*")) == []


def config(name: str) -> TrainingConfig:
    return load_task(TASKS / name).config.values


def test_each_first_configuration_has_the_weakness_that_its_readme_admits():
    train = load_split(load_task(TASKS / "stance"), "train").split
    assert round(train.label_counts()["中立"] / len(train.rows), 2) == 0.13
    assert config("stance").training.epochs == 4
    underfitted = config("entity-sentiment")
    assert underfitted.lora is not None
    assert (underfitted.training.learning_rate, underfitted.training.epochs, underfitted.lora.r) == (1e-4, 2, 8)
    assert len(rows("official-doc", "train")) == 160
    assert config("official-doc").training.epochs == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_task_trains_on_the_model_that_make_run_installs(name: str):
    assert config(name).training.base_model == "embedded:gemma3-270m"


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_teaches_how_it_is_run_and_what_each_value_trades(name: str):
    text = (TASKS / name / "configs" / "training_config.yaml").read_text(encoding="utf-8")
    assert f"iterate train {name}" in text
    assert "scripts/03_train.py --version v2" in text
    for key in ("r", "alpha", "dropout", "epochs", "learning_rate", "batch_size", "max_length", "base_model"):
        assert re.search(rf"^  {key}: \S+ +# \S", text, re.M), key


@pytest.mark.parametrize("name", NAMES)
def test_the_scripts_are_those_that_a_new_task_gets(name: str):
    folder = TASKS / name / "scripts"
    shipped = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}
    assert shipped == SCRIPTS
    assert os.access(folder / "run_pipeline.sh", os.X_OK)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_version_was_trained_with_the_configuration_that_is_shipped(name: str):
    record = TASKS / name / "iterations" / "v1"
    assert (record / "config_snapshot.yaml").read_bytes() == (
        TASKS / name / "configs" / "training_config.yaml"
    ).read_bytes()
    for file in ("results.json", "notes.md", "history.jsonl", "manifest.json"):
        assert (record / file).stat().st_size > 0, file
    assert drift(TASKS / name, "v1") == []


@pytest.mark.parametrize("name", NAMES)
def test_the_first_version_shows_its_predictions_on_valid_and_keeps_those_on_test_sealed(name: str):
    results = TASKS / name / "benchmarks" / "results"
    predictions = raw_rows(results / "v1_valid.predictions.jsonl")
    assert {row["id"] for row in predictions} == {row.id for row in rows(name, "valid")}
    assert (results / "v1_valid.json").is_file()
    assert not [path for path in results.iterdir() if "test" in path.name]
    every = list((TASKS / name / "iterations" / "v1" / "sealed").iterdir())
    assert len(every) == len({row["seed"] for row in predictions})
    for sealed in every:
        assert "label" not in sealed.read_text(encoding="utf-8").splitlines()[0]
