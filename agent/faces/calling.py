"""Calling the person of a plain terminal back through the program of their settings: a question waits, a training has ended.

Who answered something a moment ago is here and is not called. The full-screen chat knows that better (tui/attention.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic

from agent.approval import Answer, Approver, Question
from agent.events import Event, Progress, SessionEnded
from agent.notify import Happening, notify_soon
from agent.settings import Settings
from tools.runs import EndEvent, RunState
from tools.text import Speaker, T, Text

ABSENT_SECONDS = 60.0
"""Who has said nothing for so long may be elsewhere."""


class Caller:
    """Hears the events of one session, and stands before the approver who asks the person."""

    def __init__(
        self,
        settings: Settings,
        say: Speaker,
        *,
        task: str,
        command: str,
        warn: Callable[[Text], None],
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._settings, self._say, self._task, self._command, self._warn = settings, say, task, command, warn
        self._now = now
        self._answered = -math.inf

    def hear(self, event: Event) -> None:
        """Call about what has ended, or waits with nobody here."""
        match event:
            case Progress(event=EndEvent(state=RunState.succeeded)):
                self._call("finished", T("a training has ended"))
            case Progress(event=EndEvent(state=RunState.failed)):
                self._call("failed", T("a training has failed"))
            case SessionEnded(reason="waiting"):
                self._call("waiting", T("a decision waits"))

    def before(self, approver: Approver) -> Approver:
        """The approver, with a call before it asks somebody who may have left; just now the person is here."""
        self.answered()
        return _Calling(approver, self)

    def asking(self) -> None:
        """A question is about to be put to the person."""
        self._call("waiting", T("a decision waits"))

    def answered(self) -> None:
        """The person was here just now."""
        self._answered = self._now()

    def _call(self, happening: Happening, what: Text) -> None:
        if self._now() - self._answered < ABSENT_SECONDS:
            return
        notify_soon(self._settings, happening, self._say(what), warn=self._warn, task=self._task, command=self._command)


class _Calling:
    def __init__(self, approver: Approver, caller: Caller) -> None:
        self._approver, self._caller = approver, caller

    def answer(self, question: Question) -> Answer | None:
        """The person's answer, after a call."""
        self._caller.asking()
        try:
            return self._approver.answer(question)
        finally:
            self._caller.answered()
