"""What a step may use besides its state: the watcher of events, the language of records, and the session's name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.events import Emit
from agent.journal import Journal
from agent.state import State
from tools.text import Speaker


@dataclass(frozen=True)
class Context:
    """Shared by all steps of one session."""

    session: str
    emit: Emit
    say: Speaker
    """Speaks the language of records and reports."""

    def journal(self, state: State) -> Journal:
        """The journal of the state's task."""
        return Journal(task_path(state))


def task_path(state: State) -> Path:
    """The folder of the state's task."""
    return Path(state["task"])
