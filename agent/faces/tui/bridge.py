"""Between the screen and the session: runs the session in a thread of its own and carries its questions to the person.

Only a person's key, click or typed order becomes an answer here. An answer carries the token of the asking it belongs to;
one that comes late, after the question has changed, is dropped. Leaving answers nothing and stops no training.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from agent.approval import Answer, Question, ReviewQuestion, Wish
from agent.events import Event, Proposed
from agent.faces.standing import Standing
from agent.faces.tui.messages import QuestionAsked, SessionGone, SessionSays
from tools.change import Proposal
from tools.text import Speaker

if TYPE_CHECKING:
    from agent.model.client import ChatModel
    from agent.session import Session

LEAVE_SECONDS = 5.0
"""How long leaving waits for the session to write down that it waits; the checkpoint is there in any case."""


class SessionBridge:
    """One session at a time; every method may be called from the screen's thread."""

    def __init__(self, post: Callable[[Message], Any], say: Speaker) -> None:
        self._post = post
        self._say = say
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None
        self._session: Session | None = None
        self._early: list[Proposal] = []
        self._question: Question | None = None
        self._token = 0
        self.model: ChatModel | None = None
        self.task: Path | None = None
        self.standing = Standing()

    @property
    def running(self) -> bool:
        """True while a session's thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def question(self) -> Question | None:
        """The question that waits, if one does."""
        return self._question

    @property
    def token(self) -> int:
        """The name of the newest asking."""
        return self._token

    def start(self, task: Path, *, fresh: bool = False, wishes: Sequence[Proposal] = ()) -> bool:
        """Take up the task's open session or begin one; False when a session is already running here."""
        if self.running:
            return False
        self._leaving.clear()
        self._answers = queue.SimpleQueue()
        self._session, self._early = None, []
        self.task, self.standing = task, Standing()
        self._thread = threading.Thread(
            target=self._run, args=(task, fresh, list(wishes)), name=f"session of {task.name}", daemon=True
        )
        self._thread.start()
        return True

    def file(self, proposal: Proposal, task: Path) -> bool:
        """Bring a wish of the person before the next review; a session begins with it when none runs.

        False when it cannot be brought: the session that runs is one on another task, or is being left.
        """
        if self.start(task, wishes=[proposal]):
            return True
        with self._lock:
            if self.task != task or self._leaving.is_set():
                return False
            if isinstance(self._question, ReviewQuestion):
                self._give(Wish(proposals=[proposal]))
            elif self._session is None:
                self._early.append(proposal)
            else:
                self._session.wish(proposal)
        return True

    def answer(self, answer: Answer, token: int) -> bool:
        """Hand the person's answer to the session; False when it is not for the question that waits."""
        with self._lock:
            if self._question is None or token != self._token:
                return False
            self._give(answer)
        return True

    def leave(self) -> None:
        """End the session's thread: its question and its training stay exactly as they are."""
        self._leaving.set()
        with self._lock:
            if self._question is not None:
                self._give(None)
        if self._thread is not None:
            self._thread.join(LEAVE_SECONDS)

    def ask(self, question: Question) -> Answer | None:
        """The approver of the session: waits in its thread until the screen answers."""
        with self._lock:
            if self._leaving.is_set():
                return None
            foreseen = self.standing.meet(question)
            if foreseen is not None:
                return foreseen
            self._token += 1
            self._question = question
            token = self._token
        self._post(QuestionAsked(question, token))
        return self._answers.get()

    def _give(self, answer: Answer | None) -> None:
        self._question = None
        self._answers.put(answer)

    def _run(self, task: Path, fresh: bool, wishes: list[Proposal]) -> None:
        error: BaseException | None = None
        try:
            from agent.session import Session  # 1 s: LangGraph

            session = Session(
                task,
                approver=_Asking(self),
                watch=self._watch,
                say=self._say,
                resume_command=f"iterate chat {task.name}",
                model=self.model,
                leaving=self._leaving.is_set,
            )
            with self._lock:
                self._session = session
                wishes += self._early
            session.run(fresh=fresh, wishes=wishes)
        except BaseException as caught:  # the thread's end is the only place where anyone could learn of it
            error = caught
        with self._lock:
            self._question = None
        self._post(SessionGone(error))

    def _watch(self, event: Event) -> None:
        if isinstance(event, Proposed):
            self.standing.show(event.proposals)
        self._post(SessionSays(event))


class _Asking:
    """The bridge as the session sees it."""

    def __init__(self, bridge: SessionBridge) -> None:
        self._bridge = bridge

    def answer(self, question: Question) -> Answer | None:
        """What the person in front of the screen says."""
        return self._bridge.ask(question)
