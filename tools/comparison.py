"""The vocabulary of a comparison of two versions.

How one is made is tools/comparing/paired_comparison.py, how it reads is tools/comparing/report.py.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.evidence.power import Settling, Visible
from tools.evidence.statistics import McNemar
from tools.task import SplitName
from tools.text import Text

Verdict = Literal["better", "worse", "undecided", "not_comparable"]
Choice = Literal["adopt", "continue", "rollback"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(_Model):
    """What is known about a difference: its 95 % interval and the two-sided p-value of "no difference"."""

    low: float
    high: float
    p: float

    @property
    def direction(self) -> int:
        """1 or -1 when the interval lies on one side of zero, else 0."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


class MetricLine(_Model):
    """One metric of both versions; fractions."""

    metric: str
    old: float
    new: float
    range: Range | None = None
    """None for metrics that cannot be tested row by row."""

    @property
    def difference(self) -> float:
        """New minus old."""
        return self.new - self.old


class ClassLine(MetricLine):
    """F1 of one class, or the score of one field; `metric` is f1[label] or field[name]."""

    label: str
    support: int | None = None
    """Rows whose expected label it is; None for fields."""
    blocks: bool = False
    """True when it fell beyond the margin and so stands against "better"."""


class SliceLine(MetricLine):
    """The mean score of a part of the rows."""

    by: str
    """Row field, such as "source", or "length"."""
    value: str
    """Value of the field; short, medium or long for "length"."""
    rows: int
    blocks: bool = False


class TargetLine(_Model):
    """One target of the task and what the new version has on this split."""

    metric: str
    threshold: float
    value: float | None
    """None when the metric was not measured."""
    reached: bool | None


class NoiseFloor(_Model):
    """How much two versions that do not differ would differ by chance of the seeds."""

    seeds: int
    """Trainings of the old version."""
    floor: float | None
    """Standard deviation of the difference of the primary metric; None with fewer than two seeds."""
    units: float | None
    """The difference in units of it."""


class FormatPart(_Model):
    """A row score taken apart: score = parse rate x score of the parsed answers."""

    metric: str
    """accuracy, field_score or rouge_l."""
    old_parse_rate: float
    new_parse_rate: float
    old_parsed: float
    """Score among the answers that could be parsed."""
    new_parsed: float
    from_format: float
    """Part of the difference that comes from the parse rate."""
    from_knowledge: float
    """Part that comes from better or worse answers; the two add up to the difference."""


class SettledLine(_Model):
    """The primary metric on validation labels that a person settled; beside the raw score, and never part of a verdict."""

    metric: str
    old: float
    new: float
    changed: int
    """Rows whose label the person replaced."""
    confirmed: int
    left_out: int


class Comparison(_Model):
    """Two versions on the same rows of one split."""

    task: str
    base: str
    new: str
    split: SplitName
    rows: int
    base_seeds: int
    new_seeds: int
    primary_metric: str
    """Metric of the first target."""
    judged_metric: str
    """Metric that the verdict rests on: the primary one, or the usual one of the task type when that has no paired test."""
    verdict: Verdict
    reasons: list[Text]
    """Why this verdict and not another, strongest first."""
    recommended: Choice
    recommendation: Text
    """The recommended choice in words, with its reason."""
    changes: list[Text]
    """What was changed between the versions, in words."""
    metrics: list[MetricLine]
    """Primary first."""
    classes: list[ClassLine] = []
    slices: list[SliceLine] = []
    targets: list[TargetLine] = []
    mcnemar: McNemar | None = None
    fixed: list[str] = []
    """Row ids that only the new version answers correctly (in most of its seeds); empty for test, where they stay unseen."""
    broken: list[str] = []
    noise: NoiseFloor
    same_weights: list[int] = []
    """Seeds, all that are compared, for which both versions answered with the same weights: what differs between them owes
    nothing to the chance of a training, and the numbers are about these weights."""
    settling: Settling | None = None
    """For an undecided verdict: what would probably decide it."""
    visible: Visible | None = None
    """What this many rows can show at the disagreement of these versions."""
    format: FormatPart | None = None
    settled: SettledLine | None = None

    @property
    def reached(self) -> bool | None:
        """True when every measured target is reached; None without targets."""
        known = [target.reached for target in self.targets if target.reached is not None]
        return all(known) if known else None
