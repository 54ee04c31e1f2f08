"""The versions of a task at a glance, healthy, unfinished and broken ones; the test set stays closed."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.support.run_dirs import alive, at, copy_task, make_child, make_result, run_dir, write_status
from tools.files import append_line
from tools.results import SplitResult
from tools.runs import RunError, RunState
from tools.text import T
from tools.versioning.ledger import LEDGER, Opening
from tools.versioning.overview import overview, score_of


@pytest.fixture
def task(tmp_path):
    return copy_task(tmp_path)


def found(task, version):
    return next(one for one in overview(task).versions if one.version == version)


def test_a_version_of_one_seed_has_the_interval_of_drawing_its_rows_again(task):
    score = found(task, "v1").score
    assert score.value == pytest.approx(0.5776, abs=1e-4) and score.rows == 240 and len(score.seeds) == 1
    # 1.96 standard errors of a proportion of .56 over 240 rows are 6.3 points.
    assert 0.05 < score.value - score.low < 0.08 and 0.05 < score.high - score.value < 0.08


def test_a_version_of_several_seeds_has_their_spread(task):
    make_child(task)
    make_result(task, seeds=(42, 43, 44))
    score = found(task, "v2").score
    assert len(score.seeds) == 3 and (score.low, score.high) == (min(score.seeds), max(score.seeds))
    assert score.low < score.value < score.high


def test_parent_changes_weights_and_use_come_from_the_records(task):
    make_child(task)
    (task / "models/v2/adapter").mkdir(parents=True)
    pointer = {"version": "v1", "adapters": [], "at": at(0), "by": "me", "decision_id": "d", "previous": None}
    (task / "models/current.json").write_text(json.dumps(pointer))
    first, second = overview(task).versions
    assert (second.parent, [str(change) for change in second.changes]) == ("v1", ["Epochs: 4 → 6"])
    assert (first.weights, second.weights, first.in_use, second.in_use) == (False, True, True, False)


def test_a_test_score_is_shown_only_where_the_ledger_has_it(task):
    assert found(task, "v1").record.sealed and found(task, "v1").test is None
    opening = Opening(
        ordinal=1, at=at(0), why="w", by="me", decision_id="d", versions=["v1"], scores={"v1": {"macro_f1": 0.55}},
        evaluator_hash=None, p=None,
    )  # fmt: skip
    append_line(task / LEDGER, opening.model_dump_json())
    assert (found(task, "v1").test, found(task, "v1").opening) == (0.55, 1)


@pytest.mark.parametrize(
    ("state", "stage"),
    [(RunState.failed, "failed"), (RunState.cancelled, "cancelled"), (RunState.running, "interrupted")],
)
def test_a_version_without_a_result_tells_what_became_of_its_training(task, state, stage):
    make_child(task)
    assert found(task, "v2").stage == "unfinished"
    run = run_dir(task)
    assert found(task, "v2").stage == "waiting"
    error = RunError(kind="crash", message=T("It broke.")) if state is RunState.failed else None
    write_status(run, state, error=error)
    facts = found(task, "v2")
    assert (facts.stage, facts.score, str(facts.reason)) == (stage, None, "It broke." if error else "None")


def test_a_version_in_training_is_seen_as_such(task):
    make_child(task)
    run = run_dir(task)
    write_status(run)
    with alive(run):
        assert found(task, "v2").stage == "training"


def test_broken_records_are_listed_with_what_is_wrong(task):
    folder = make_child(task)
    (folder / "manifest.json").write_text("{")
    (task / "iterations/v3").mkdir()
    make_child(task, "v4")
    broken = run_dir(task, "v4-s42", version="v4")
    broken.file("spec.json").write_bytes(b"\xff")
    facts = {one.version: one for one in overview(task).versions}
    assert list(facts) == ["v1", "v2", "v3", "v4"]
    assert "manifest" in str(facts["v2"].record.problems[0].message)
    assert (facts["v3"].stage, facts["v3"].parent, facts["v4"].stage) == ("unfinished", None, "unfinished")


def test_a_task_without_any_version_is_empty(task):
    shutil.rmtree(task / "iterations")
    shutil.rmtree(task / "benchmarks")
    assert overview(task).versions == []


def test_a_label_that_no_drawn_row_expects_lowers_no_interval():
    confusion = {"a": {"a": 99, "b": 0}, "b": {"a": 0, "b": 1}}
    result = SplitResult(version="v1", split="valid", metrics={"macro_f1": 1.0}, confusion=confusion, rows=100)
    assert score_of(result, "macro_f1").low == 1.0
