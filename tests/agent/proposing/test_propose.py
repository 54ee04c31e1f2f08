from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.proposing import ProposalHistory, baseline, propose
from agent.proposing.assemble import MOST_PROPOSALS
from tools.change import Decision, Proposal, Tier, Verb
from tools.edit_config import apply_edits
from tools.files import append_line, now
from tools.task import Task
from tools.versioning.forecasts import FILE, Outcome, record_forecast


@pytest.fixture
def underfit(made: Any) -> Any:
    return made.finding("underfitting", about={"sign": "still_falling"})


def decided(proposal: Proposal, verb: Verb = Verb.reject, reason: str = "") -> tuple[Proposal, Decision]:
    return proposal, Decision(proposal_id=proposal.id, decision=verb, reason=reason, by="person", at=now())


def rejecting(proposal: Proposal, reason: str = "") -> ProposalHistory:
    return ProposalHistory(decisions=[decided(proposal, reason=reason)])


def keys(proposals: list[Proposal]) -> list[str]:
    return [one.changes[0].edits[0].dotted for one in proposals]


def test_a_healthy_task_gets_nothing(task: Task, made: Any) -> None:
    assert propose(task, made.diagnosis(task)) == []
    hints = [made.finding("low_capacity", "info"), made.finding("duplicate_rows", "info")]
    assert propose(task, made.diagnosis(task, *hints)) == []


def test_a_task_without_results_is_told_to_train_first(task: Task, made: Any) -> None:
    assert propose(task, made.diagnosis(task, made.finding("no_results"), version=None)) == []
    first = baseline(task)
    assert first.changes == []
    assert first.diff == ""
    assert first.cost.trainings == 1
    assert first.goal.wanted == 0.8


def test_a_proposal_says_everything_a_person_needs(task: Task, made: Any) -> None:
    [proposal, *_] = propose(task, made.diagnosis(task, made.scarce))
    assert proposal.task == "feelings"
    assert proposal.findings == ["class_imbalance"]
    assert proposal.goal.metric == proposal.effect.metric == "f1[中立]"
    assert proposal.goal.now == 0.42
    assert 0.42 < proposal.goal.wanted <= 0.52
    assert proposal.effect.low < 0 < proposal.effect.high
    assert 0.5 < proposal.effect.p_better < 0.95
    assert proposal.effect.source == "prior"
    assert proposal.cost.minutes > 0
    assert proposal.cost.memory_gb
    assert proposal.tier is Tier.quick
    assert proposal.page == "methods/class-weights"
    assert proposal.config_sha256 == task.config.sha256
    new = apply_edits(task.config.text, proposal.changes[0].edits)
    assert new == task.config.text + "  class_weights:\n    中立: 3.0\n"
    assert "+  class_weights:\n+    中立: 3.0" in proposal.diff


def test_the_same_task_gives_the_same_proposals(task: Task, made: Any, underfit: Any) -> None:
    diagnosis = made.diagnosis(task, underfit, made.scarce, made.weak)
    assert propose(task, diagnosis) == propose(task, diagnosis)


def test_each_proposal_changes_one_variable(task: Task, made: Any, underfit: Any) -> None:
    findings = [underfit, made.scarce, made.weak, made.finding("duplicate_rows")]
    for proposal in propose(task, made.diagnosis(task, *findings)):
        assert len(proposal.changes) == 1
        assert len({edit.path[:1] for edit in proposal.changes[0].edits}) == 1


def test_a_finding_that_is_a_mere_possibility_promises_less(task: Task, made: Any) -> None:
    serious = made.finding("low_overall", lost=0.1)
    [hint, *_] = propose(
        task, made.diagnosis(task, serious, made.finding("low_capacity", "info", about={"wanted": 32}))
    )
    [sure, *_] = propose(task, made.diagnosis(task, made.finding("low_capacity", about={"wanted": 32})))
    assert hint.effect.p_better < sure.effect.p_better


def test_no_more_is_promised_than_the_finding_says_is_lost(task: Task, made: Any) -> None:
    small = made.finding("underfitting", about={"sign": "no_gap"}, lost=0.01)
    assert all(one.effect.high < 0.04 for one in propose(task, made.diagnosis(task, small)))


def test_nobody_is_shown_more_proposals_than_they_read(make_task: Callable[..., Task], made: Any) -> None:
    task = make_task(
        "training: {warmup: 0, epochs: 4}\nprompt: {answer_instruction: ''}\ndecoding: {max_new_tokens: 2}\n"
    )
    findings = [
        made.finding("underfitting", about={"sign": "no_gap"}),
        made.finding("unstable_training", about={"sign": "spikes"}),
        made.finding("output_format", about={"where": "answers"}),
        made.finding("truncated", about={"where": "generation"}),
        made.finding("truncated", about={"where": "training"}),
        made.finding("duplicate_rows"),
        made.scarce,
        made.weak,
    ]
    assert len(propose(task, made.diagnosis(task, *findings))) == MOST_PROPOSALS


# what was said before


def test_a_rejected_change_does_not_come_back(task: Task, made: Any, underfit: Any) -> None:
    diagnosis = made.diagnosis(task, underfit)
    first, *rest = propose(task, diagnosis)
    again = propose(task, diagnosis, rejecting(first))
    assert [one.id for one in again] == [one.id for one in rest]
    assert "rejected" in str(again[0].caution)


def test_a_change_that_was_rejected_and_later_approved_may_come_back(task: Task, made: Any, underfit: Any) -> None:
    diagnosis = made.diagnosis(task, underfit)
    first, *_ = propose(task, diagnosis)
    history = ProposalHistory(decisions=[decided(first), decided(first, Verb.approve)])
    assert first.id in {one.id for one in propose(task, diagnosis, history)}


def test_a_deferred_change_comes_back(task: Task, made: Any, underfit: Any) -> None:
    diagnosis = made.diagnosis(task, underfit)
    first, *_ = propose(task, diagnosis)
    assert propose(task, diagnosis, ProposalHistory(decisions=[decided(first, Verb.defer)]))[0].id == first.id


def test_too_slow_drops_everything_that_takes_as_long(task: Task, made: Any, underfit: Any) -> None:
    diagnosis = made.diagnosis(task, underfit, made.finding("overfitting", about={"best_epoch": 2}))
    slow = next(one for one in propose(task, diagnosis) if "Epochs: 4 → 6" in str(one.title))
    for reason in ("this is too slow for today", "太慢了", "訓練時間太長"):
        left = propose(task, diagnosis, rejecting(slow, reason))
        assert left
        assert all(one.cost.minutes < slow.cost.minutes for one in left)


@pytest.mark.parametrize(
    "reason", ["not oversampling, please", "不要過採樣", "please avoid over-sampling", "别用过采样"]
)
def test_a_kind_that_was_ruled_out_is_dropped(task: Task, made: Any, underfit: Any, reason: str) -> None:
    diagnosis = made.diagnosis(task, underfit, made.scarce)
    epochs = next(one for one in propose(task, diagnosis) if "Epochs" in str(one.title))
    left = keys(propose(task, diagnosis, rejecting(epochs, reason)))
    assert "data.oversample.中立" not in left
    assert "training.class_weights.中立" in left


@pytest.mark.parametrize("reason", ["use class weights instead of this", "先試類別權重"])
def test_a_kind_that_was_asked_for_comes_first(task: Task, made: Any, underfit: Any, reason: str) -> None:
    diagnosis = made.diagnosis(task, underfit, made.scarce)
    first, *_ = propose(task, diagnosis)
    assert keys([first]) != ["training.class_weights.中立"]
    assert keys(propose(task, diagnosis, rejecting(first, reason)))[0] == "training.class_weights.中立"


def test_the_reason_is_told_again_where_the_same_problem_is_answered_otherwise(task: Task, made: Any) -> None:
    diagnosis = made.diagnosis(task, made.scarce)
    weights, _ = propose(task, diagnosis)
    [repeats] = propose(task, diagnosis, rejecting(weights, "I do not trust weights \x1b[31m"))
    assert "I do not trust weights" in str(repeats.caution)
    assert "\x1b" not in str(repeats.caution)


@pytest.mark.parametrize("outcome", ["worse", "undecided", "failed"])
def test_what_brought_nothing_is_not_tried_again_on_the_same_configuration(
    make_task: Callable[..., Task], made: Any, underfit: Any, outcome: str
) -> None:
    task = make_task()
    first, *_ = propose(task, made.diagnosis(task, underfit))
    history = ProposalHistory(decisions=[decided(first, Verb.approve)], outcomes={first.id: outcome})
    assert first.id not in {one.id for one in propose(task, made.diagnosis(task, underfit), history)}
    changed = make_task(task.config.text + "  batch_size: 8\n")
    assert first.id in {one.id for one in propose(changed, made.diagnosis(changed, underfit), history)}


def test_what_helped_before_may_be_proposed_again(task: Task, made: Any, underfit: Any) -> None:
    first, *_ = propose(task, made.diagnosis(task, underfit))
    history = ProposalHistory(decisions=[decided(first, Verb.approve)], outcomes={first.id: "better"})
    assert propose(task, made.diagnosis(task, underfit), history)[0].id == first.id


def test_earlier_outcomes_move_the_forecast(task: Task, made: Any, underfit: Any) -> None:
    diagnosis = made.diagnosis(task, underfit)
    before = {one.id: one for one in propose(task, diagnosis)}
    first = next(iter(before.values()))
    for number in range(2, 6):
        record_forecast(task.path, f"v{number}", first)
        outcome = Outcome(
            at=now(), version=f"v{number}", base="v1", metric=first.effect.metric, observed=-0.03, error=0.01
        )
        append_line(task.path / FILE, outcome.model_dump_json())
    after = next(one for one in propose(task, diagnosis) if one.id == first.id)
    assert after.effect.source == "learned"
    assert after.effect.p_better < first.effect.p_better
    assert propose(task, diagnosis)[0].id != first.id


def test_history_survives_a_round_trip_through_json(task: Task, made: Any, underfit: Any) -> None:
    [first, *_] = propose(task, made.diagnosis(task, underfit))
    history = ProposalHistory(decisions=[decided(first)], outcomes={first.id: "worse"})
    assert ProposalHistory.model_validate_json(history.model_dump_json()) == history
