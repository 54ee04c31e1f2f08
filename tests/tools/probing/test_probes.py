"""Probes by real workers with a tiny model: quick check, range test, scores of a pool, a prompt without a training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.conversation.wishes import wish_for
from tools.edit_config import config_after
from tools.labelling.ask_person import fill_batch, open_pool
from tools.labelling.model_scores import can_score, model_scores, plan_scores
from tools.launch_training import LaunchArgs, launch_training, run_all
from tools.probing.lr_range import plan_range, rate_change, read_range
from tools.probing.probe_runs import QUICK_DIR, prepare_probe, run_probe
from tools.probing.quick_check import QuickCheckArgs, QuickPlan, plan_quick_check
from tools.probing.quick_records import quick_outcome, read_quick
from tools.probing.quick_wanted import follow_quick, want_quick, wanted_quick
from tools.reading.task import load_task
from tools.running.answers_only import answers_only
from tools.running.collect import collect
from tools.running.plan_runs import plan_runs
from tools.runs import RateRange, RunDir
from tools.task import Task
from tools.versions import list_versions

pytestmark = pytest.mark.training

LABELS = ["支持", "反對", "中立"]
TEST_TEXT = "鎖住的句子"


@pytest.fixture(scope="module")
def task_dir(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A small task with a trained first version."""
    root = tmp_path_factory.mktemp("probes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ITERATE_CACHE", str(root / "cache"))
        path = root / "tasks" / "mini"
        for folder in ("data/raw", "configs"):
            (path / folder).mkdir(parents=True)
        (path / "task_definition.yaml").write_text(
            "task_name: mini\ntask_type: classification\nlanguage: zh-TW\ninput_format: {template: '文本：{text}'}\n"
            "output_format: {type: label, labels: [支持, 反對, 中立]}\n",
            encoding="utf-8",
        )
        (path / "configs" / "training_config.yaml").write_text(
            f"lora: {{r: 4, alpha: 8}}\ntraining: {{base_model: {tiny_model}, epochs: 1, batch_size: 8, precision: fp32}}\n",
            encoding="utf-8",
        )
        for split, count in (("train", 30), ("valid", 12), ("test", 6), ("raw/pool", 9)):
            words = TEST_TEXT if split == "test" else f"{split[:5]} 提案"
            rows = [
                {"id": f"{split[:4]}{n}", "text": f"{words}{n}，{LABELS[n % 3]}。" + "好" * (n % 7)}
                for n in range(count)
            ]
            if split != "raw/pool":
                rows = [{**row, "label": LABELS[n % 3]} for n, row in enumerate(rows)]
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (path / f"data/{split}.jsonl").write_text(lines, encoding="utf-8")
        runs = launch_training(LaunchArgs(task_dir=path, version="v1")).paths
        assert run_all(runs, lambda _run, _event: None, poll_seconds=0.05)
        collect(load_task(path), "v1", runs)
        yield path


@pytest.fixture
def task(task_dir: Path) -> Task:
    return load_task(task_dir)


def quick_plan(task: Task) -> QuickPlan:
    proposal = wish_for(task.path, [("training.learning_rate", 0.02)], origin="person")
    return plan_quick_check(
        QuickCheckArgs(
            task_dir=task.path,
            changes=proposal.changes,
            change_id=proposal.id,
            metric="macro_f1",
            share=0.5,
            valid_rows=9,
        )
    )


def test_a_quick_check_compares_both_sides_and_leaves_no_version_no_weights_and_no_test_row(task: Task) -> None:
    before, versions = task.config.text, list_versions(task.path)
    plan = want_quick(quick_plan(task).args)
    assert (plan.waiting, plan.train_rows, plan.valid_rows) == (2, (15, 15), 9)
    assert plan.estimate is not None and plan.estimate.minutes > 0
    left: list[object] = []
    assert follow_quick(plan, lambda run, event: left.append(run), lambda: bool(left)) is None
    wanted = wanted_quick(task.path, plan.args.change_id)
    assert wanted == plan  # left, not lost: whoever comes back goes on
    result = follow_quick(wanted)
    assert result is not None
    assert wanted_quick(task.path, plan.args.change_id) is None
    assert (result.metric, result.train_rows, result.valid_rows) == ("macro_f1", (15, 15), 9)
    assert result.low <= result.difference <= result.high
    assert result.trust.pairs == 0
    assert list_versions(task.path) == versions
    assert load_task(task.path).config.text == before
    folder = task.path / QUICK_DIR
    assert not list(folder.rglob("*.safetensors")) and not list(folder.rglob("*.sealed"))
    assert not any(TEST_TEXT in file.read_text("utf-8", "replace") for file in folder.rglob("*.jsonl"))
    assert [one.difference for one in read_quick(task.path)] == [result.difference]
    found = quick_outcome(task.path, plan.args.change_id, task.config.sha256)
    assert found is not None and found.difference == result.difference
    assert quick_outcome(task.path, plan.args.change_id, "another configuration") is None
    again = quick_plan(task)
    assert (again.waiting, again.base, again.changed) == (0, plan.base, plan.changed)
    assert again.estimate is not None and again.estimate.minutes == 0


def test_a_range_test_takes_the_steps_it_said_with_rising_rates_and_can_be_read(task: Task) -> None:
    run = plan_range(task, RateRange(low=1e-5, high=1.0, steps=24))
    result = run_probe(run)
    assert result is not None
    rates = [point.learning_rate for point in result.history]
    assert len(rates) <= 24
    assert rates == sorted(rates) and rates[0] == pytest.approx(1e-5)
    reading = read_range(run)
    assert len(reading.points) == len(rates)
    change = rate_change(task, reading)
    assert change is None or change.edits[0].dotted == "training.learning_rate"
    assert not (run / "checkpoints").exists()


def test_a_version_says_how_sure_it_is_of_each_row_of_a_pool(task: Task) -> None:
    assert can_score(task, "v1") and not can_score(task, "v9") and not can_score(task, "")
    pool = open_pool(task)
    scores = model_scores(plan_scores(task, "v1", pool.rows), lambda event: None)
    assert scores is not None
    assert set(scores) == {row.id for row in pool.rows}
    assert all(set(one) == set(LABELS) and sum(one.values()) == pytest.approx(1, abs=1e-4) for one in scores.values())
    filled = fill_batch(task, pool, 6, version="v1", scores=scores)
    assert (filled.version, filled.added, filled.at_random) == ("v1", 6, 2)


def test_a_changed_prompt_is_evaluated_with_the_parents_weights_and_other_words_are_trained(task: Task) -> None:
    shown = wish_for(task.path, [("prompt.examples", ["trai0", "trai1"])], origin="person")
    assert answers_only(task.path, "v1", shown.changes)
    assert shown.cost.trainings == 0
    assert "v1 were trained with another prompt" in str(shown.caution)
    assert not answers_only(task.path, "v9", shown.changes)
    words = wish_for(task.path, [("prompt.label_words", {"支持": "yes"})], origin="person")
    assert not answers_only(task.path, "v1", words.changes)
    text = task.config.text + "prompt: {examples: [trai0, trai1]}\n"
    after = task.model_copy(update={"config": config_after(task, text)})
    [plan] = plan_runs(after, "v2", train=False, weights_from="v1")
    assert plan.spec.adapter_from == str((task.path / "models/v1/adapter").resolve())
    assert b"assistant" in plan.data["valid.jsonl"]


def test_a_probe_that_failed_is_begun_anew(task: Task) -> None:
    run = plan_range(task, RateRange(low=1e-5, high=0.9, steps=20))
    status = {"state": "failed", "updated_at": "2026-01-01T00:00:00+00:00"}
    (run / "status.json").write_text(json.dumps(status), encoding="utf-8")
    (run / "left_behind").touch()
    assert plan_range(task, RateRange(low=1e-5, high=0.9, steps=20)) == run
    assert not (run / "left_behind").exists() and RunDir(run).status() is None


def test_a_probe_never_gets_a_test_split(task: Task) -> None:
    spec = plan_runs(task, "quick")[0].spec
    with pytest.raises(AssertionError):
        prepare_probe(task.path, spec, {"train": [], "valid": [], "test": []})
