"""When another training method is proposed, with which pairs, and what is said about it."""

from __future__ import annotations

import json
import shutil

import pytest

from agent.proposing.assemble import build, propose
from agent.proposing.method_rules import method_upgrade, method_values
from agent.proposing.view import View
from tools.change import Tier
from tools.errors import InputError
from tools.preference.pairs import Pair, PairSource, files_of, pair_lines
from tools.reading.task import load_task
from tools.results import Prediction
from tools.running.weights import keep_weights
from tools.scoring.metrics import split_result
from tools.scoring.stored_results import predictions_file, store

LOW = "low_overall"
CONFUSED = "confusion"


@pytest.fixture
def tried(make_task):
    """A task whose v1 takes 中立 for 正面."""
    task = make_task()
    rows = [json.loads(line) for line in (task.path / "data" / "valid.jsonl").read_text("utf-8").splitlines()]
    given = [("正面" if row["label"] == "中立" else row["label"]) for row in rows]
    found = [
        Prediction(
            id=row["id"],
            seed=42,
            input={"text": row["text"]},
            expected=row["label"],
            raw=said,
            parsed=said,
            correct=said == row["label"],
            score=float(said == row["label"]),
        )
        for row, said in zip(rows, given, strict=True)
    ]
    store(
        task.path,
        split_result(task.definition, "v1", "valid", {42: found}, "hash", predictions_file("v1")),
        {42: found},
    )
    return load_task(task.path)


def drafts(made, task, *kinds):
    return method_upgrade(View(task, made.diagnosis(task, *[made.finding(kind) for kind in kinds])))


def own_errors(task, source=PairSource.out_of_fold):
    pairs = [
        Pair(id=f"train-中立{n}", row=f"train-中立{n}", chosen="中立", rejected="負面", source=source) for n in range(5)
    ]
    path = task.path / "data" / "preference" / "v1-out-of-fold.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pair_lines(pairs), "utf-8")


def with_weights(task, tmp_path):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"x")
    keep_weights(task.path, "v1", 42, adapter, ("r", "h"))
    (task.path / "iterations" / "v1").mkdir(parents=True, exist_ok=True)
    shutil.copy(
        task.path / "configs" / "training_config.yaml", task.path / "iterations" / "v1" / "config_snapshot.yaml"
    )


def test_orpo_is_proposed_when_a_target_is_missed_and_no_cheaper_cause_was_found(tried, made):
    [draft] = drafts(made, tried, LOW)
    view = View(tried, made.diagnosis(tried, made.finding(LOW)))
    proposal = build(view, draft)
    assert proposal.tier is Tier.long
    assert proposal.page == "methods/orpo"
    assert "+  method: orpo" in proposal.diff
    assert "data/preference/v1-confusable-" in proposal.diff
    assert "+  learning_rate" not in proposal.diff
    assert proposal.effect.source == "prior"
    assert proposal.effect.low < 0 < proposal.effect.high
    assert "confusable labels" in str(proposal.caution)
    assert "expect little" in str(proposal.caution)
    assert files_of(tried.path) == []


def test_a_method_upgrade_takes_about_twice_the_time_of_the_same_training(tried, made):
    view = View(tried, made.diagnosis(tried, made.finding(LOW)))
    slow = build(view, drafts(made, tried, LOW)[0]).cost
    shown = propose(tried, made.diagnosis(tried, made.finding("underfitting", about={"sign": "no_gap"})))
    rate = next(one for one in shown if "Learning rate" in str(one.title)).cost
    assert 1.2 < slow.minutes / rate.minutes < 2.2


def test_a_confusion_alone_is_no_reason_for_another_method(tried, made):
    assert drafts(made, tried, CONFUSED) == []


def test_own_errors_are_better_pairs_and_with_weights_kept_they_make_dpo_possible(tried, made, tmp_path):
    own_errors(tried)
    assert [draft.page.rpartition("/")[2] for draft in drafts(made, tried, CONFUSED)] == ["orpo"]
    with_weights(tried, tmp_path)
    orpo, dpo = drafts(made, tried, CONFUSED)
    values = {edit.dotted: edit.new for edit in dpo.changes[0].edits}
    assert values == {
        "training.method": "dpo",
        "training.beta": 0.1,
        "training.learning_rate": 5e-6,
        "training.epochs": 1,
        "data.preference": ["data/preference/v1-out-of-fold.jsonl"],
    }
    assert "5 own errors" in str(orpo.caution)
    assert "from the weights of v1" in str(dpo.title)


def test_weights_of_another_shape_are_not_built_upon(tried, made, tmp_path):
    own_errors(tried)
    with_weights(tried, tmp_path)
    config = tried.path / "configs" / "training_config.yaml"
    config.write_text(config.read_text("utf-8").replace("r: 16 ", "r: 32 "), "utf-8")
    assert [draft.page.rpartition("/")[2] for draft in drafts(made, load_task(tried.path), LOW)] == ["orpo"]


@pytest.mark.parametrize("line", ["method: orpo", "command: ./train.sh"])
def test_a_task_that_has_another_method_or_its_own_script_is_left_alone(tried, made, line):
    config = tried.path / "configs" / "training_config.yaml"
    config.write_text(config.read_text("utf-8").replace("epochs: 4", f"{line}\n  epochs: 4"), "utf-8")
    assert drafts(made, load_task(tried.path), LOW) == []


def test_without_a_validation_result_no_method_can_be_proposed(task, made):
    assert drafts(made, task, LOW) == []
    with pytest.raises(InputError, match="no training row has a pair"):
        method_values(task, "orpo")


def test_a_rejected_method_does_not_come_back(tried, made):
    from agent.proposing.history import ProposalHistory
    from tools.change import Decision, Verb

    found = made.diagnosis(tried, made.finding(LOW))
    [proposal] = [one for one in propose(tried, found) if one.page == "methods/orpo"]
    no = Decision(proposal_id=proposal.id, decision=Verb.reject, by="person", at="2026-01-01T00:00:00Z")
    again = propose(tried, found, ProposalHistory(decisions=[(proposal, no)]))
    assert "methods/orpo" not in [one.page for one in again]
