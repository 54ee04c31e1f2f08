"""Where a task stands: its set-up, scores against targets, classes and data. Facts only; faces put them into words.

Status never looks at results of the test split; of its rows it counts labels.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from tools.errors import InputError
from tools.evidence.case import label_counts, shares, weak_classes
from tools.evidence.thresholds import Thresholds, read_thresholds
from tools.making.first_rows import never_divided, next_step
from tools.outcomes.predictions import read_predictions
from tools.read_results import latest
from tools.reading.task import SplitRead, inside, load_split
from tools.results import ResultFiles, SplitResult
from tools.reviewing.batch import list_batches
from tools.reviewing.settled import SettledScore, settled_score
from tools.task import SplitName, Task, TaskType
from tools.text import Text

SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricLine(_Model):
    """One score against its target; fractions."""

    metric: str
    value: float | None
    """None before there is a result, or when the result does not have it."""
    target: float | None = None
    gap: float | None = None
    """Value minus target: negative below it."""
    reached: bool | None = None
    seeds: list[float] = []
    """The value of each seed, when there are several."""


class ClassLine(_Model):
    """One class, or one field of an object."""

    label: str
    f1: float
    """For a field: its mean score."""
    precision: float | None = None
    recall: float | None = None
    support: int | None = None
    """Validation rows of the class; None for a field."""
    train_rows: int | None = None
    weak: bool
    """Flagged: below 0.60, or 10 points below the mean (limits: tools/evidence/thresholds.py)."""


class SplitLine(_Model):
    """What one split holds."""

    split: SplitName
    rows: int
    """Rows that can be used."""
    unlabelled: int = 0
    """Rows that were left out because they have no answer."""
    files: list[str] = []
    carved: bool = False
    """True for validation rows that were taken out of train."""
    labels: dict[str, int] = {}
    """Rows per label, for classification."""
    shares: dict[str, float] = {}
    """The same as fractions."""


class TaskStatus(_Model):
    """The summary of a task (specification, step 1)."""

    name: str
    task_type: TaskType
    domain: str | None
    language: str | None
    base_model: str
    method: str
    lora_r: int | None
    """None when all weights are trained."""
    lora_alpha: float | None
    epochs: float
    learning_rate: float
    version: str | None
    """The version whose results are shown; None before there is one."""
    versions: list[str] = []
    """Versions with results on validation, oldest first."""
    primary_metric: str
    metrics: list[MetricLine]
    """Targets in order, then the other metrics of the result."""
    classes: list[ClassLine] = []
    splits: list[SplitLine]
    result_file: str | None = None
    locked: list[str] = []
    """Result files of the test split or of an unknown split, unread."""
    settled: SettledScore | None = None
    """The primary metric on labels that a person settled; shown beside the raw score, and nothing is decided by it."""
    next_step: Text | None = None
    """What a person does first, in a task that has no rows to train on."""

    @property
    def reached(self) -> bool | None:
        """True when every target with a value is reached; None when none has a value."""
        known = [line.reached for line in self.metrics if line.reached is not None]
        return all(known) if known else None


def task_status(
    task: Task, results: ResultFiles, *, version: str | None = None, splits: Mapping[SplitName, SplitRead] | None = None
) -> TaskStatus:
    """The status of a version (the newest with a validation result by default); reads the rows unless `splits` are given."""
    read = splits if splits is not None else {name: load_split(task, name) for name in SPLITS}
    result = latest(results, version, "valid")
    training, lora = task.config.values.training, task.config.values.lora
    return TaskStatus(
        name=task.name,
        task_type=task.definition.task_type,
        domain=task.definition.domain,
        language=task.definition.language,
        base_model=training.base_model,
        method=training.method,
        lora_r=lora.r if lora else None,
        lora_alpha=lora.alpha if lora else None,
        epochs=training.epochs,
        learning_rate=training.learning_rate,
        version=result.version if result else None,
        versions=list(dict.fromkeys(one.version for one in results.results if one.split == "valid")),
        primary_metric=task.definition.primary_metric,
        metrics=_metrics(task, result),
        classes=_classes(task, result, read),
        splits=[_split_line(task, read[name]) for name in SPLITS if name in read],
        result_file=result.file if result else None,
        locked=results.locked,
        settled=_settled(task, result),
        next_step=next_step(task) if _is_blank(task, read) else None,
    )


def _settled(task: Task, result: SplitResult | None) -> SettledScore | None:
    """The score on settled labels, from the answers that were kept."""
    path = inside(task.path, result.predictions) if result and result.predictions else None
    if result is None or path is None or not path.is_file() or not list_batches(task.path):
        return None
    try:
        return settled_score(task, result.version, read_predictions(path))
    except InputError:  # answers that cannot be read are named where they are needed
        return None


def _is_blank(task: Task, read: Mapping[SplitName, SplitRead]) -> bool:
    return "train" in read and not read["train"].split.rows and never_divided(task)


def _metrics(task: Task, result: SplitResult | None) -> list[MetricLine]:
    targets = {target.metric: target.threshold for target in task.definition.targets}
    values = result.metrics if result else {}
    others = [name for name in values if name not in targets and not name.startswith("field[")]
    names = [*targets, *([task.definition.primary_metric] if not targets and not values else []), *others]
    return [_metric_line(name, values.get(name), targets.get(name), result) for name in names]


def _metric_line(metric: str, value: float | None, target: float | None, result: SplitResult | None) -> MetricLine:
    gap = value - target if value is not None and target is not None else None
    seeds = [scores[metric] for scores in result.seeds.values() if metric in scores] if result else []
    return MetricLine(
        metric=metric,
        value=value,
        target=target,
        gap=gap,
        reached=gap >= -1e-9 if gap is not None else None,
        seeds=seeds if len(seeds) > 1 else [],
    )


def _classes(task: Task, result: SplitResult | None, splits: Mapping[SplitName, SplitRead]) -> list[ClassLine]:
    if result is None:
        return []
    limits = read_thresholds(task.definition.thresholds)[0]
    if task.definition.task_type == "extraction":
        return _fields(result, limits)
    weak = weak_classes({label: score.f1 for label, score in result.per_class.items()}, limits)
    train, valid = (_counts(task, splits[name]) if name in splits else {} for name in ("train", "valid"))
    return [
        ClassLine(
            label=label,
            f1=score.f1,
            precision=score.precision,
            recall=score.recall,
            support=score.support or valid.get(label, 0),
            train_rows=train.get(label, 0),
            weak=label in weak,
        )
        for label, score in result.per_class.items()
    ]


def _fields(result: SplitResult, limits: Thresholds) -> list[ClassLine]:
    """The fields of an object, from the metrics named field[...]."""
    scores = {
        name.removeprefix("field[").removesuffix("]"): value
        for name, value in result.metrics.items()
        if name.startswith("field[")
    }
    weak = weak_classes(scores, limits)
    return [ClassLine(label=field, f1=score, weak=field in weak) for field, score in scores.items()]


def _split_line(task: Task, read: SplitRead) -> SplitLine:
    counts = _counts(task, read) if task.definition.task_type == "classification" else {}
    bare = [problem.about.get("count") for problem in read.problems if problem.about.get("what") == "unlabelled"]
    return SplitLine(
        split=read.split.name,
        rows=len(read.split.rows),
        unlabelled=sum(count for count in bare if isinstance(count, int)),
        files=read.split.files,
        carved=read.split.carved,
        labels=counts,
        shares=shares(counts),
    )


def _counts(task: Task, read: SplitRead) -> dict[str, int]:
    return label_counts(task.definition.answer, read.split.rows)
