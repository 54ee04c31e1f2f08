"""What a step may use besides its state: the watcher of events, the language of records, the session's name, a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.events import Emit
from agent.journal import Journal
from agent.state import State
from tools.text import Speaker

if TYPE_CHECKING:  # a step without a model needs nothing of its client
    from agent.model.client import ChatModel


class Left(Exception):
    """The person has left: the step ends here and runs again when the session is taken up."""


def never() -> bool:
    """Nobody leaves."""
    return False


@dataclass(frozen=True)
class Context:
    """Shared by all steps of one session."""

    session: str
    emit: Emit
    say: Speaker
    """Speaks the language of records and reports."""
    model: ChatModel | None = None
    """Helps inside steps; None where there is none, and every step works without."""
    leaving: Callable[[], bool] = never
    """True once the person wants to leave; a step that waits stops waiting then."""

    def journal(self, state: State) -> Journal:
        """The journal of the state's task."""
        return Journal(task_path(state))


def task_path(state: State) -> Path:
    """The folder of the state's task."""
    return Path(state["task"])
