"""Changes, proposals and decisions: what may be done to a task, what it should bring, and who said yes.

Every change is an edit of configs/training_config.yaml (plus, for added rows, a new file that a recipe line names), so every
proposal can be shown as one small diff and undone by restoring one snapshot.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum, auto
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from tools.text import Text, Words


class ChangeKind(StrEnum):
    """What part of a version a change touches; policies allow and forbid by kind."""

    config = auto()
    """A hyperparameter."""
    recipe = auto()
    """Oversampling, class weights, excluded rows."""
    data = auto()
    """Rows are added or relabelled."""
    method = auto()
    """SFT to ORPO and the like."""
    base_model = auto()
    prompt = auto()
    decoding = auto()
    repair = auto()
    """A configuration key is mended (renamed, mistyped) without changing what is trained."""


class Edit(BaseModel):
    """One key of the configuration and its new value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: tuple[str, ...] = Field(min_length=1)
    """Key path such as ("training", "class_weights", "中立"); labels may contain dots, hence no dotted string."""
    old: JsonValue = None
    """The value now; None when the key is absent."""
    new: JsonValue = None
    """The value wanted; None removes the key."""

    @property
    def dotted(self) -> str:
        """The path as people write it: training.class_weights.中立."""
        return ".".join(self.path)


class Change(BaseModel):
    """One variable of the experiment: usually one edit, or several that only make sense together (r with alpha)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ChangeKind
    summary: Text
    """In words: "LoRA rank: 32 → 64"."""
    edits: list[Edit] = Field(min_length=1)


class Effect(BaseModel):
    """A forecast that will be scored: change of `metric`, in fractions (0.05 = 5 points), inside [low, high]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    low: float
    high: float
    level: float = 0.8
    """Probability that the outcome falls inside the interval."""
    p_better: float = Field(ge=0, le=1)
    """Probability that the metric rises at all."""
    source: Literal["measured", "learned", "prior"]
    """measured: a probe on this task; learned: earlier iterations; prior: the matrix of the specification."""
    basis: Text
    """Where the numbers come from, in words."""


class Cost(BaseModel):
    """What the change takes before its effect is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: float
    """Wall-clock minutes of training and evaluation on this machine."""
    memory_gb: float | None = None
    trainings: int = 1
    """Number of training runs (one per seed); 0 when only evaluation is needed."""
    basis: Text
    """How the estimate was made (measured speed, earlier run, rule of thumb)."""


class Difficulty(StrEnum):
    """Work for the user."""

    low = auto()
    medium = auto()
    high = auto()


class Tier(StrEnum):
    """Priority tier of the specification: quick wins, then data, then long-term quality."""

    quick = auto()
    medium = auto()
    long = auto()


class Goal(BaseModel):
    """What this iteration hopes for, in one number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    """Such as "macro_f1" or "f1[中立]"."""
    now: float | None = None
    wanted: float


class Proposal(BaseModel):
    """One change (or a declared bundle) with everything a person needs to decide on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    title: Text
    problem: Text
    """What it is meant to mend, from the findings."""
    findings: list[str] = []
    """Kinds of the findings it answers, strongest first."""
    goal: Goal
    changes: list[Change]
    """One, several for a declared bundle, or none for the baseline: training the configuration as it stands."""
    diff: str
    """Unified diff of configs/training_config.yaml."""
    config_sha256: str
    """Hash of the configuration file the diff was made for; another hash means the proposal is stale."""
    effect: Effect
    cost: Cost
    difficulty: Difficulty
    tier: Tier
    page: str
    """Reference page id."""
    caution: Text | None = None
    """What speaks against it, or an earlier rejection that it takes into account."""
    origin: Literal["rules", "model", "person"] = "rules"
    """Whose idea it is; checks, forecast and price come from the same code for all three."""
    comment: str | None = None
    """Words of a language model about it, shown as such; never a number that something is decided by."""

    @property
    def id(self) -> str:
        """Stable identity of what would be changed (not of its wording): 10 hex digits."""
        edits = [[list(e.path), e.old, e.new] for c in self.changes for e in c.edits]
        return hashlib.sha256(json.dumps([self.task, edits], ensure_ascii=False, sort_keys=True).encode()).hexdigest()[
            :10
        ]


class Verb(StrEnum):
    """What can be said to a proposal."""

    approve = auto()
    edit = auto()
    """Approve with other values."""
    reject = auto()
    defer = auto()


class SessionRule(BaseModel):
    """What a person allowed for the rest of a session: edits of exactly these keys, so often, within these minutes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: list[str] = Field(min_length=1)
    """Dotted configuration keys; a proposal is covered only when each of its edits is one of them."""
    trainings: int = Field(ge=1)
    """Trainings it still covers."""
    max_minutes: float = Field(gt=0)
    """Estimated cost up to which it covers one."""


class Decision(BaseModel):
    """The answer to one proposal: the only thing that lets a change run.

    It comes from a person, a rule that the person gave, or a policy file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    proposal_id: str
    decision: Verb
    edited: list[Change] | None = None
    """The changes as edited by the person; only with `edit`."""
    reason: Words = ""
    """A person's own words as they wrote them; a Text where a rule says why."""
    remember: SessionRule | None = None
    """Allow alike changes for the rest of the session; only with `approve`, by a person."""
    by: Literal["person", "rule", "policy"]
    who: Words = ""
    """User name, rule text or policy file; a Text for the rule of a session."""
    at: str
    """ISO 8601 UTC."""

    @model_validator(mode="after")
    def _only_a_person_widens(self) -> Self:
        if self.remember is not None and (self.by != "person" or self.decision is not Verb.approve):
            raise ValueError("only a person who approves can allow alike changes for the session")
        return self
