"""What diagnosis returns: findings with evidence, never opinions without numbers."""

from __future__ import annotations

from enum import StrEnum, auto

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.text import Scalar, Text


class Severity(StrEnum):
    """How much a finding matters for the target."""

    info = auto()
    warning = auto()
    error = auto()


class FindingKind(StrEnum):
    """Every kind of finding the program can make."""

    # the numbers
    weak_class = auto()
    class_imbalance = auto()
    missing_class = auto()
    low_overall = auto()
    confusion = auto()
    # the data
    too_few_rows = auto()
    duplicate_rows = auto()
    inconsistent_labels = auto()
    split_leak = auto()
    bad_rows = auto()
    small_evaluation = auto()
    # the training
    low_capacity = auto()
    underfitting = auto()
    overfitting = auto()
    unstable_training = auto()
    # the output
    output_format = auto()
    truncated = auto()
    # the configuration
    config_unknown_key = auto()
    config_renamed_key = auto()
    config_mistyped_value = auto()
    config_conflict = auto()
    # what is missing or cannot be trusted
    no_results = auto()
    no_valid_split = auto()
    unknown_split = auto()
    unreadable_file = auto()
    not_comparable = auto()


class Fact(BaseModel):
    """One number behind a finding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text
    value: Scalar
    threshold: Scalar = None
    """The limit of the rule that fired, if there is one."""
    source: str | None = None
    """File the number comes from, relative to the task folder."""
    percent: bool = False
    """True when the value is a fraction that people read as a percentage."""


class Finding(BaseModel):
    """One diagnosed fact about a task, with its evidence and the page that explains it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FindingKind
    severity: Severity
    title: Text
    """One line: what is wrong."""
    detail: Text
    """One or two sentences: how it is known and why it matters."""
    facts: list[Fact] = []
    rows: list[str] = []
    """Row ids that show it (train or valid rows, never test)."""
    about: dict[str, JsonValue] = {}
    """Machine-readable subject, such as {"label": "中立"} or {"key": "training.warmup_ratio"}; the proposer reads it."""
    lost: float | None = None
    """Estimated loss of the primary metric through it, as a fraction; findings are ranked by it. None: not estimable."""
    explained_by: FindingKind | None = None
    """A finding of this kind is probably the cause of this one, and mending the cause comes first."""
    page: str
    """Id of the reference page, such as "troubleshooting/class-imbalance"."""
