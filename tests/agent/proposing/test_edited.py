from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.proposing import edited, propose
from tools.change import Change, Edit, Proposal
from tools.errors import InputError
from tools.task import Task
from tools.text import T


@pytest.fixture
def epochs(task: Task, made: Any) -> Proposal:
    found = propose(task, made.diagnosis(task, made.finding("underfitting", about={"sign": "no_gap"})))
    return next(one for one in found if "Epochs" in str(one.title))


def with_values(proposal: Proposal, *values: Any) -> list[Change]:
    change = proposal.changes[0]
    edits = [Edit(path=edit.path, old=edit.old, new=value) for edit, value in zip(change.edits, values, strict=True)]
    return [change.model_copy(update={"edits": edits})]


def test_another_value_makes_another_proposal_with_its_own_diff_price_and_words(task: Task, epochs: Proposal) -> None:
    new = edited(epochs, with_values(epochs, 20), task)
    assert "+  epochs: 20      # first guess" in new.diff
    assert new.id != epochs.id
    assert new.cost.minutes > epochs.cost.minutes
    assert "Epochs: 4 → 20" in str(new.title)
    assert "Edited by you" in str(new.effect.basis)
    assert new.goal == epochs.goal


def test_a_value_moved_the_other_way_keeps_no_promise_of_the_first_one(task: Task, epochs: Proposal) -> None:
    new = edited(epochs, with_values(epochs, 1), task)
    assert epochs.effect.p_better > 0.5
    assert new.effect.p_better == 0.5
    assert new.effect.low == -new.effect.high
    assert "as likely to help as to harm" in str(new.effect.basis)


def test_the_proposed_values_stay_the_same_proposal(task: Task, epochs: Proposal) -> None:
    assert edited(epochs, epochs.changes, task) == epochs


def test_all_invalid_values_are_named_at_once(task: Task, made: Any) -> None:
    rank = next(
        one for one in propose(task, made.diagnosis(task, made.finding("low_capacity"))) if "rank" in str(one.title)
    )
    with pytest.raises(InputError) as caught:
        edited(rank, with_values(rank, -3, "big"), task)
    named = " ".join(str(problem.message) for problem in caught.value.problems)
    assert "lora.r" in named
    assert "lora.alpha" in named


def test_a_label_or_row_that_does_not_exist_is_named_with_the_valid_ones(task: Task, made: Any) -> None:
    repeats = propose(task, made.diagnosis(task, made.scarce))[1]
    change = Change(
        kind=repeats.changes[0].kind,
        summary=T("mine"),
        edits=[
            Edit(path=("data", "oversample", "中性"), new=50),
            Edit(path=("data", "exclude"), new=["train-中立99x"]),
        ],
    )
    with pytest.raises(InputError) as caught:
        edited(repeats, [change], task)
    assert [problem.choices for problem in caught.value.problems if problem.choices] == [["正面", "負面", "中立"]]
    assert len(caught.value.problems) == 2


def test_fewer_rows_than_there_are_is_refused(task: Task, made: Any) -> None:
    repeats = propose(task, made.diagnosis(task, made.scarce))[1]
    with pytest.raises(InputError) as caught:
        edited(repeats, with_values(repeats, 5), task)
    assert "train has 10" in str(caught.value.problems[0].message)


def test_values_that_change_nothing_are_refused(task: Task, epochs: Proposal) -> None:
    with pytest.raises(InputError, match="already"):
        edited(epochs, with_values(epochs, 4), task)


def test_a_proposal_made_for_an_older_file_is_made_anew_for_this_one(
    make_task: Callable[..., Task], epochs: Proposal
) -> None:
    task = make_task("training:\n  epochs: 5\n")
    new = edited(epochs, epochs.changes, task)
    assert new.config_sha256 == task.config.sha256
    assert new.changes[0].edits[0].old == 5
    assert "-  epochs: 5" in new.diff
