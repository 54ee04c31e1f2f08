"""Following the quick checks that the person asked for on a card: each in a thread, whatever happens to the card meanwhile.

Their workers are detached and their results on record, so leaving loses nothing: a wanted quick check is taken up again when
its question is shown again. No answer to a question is ever made here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent.approval import Answer, Question, ReviewQuestion
from agent.faces.tui.messages import QuickCheckSays
from tools.change import Decision, Proposal, Verb
from tools.text import T, Text

if TYPE_CHECKING:
    from agent.faces.tui.app import IterateApp


class QuickChecks:
    """The quick checks that this program follows; its public methods are called from the screen's thread."""

    def __init__(self, app: IterateApp) -> None:
        self._app = app
        self._followed: dict[str, threading.Event] = {}
        """Change to what tells its thread to leave."""

    def want(self, proposal: Proposal, task: Path) -> None:
        """Begin a quick check, or go on with one that was begun."""
        if proposal.id not in self._followed:
            leaving = self._followed[proposal.id] = threading.Event()
            self._in_thread(partial(self._carry_out, proposal, task, leaving))

    def asked(self, question: Question, task: Path | None) -> None:
        """A question is shown: go on with the quick check of its change if one was asked for and is not over."""
        if isinstance(question, ReviewQuestion) and task is not None:
            self._in_thread(partial(self._look, question.proposal, task))

    def drop(self, proposal: Proposal, task: Path) -> None:
        """Stop a quick check; what it computed is kept."""
        self._let_go(proposal.id)
        self._in_thread(partial(self._stop, proposal, task))

    def answered(self, answer: Answer, question: Question | None, task: Path | None) -> None:
        """A decision was made: a check of what is decided serves nothing more. Putting it off decides nothing."""
        decided = isinstance(answer, Decision) and answer.decision is not Verb.defer
        if decided and isinstance(question, ReviewQuestion) and task is not None:
            self.drop(question.proposal, task)

    def leave(self) -> None:
        """Follow none any more; the workers go on."""
        for change in list(self._followed):
            self._let_go(change)

    def over(self, change: str) -> None:
        """The thread that followed has ended."""
        self._followed.pop(change, None)

    def _let_go(self, change: str) -> None:
        leaving = self._followed.pop(change, None)
        if leaving is not None:
            leaving.set()

    def _in_thread(self, work: Callable[[], None]) -> None:
        self._app.run_worker(work, thread=True, group="quick", exit_on_error=False)

    # in threads

    def _look(self, proposal: Proposal, task: Path) -> None:
        from tools.probing.quick_wanted import wanted_quick

        if wanted_quick(task, proposal.id) is not None:
            self._app.call_from_thread(self.want, proposal, task)

    def _carry_out(self, proposal: Proposal, task: Path, leaving: threading.Event) -> None:
        from agent.faces.views.quick import progress_text, quick_args, tried_text
        from tools.probing.quick_wanted import follow_quick, want_quick, wanted_quick

        def say(told: Text | None, outcome: Text | Exception | None = None) -> None:
            self._app.post_message(QuickCheckSays(proposal.id, told, outcome))

        try:
            say(T("quick check: it begins"))
            plan = wanted_quick(task, proposal.id) or want_quick(quick_args(proposal, task))
            result = follow_quick(plan, lambda run, event: say(progress_text(plan, run, event)), leaving.is_set)
        except Exception as error:  # shown where the person asked; the question still waits
            say(None, error)
            return
        if not leaving.is_set():
            say(None, tried_text(proposal, task) if result is not None else T("The quick check was stopped."))

    def _stop(self, proposal: Proposal, task: Path) -> None:
        from tools.probing.quick_wanted import drop_quick, wanted_quick

        plan = wanted_quick(task, proposal.id)
        if plan is not None:
            drop_quick(plan)
            self._app.post_message(QuickCheckSays(proposal.id, None, T("The quick check was stopped.")))
