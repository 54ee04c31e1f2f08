"""Following quick checks: taken up again, left without loss, stopped by a decision on their change; never an answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.conversation.said import Order
from agent.faces.standing import decision
from agent.faces.tui.messages import QuestionAsked, QuickCheckSays, QuickCheckWanted
from agent.faces.tui.quick import QuickChecks
from agent.faces.views import quick as views
from tests.support.cards import question
from tests.support.tui import SIZE, make_app, screen_text, settled, until
from tools.change import Verb
from tools.errors import RunFailed
from tools.probing import quick_wanted
from tools.text import T, english


class Screen:
    """The app as the follower sees it: threads, and messages."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.said: list[QuickCheckSays] = []

    def run_worker(self, work: Callable[[], None], **_: Any) -> None:
        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()

    def post_message(self, message: QuickCheckSays) -> None:
        self.said.append(message)

    def call_from_thread(self, call: Callable[..., None], *args: Any) -> None:
        call(*args)

    def settle(self) -> None:
        for thread in self.threads:
            thread.join(20)


class Worker:
    """A quick check that runs until it is let end, in the place of tools.probing.quick_wanted."""

    def __init__(self) -> None:
        self.wanted = False
        self.end = threading.Event()
        self.dropped = 0
        self.fault: Exception | None = None

    def want_quick(self, args: Any) -> Any:
        self.wanted = True
        return SimpleNamespace(base=[Path("a")], changed=[Path("b")])

    def wanted_quick(self, task: Path, change: str) -> Any:
        return self.want_quick(None) if self.wanted else None

    def follow_quick(self, plan: Any, on_event: Any, should_stop: Callable[[], bool]) -> Any:
        on_event(plan.base[0], None)
        if self.fault is not None:
            raise self.fault
        while not should_stop():
            if self.end.wait(0.01):
                self.wanted = False
                return "result"
        return None

    def drop_quick(self, plan: Any) -> None:
        self.wanted, self.dropped = False, self.dropped + 1


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker()
    for name in ("want_quick", "wanted_quick", "follow_quick", "drop_quick"):
        monkeypatch.setattr(quick_wanted, name, getattr(made, name))
    return made


ASKED = question()


def outcomes(screen: Screen) -> list[object]:
    return [one.outcome for one in screen.said if one.told is None]


def test_progress_and_end_are_told_and_asking_twice_is_asking_once(worker: Worker, tmp_path: Path) -> None:
    screen = Screen()
    checks = QuickChecks(screen)  # type: ignore[arg-type]
    checks.want(ASKED.proposal, tmp_path)
    checks.want(ASKED.proposal, tmp_path)
    worker.end.set()
    screen.settle()
    assert len(screen.threads) == 1
    told = [english(one.told) for one in screen.said if one.told is not None]
    assert told[-1] == "quick check: run 1 of 2 (as it is)"
    assert outcomes(screen) == [None]  # its words are read from the record, and here is none


def test_leaving_says_nothing_more_and_the_check_is_taken_up_with_its_question(worker: Worker, tmp_path: Path) -> None:
    screen, again = Screen(), Screen()
    checks = QuickChecks(screen)  # type: ignore[arg-type]
    checks.want(ASKED.proposal, tmp_path)
    checks.leave()
    screen.settle()
    assert outcomes(screen) == [] and worker.wanted and not worker.dropped
    worker.end.set()
    later = QuickChecks(again)  # type: ignore[arg-type]
    later.asked(ASKED, tmp_path)
    again.settle()
    again.settle()
    assert len(outcomes(again)) == 1


def test_a_question_without_a_wanted_check_starts_nothing(worker: Worker, tmp_path: Path) -> None:
    screen = Screen()
    QuickChecks(screen).asked(ASKED, tmp_path)  # type: ignore[arg-type]
    screen.settle()
    assert screen.said == []


@pytest.mark.parametrize(("verb", "dropped"), [(Verb.approve, 1), (Verb.reject, 1), (Verb.defer, 0)])
def test_a_decision_about_the_change_stops_its_check_and_putting_it_off_does_not(
    worker: Worker, tmp_path: Path, verb: Verb, dropped: int
) -> None:
    screen = Screen()
    checks = QuickChecks(screen)  # type: ignore[arg-type]
    checks.want(ASKED.proposal, tmp_path)
    checks.answered(decision(ASKED.proposal, verb), ASKED, tmp_path)
    checks.leave()
    screen.settle()
    assert worker.dropped == dropped


def test_a_failure_is_brought_to_the_person(worker: Worker, tmp_path: Path) -> None:
    screen = Screen()
    worker.fault = RunFailed(T("out of memory"))
    QuickChecks(screen).want(ASKED.proposal, tmp_path)  # type: ignore[arg-type]
    screen.settle()
    assert outcomes(screen) == [worker.fault]


async def test_on_the_screen_the_question_waits_beside_the_check_and_its_result_comes_to_card_and_chat(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "tried_text", lambda proposal, task: T("quick check: two points better"))
    app = make_app(tmp_path, "stance", task="stance")
    asked = question(task="stance")
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        app.bridge._question, app.bridge._token, app.bridge.task = asked, 1, app.workspace.task_path("stance")
        app.post_message(QuestionAsked(asked, 1))
        await until(pilot, lambda: app.desk.card is not None and "Put off" in screen_text(app))
        app.desk.card.post_message(QuickCheckWanted(asked.proposal))
        await until(pilot, lambda: "run 1 of 2 (as it is)" in screen_text(app))
        assert app.bridge.question is asked
        worker.end.set()
        await until(pilot, lambda: screen_text(app).count("two points better") == 2)
        assert app.bridge.question is asked
        app.execute(Order(command="quick"))
        await until(pilot, lambda: "Press t on the card" in screen_text(app))
