from __future__ import annotations

import pytest

from agent.overnight.watchman import (
    changed_by_hand,
    keep_seal,
    keep_start,
    kept_seal,
    kept_start,
    restore_start,
    runs_since,
    seal,
    seal_results,
)
from tests.support.night_tasks import Place, give_version, write
from tools.files import write_model
from tools.runs import RunState, RunStatus


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path, trained=("one",))


@pytest.mark.parametrize(
    "file",
    [
        "task_definition.yaml",
        "configs/training_config.yaml",
        "data/train.jsonl",
        "data/valid.jsonl",
        "data/test.jsonl",
        "models/current.json",
        "iterations/v1/config_snapshot.yaml",
        "iterations/v1/manifest.json",
        "benchmarks/results/v1_valid.json",
        "benchmarks/results/v1_valid.predictions.jsonl",
        "train.py",
    ],
)
def test_every_input_of_a_task_is_watched(place, file):
    task = place.task("one")
    sealed = seal(task)
    assert changed_by_hand(task, sealed) == []
    path = task / file
    write(path, (path.read_text(encoding="utf-8") if path.exists() else "") + "\n")
    assert changed_by_hand(task, sealed) == [file]


def test_a_file_that_was_removed_is_noticed(place):
    task = place.task("one")
    sealed = seal(task)
    (task / "data/valid.jsonl").unlink()
    assert changed_by_hand(task, sealed) == ["data/valid.jsonl"]


def test_a_further_seed_of_the_night_changes_the_results_of_its_version_alone(place, tmp_path):
    task = place.task("one")
    give_version(task, "v2")
    keep_seal(tmp_path, task)
    for version in ("v1", "v2"):
        for name in (f"{version}_valid.json", f"{version}_valid.predictions.jsonl"):
            file = task / "benchmarks/results" / name
            write(file, file.read_text(encoding="utf-8") + "\n")
    seal_results(tmp_path, task, "v1")
    found = changed_by_hand(task, kept_seal(tmp_path, "one"))
    assert found == [f"benchmarks/results/v2_valid{ending}" for ending in (".json", ".predictions.jsonl")]


def test_what_the_night_writes_is_no_hand_edit(place):
    task = place.task("one")
    sealed = seal(task)
    config = task / "configs/training_config.yaml"
    write(config, config.read_text(encoding="utf-8") + "# the night's\n")
    give_version(task, "v2")
    write(task / "iterations/notes.txt", "a note of one's own")
    assert changed_by_hand(task, sealed, ["v2"]) == []
    assert changed_by_hand(task, sealed) == ["configs/training_config.yaml"]


def test_the_configuration_of_the_start_is_put_back_byte_for_byte(place, tmp_path):
    task = place.task("one")
    config = task / "configs/training_config.yaml"
    config.write_bytes("# 我的\r\ntraining: {epochs: 2}\n".encode())
    before = config.read_bytes()
    keep_start(tmp_path, task)
    write(config, "training: {epochs: 9}\n")
    keep_start(tmp_path, task)  # the start is kept once
    assert restore_start(tmp_path, task) and config.read_bytes() == before
    assert not restore_start(tmp_path, task)


def test_runs_are_counted_from_the_disk_once_their_worker_began(place, tmp_path):
    task = place.task("one")

    def run(name, *, began):
        write(task / "runs" / name / "spec.json", "{}")
        if began:
            write_model(task / "runs" / name / "status.json", RunStatus(state=RunState.running, updated_at="x"))

    run("v1-s42", began=True)
    keep_start(tmp_path, task)
    assert kept_start(tmp_path, "one").runs == ["runs/v1-s42"]
    run("v2-s42", began=True)
    run("quick/quick-s42", began=True)
    run("v2-s43", began=False)
    assert sorted(runs_since(tmp_path, task)) == ["quick-s42", "v2-s42"]
