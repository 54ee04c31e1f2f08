"""What an answer may look at: the workspace, the task under discussion, and the question that waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.approval import Question
from agent.library import Library
from agent.model.client import ChatModel
from agent.paths import Workspace
from tools.change import Proposal
from tools.text import Speaker


@dataclass(frozen=True)
class Exchange:
    """One earlier message of the conversation."""

    by: Literal["person", "rules", "model"]
    text: str


@dataclass(frozen=True)
class Situation:
    """Read-only surroundings of one turn."""

    workspace: Workspace
    library: Library
    say: Speaker
    """Speaks the language of the person."""
    language: str
    """en or zh-TW."""
    task: Path | None = None
    """The task under discussion."""
    question: Question | None = None
    """What the session is waiting for; a turn never answers it."""
    proposals: Sequence[Proposal] = ()
    """The list under review, in its order."""
    model: ChatModel | None = None
    """None: the rules answer."""
    before: Sequence[Exchange] = ()
    """Earlier messages, oldest first."""
    stopped: Callable[[], bool] = field(default=lambda: False)
    """True once the person interrupted the answer."""
