"""The vocabulary of a task folder: its definition, its configuration as read, its rows and what is wrong with them.

Only the models live here; tools/reading/task.py fills them, tolerant of what is missing and exact about what is wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.config import TrainingConfig
from tools.errors import Problem

TaskType = Literal["classification", "extraction", "generation"]
SplitName = Literal["train", "valid", "test"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnswerFormat(_Model):
    """The declared shape of an answer: what evaluation parses strictly."""

    type: Literal["label", "json", "text"]
    """label: the bare label; json: one object; text: free text."""
    fields: list[str] = []
    """Names of the object's fields, in order, for json."""
    label_field: str | None = None
    """For classification as json: the field that holds the label."""
    labels: list[str] = []
    """Declared labels in order, for classification."""
    enums: dict[str, list[str]] = {}
    """Field to its allowed values, for json."""
    long_fields: list[str] = []
    """Fields that condense text, scored by character F1 instead of exact match."""


class Target(_Model):
    """One number the task is asked to reach."""

    metric: str
    threshold: float
    """Fraction in [0, 1]."""


class TaskDefinition(_Model):
    """task_definition.yaml, normalised."""

    task_name: str
    task_type: TaskType
    domain: str | None = None
    language: str | None = None
    description: str | None = None
    template: str
    """str.format template over the row's fields, such as "文本：{text}"."""
    input_fields: list[str]
    """Names in the template, in order."""
    answer: AnswerFormat
    targets: list[Target] = []
    """Primary metric first."""
    thresholds: dict[str, float] = {}
    """Overrides of the diagnosis thresholds (tools/evidence/thresholds.py), from the `diagnosis:` block."""
    slices: list[str] = []
    """Row fields whose values are protected slices, besides the classes."""
    deploy_command: str | None = None
    raw: dict[str, JsonValue] = {}
    """The file as it is, for what other tools of the user keep there."""

    @property
    def primary_metric(self) -> str:
        """The metric of the first target, else the usual one of the task type."""
        if self.targets:
            return self.targets[0].metric
        return {"classification": "macro_f1", "extraction": "field_score", "generation": "rouge_l"}[self.task_type]


class Row(_Model):
    """One example."""

    id: str
    fields: dict[str, str]
    """Input fields by name; for chat-format rows {"messages": JSON of all turns before the last assistant turn}."""
    answer: str | dict[str, JsonValue] | None = None
    """The label, the object, or the text; None when unlabelled."""
    chosen: str | None = None
    rejected: str | None = None
    meta: dict[str, JsonValue] = {}
    """Everything else in the row; never shown to the model."""
    file: str = ""
    line: int = 0

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """What makes two rows the same question: all input fields (a text may stand twice with different entities)."""
        return tuple(sorted(self.fields.items()))


class Split(_Model):
    """The rows of one split as far as they could be read."""

    name: SplitName
    files: list[str]
    rows: list[Row]
    carved: bool = False
    """True for a valid split that was taken out of train because there was none."""

    def label_counts(self) -> dict[str, int]:
        """Rows per label, for classification."""
        counts: dict[str, int] = {}
        for row in self.rows:
            if isinstance(row.answer, str):
                counts[row.answer] = counts.get(row.answer, 0) + 1
        return counts


class ConfigFile(_Model):
    """configs/training_config.yaml (over the definition's `training:` block) as read."""

    path: Path | None
    """None when the task has no such file."""
    text: str = ""
    sha256: str = ""
    """Of the bytes on disk; "" when there is no file."""
    values: TrainingConfig
    origins: dict[str, str] = {}
    """Dotted key to the file that gave it; keys not named are defaults."""
    problems: list[Problem] = []


class Task(_Model):
    """A task folder as loaded. Splits are loaded on demand with tools.reading.task.load_split."""

    path: Path
    name: str
    definition: TaskDefinition
    config: ConfigFile
    problems: list[Problem] = []
    """Everything wrong with the definition and the layout; the configuration's are in `config.problems`."""
