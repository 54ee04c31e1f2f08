"""Are version records written once, kept whole through crashes, and is nothing of the user's ever lost?"""

from __future__ import annotations

import json

import pytest

from tools.change import Change, ChangeKind, Cost, Decision, Difficulty, Edit, Effect, Goal, Proposal, Tier, Verb
from tools.errors import InputError, NotFound, Refused
from tools.results import SplitResult
from tools.running.collect import SeedOutcome, VersionOutcome
from tools.text import T
from tools.versioning.records import changes_between, drift, locked_evaluator_hash, read_manifest, training_of
from tools.versions import (
    begin_version,
    list_versions,
    next_version,
    record_choice,
    record_failure,
    record_results,
    restore_version,
)

OLD = "# mine\nlora:\n  r: 16\ntraining:\n  epochs: 3  # short\n"
NEW = OLD.replace("16", "32")


def proposal(**more) -> Proposal:
    edit = Edit(path=("lora", "r"), old=16, new=32)
    values = {
        "task": "mood",
        "title": T("More capacity"),
        "problem": T("The score is low everywhere."),
        "goal": Goal(metric="macro_f1", now=0.72, wanted=0.8),
        "changes": [
            Change(kind=ChangeKind.config, summary=T("LoRA rank: {old} → {new}", old=16, new=32), edits=[edit])
        ],
        "diff": "-  r: 16\n+  r: 32",
        "config_sha256": "0",
        "effect": Effect(metric="macro_f1", low=0.02, high=0.05, p_better=0.7, source="prior", basis=T("The matrix.")),
        "cost": Cost(minutes=8, basis=T("Measured.")),
        "difficulty": Difficulty.low,
        "tier": Tier.quick,
        "page": "methods/lora",
    }
    return Proposal(**(values | more))


def decision(**more) -> Decision:
    values = {
        "proposal_id": "x",
        "decision": Verb.approve,
        "by": "person",
        "who": "mei",
        "at": "2026-01-01T00:00:00+00:00",
    }
    return Decision(**(values | more))


def outcome(*seeds: int, macro_f1: float = 0.75) -> VersionOutcome:
    result = SplitResult(
        version="v1",
        split="valid",
        metrics={"macro_f1": macro_f1},
        seeds={str(seed): {"macro_f1": macro_f1} for seed in seeds},
        rows=90,
        evaluator_hash="e",
    )
    return VersionOutcome(
        version="v1",
        result=result,
        result_file="benchmarks/results/v1_valid.json",
        predictions="benchmarks/results/v1_valid.predictions.jsonl",
        history=None,
        evaluator_hash="e",
        test_evaluator_hash="locked-e",
        seeds=[seed_outcome(seed) for seed in seeds],
    )


def seed_outcome(seed: int) -> SeedOutcome:
    return SeedOutcome(
        run_id=f"v1-s{seed}",
        seed=seed,
        trained=True,
        config_hash="c",
        data_hash="d",
        best_step=10,
        best_epoch=1.0,
        stopped_early=False,
        rows_truncated=0,
        minutes=4.0,
        tokens_per_second=100.0,
        peak_memory_mb=900.0,
        precision="bf16",
        reason_precision="fast here",
        resumed=0,
        adapter_sha256="a",
        weights=None,
        sealed=None,
        sealed_sha256=None,
    )


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_record_has_the_files_of_the_specification_with_the_goal_first(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    begin_version(task.path, "v2", parent="v1", config_text=NEW, proposal=proposal(), decision=decision())
    assert set(content(task.path / "iterations/v2")) == {
        "config_snapshot.yaml",
        "changes.md",
        "notes.md",
        "manifest.json",
    }
    assert "changes.md" not in content(task.path / "iterations/v1")
    assert task.read("iterations/v2/config_snapshot.yaml") == NEW
    notes = task.read("iterations/v2/notes.md").splitlines()
    assert notes[2] == "**Goal**: Macro-F1 from 72.0% to 80.0% (+8.0 points)."
    assert any("approved by person mei" in line for line in notes)
    changes = task.read("iterations/v2/changes.md")
    assert changes.startswith("# Changes: v1 → v2\n\n- LoRA rank: 16 → 32")
    assert "+  r: 32" in changes


def test_beginning_twice_is_beginning_once(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    before = content(task.path / "iterations/v1")
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    assert content(task.path / "iterations/v1") == before


@pytest.mark.parametrize("lost", ["manifest.json", "notes.md manifest.json", "changes.md notes.md manifest.json"])
def test_a_crash_in_the_middle_is_finished_by_the_repeat(claim_task, lost):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    whole = {"parent": "v1", "config_text": NEW, "proposal": proposal(), "decision": decision()}
    begin_version(task.path, "v2", **whole)
    before = content(task.path / "iterations/v2")
    for name in lost.split():
        (task.path / "iterations/v2" / name).unlink()
    begin_version(task.path, "v2", **whole)
    after = content(task.path / "iterations/v2")
    assert {k: v for k, v in after.items() if k != "manifest.json"} == {
        k: v for k, v in before.items() if k != "manifest.json"
    }


def test_another_content_under_the_same_name_is_refused_and_nothing_changes(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    before = content(task.path / "iterations/v1")
    with pytest.raises(Refused):
        begin_version(task.path, "v1", parent=None, config_text=NEW)
    assert content(task.path / "iterations/v1") == before


def test_notes_that_a_person_wrote_ahead_are_not_overwritten(claim_task):
    task = claim_task()
    task.write("iterations/v2/notes.md", "my idea for v2")
    with pytest.raises(Refused):
        begin_version(task.path, "v2", parent=None, config_text=OLD)
    assert task.read("iterations/v2/notes.md") == "my idea for v2"
    assert not (task.path / "iterations/v2/config_snapshot.yaml").exists()


def test_the_manifest_names_every_data_file_with_its_hash(claim_task):
    task = claim_task()
    task.write("data/more.jsonl", "{}\n")
    text = OLD + "data:\n  train: [data/train.jsonl, data/more.jsonl, data/gone.jsonl]\n"
    begin_version(task.path, "v1", parent=None, config_text=text)
    manifest = read_manifest(task.path / "iterations/v1")
    assert set(manifest.data) == {
        "data/train.jsonl",
        "data/more.jsonl",
        "data/gone.jsonl",
        "data/valid.jsonl",
        "data/test.jsonl",
    }
    assert manifest.data["data/gone.jsonl"] is None
    assert len(manifest.data["data/more.jsonl"]) == 64
    assert drift(task.path, "v1") == []


def test_data_that_changed_since_is_named(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    task.write("data/train.jsonl", task.read("data/train.jsonl") + "{}\n")
    task.write("iterations/v1/config_snapshot.yaml", NEW)
    assert [problem.path for problem in drift(task.path, "v1")] == [
        "data/train.jsonl",
        "iterations/v1/config_snapshot.yaml",
    ]


def test_a_data_path_that_leaves_the_task_is_not_read(claim_task):
    task = claim_task()
    (task.path.parent / "secret.txt").write_text("x")
    begin_version(task.path, "v1", parent=None, config_text="data:\n  train: ../secret.txt\n")
    assert read_manifest(task.path / "iterations/v1").data["../secret.txt"] is None


def test_results_are_recorded_once_and_read_back_as_valid(claim_task):
    from tools.read_results import ReadResultsArgs, latest, read_results

    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    record_results(task.path, "v1", outcome(42))
    record_results(task.path, "v1", outcome(42))
    found = latest(read_results(ReadResultsArgs(task_dir=task.path)), "v1", "valid")
    assert found.metrics == {"macro_f1": 0.75}
    assert task.read("iterations/v1/notes.md").count("## Result") == 1
    assert locked_evaluator_hash(task.path, "v1") == "locked-e"


def test_a_seed_that_is_added_later_joins_the_record(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    record_results(task.path, "v1", outcome(42))
    record_results(task.path, "v1", outcome(42, 43).model_copy(update={"seeds": [seed_outcome(43)]}))
    assert [seed.seed for seed in training_of(task.path, "v1")] == [42, 43]


def test_failures_and_choices_are_added_to_the_notes_once(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    for _ in range(2):
        record_failure(task.path, "v1", T("Out of memory."))
        record_choice(task.path, "v1", "rollback", by="mei", reason="worse on 中立")
    notes = task.read("iterations/v1/notes.md")
    assert notes.count("Out of memory.") == 1
    assert notes.count("roll back, decided by mei: worse on 中立") == 1


def test_restoring_brings_back_every_byte_and_keeps_hand_edits(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    task.config.write_bytes(b"# by hand\r\nlora: {r: 99}\r\n")
    done = restore_version(task.path, "v1")
    assert done.changed
    assert task.config.read_bytes() == OLD.encode()
    assert (task.path / done.saved).read_bytes() == b"# by hand\r\nlora: {r: 99}\r\n"
    again = restore_version(task.path, "v1")
    assert (again.changed, again.saved) == (False, None)
    assert len(list((task.path / "iterations/hand_edits").iterdir())) == 1


def test_a_configuration_that_is_in_a_record_is_not_kept_twice(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    begin_version(task.path, "v2", parent="v1", config_text=NEW)
    task.config.write_text(NEW, encoding="utf-8")
    assert restore_version(task.path, "v1").saved is None
    assert not (task.path / "iterations/hand_edits").exists()


def test_restoring_never_touches_data_and_says_what_changed(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    task.write("data/valid.jsonl", "{}\n")
    done = restore_version(task.path, "v1")
    assert task.read("data/valid.jsonl") == "{}\n"
    assert [problem.path for problem in done.problems] == ["data/valid.jsonl"]


def test_a_version_without_a_snapshot_cannot_be_restored_and_says_which_can(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    task.write("iterations/v2/notes.md", "only notes")
    with pytest.raises(NotFound) as error:
        restore_version(task.path, "v2")
    assert "v1" in str(error.value.hint)


def test_folders_that_a_person_made_are_listed_as_far_as_they_go(claim_task):
    task = claim_task()
    task.write("iterations/v1/results.json", json.dumps({"split": "valid", "macro_f1": "72.0%"}))
    task.write("iterations/v2/notes.md", "only notes")
    task.write("iterations/v10/config_snapshot.yaml", "lora: {r: 8}\n")
    task.write("iterations/v3/manifest.json", "{broken")
    task.write("iterations/baseline/config_snapshot.yaml", "x")
    task.write("iterations/hand_edits/2026.yaml", "x")
    task.write("iterations/readme.txt", "x")
    records = {record.version: record for record in list_versions(task.path)}
    assert list(records) == ["baseline", "v1", "v2", "v3", "v10"]
    assert records["v1"].has_result
    assert not records["v2"].has_result
    assert records["v10"].snapshot is not None
    assert records["v3"].problems
    assert next_version(task.path) == "v11"


def test_a_version_known_only_by_its_result_file_is_listed(claim_task):
    task = claim_task()
    task.version("v4", {1: range(10)})
    assert [(record.version, record.has_result) for record in list_versions(task.path)] == [("v4", True)]
    assert next_version(task.path) == "v5"


def test_weights_and_unopened_test_results_also_take_a_name(claim_task):
    task = claim_task()
    assert next_version(task.path) == "v1"
    (task.path / "models/v2/adapter").mkdir(parents=True)
    assert next_version(task.path) == "v3"
    task.write("benchmarks/results/v6_test.json", "{}")
    assert next_version(task.path) == "v7"


@pytest.mark.parametrize("name", ["../v1", "v1/..", "", ".", "a/b"])
def test_a_name_that_leaves_the_folder_is_refused(claim_task, name):
    task = claim_task()
    with pytest.raises(InputError):
        begin_version(task.path, name, parent=None, config_text=OLD)
    with pytest.raises(InputError):
        restore_version(task.path, name)


def test_changes_made_by_hand_are_put_into_words(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    text = NEW + "  class_weights: {中立: 1.5}\ndata:\n  exclude: [a, b]\n"
    begin_version(task.path, "v2", parent="v1", config_text=text)
    assert [str(change) for change in changes_between(task.path, "v1", "v2")] == [
        "LoRA rank: 16 → 32",
        "Class weights: - → 中立 1.5",
        "Rows left out: 0 → 2",
    ]


def test_data_that_changed_between_versions_is_among_the_changes(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text=OLD)
    task.write("data/train.jsonl", "{}\n")
    begin_version(task.path, "v2", parent="v1", config_text=OLD)
    assert [str(change) for change in changes_between(task.path, "v1", "v2")] == [
        "The content of data/train.jsonl changed."
    ]


def test_changes_against_a_version_without_a_snapshot_are_said_to_be_unknown(claim_task):
    task = claim_task()
    task.write("iterations/v1/notes.md", "x")
    task.write("iterations/v2/config_snapshot.yaml", "lora: {r: 8}\n")
    assert "Not recorded" in str(changes_between(task.path, "v1", "v2")[0])


def test_a_broken_configuration_still_has_a_change_list(claim_task):
    task = claim_task()
    task.write("iterations/v1/config_snapshot.yaml", "lora: {r: [\n")
    task.write("iterations/v2/config_snapshot.yaml", "lora: {r: 8}\n")
    assert "not valid YAML" in str(changes_between(task.path, "v1", "v2")[0])


def test_a_diff_that_holds_a_code_fence_does_not_end_the_block(claim_task):
    task = claim_task()
    begin_version(task.path, "v1", parent=None, config_text="prompt:\n  system: a\n")
    begin_version(task.path, "v2", parent="v1", config_text="prompt:\n  system: '```'\n")
    assert "\n````diff\n" in task.read("iterations/v2/changes.md")
