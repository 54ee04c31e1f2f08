"""The bridge between the screen and the session: questions, late answers, leaving, wishes, typed approvals."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import agent.session
from agent.approval import Approver, ReviewQuestion, Wish
from agent.events import Proposed, SessionEnded
from agent.faces.standing import Standing, decision
from agent.faces.tui.bridge import SessionBridge
from agent.faces.tui.messages import QuestionAsked, SessionGone, SessionSays
from agent.proposing.baseline import baseline
from agent.records import session_records
from tests.support.tui import workspace_with
from tools.change import Change, ChangeKind, Edit, Proposal, Verb
from tools.errors import InputError
from tools.reading.task import load_task
from tools.text import T, english


class Inbox:
    """What the bridge posts, to be waited for."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._more = threading.Condition()

    def __call__(self, message: Any) -> None:
        with self._more:
            self.messages.append(message)
            self._more.notify_all()

    def wait(self, kind: type, count: int = 1) -> Any:
        def there() -> bool:
            return len(self.of(kind)) >= count

        with self._more:
            assert self._more.wait_for(there, 60), [type(one).__name__ for one in self.messages]
        return self.of(kind)[count - 1]

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.messages if isinstance(one, kind)]


@pytest.fixture(scope="module")
def proposal(tmp_path_factory: pytest.TempPathFactory) -> Proposal:
    workspace = workspace_with(tmp_path_factory.mktemp("one"), "stance")
    return baseline(load_task(workspace.task_path("stance")))


def variants(proposal: Proposal, count: int) -> list[Proposal]:
    """Proposals that differ in what they change."""
    return [
        proposal.model_copy(
            update={
                "changes": [
                    Change(
                        kind=ChangeKind.config,
                        summary=T("Epochs: {value}", value=value),
                        edits=[Edit(path=("training", "epochs"), old=1, new=value)],
                    )
                ]
            }
        )
        for value in range(2, 2 + count)
    ]


class ScriptedSession:
    """A session that asks what it was told to ask, and otherwise waits for leaving as one does that trains."""

    script: Callable[[ScriptedSession], None]

    def __init__(self, task_path: Path, *, approver: Approver, watch: Any, leaving: Callable[[], bool], **rest: Any):
        self.approver = approver
        self.watch = watch
        self.leaving = leaving
        self.answers: list[Any] = []
        self.wishes: list[Proposal] = []
        ScriptedSession.newest = self

    newest: ScriptedSession

    def wish(self, *proposals: Proposal) -> None:
        self.wishes += proposals

    def run(self, *, fresh: bool = False, wishes: Sequence[Proposal] = ()) -> None:
        self.wish(*wishes)
        type(self).script(self)

    def ask(self, proposal: Proposal, number: int, total: int) -> Any:
        answer = self.approver.answer(ReviewQuestion(proposal=proposal, number=number, total=total, approved=0))
        self.answers.append(answer)
        return answer


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedSession]:
    monkeypatch.setattr(agent.session, "Session", ScriptedSession)
    return ScriptedSession


def started(scripted: type[ScriptedSession], script: Callable[[ScriptedSession], None]) -> tuple[SessionBridge, Inbox]:
    scripted.script = staticmethod(script)
    inbox = Inbox()
    bridge = SessionBridge(inbox, english)
    assert bridge.start(Path("stance"))
    return bridge, inbox


def test_only_an_answer_to_the_question_that_waits_reaches_the_session(
    scripted: type[ScriptedSession], proposal: Proposal
) -> None:
    one, two = variants(proposal, 2)

    def script(session: ScriptedSession) -> None:
        session.ask(one, 1, 2)
        session.ask(two, 2, 2)

    bridge, inbox = started(scripted, script)
    first = inbox.wait(QuestionAsked)
    assert not bridge.answer(decision(one, Verb.approve), first.token + 1)
    assert bridge.answer(decision(one, Verb.reject, "no"), first.token)
    second = inbox.wait(QuestionAsked, 2)
    assert not bridge.answer(decision(one, Verb.approve), first.token), "a late answer must not meet the next question"
    assert bridge.answer(decision(two, Verb.approve), second.token)
    inbox.wait(SessionGone)
    assert [answer.decision for answer in scripted.newest.answers] == [Verb.reject, Verb.approve]
    assert not bridge.answer(decision(two, Verb.approve), second.token)


def test_leaving_answers_nothing_and_ends_the_wait_for_a_training(
    scripted: type[ScriptedSession], proposal: Proposal
) -> None:
    bridge, inbox = started(scripted, lambda session: session.ask(proposal, 1, 1))
    inbox.wait(QuestionAsked)
    bridge.leave()
    assert scripted.newest.answers == [None] and not bridge.running and bridge.question is None

    def training(session: ScriptedSession) -> None:
        while not session.leaving():
            threading.Event().wait(0.01)

    bridge, inbox = started(scripted, training)
    assert bridge.running and not bridge.start(Path("another"))
    bridge.leave()
    assert not bridge.running and inbox.wait(SessionGone).error is None


def test_typed_approvals_are_given_when_their_turn_comes_and_the_others_are_asked(
    scripted: type[ScriptedSession], proposal: Proposal
) -> None:
    one, two, three = variants(proposal, 3)

    def script(session: ScriptedSession) -> None:
        session.watch(Proposed(proposals=[one, two, three]))
        for number, each in enumerate((one, two, three), start=1):
            session.ask(each, number, 3)

    bridge, inbox = started(scripted, script)
    first = inbox.wait(QuestionAsked)
    wanted, unknown = bridge.standing.named([1, 3, 9])
    assert wanted == [one, three] and unknown == [9]
    bridge.standing.note(three, Verb.approve)
    bridge.answer(decision(one, Verb.approve), first.token)
    second = inbox.wait(QuestionAsked, 2)
    assert second.question.proposal == two
    bridge.answer(decision(two, Verb.defer), second.token)
    inbox.wait(SessionGone)
    assert [answer.proposal_id for answer in scripted.newest.answers] == [one.id, two.id, three.id]
    assert len(inbox.of(QuestionAsked)) == 2


def test_a_wish_answers_the_review_that_waits_and_is_kept_for_the_next_one_otherwise(
    scripted: type[ScriptedSession], proposal: Proposal
) -> None:
    one, wish = variants(proposal, 2)
    go = threading.Event()

    def script(session: ScriptedSession) -> None:
        session.ask(one, 1, 1)
        go.wait(20)

    bridge, inbox = started(scripted, script)
    inbox.wait(QuestionAsked)
    bridge.file(wish, Path("stance"))
    assert bridge.question is None
    bridge.file(one, Path("stance"))
    go.set()
    inbox.wait(SessionGone)
    assert scripted.newest.answers == [Wish(proposals=[wish])] and scripted.newest.wishes == [one]


def test_a_wish_for_one_task_never_reaches_the_session_of_another(
    scripted: type[ScriptedSession], proposal: Proposal
) -> None:
    bridge, inbox = started(scripted, lambda session: session.ask(proposal, 1, 1))
    asked = inbox.wait(QuestionAsked)
    assert not bridge.file(proposal, Path("another"))
    assert bridge.question == asked.question and scripted.newest.wishes == []
    bridge.leave()


def test_what_a_session_raises_is_posted(scripted: type[ScriptedSession]) -> None:
    def script(session: ScriptedSession) -> None:
        raise InputError(T("no"))

    _, inbox = started(scripted, script)
    assert isinstance(inbox.wait(SessionGone).error, InputError)


def test_a_noted_approval_whose_proposal_left_the_list_is_reported_and_forgotten(proposal: Proposal) -> None:
    one, two, three = variants(proposal, 3)
    standing = Standing()
    standing.show([one, two])
    standing.note(two, Verb.approve)
    standing.show([one, three])
    assert standing.missed() == [two] and standing.missed() == []
    assert standing.meet(ReviewQuestion(proposal=two, number=2, total=2, approved=0)) is None


def test_a_wish_before_the_list_moves_the_numbers(proposal: Proposal) -> None:
    one, two, wish = variants(proposal, 3)
    standing = Standing()
    standing.show([one, two])
    assert standing.meet(ReviewQuestion(proposal=wish, number=1, total=3, approved=0)) is None
    assert list(standing.proposals) == [wish, one, two]
    assert standing.named([2]) == ([one], [])


def test_a_real_session_waits_when_it_is_left_and_asks_the_same_again(tmp_path: Path) -> None:
    task = workspace_with(tmp_path, "stance").task_path("stance")
    inbox = Inbox()
    bridge = SessionBridge(inbox, english)
    bridge.start(task)
    asked = inbox.wait(QuestionAsked).question
    bridge.leave()
    ended = [one.event for one in inbox.of(SessionSays) if isinstance(one.event, SessionEnded)]
    assert [one.reason for one in ended] == ["waiting"]
    assert [one.reason for one in session_records(task)] == ["waiting"]

    again = Inbox()
    bridge = SessionBridge(again, english)
    bridge.start(task)
    assert again.wait(QuestionAsked).question == asked
    bridge.leave()
    assert len(session_records(task)) == 1
