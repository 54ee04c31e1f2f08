"""What happens in a session, as typed events: the steps emit them, every face consumes them.

An event is told after the fact and can never be answered; questions are in agent/approval.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tools.change import Decision, Proposal
from tools.comparison import Comparison
from tools.diagnose import Diagnosis
from tools.outcomes.status import TaskStatus
from tools.runs import RunEvent
from tools.text import Text
from tools.versioning.adopt import AdoptionRecord
from tools.versioning.ledger import OpenedTest


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SessionStarted(_Event):
    """A session began or was taken up again; the first event of every stream."""

    type: Literal["session_started"] = "session_started"
    session: str
    task: str
    resumed: bool


class Notice(_Event):
    """Something worth a line."""

    type: Literal["notice"] = "notice"
    level: Literal["info", "warning", "error"] = "info"
    message: Text
    page: str | None = None


class TaskLoaded(_Event):
    """Step 1: where the task stands."""

    type: Literal["task_loaded"] = "task_loaded"
    status: TaskStatus


class Diagnosed(_Event):
    """Step 2: what is wrong, with evidence."""

    type: Literal["diagnosed"] = "diagnosed"
    diagnosis: Diagnosis


class ErrorPattern(BaseModel):
    """A kind of mistake that a language model sees in wrong answers; its words, with rows anyone can check."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    explanation: str
    row_ids: list[str]
    """Rows of the valid split that were in the prompt; ids that were not are dropped."""


class Analysed(_Event):
    """A language model's reading of typical errors: an opinion beside the facts of the diagnosis, marked with its author."""

    type: Literal["analysed"] = "analysed"
    model: str
    summary: str
    patterns: list[ErrorPattern]


class Proposed(_Event):
    """Step 3: what could be done, best first."""

    type: Literal["proposed"] = "proposed"
    proposals: list[Proposal]


class Decided(_Event):
    """An answer was recorded."""

    type: Literal["decided"] = "decided"
    decision: Decision
    title: Text


class VersionBegun(_Event):
    """Step 4: the configuration of a new version was written and its record opened."""

    type: Literal["version_begun"] = "version_begun"
    version: str
    parent: str
    title: Text
    minutes: float
    memory_gb: float | None


class Progress(_Event):
    """An event of a training run."""

    type: Literal["progress"] = "progress"
    run_id: str
    event: RunEvent


class Compared(_Event):
    """Step 5: the new version against its parent."""

    type: Literal["compared"] = "compared"
    comparison: Comparison
    report: str
    """Path of the report, relative to the task folder."""


class TestOpened(_Event):
    """The locked test set was opened and the opening entered in the ledger."""

    __test__ = False  # not a test class, whatever its name suggests to a test collector
    type: Literal["test_opened"] = "test_opened"
    opened: OpenedTest


class Adopted(_Event):
    """The pointer to the version in use moved."""

    type: Literal["adopted"] = "adopted"
    record: AdoptionRecord


class RolledBack(_Event):
    """The configuration of an earlier version was restored."""

    type: Literal["rolled_back"] = "rolled_back"
    version: str
    restored: str


class SessionEnded(_Event):
    """The last event of every stream."""

    type: Literal["session_ended"] = "session_ended"
    reason: Literal["done", "nothing_to_do", "waiting", "failed", "interrupted"]
    message: Text
    resume: str | None = None
    """The command that continues, when something is left to continue."""


Event = Annotated[
    SessionStarted
    | Notice
    | TaskLoaded
    | Diagnosed
    | Analysed
    | Proposed
    | Decided
    | VersionBegun
    | Progress
    | Compared
    | TestOpened
    | Adopted
    | RolledBack
    | SessionEnded,
    Field(discriminator="type"),
]
event_adapter: TypeAdapter[Event] = TypeAdapter(Event)

Emit = Callable[[Event], None]
"""Hands an event to whoever watches."""
