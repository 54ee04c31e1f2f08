"""What the rules look at: one version of a task with its rows, its validation result, predictions and loss history.

Everything is given; nothing is read here. Results of the test split or of an unknown split never become part of a case.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt

from pydantic import JsonValue

from tools.errors import Problem
from tools.evidence.thresholds import Thresholds
from tools.results import History, Prediction, SplitResult
from tools.scoring.answers import expected_answer
from tools.task import AnswerFormat, Row, Split, Target, Task

TOLERANCE = 1e-9
"""Scores that differ by less are equal; 0.8 as a mean of floats may come out as 0.7999999."""

DISAGREEMENT = 0.10
"""Share of rows on which two trainings of the same version usually differ, where the task has not measured its own."""


@dataclass(frozen=True)
class Case:
    """The evidence of one diagnosis."""

    task: Task
    train: Split
    """Training rows as the recipe leaves them (excluded rows gone, relabelled), without repetitions by oversampling."""
    valid: Split
    test: Split
    """For machine comparison only: no rule shows its rows."""
    result: SplitResult | None = None
    """The version on the validation split; None before there is one."""
    predictions: list[Prediction] = field(default_factory=list)
    """Of the validation split, all seeds."""
    history: History | None = None
    problems: list[Problem] = field(default_factory=list)
    """What reading found wrong with definition, configuration, training and validation rows, and result files."""
    test_problems: list[Problem] = field(default_factory=list)
    """The same of the test rows; only counted and located, since their values are text of the test split."""
    locked: list[str] = field(default_factory=list)
    """Result files of the test split or of an unknown split; not read."""
    limits: Thresholds = field(default_factory=Thresholds)

    @property
    def answer(self) -> AnswerFormat:
        """The declared answer format."""
        return self.task.definition.answer

    @property
    def is_classification(self) -> bool:
        """True when rows have labels."""
        return self.task.definition.task_type == "classification"

    @cached_property
    def score(self) -> float | None:
        """The primary metric on validation, as a fraction."""
        return self.result.metrics.get(self.task.definition.primary_metric) if self.result else None

    @cached_property
    def missed(self) -> list[Target]:
        """Targets that the validation result does not reach."""
        return [target for target in self._measured_targets if self._metric(target) < target.threshold - TOLERANCE]

    @cached_property
    def is_low(self) -> bool:
        """True when a target is missed, or when there is a result but no target that it could be judged by."""
        return self.result is not None and (bool(self.missed) or not self._measured_targets)

    @cached_property
    def gap(self) -> float:
        """How far the score is below its target; below 1 when there is no target."""
        if self.missed:
            first = self.missed[0]
            return first.threshold - self._metric(first)
        return 1 - self.score if self.is_low and self.score is not None else 0.0

    @property
    def _measured_targets(self) -> list[Target]:
        metrics = self.result.metrics if self.result else {}
        return [target for target in self.task.definition.targets if target.metric in metrics]

    def _metric(self, target: Target) -> float:
        assert self.result is not None
        return self.result.metrics[target.metric]

    @cached_property
    def train_labels(self) -> dict[str, int]:
        """Training rows per label, most frequent first."""
        return label_counts(self.answer, self.train.rows)

    @cached_property
    def valid_labels(self) -> dict[str, int]:
        """Validation rows per label, most frequent first."""
        return label_counts(self.answer, self.valid.rows)

    @cached_property
    def labels(self) -> list[str]:
        """Declared labels, then those that rows carry besides."""
        return list(dict.fromkeys([*self.answer.labels, *self.train_labels, *self.valid_labels]))

    @cached_property
    def class_f1(self) -> dict[str, float]:
        """F1 of each class on validation."""
        return {label: score.f1 for label, score in self.result.per_class.items()} if self.result else {}

    def missing_f1(self, label: str) -> float:
        """Macro-F1 that is lost through a class: what would be won if it were as good as the mean of the others."""
        others = [f1 for name, f1 in self.class_f1.items() if name != label]
        if label not in self.class_f1 or not others:
            return 0.0
        return max(0.0, (sum(others) / len(others) - self.class_f1[label]) / len(self.class_f1))

    def is_weak(self, label: str) -> bool:
        """F1 below the limit, or a class gap below the macro-F1 (the rule of the task format)."""
        return label in weak_classes(self.class_f1, self.limits)


def weak_classes(class_f1: dict[str, float], limits: Thresholds) -> list[str]:
    """Classes with an F1 below the limit, or a class gap below the mean of all classes."""
    macro = sum(class_f1.values()) / len(class_f1) if class_f1 else 0.0
    edge = max(limits.min_class_f1, macro - limits.class_gap) - TOLERANCE
    return [label for label, f1 in class_f1.items() if f1 < edge]


def label_of(answer: AnswerFormat, given: JsonValue) -> str | None:
    """The label of a row's answer, whether it stands there bare or in an object."""
    value = expected_answer(answer, given)
    return value if isinstance(value, str) else None


def label_counts(answer: AnswerFormat, rows: list[Row]) -> dict[str, int]:
    """Rows per label, most frequent first."""
    labels = (label_of(answer, row.answer) for row in rows)
    return dict(Counter(label for label in labels if label is not None).most_common())


def shares(counts: dict[str, int]) -> dict[str, float]:
    """Counts as fractions of their sum."""
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total else {}


def row_noise(rows: int) -> float:
    """Standard deviation of the difference of two equally good versions' scores on that many rows."""
    return sqrt(DISAGREEMENT / max(1, rows))
