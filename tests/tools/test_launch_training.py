"""From a task folder to finished runs: what is written, what is started, and what happens when things go wrong.

The worker is a small real process; the task's configuration names a training command, so that no model is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections import namedtuple

import pytest

from tests.support.planned_task import make_task, plans, rows, write_rows
from tools import launch_training as module
from tools.errors import InputError, Refused, RunFailed, WriteFailed
from tools.files import append_line, now, write_atomic, write_model
from tools.launch_training import (
    LaunchArgs,
    active_runs,
    cancel,
    launch_training,
    list_runs,
    prepare,
    run_all,
    start,
    wait,
)
from tools.launchers.base import RunHealth, state_of
from tools.running.collect import SeedOutcome
from tools.running.weights import keep_weights
from tools.runs import EndEvent, PhaseEvent, RunDir, RunError, RunState, RunStatus
from tools.text import T

FAKE_WORKER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from filelock import FileLock
    from tools.files import append_line, now, write_model
    from tools.runs import EndEvent, PhaseEvent, RunDir, RunError, RunState, RunStatus
    from tools.text import T

    run = RunDir(Path(sys.argv[1]))
    mode = (run.path.parents[1] / "mode").read_text()
    if mode == "broken":
        raise SystemExit("the interpreter has no torch")
    with FileLock(run.file("run.lock"), timeout=5):
        def say(state, error=None):
            write_model(run.file("status.json"), RunStatus(state=state, updated_at=now(), error=error))
        append_line(run.file("events.jsonl"), PhaseEvent(at=now(), phase="training", message=T("On.")).model_dump_json())
        say(RunState.running)
        print("last words of the worker", flush=True)
        while mode == "long" and not (run.path / "cancel").exists():
            time.sleep(0.02)
        state = {"long": RunState.cancelled, "fail": RunState.failed}.get(mode, RunState.succeeded)
        append_line(run.file("events.jsonl"), EndEvent(at=now(), state=state, message=T("Over.")).model_dump_json())
        error = RunError(kind="out_of_memory", message=T("No memory."), page="troubleshooting/installation")
        say(state, error if mode == "fail" else None)
    """
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A task folder with two seeds; the worker does what the file `mode` says. Whatever still runs afterwards is killed."""
    task = make_task(tmp_path / "stance")
    (task / "mode").write_text("quick")
    (tmp_path / "fake_worker.py").write_text(FAKE_WORKER, encoding="utf-8")
    monkeypatch.setattr(module, "WORKER", "fake_worker")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield task
    for run in list_runs(task):
        if state_of(run) is not RunHealth.ended:
            cancel(run, grace_seconds=0.2)


def set_mode(folder, mode):
    (folder / "mode").write_text(mode)


def launch(folder, **options):
    return launch_training(LaunchArgs(task_dir=folder, version="v2", **options))


def write_status(path, state, **fields):
    write_model(path / "status.json", RunStatus(state=state, updated_at=now(), **fields))


def nothing(*_):
    return None


# --- preparing


def test_a_prepared_run_is_complete_and_its_spec_comes_last(folder, monkeypatch):
    written = []
    monkeypatch.setattr(module, "write_model", lambda path, model: written.append((path, sorted_files(path.parent))))
    path = prepare(plans(folder)[0], folder)
    assert written == [(path / "spec.json", ["data/test.jsonl", "data/train.jsonl", "data/valid.jsonl"])]
    assert list_runs(folder) == [], "without a spec it is not a run"


def sorted_files(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.jsonl"))


def test_preparing_twice_is_preparing_once(folder):
    plan = plans(folder)[0]
    path = prepare(plan, folder)
    spec = path.joinpath("spec.json").read_bytes()
    time.sleep(1.1)
    assert prepare(plan, folder) == prepare(plan, folder, retry=True) == path
    assert path.joinpath("spec.json").read_bytes() == spec


@pytest.mark.parametrize("state", [RunState.failed, RunState.cancelled])
def test_a_lost_run_gets_a_new_attempt_only_when_it_is_wanted(folder, state):
    plan = plans(folder)[0]
    first = prepare(plan, folder)
    write_status(first, state)
    assert prepare(plan, folder) == first
    second = prepare(plan, folder, retry=True)
    assert (second.name, RunDir(second).spec().attempt) == (first.name + "-a2", 2)
    assert RunDir(second).spec().run_id == second.name
    assert prepare(plan, folder) == prepare(plan, folder, retry=True) == second
    write_status(second, state)
    assert prepare(plan, folder, retry=True).name == first.name + "-a3"


def lost_run(folder, **status):
    path = prepare(plans(folder)[0], folder)
    (path / "checkpoints" / "checkpoint-5").mkdir(parents=True)
    (path / "checkpoints" / "checkpoint-5" / "w").write_bytes(b"weights")
    (path / "worker.json").write_text("{}")
    for event in (
        PhaseEvent(at="t", phase="training", message=T("On.")),
        EndEvent(at="t", state="failed", message=T("!")),
    ):
        append_line(path / "events.jsonl", event.model_dump_json())
    write_status(path, RunState.failed, **status)
    return path


def test_a_new_attempt_continues_from_the_checkpoints_of_the_old_one(folder):
    lost_run(folder)
    again = prepare(plans(folder)[0], folder, retry=True)
    assert (again / "checkpoints" / "checkpoint-5" / "w").read_bytes() == b"weights"
    assert (again / "worker.json").exists()
    assert [event.type for event in RunDir(again).events()[0]] == ["phase"]


def test_a_new_attempt_after_a_loss_that_was_not_a_number_starts_afresh(folder):
    lost_run(folder, error=RunError(kind="nan_loss", message=T("NaN.")))
    assert not (prepare(plans(folder)[0], folder, retry=True) / "checkpoints").exists()


def test_too_little_disk_space_is_said_before_anything_is_written(folder, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(free=1000))
    with pytest.raises(WriteFailed, match="GB"):
        launch(folder)
    assert list_runs(folder) == []


def test_a_version_that_has_weights_of_its_own_is_not_trained_over(folder):
    (folder / "models" / "v2" / "adapter").mkdir(parents=True)
    with pytest.raises(Refused, match="v2"):
        launch(folder)
    assert list_runs(folder) == []


def test_the_weights_of_the_same_run_do_not_stand_in_its_way(folder, tmp_path):
    plan = plans(folder)[0]
    (tmp_path / "a").mkdir()
    keep_weights(folder, "v2", 1, tmp_path / "a", (plan.spec.run_id, "sha"))
    assert prepare(plan, folder).is_dir()


def write_trained(folder, data_hash):
    """The record that seed 3 of v2 was trained on rows with this hash."""
    numbers = dict.fromkeys(("best_step", "best_epoch", "rows_truncated", "minutes", "tokens_per_second"), 1)
    texts = dict.fromkeys(("run_id", "config_hash", "precision", "reason_precision", "adapter_sha256"), "x")
    nothing_kept = dict.fromkeys(("weights", "sealed", "sealed_sha256"))
    rest = {"seed": 3, "trained": True, "stopped_early": False, "peak_memory_mb": 1, "resumed": 0}
    one = SeedOutcome.model_validate({**numbers, **texts, **nothing_kept, **rest, "data_hash": data_hash})
    write_atomic(folder / "iterations/v2/results.json", json.dumps({"training": [one.model_dump(mode="json")]}))


def test_a_seed_on_edited_rows_does_not_join_the_seeds_of_a_version(folder):
    write_trained(folder, plans(folder)[0].spec.data_hash)
    assert launch(folder, seeds=[1]).runs
    write_rows(folder / "data/train.jsonl", rows("train", 5))
    with pytest.raises(InputError, match="v2"):
        launch(folder, seeds=[2])
    assert len(list_runs(folder)) == 1


# --- running


def test_launching_starts_the_first_run_and_lets_the_others_wait(folder):
    set_mode(folder, "long")
    launched = launch(folder)
    assert [run.seed for run in launched.runs] == [1, 2]
    assert state_of(launched.paths[1]) is RunHealth.queued
    wait(launched.paths[0], nothing, should_stop=lambda: RunDir(launched.paths[0]).status() is not None)
    assert active_runs(folder) == [launched.paths[0]]
    assert launch(folder).paths == launched.paths
    assert not (launched.paths[1] / "launch.json").exists()


def test_all_seeds_run_one_after_another_to_their_ends(folder):
    launched = launch(folder)
    seen = []
    assert run_all(launched.paths, lambda path, event: seen.append((path.name, event.type)), poll_seconds=0.05)
    assert seen == [(run.run_id, kind) for run in launched.runs for kind in ("phase", "end")]
    assert run_all(launched.paths, nothing), "running what has run is doing nothing"
    assert {run.health for run in launch(folder).runs} == {RunHealth.ended}


def test_a_failure_is_told_with_its_reason_its_page_and_the_end_of_the_log(folder):
    set_mode(folder, "fail")
    launched = launch(folder)
    with pytest.raises(RunFailed, match="No memory") as error:
        run_all(launched.paths, nothing, poll_seconds=0.05)
    assert error.value.page == "troubleshooting/installation"
    assert "last words of the worker" in str(error.value.problems[0].message)
    assert state_of(launched.paths[1]) is RunHealth.queued


def test_a_worker_that_never_begins_is_told_with_its_last_words(folder):
    set_mode(folder, "broken")
    launched = launch(folder)
    with pytest.raises(RunFailed, match="before it could begin") as error:
        wait(launched.paths[0], nothing, poll_seconds=0.05)
    assert "no torch" in str(error.value.problems[0].message)
    set_mode(folder, "quick")
    assert start(launched.paths[0])
    assert wait(launched.paths[0], nothing, poll_seconds=0.05).state is RunState.succeeded


def test_a_killed_worker_is_told_and_starting_again_finishes_the_run(folder):
    set_mode(folder, "long")
    path = launch(folder).paths[0]
    wait(path, nothing, should_stop=lambda: RunDir(path).status() is not None, poll_seconds=0.05)
    os.kill(json.loads((path / "launch.json").read_text())["pid"], signal.SIGKILL)
    with pytest.raises(RunFailed, match="killed"):
        wait(path, nothing, poll_seconds=0.05)
    set_mode(folder, "quick")
    assert run_all([path], nothing, poll_seconds=0.05)


def test_an_event_torn_by_a_kill_does_not_hide_the_others(folder):
    path = prepare(plans(folder)[0], folder)
    (path / "events.jsonl").write_bytes(b'{"type":"phase","at"')
    start(path)
    seen = []
    wait(path, lambda event: seen.append(event.type), poll_seconds=0.05)
    assert seen == ["phase", "end"]


def test_stopping_to_watch_leaves_the_run_alone(folder):
    set_mode(folder, "long")
    path = launch(folder).paths[0]
    wait(path, nothing, should_stop=lambda: True)
    assert not run_all([path], nothing, should_stop=lambda: True)
    assert active_runs(folder) == [path]


def test_cancelling_ends_the_run_and_the_rest_of_the_version_waits(folder):
    set_mode(folder, "long")
    launched = launch(folder)
    cancel(launched.paths[0])
    assert not run_all(launched.paths, nothing, poll_seconds=0.05)
    assert [state_of(path) for path in launched.paths] == [RunHealth.ended, RunHealth.queued]
    set_mode(folder, "quick")
    again = launch(folder, retry=True)
    assert [run.attempt for run in again.runs] == [2, 1]
    assert run_all(again.paths, nothing, poll_seconds=0.05)


def test_launching_needs_none_of_the_training_libraries():
    heavy = ["torch", "transformers", "trl", "peft", "datasets", "sklearn", "numpy", "scipy", "pyarrow", "langgraph"]
    modules = "tools.launch_training, tools.running.collect, tools.scoring.rescore"
    code = f"import sys, {modules}; print([m for m in {heavy} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
