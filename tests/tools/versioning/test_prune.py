"""What pruning would take, what it leaves alone, and that comparing still works afterwards; weights are small stand-ins."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.compare import CompareArgs, compare
from tools.config import Decoding, Launcher, Lora, Training
from tools.errors import NotFound, Refused
from tools.files import now, write_model
from tools.running.weights import SeedWeights, Weights
from tools.runs import RunSpec, RunState, RunStatus
from tools.task import AnswerFormat
from tools.versioning.adopt import AdoptionRecord
from tools.versioning.prune import Judged, PrunePlan, judged_from, plan_prune, prune
from tools.versioning.pruned import pruned_note
from tools.versions import begin_version

SIZE = 10_000


def weights(path: Path, version: str) -> None:
    folder = path / "models" / version / "adapter"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(os.urandom(SIZE))
    entry = SeedWeights(folder="adapter", sha256="abc", run_id="r")
    write_model(path / "models" / version / "weights.json", Weights(seeds={"42": entry}))


@pytest.fixture
def path(claim_task: Callable[..., object]) -> Path:
    """v1 to v4 trained, each from the one before; v3 is in use."""
    task = claim_task(30)
    for number in range(1, 5):
        parent = f"v{number - 1}" if number > 1 else None
        begin_version(task.path, f"v{number}", parent=parent, config_text=task.read("configs/training_config.yaml"))
        task.version(f"v{number}", {42: [number]})
        weights(task.path, f"v{number}")
    record = AdoptionRecord(version="v3", adapters=[], at=now(), by="me", decision_id="d", previous=None)
    write_model(task.path / "models" / "current.json", record)
    found: Path = task.path
    return found


def make_run(path: Path, version: str) -> Path:
    run = path / "runs" / f"{version}-s42"
    run.mkdir(parents=True)
    spec = RunSpec(
        run_id=run.name,
        task="mood",
        version=version,
        seed=42,
        task_type="classification",
        answer=AnswerFormat(type="label"),
        primary_metric="macro_f1",
        lora=Lora(),
        training=Training(),
        decoding=Decoding(),
        launcher=Launcher(),
        config_hash="",
        data_hash="",
        evaluator_hash="",
        created_at=now(),
    )
    write_model(run / "spec.json", spec)
    return run


def names(plan: PrunePlan) -> tuple[list[str], list[str], list[str]]:
    return tuple([one.version for one in group] for group in (plan.goes, plan.could_go, plan.stays))


def test_only_what_failed_or_was_rolled_back_goes_unless_all_is_wished(path: Path):
    judged = Judged(rolled_back=frozenset({"v4"}), decided=frozenset({"v3", "v4"}))
    assert names(plan_prune(path, judged)) == (["v4"], ["v1"], ["v2", "v3"])
    assert names(plan_prune(path, judged, everything=True)) == (["v1", "v4"], [], ["v2", "v3"])
    assert names(plan_prune(path, judged, versions=["v1"])) == (["v1"], ["v4"], ["v2", "v3"])


def test_what_is_in_use_what_it_started_from_and_what_nobody_decided_on_stay(path: Path):
    plan = plan_prune(path, Judged(), everything=True)
    assert {one.version: str(one.why) for one in plan.stays} == {
        "v2": "v3 started from it",
        "v3": "it is in use",
        "v4": "nothing was decided on it yet",
    }
    for version in ("v2", "v3", "v4"):
        with pytest.raises(Refused, match=version):
            plan_prune(path, Judged(), versions=[version])
    with pytest.raises(NotFound):
        plan_prune(path, Judged(), versions=["v9"])


def test_records_stay_and_a_pruned_version_is_compared_as_before(path: Path):
    before = compare(CompareArgs(task_dir=path, base="v3", new="v4"))
    kept = {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and "adapter" not in file.parts}
    judged = Judged(rolled_back=frozenset({"v4"}))
    assert prune(path, plan_prune(path, judged), by="me") == SIZE
    assert not (path / "models" / "v4" / "adapter").exists()
    changed = {file.relative_to(path).as_posix() for file, content in kept.items() if file.read_bytes() != content}
    assert changed == {"iterations/v4/notes.md"}
    assert "Weights removed" in (path / "iterations" / "v4" / "notes.md").read_text(encoding="utf-8")
    note = pruned_note(path, "v4")
    assert note is not None
    assert (note.folders, note.weights_sha256, note.freed_bytes) == (["models/v4/adapter"], {"42": "abc"}, SIZE)
    assert compare(CompareArgs(task_dir=path, base="v3", new="v4")) == before
    assert plan_prune(path, judged).goes == []


def test_bytes_that_a_kept_folder_shares_are_not_counted_as_freed(path: Path):
    run = make_run(path, "v4")
    shared = run / "adapter" / "adapter_model.safetensors"
    shared.parent.mkdir()
    os.link(path / "models" / "v4" / "adapter" / "adapter_model.safetensors", shared)
    (run / "checkpoints").mkdir()
    os.link(shared, run / "checkpoints" / "one")
    os.link(shared, path / "a copy that somebody keeps")
    judged = Judged(rolled_back=frozenset({"v4"}))
    assert plan_prune(path, judged).size == 0
    (path / "a copy that somebody keeps").unlink()
    assert plan_prune(path, judged).size == SIZE


def test_a_version_that_is_being_trained_or_can_go_on_is_never_touched(path: Path):
    task_config = (path / "configs" / "training_config.yaml").read_text(encoding="utf-8")
    begin_version(path, "v5", parent="v3", config_text=task_config)
    run = make_run(path, "v5")
    (run / "checkpoints" / "checkpoint-1").mkdir(parents=True)
    (run / "checkpoints" / "checkpoint-1" / "weights").write_bytes(b"x" * 50)
    write_model(run / "status.json", RunStatus(state=RunState.running, updated_at=now()))
    assert "v5" in names(plan_prune(path, Judged(), everything=True))[2], "interrupted"
    write_model(run / "status.json", RunStatus(state=RunState.failed, updated_at=now()))
    plan = plan_prune(path, Judged())
    assert [(one.version, str(one.why), one.size) for one in plan.goes] == [("v5", "its training failed", 50)]


def test_an_interrupted_pruning_is_finished_by_the_next(path: Path):
    folder = path / "models" / "v4" / "adapter"
    folder.rename(folder.with_name(".pruned-adapter"))
    plan = plan_prune(path, Judged(rolled_back=frozenset({"v4"})))
    assert plan.size == SIZE
    prune(path, plan, by="me")
    assert not list((path / "models" / "v4").glob(".pruned*"))


def test_the_journal_tells_which_versions_were_decided_against():
    events = [
        {"event": "train", "version": "v1"},
        {"event": "choice", "version": "v2", "choice": "rollback"},
        {"event": "adopted", "version": "v3"},
        {"event": "rolled_back", "version": "v1"},
        {"event": "choice", "version": "v4", "choice": "continue"},
        {"event": "not_adopted", "version": "v5"},
    ]
    judged = judged_from(events, "v1")
    assert judged.rolled_back == {"v2", "v3"}
    assert judged.decided == {"v1", "v2", "v3", "v4", "v5"}
    assert judged_from([*events, {"event": "adopted", "version": "v3"}], "v1").rolled_back == {"v2"}
