"""The person at a plain terminal: the same choices as on the card, in words of both languages."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.approval import ReviewQuestion
from agent.faces import person as module
from agent.faces import trying
from agent.faces.person import PersonApprover
from agent.faces.plain import PlainFace
from agent.grants import offered_rule
from agent.proposing.now import base_version, proposals_now
from tools.change import Verb
from tools.diagnose import DiagnoseArgs, diagnose
from tools.text import english

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def task(tmp_path):
    folder = tmp_path / "tasks" / "official-doc"
    shutil.copytree(ROOT / "tasks" / "official-doc", folder)
    return folder


@pytest.fixture
def question(task):
    """The rules propose another learning rate for this task first."""
    base = base_version(task, "")
    first, *_ = proposals_now(task, base, diagnose(DiagnoseArgs(task_dir=task, version=base)))
    return ReviewQuestion(proposal=first, number=1, total=3, approved=0)


@pytest.fixture
def says(task, question, monkeypatch):
    """The answer of somebody who types these lines and then leaves."""

    def say_lines(*lines):
        left = list(lines)
        monkeypatch.setattr(module, "ask", lambda prompt: left.pop(0) if left else None)
        return PersonApprover(task, PlainFace(english), english).answer(question)

    return say_lines


@pytest.mark.parametrize(
    ("typed", "verb", "reason"),
    [
        ("1", Verb.approve, ""),
        ("同意", Verb.approve, ""),
        ("approve: cheap enough", Verb.approve, "cheap enough"),
        ("核准：先試試", Verb.approve, "先試試"),
        ("拒絕：太貴", Verb.reject, "太貴"),
        ("稍後", Verb.defer, ""),
    ],
)
def test_a_line_in_either_language_decides_with_its_words(says, typed, verb, reason):
    decision = says(typed)
    assert (decision.decision, decision.reason, decision.by) == (verb, reason, "person")


@pytest.mark.parametrize("typed", ["", "yes please", "approve of what?", "0", "ok"])
def test_anything_else_decides_nothing(says, typed):
    assert says(typed) is None


def test_the_rule_for_the_session_is_shown_before_it_counts(says, question, capsys):
    assert says("允許", "b") is None
    shown = capsys.readouterr().out
    assert "training.learning_rate" in shown
    decision = says("s", "a")
    assert decision.decision is Verb.approve
    assert decision.remember == offered_rule(question.proposal)


def test_values_edited_in_an_editor_are_shown_as_a_diff_before_they_are_approved(says, monkeypatch, capsys):
    monkeypatch.setattr(module, "run_editor", lambda text: text.replace("0.0006", "0.0004"))
    assert says("g") is None
    decision = says("g", "a")
    assert decision.decision is Verb.edit
    assert decision.edited[0].edits[0].new == 0.0004
    assert "+  learning_rate: 0.0004" in capsys.readouterr().out


def test_a_file_with_other_keys_is_refused_and_the_question_asked_again(says, monkeypatch, capsys):
    monkeypatch.setattr(module, "run_editor", lambda text: "data.test: open\n")
    assert says("g").__class__ is type(None)
    assert "exactly these keys" in capsys.readouterr().err


def test_the_evidence_names_facts_and_the_question_stays(says, capsys):
    assert says("w") is None
    assert "iterations/v1/history.jsonl" in capsys.readouterr().out


@pytest.fixture
def quick(monkeypatch):
    """A quick check that needs no worker; what was done with it."""
    done = []

    def follow(plan, on_event):
        done.append("followed")
        if "interrupt" in done:
            raise KeyboardInterrupt

    monkeypatch.setattr(trying, "want_quick", lambda args: done.append("wanted") or PLAN)
    monkeypatch.setattr(trying, "follow_quick", follow)
    monkeypatch.setattr(trying, "drop_quick", lambda plan: done.append("dropped"))
    return done


PLAN = SimpleNamespace(
    base=[1],
    changed=[2],
    train_rows=(30, 30),
    valid_rows=12,
    waiting=2,
    estimate=SimpleNamespace(minutes=1.5, basis="x"),
)


def test_a_quick_check_begins_once_its_price_was_seen_and_the_question_stays(says, quick, monkeypatch, capsys):
    answers = ["n", "y"]
    monkeypatch.setattr(trying, "ask", lambda prompt: answers.pop(0))
    assert says("t", "t", "稍後").decision is Verb.defer
    assert quick == ["wanted", "dropped", "wanted", "followed"]
    assert "About 1.5 minutes" in capsys.readouterr().out


def test_interrupting_a_quick_check_leaves_it_at_work_and_asks_again(says, quick, monkeypatch, capsys):
    quick.append("interrupt")
    monkeypatch.setattr(trying, "ask", lambda prompt: "y")
    assert says("t", "l").decision is Verb.defer
    assert "goes on without you" in capsys.readouterr().out
    assert "dropped" not in quick
