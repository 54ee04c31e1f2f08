"""A task folder with each kind of damage: it is named with a next step, and mending loses no byte."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from tests.support.run_dirs import alive, copy_task, history, live_run, make_child, run_dir, write_status
from tools.auditing.access import LEAST_FREE, locks_hold, room
from tools.auditing.audit import audit_task
from tools.auditing.keeping import FOLDER, NOTES, Keeper
from tools.files import append_line, write_atomic
from tools.running.weights import keep_weights
from tools.runs import RunState
from tools.text import english
from tools.versioning.adopt import adopt
from tools.versioning.ledger import LEDGER, SHOWN, open_test, openings
from tools.versions import list_versions

OLD = 1_600_000_000


@pytest.fixture
def task(tmp_path):
    """The record of a real training."""
    return copy_task(tmp_path)


def kinds(task, *, notes=False):
    return sorted(one.kind for one in audit_task(task) if one.is_problem or notes)


def only(task):
    found = [one for one in audit_task(task) if one.is_problem]
    assert len(found) == 1, [str(one.what) for one in found]
    return found[0]


def mend(task):
    keeper = Keeper(task)
    for trouble in audit_task(task):
        if trouble.repair is not None:
            trouble.repair(keeper)
    return keeper.folder


def contents(folder):
    return {path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_healthy_task_is_clean_and_looking_changes_nothing(task):
    before = {path: path.read_bytes() for path in task.rglob("*") if path.is_file()}
    assert kinds(task, notes=True) == []
    assert {path: path.read_bytes() for path in task.rglob("*") if path.is_file()} == before


def torn(task):
    append_line(task / "iterations/journal.jsonl", '{"event": "one"}')
    with (task / "iterations/journal.jsonl").open("ab") as stream:
        stream.write('{"event": "太'.encode()[:-1])
    append_line(task / "iterations/journal.jsonl", '{"event": "two"}')


def leftover(task):
    path = task / "iterations" / ".journal.jsonl.ab3_x9zq"
    path.write_bytes(b"half")
    os.utime(path, (OLD, OLD))


def broken_status(task):
    run = run_dir(task)
    run.file("status.json").write_bytes(b'{"state": "runn')


def lost_result(task):
    run = run_dir(task)
    write_status(run, RunState.succeeded)


def half_a_run(task):
    write_atomic(task / "runs" / "v2-s42" / "data" / "train.jsonl", "{}\n")


def lost_snapshot(task):
    (task / "iterations/v1/config_snapshot.yaml").unlink()


def changed_snapshot(task):
    with (task / "iterations/v1/config_snapshot.yaml").open("ab") as stream:
        stream.write(b"# sneaked in\n")


def changed_seal(task):
    keep_the_seal(task)
    with (task / "iterations/v1/sealed/test_seed42.sealed").open("ab") as stream:
        stream.write(b"more")


def lost_seal(task):
    keep_the_seal(task)
    (task / "iterations/v1/sealed/test_seed42.sealed").unlink()


def keep_the_seal(task):
    """As the run directory has it."""
    seed = json.loads((task / "iterations/v1/results.json").read_bytes())["training"][0]
    target = task / "runs" / seed["run_id"] / "sealed" / "test_seed42.sealed"
    run = run_dir(task, seed["run_id"], version="v1")
    write_status(run, RunState.failed)
    target.parent.mkdir(parents=True)
    shutil.copyfile(task / seed["sealed"], target)


@pytest.mark.parametrize(
    ("damage", "kind", "left"),
    [
        (torn, "torn_lines", []),
        (leftover, "leftover", []),
        (broken_status, "run", []),
        (lost_result, "run", []),
        (half_a_run, "run", []),
        (lost_snapshot, "version", []),
        (changed_snapshot, "version", []),
        (changed_seal, "locked_test", []),
        (lost_seal, "locked_test", []),
    ],
)
def test_what_can_be_mended_is_mended_and_every_byte_kept(task, damage, kind, left):
    damage(task)
    trouble = only(task)
    assert trouble.kind == kind
    assert all(english(text) for text in (trouble.what, trouble.matters, trouble.hint, trouble.mend))
    before = contents(task)
    kept = mend(task)
    assert kinds(task) == left
    assert before <= contents(task), "nothing was lost"
    if kept.exists():
        assert len((kept / NOTES).read_text("utf-8").splitlines()) >= 1


def unknown_parent(task):
    make_child(task, parent="v1")
    manifest = json.loads((task / "iterations/v2/manifest.json").read_bytes())
    write_atomic(task / "iterations/v2/manifest.json", json.dumps({**manifest, "parent": "v0"}))
    write_atomic(
        task / "iterations/v2/config_snapshot.yaml", (task / "iterations/v1/config_snapshot.yaml").read_bytes()
    )
    write_status(run_dir(task), RunState.failed)


def never_trained(task):
    make_child(task)
    write_atomic(
        task / "iterations/v2/config_snapshot.yaml", (task / "iterations/v1/config_snapshot.yaml").read_bytes()
    )


def lost_predictions(task):
    (task / "benchmarks/results/v1_valid.predictions.jsonl").unlink()


def lost_weights(task):
    source = task.parent / "weights"
    source.mkdir()
    keep_weights(task, "v1", 42, source, ("v1-s42", "sha"))
    shutil.rmtree(task / "models/v1/adapter")


def stalled(task):
    live_run(task, history()[:4], version="v1")


def pointer_to_nothing(task):
    record = {"version": "v7", "adapters": [], "at": "t", "by": "me", "decision_id": "d", "previous": None}
    write_atomic(task / "models/current.json", json.dumps(record))


def broken_pointer(task):
    write_atomic(task / "models/current.json", '{"version"')


def broken_manifest(task):
    write_atomic(task / "iterations/v1/manifest.json", "[]")


@pytest.mark.parametrize(
    ("damage", "kind", "says"),
    [
        (unknown_parent, "version", "v0"),
        (never_trained, "result", "iterate run stance"),
        (lost_predictions, "result", "iterate evaluate stance"),
        (lost_weights, "weights", "Train v1 again"),
        (stalled, "interrupted_run", "iterate train stance --version v1"),
        (pointer_to_nothing, "in_use", "roll back"),
        (broken_pointer, "in_use", "iterate adopt"),
        (broken_manifest, "version", "copy"),
    ],
)
def test_what_needs_a_person_is_named_with_the_next_step_and_left_alone(task, damage, kind, says):
    damage(task)
    trouble = only(task)
    assert (trouble.kind, trouble.repair) == (kind, None)
    assert says in english(trouble.what) + english(trouble.hint)


def test_a_hand_edit_is_worth_a_note_and_no_fault(task):
    with (task / "configs/training_config.yaml").open("a") as stream:
        stream.write("# mine\n")
    assert (kinds(task), kinds(task, notes=True)) == ([], ["configuration"])


def test_a_run_that_a_worker_holds_is_left_in_peace(task):
    run = live_run(task, history()[:4], version="v1")
    run.file("status.json").write_bytes(b"{")
    scratch = run.file(".result.json.abcdefgh")
    scratch.write_bytes(b"")
    os.utime(scratch, (OLD, OLD))
    with alive(run):
        assert kinds(task) == []
    assert kinds(task) == ["leftover", "run"]


@pytest.fixture
def adopted(task):
    open_test(task, ["v1"], why="adoption of v1", by="tester", decision_id="s:v1")
    adopt(task, "v1", by="tester", decision_id="s:v1")
    return task


def test_an_adopted_task_is_clean(adopted):
    assert kinds(adopted) == []


def test_a_line_that_was_appended_after_the_look_is_not_mended_away(task):
    path = task / "iterations/journal.jsonl"
    append_line(path, "{torn")
    (trouble,) = (one for one in audit_task(task) if one.kind == "torn_lines")
    append_line(path, '{"later": 1}')
    trouble.repair(Keeper(task))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[-1] == '{"later": 1}' and "{torn" not in lines


def test_a_torn_line_of_the_ledger_keeps_counting_as_an_opening(adopted):
    with (adopted / LEDGER).open("ab") as stream:
        stream.write(b'{"ordinal": 2, "at"')
    assert (only(adopted).kind, len(openings(adopted))) == ("torn_lines", 2)
    mend(adopted)
    assert kinds(adopted) == []
    assert [line.ordinal for line in openings(adopted)] == [1, 2]


def lost_ledger_line(task):
    (task / LEDGER).write_bytes(b"")


def lost_shown(task):
    (task / SHOWN).unlink()


def ledger_of_a_version_that_is_gone(task):
    line = json.loads((task / LEDGER).read_bytes())
    write_atomic(task / LEDGER, json.dumps({**line, "versions": ["v9"]}) + "\n")


@pytest.mark.parametrize("damage", [lost_ledger_line, lost_shown, ledger_of_a_version_that_is_gone])
def test_an_opening_that_was_tampered_with_is_never_mended_away(adopted, damage):
    damage(adopted)
    found = [one for one in audit_task(adopted) if one.is_problem]
    assert {one.kind for one in found} == {"locked_test"}
    assert all(one.repair is None for one in found)


def test_checking_never_opens_what_is_sealed(task, monkeypatch):
    monkeypatch.setattr("tools.versioning.ledger._unseal", lambda *_: pytest.fail("opened"))
    changed_seal(task)
    assert only(task).kind == "locked_test"
    mend(task)


def test_files_that_cannot_be_written_are_named_and_allowed_again(task):
    shut = task / "iterations/v1/notes.md"
    shut.chmod(0o000)
    (task / "benchmarks").chmod(0o500)
    trouble = only(task)
    assert trouble.kind == "permission"
    assert "notes.md" in english(trouble.what)
    mend(task)
    assert (kinds(task), shut.stat().st_mode & 0o600) == ([], 0o600)


def test_what_mending_keeps_is_not_checked_again(task):
    torn(task)
    mend(task)
    assert list((task / FOLDER).rglob("journal.jsonl"))
    assert kinds(task) == []


def test_a_folder_that_is_no_task_is_told_instead_of_a_crash(tmp_path):
    (tmp_path / "iterations" / "v1").mkdir(parents=True)
    (tmp_path / "iterations" / "v1" / "manifest.json").write_text("{")
    assert kinds(tmp_path)
    assert list_versions(tmp_path)


def test_a_full_disk_and_a_disk_without_locks_are_told(tmp_path, monkeypatch):
    assert list(room(tmp_path)) == list(locks_hold(tmp_path)) == []
    usage = shutil._ntuple_diskusage(10, 9, LEAST_FREE - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr("tools.auditing.access.lock_descriptor", lambda *_, **__: True)
    assert [one.kind for one in [*room(tmp_path), *locks_hold(tmp_path)]] == ["disk", "lock"]
    assert list(tmp_path.iterdir()) == []


def test_what_is_entered_between_the_look_and_the_mending_is_kept(adopted):
    with (adopted / LEDGER).open("ab") as stream:
        stream.write(b'{"ordinal": 2, "at"')
    seen = audit_task(adopted)
    line = openings(adopted)[0].model_copy(update={"ordinal": 3, "decision_id": "s:later"})
    append_line(adopted / LEDGER, line.model_dump_json())
    for trouble in seen:
        trouble.repair(Keeper(adopted))
    assert [(line.ordinal, line.decision_id) for line in openings(adopted)][1:] == [(2, ""), (3, "s:later")]
