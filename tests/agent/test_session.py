"""One session on a copy of a bundled task: what is asked, what an answer does, and what is left when a person leaves."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.approval import ReviewQuestion, Wish
from agent.events import Decided, Notice, Progress, Proposed
from agent.grants import offered_rule
from agent.journal import Journal
from agent.proposing import edited
from agent.records import session_records
from agent.session import Session
from tools import launch_training
from tools.change import Change, ChangeKind, Decision, Edit, Verb
from tools.errors import Refused
from tools.files import write_model
from tools.launch_training import active_runs, cancel, list_runs
from tools.launchers.base import RunHealth, state_of
from tools.reading.task import load_task
from tools.text import T, english

ROOT = Path(__file__).resolve().parents[2]

LONG_WORKER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from filelock import FileLock
    from tools.files import append_line, now, write_model
    from tools.runs import PhaseEvent, RunDir, RunState, RunStatus
    from tools.text import T

    run = RunDir(Path(sys.argv[1]))
    with FileLock(run.file("run.lock"), timeout=5):
        append_line(run.file("starts"), "x")
        append_line(run.file("events.jsonl"), PhaseEvent(at=now(), phase="training", message=T("On.")).model_dump_json())
        write_model(run.file("status.json"), RunStatus(state=RunState.running, updated_at=now()))
        while not (run.path / "cancel").exists():
            time.sleep(0.02)
        write_model(run.file("status.json"), RunStatus(state=RunState.cancelled, updated_at=now()))
    """
)


@pytest.fixture
def task(tmp_path):
    """A task with a trained first version, for which the rules propose a learning rate first."""
    folder = tmp_path / "tasks" / "official-doc"
    shutil.copytree(ROOT / "tasks" / "official-doc", folder)
    return folder


class Scripted:
    """Answers each question with the next entry of a script; a function is called with the question."""

    def __init__(self, *script):
        self.script = list(script)
        self.asked = []

    def answer(self, question):
        self.asked.append(question)
        if not self.script:
            return None
        step = self.script.pop(0)
        return step(question) if callable(step) else step


def decision(question, verb=Verb.approve, **more):
    given = {"by": "person", "who": "tester", "at": "2026-01-01T00:00:00Z", **more}
    return Decision(proposal_id=question.proposal.id, decision=verb, **given)


def approve(question):
    return decision(question)


def reject(question):
    return decision(question, Verb.reject, reason="too dear")


def run(task, *script, leaving=lambda: False, wishes=(), fresh=False):
    approver, events = Scripted(*script), []
    session = Session(
        task, approver=approver, watch=events.append, say=english, resume_command="go on", leaving=leaving
    )
    return session.run(wishes=wishes, fresh=fresh), approver.asked, events


def first_question(task):
    _, asked, _ = run(task)
    return asked[0]


def wish(task, value, key="learning_rate"):
    """A proposal of the person for a value of their own."""
    like = first_question(task).proposal
    edit = Edit(path=("training", key), old=None, new=value)
    change = Change(kind=ChangeKind.config, summary=T("wish"), edits=[edit])
    made = edited(like, [change], load_task(task))
    return made.model_copy(update={"origin": "person"})


def journal(task, event):
    lines = (task / "iterations" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [one for line in lines if (one := json.loads(line))["event"] == event]


def test_a_wish_is_asked_about_first_then_the_proposal_that_was_under_review(task):
    mine = wish(task, 0.001)
    reason, asked, events = run(task, Wish(proposals=[mine]))
    assert reason == "waiting"
    before, after = asked
    assert after.proposal.id == mine.id
    assert (after.number, after.total) == (before.number, before.total + 1)
    assert any(isinstance(event, Proposed) and event.proposals[1].id == before.proposal.id for event in events)
    assert journal(task, "wish") != []
    assert not (task / "runs").exists()


def test_the_same_wish_twice_is_one_proposal(task):
    mine = wish(task, 0.001)
    _, asked, _ = run(task, Wish(proposals=[mine, mine]), Wish(proposals=[mine]))
    assert len({question.total for question in asked[1:]}) == 1
    assert asked[1].total == asked[0].total + 1


def test_wishes_given_at_the_start_come_first_also_in_a_session_taken_up_again(task):
    mine = wish(task, 0.001)
    _, started, _ = run(task, wishes=[mine], fresh=True)
    assert started[0].proposal.id == mine.id
    assert started[0].number == 1
    other = mine.model_copy(update={"changes": [wish(task, 0.002).changes[0]]})
    _, resumed, _ = run(task, wishes=[other])
    assert resumed[0].proposal.changes == other.changes


def test_a_wish_that_changes_nothing_is_said_and_left_out(task):
    mine = wish(task, 0.001).model_copy(update={"config_sha256": "of another file"})
    as_it_is = Edit(
        path=("training", "learning_rate"), old=None, new=load_task(task).config.values.training.learning_rate
    )
    empty = Change(kind=ChangeKind.config, summary=T("wish"), edits=[as_it_is])
    mine = mine.model_copy(update={"changes": [empty]})
    _, asked, events = run(task, Wish(proposals=[mine]))
    assert asked[1] == asked[0]
    assert any(isinstance(event, Notice) and event.level == "warning" for event in events)


def test_an_answer_to_another_proposal_decides_nothing(task):
    question = first_question(task)
    late = decision(question).model_copy(update={"proposal_id": "0123456789"})
    with pytest.raises(Refused):
        run(task, late)
    _, asked, _ = run(task)
    assert asked[0] == question
    assert not (task / "iterations" / "journal.jsonl").exists() or journal(task, "decision") == []


def test_a_proposal_inside_a_grant_is_answered_by_the_rule_and_counted_down(task):
    mine, again, third = wish(task, 0.001), wish(task, 0.002), wish(task, 0.0005)  # the rules propose one more

    def allow(question):
        return decision(question, remember=offered_rule(question.proposal))

    _, asked, events = run(task, Wish(proposals=[mine]), allow, Wish(proposals=[again, third]))
    decided = [event.decision for event in events if isinstance(event, Decided)]
    rules = [one for one in decided if one.by == "rule"]
    assert [one.decision for one in rules] == [Verb.approve] * 2
    assert all("training.learning_rate" in str(one.who) and "tester" in str(one.who) for one in rules)
    assert asked[-1].proposal.id == third.id  # two trainings were allowed, so this one is asked again
    assert len(journal(task, "grant")) == 1
    assert [one["by"] for one in journal(task, "decision")] == ["person", "rule", "rule"]


def test_a_grant_never_covers_what_a_language_model_proposes(task):
    mine = wish(task, 0.001)
    models = wish(task, 0.002).model_copy(update={"origin": "model"})

    def allow(question):
        return decision(question, remember=offered_rule(question.proposal))

    _, asked, _ = run(task, Wish(proposals=[mine]), allow, Wish(proposals=[models]))
    assert asked[-1].proposal.id == models.id


def test_a_rule_wider_than_the_one_offered_is_not_stored_and_the_approval_stands(task):
    def too_wide(question):
        rule = offered_rule(question.proposal).model_copy(
            update={"keys": ["training.learning_rate", "training.epochs"]}
        )
        return decision(question, remember=rule)

    _, _, events = run(task, too_wide)
    assert journal(task, "decision")[0]["data"]["decision"]["decision"] == "approve"
    assert journal(task, "grant") == []
    assert any(isinstance(event, Notice) and event.level == "warning" for event in events)


def test_a_rejection_with_its_reason_reaches_the_rest_of_the_list_and_keeps_wishes(task):
    mine = wish(task, 0.001)
    _, asked, _ = run(task, Wish(proposals=[mine, wish(task, 0.002)]), reject)
    assert asked[-1].proposal.changes[0].edits[0].new == 0.002
    assert asked[-1].number == 2
    assert journal(task, "decision")[0]["data"]["decision"]["reason"] == "too dear"


def test_a_reason_that_shortens_the_list_says_so(task):
    def slow(question):
        return decision(question, Verb.reject, reason="too slow")

    _, _, events = run(task, slow)
    told = [str(event.message) for event in events if isinstance(event, Notice)]
    before = next(len(event.proposals) for event in events if isinstance(event, Proposed))
    after = [len(event.proposals) for event in events if isinstance(event, Proposed)][-1]
    assert after < before
    assert any(f"speaks against {before - after} more" in line and "try learning rate" in line for line in told)


def test_an_edit_that_is_not_valid_is_explained_and_asked_again(task):
    def nonsense(question):
        edit = question.proposal.changes[0].edits[0].model_copy(update={"new": "fast"})
        change = question.proposal.changes[0].model_copy(update={"edits": [edit]})
        return decision(question, Verb.edit, edited=[change])

    _, asked, events = run(task, nonsense)
    assert asked[1] == asked[0]
    assert any(isinstance(event, Notice) and event.level == "error" for event in events)


@pytest.fixture
def untrained(tmp_path, monkeypatch):
    """A task without a version whose training lasts until it is cancelled."""
    folder = tmp_path / "tasks" / "stance"
    shutil.copytree(ROOT / "tasks" / "official-doc", folder, ignore=shutil.ignore_patterns("iterations", "benchmarks"))
    config = folder / "configs" / "training_config.yaml"
    config.write_text('training: {command: "true", seeds: [1]}\n', encoding="utf-8")
    (tmp_path / "long_worker.py").write_text(LONG_WORKER, encoding="utf-8")
    monkeypatch.setattr(launch_training, "WORKER", "long_worker")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    yield folder
    for path in list_runs(folder):
        if state_of(path) is not RunHealth.ended:
            cancel(path, grace_seconds=0.2)


def test_leaving_a_training_ends_the_session_but_not_the_training_and_coming_back_follows_it(untrained):
    watched = []

    def once_it_trains():
        return any(isinstance(event, Progress) for event in watched)

    for script in ([approve], []):
        watched.clear()
        session = Session(
            untrained,
            approver=Scripted(*script),
            watch=watched.append,
            say=english,
            resume_command="go on",
            leaving=once_it_trains,
        )
        assert session.run() == "interrupted"
        assert watched[-1].resume == "go on"
        assert len(active_runs(untrained)) == 1
    assert list_runs(untrained)[0].joinpath("starts").read_text().count("x") == 1
    assert len(journal(untrained, "version_begun")) == 1


def test_a_wish_that_came_during_a_training_is_reviewed_by_the_session_that_is_taken_up_later(untrained):
    wanted, watched = wish(untrained, [1, 2], key="seeds"), []

    def wish_once_it_trains():
        if any(isinstance(event, Progress) for event in watched) and not session._wishes:
            session.wish(wanted)
        return bool(session._wishes)

    session = Session(
        untrained,
        approver=Scripted(approve),
        watch=watched.append,
        say=english,
        resume_command="go on",
        leaving=wish_once_it_trains,
    )
    assert session.run() == "interrupted"
    assert [one.id for one in session_records(untrained)[-1].wishes] == [wanted.id]
    cancel(list_runs(untrained)[0], grace_seconds=0.2)
    reason, asked, _ = run(untrained)
    assert reason == "waiting"
    assert asked[0].proposal.id == wanted.id
    assert session_records(untrained)[-1].wishes == []


def test_a_session_that_was_killed_behind_its_end_is_ended_and_asks_nothing_again(task):
    reason, asked, _ = run(task, *[reject] * 20)
    record = session_records(task)[-1]
    file = task / ".iterate" / "sessions" / f"{record.id}.json"
    write_model(file, record.model_copy(update={"reason": None, "ended_at": None}))
    before = (task / "iterations" / "journal.jsonl").read_bytes()
    assert asked and run(task, *[reject] * 20)[:2] == (reason, [])
    assert (task / "iterations" / "journal.jsonl").read_bytes() == before
    assert [one.reason for one in session_records(task)] == [reason]


def test_who_leaves_before_an_answer_leaves_the_question_pending(task):
    question = first_question(task)
    reason, asked, _ = run(task, leaving=lambda: True)
    assert (reason, asked) == ("waiting", [])
    _, again, _ = run(task)
    assert again[0] == question
    assert isinstance(question, ReviewQuestion)


def test_a_process_that_dies_between_the_end_of_a_step_and_its_checkpoint_goes_on_from_there(task, monkeypatch):
    put, died = SqliteSaver.put, []

    def dying(self, *args, **kwargs):
        if Journal(task).entries() and not died:
            died.append(True)
            raise KeyboardInterrupt
        return put(self, *args, **kwargs)

    monkeypatch.setattr(SqliteSaver, "put", dying)
    reason, _, _ = run(task, reject)
    assert (died, reason) == ([True], "interrupted")
    _, asked, events = run(task)
    assert asked[0].number == 2, "the decision stands, and the next proposal is asked about"
    assert len(journal(task, "decision")) == 1
    assert events[0].resumed
