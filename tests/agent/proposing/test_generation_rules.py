from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest

from agent.proposing import propose
from agent.proposing.generation_rules import offers
from tests.agent.proposing.conftest import diagnosis, finding
from tools.change import ChangeKind
from tools.edit_config import apply_edits
from tools.reading.task import load_split, load_task
from tools.reviewing.batch import Candidate
from tools.samples import add, bulk, decide, finish
from tools.task import Task


@pytest.fixture
def reviewed(task: Task) -> Task:
    """Three written rows, two of them accepted."""
    rows = [
        Candidate(id=f"w1.{n}", origin="new", fields={"text": f"一句新的話，第{n}次寫，還沒有人讀過"}, answer="中立")
        for n in "甲乙丙"
    ]
    add(task.path, "generated-中立", rows)
    bulk(task, "generated-中立", ["w1.甲", "w1.乙"], "accept", by="me")
    return task


def weak(task: Task):
    return diagnosis(task, finding("weak_class", about={"label": "中立"}))


def about_rows(task: Task):
    return [one for one in propose(load_task(task.path), weak(task)) if one.changes[0].kind is ChangeKind.data]


def test_rows_are_proposed_once_the_review_was_finished_and_not_before(reviewed: Task):
    assert about_rows(reviewed) == []
    change = finish(reviewed, "generated-中立")
    (proposal,) = about_rows(reviewed)
    assert proposal.changes[0].edits == change.edits
    assert proposal.goal.metric == "f1[中立]"
    assert "data/reviewed/generated-中立" in proposal.diff
    assert proposal.findings == ["weak_class"]


def test_an_approved_batch_is_trained_on_and_not_proposed_again(reviewed: Task):
    finish(reviewed, "generated-中立")
    (proposal,) = about_rows(reviewed)
    config = reviewed.path / "configs" / "training_config.yaml"
    config.write_text(apply_edits(reviewed.config.text, proposal.changes[0].edits), encoding="utf-8")
    rows = load_split(load_task(reviewed.path), "train").split.rows
    assert len([row for row in rows if "一句新的話" in row.fields["text"]]) == 2
    assert about_rows(reviewed) == []


def test_a_later_decision_changes_what_is_proposed_only_after_finishing_again(reviewed: Task):
    finish(reviewed, "generated-中立")
    decide(reviewed, "generated-中立", "w1.丙", "accept", by="me")
    assert about_rows(reviewed) == []
    finish(reviewed, "generated-中立")
    assert "3 added" in str(about_rows(reviewed)[0].title)


def test_a_weak_label_is_offered_more_rows_as_a_command(task: Task):
    (offer,) = offers(task.path, weak(task), has_model=True)
    assert "iterate generate feelings --class 中立 --samples 200" in str(offer)
    (offer,) = offers(task.path, weak(task), has_model=False)
    assert "oversampling" in str(offer) and "iterate review feelings" in str(offer)


def test_a_label_of_two_words_stays_one_word_of_the_command(task: Task):
    found = diagnosis(task, finding("weak_class", about={"label": "very good"}))
    (offer,) = offers(task.path, found, has_model=True)
    assert "very good" in shlex.split(str(offer))


def test_rows_that_wait_are_to_be_read_before_more_are_written(reviewed: Task):
    (offer,) = offers(reviewed.path, weak(reviewed), has_model=True)
    assert str(offer) == "1 new rows wait for your review: iterate review feelings generated-中立"


def test_without_a_weak_label_nothing_is_offered(task: Task, make_task: Callable[..., Task]):
    assert offers(task.path, diagnosis(task, finding("underfitting")), has_model=True) == []
