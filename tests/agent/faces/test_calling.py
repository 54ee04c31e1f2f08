from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent.approval import ReviewQuestion
from agent.events import Notice, Progress, SessionEnded
from agent.faces.calling import ABSENT_SECONDS, Caller
from agent.settings import Settings
from tests.agent.test_policy import proposal
from tools.runs import EndEvent, RunState
from tools.text import T, english

QUESTION = ReviewQuestion(proposal=proposal(), number=1, total=1, approved=0)


@pytest.fixture
def heard(tmp_path: Path):
    """A program that notes what happened, one line a call, and the caller that runs it; time stands still unless moved."""
    log, clock = tmp_path / "log", [0.0]
    hook = tmp_path / "hook.sh"
    hook.write_text(
        f'#!/bin/sh\ncat > /dev/null\necho "$ITERATE_HAPPENING $ITERATE_TASK $ITERATE_MESSAGE" >> "{log}"\n'
    )
    hook.chmod(0o755)
    caller = Caller(
        Settings(notify=[str(hook)]),
        english,
        task="mood",
        command="iterate run mood",
        warn=lambda text: pytest.fail(str(text)),
        now=lambda: clock[0],
    )

    def lines(wanted: int) -> list[str]:
        for _ in range(250):
            found = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
            if len(found) >= wanted:
                return found
            time.sleep(0.02)
        return found

    return caller, clock, lines


class Absent:
    def answer(self, question):
        return None


def test_a_script_without_a_person_calls_when_a_training_ends_and_when_a_decision_waits(heard):
    caller, _, lines = heard
    caller.hear(Notice(message=T("nothing to call about")))
    for state in (RunState.succeeded, RunState.failed, RunState.cancelled):
        caller.hear(Progress(run_id="r", event=EndEvent(at="", state=state, message=T("over"))))
    caller.hear(SessionEnded(reason="waiting", message=T("waits")))
    assert sorted(lines(3)) == [
        "failed mood a training has failed",
        "finished mood a training has ended",
        "waiting mood a decision waits",
    ]


def test_who_answered_just_now_is_not_called_and_who_may_have_left_is(heard):
    caller, clock, lines = heard
    approver = caller.before(Absent())
    approver.answer(QUESTION)
    clock[0] += ABSENT_SECONDS
    approver.answer(QUESTION)
    approver.answer(QUESTION)
    assert lines(1) == ["waiting mood a decision waits"]
