"""The state of one session's graph: JSON values and paths only.

Large things stay in files and are named here. Nothing that came from a model or a data row decides where the graph goes:
the edges look at `answer`, which only an approver can give.
"""

from __future__ import annotations

from typing import Any, TypedDict

Json = dict[str, Any]


class Work(TypedDict):
    """One approved proposal on its way through training and comparison."""

    proposal: Json
    """tools.change.Proposal, as approved (edited values included)."""
    decision: Json
    """tools.change.Decision."""
    version: str
    """The version it becomes; "" until it is prepared."""
    parent: str
    """The version it starts from; "" for the baseline."""


class State(TypedDict, total=False):
    """Everything the graph remembers between steps and across restarts."""

    task: str
    """Absolute path of the task folder."""
    session: str
    base: str
    """Version that is being improved; "" when the task has no trained version."""
    iteration: int
    """How many versions this session has compared."""
    diagnosis: Json
    """tools.diagnose.Diagnosis."""
    analysis: Json | None
    """agent.advising.errors.Analysis: a language model's reading of the errors, so that it is not asked twice."""
    proposals: list[Json]
    cursor: int
    """Index of the proposal under review."""
    answer: Json | None
    """The newest answer of an approver, consumed by the step after the question."""
    wishes: list[Json]
    """Proposals of the person that wait for the next list; they come first in it."""
    grants: list[Json]
    """What a person allowed for the rest of this session: agent.policy.Grant."""
    decisions: list[Json]
    """Every Decision of this session."""
    queue: list[Work]
    """Approved, not yet executed."""
    work: Work | None
    """Being executed or compared."""
    comparison: Json | None
    opened: Json | None
    """The opening of the test set, once adoption was asked for."""
    ended: str
    """Why the session is over; "" while it is not."""
