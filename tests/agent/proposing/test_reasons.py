from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.proposing import baseline, propose
from agent.proposing.reasons import Wishes, topics_of, wishes_in
from tools.change import Decision, Proposal, Verb
from tools.files import now
from tools.task import Task


@pytest.fixture
def epochs(task: Task, made: Any) -> Proposal:
    found = propose(task, made.diagnosis(task, made.finding("underfitting", about={"sign": "no_gap"})))
    return next(one for one in found if "Epochs" in str(one.title))


def wishes(proposal: Proposal, *reasons: str, verb: Verb = Verb.reject) -> Wishes:
    answers = [
        Decision(proposal_id=proposal.id, decision=verb, reason=reason, by="person", at=now()) for reason in reasons
    ]
    return wishes_in([(proposal, answer) for answer in answers])


@pytest.mark.parametrize(
    ("reason", "unwanted", "preferred"),
    [
        ("use class weights rather than oversampling", {"oversampling"}, {"class_weights"}),
        ("don't touch the learning rate", {"learning_rate"}, set()),
        ("先調學習率，不要改 LoRA", {"rank"}, {"learning_rate"}),
        ("不要動類別權重", {"class_weights"}, set()),
        ("先试类别权重", set(), {"class_weights"}),
        ("more epochs only overfit", {"epochs"}, set()),
        ("try a lower lr first", set(), {"learning_rate"}),
        ("no, thanks; deduplicate first", set(), {"deduplicate"}),
        ("I explored this already", set(), set()),
        ("", set(), set()),
    ],
)
def test_a_reason_is_understood(epochs: Proposal, reason: str, unwanted: set[str], preferred: set[str]) -> None:
    found = wishes(epochs, reason)
    assert found.unwanted == unwanted
    assert found.preferred == preferred
    assert found.minutes is None


def test_the_newest_word_on_a_kind_of_change_counts(epochs: Proposal) -> None:
    found = wishes(epochs, "no oversampling", "try oversampling after all")
    assert found.unwanted == frozenset()
    assert found.preferred == {"oversampling"}


def test_too_slow_is_measured_by_the_cheapest_change_that_was_too_slow(epochs: Proposal) -> None:
    assert wishes(epochs, "Too slow!").minutes == epochs.cost.minutes
    assert wishes(epochs, "不行，太久了").minutes == epochs.cost.minutes
    assert not wishes(epochs, "太久了").allow(epochs)


def test_a_change_that_is_asked_for_by_name_may_take_as_long(epochs: Proposal, task: Task, made: Any) -> None:
    found = propose(task, made.diagnosis(task, made.finding("underfitting", about={"sign": "no_gap"})))
    rate = next(one for one in found if "learning_rate" in topics_of(one))
    slow = rate.model_copy(update={"cost": epochs.cost})
    assert not wishes(epochs, "太慢了").allow(slow)
    assert wishes(epochs, "太慢了，先調學習率").allow(slow)


def test_only_rejections_are_read(epochs: Proposal) -> None:
    assert wishes(epochs, "too slow, no oversampling", verb=Verb.defer) == Wishes()


def test_a_baseline_has_no_topic(task: Task) -> None:
    assert topics_of(baseline(task)) == set()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80))
def test_no_reason_whatever_it_says_breaks_the_next_round(epochs: Proposal, reason: str) -> None:
    found = wishes(epochs, reason)
    assert not found.unwanted & found.preferred
