"""Every version of a task at a glance: how it did, what came of it, what is left of it. Facts only, from the records.

Nothing is opened, trained or compared for it: a test score is shown where the ledger has it, and a verdict is somebody else's
work (tools/compare.py). Broken and unfinished records are part of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from tools.launchers.base import RunHealth
from tools.outcomes.result_origins import version_number
from tools.read_results import ReadResultsArgs, latest, read_results
from tools.reading.task import load_task
from tools.results import SplitResult
from tools.running.weights import has_weights
from tools.runs import RunDir, RunState
from tools.text import T, Text
from tools.versioning.adopt import current
from tools.versioning.forecasts import Scored, scored_forecasts
from tools.versioning.ledger import openings
from tools.versions import VersionRecord, list_versions
from tools.watch_run import run_dirs, run_to_watch, state_of_safely

Stage = Literal["done", "training", "waiting", "interrupted", "failed", "cancelled", "unfinished"]
_DRAWS = 1000
_RESAMPLED = frozenset({"macro_f1", "accuracy"})
"""Metrics that a confusion table decides, so that its rows can be drawn again."""


@dataclass(frozen=True)
class Score:
    """A metric on the validation split, with how far it can be trusted."""

    value: float
    rows: int
    seeds: list[float]
    """The value of each seed."""
    low: float | None = None
    high: float | None = None
    """Spread over the seeds where there are several, else the 95 % interval of drawing the rows again."""


@dataclass(frozen=True)
class VersionFacts:
    """One version."""

    record: VersionRecord
    stage: Stage
    score: Score | None
    """None without a result on valid."""
    reason: Text | None = None
    """Why it failed."""
    test: float | None = None
    """As an opening of the test set showed it; None while it is locked."""
    opening: int | None = None
    weights: bool = False
    in_use: bool = False
    forecast: Scored | None = None

    @property
    def version(self) -> str:
        """Its name."""
        return self.record.version

    @property
    def parent(self) -> str | None:
        """The version it started from."""
        return self.record.manifest.parent if self.record.manifest else None

    @property
    def changes(self) -> list[Text]:
        """Against the parent."""
        return self.record.manifest.changes if self.record.manifest else []

    @property
    def report(self) -> Path | None:
        """The comparison with its parent, where one was written."""
        path = self.record.path / "comparison.md"
        return path if path.is_file() else None


@dataclass(frozen=True)
class Overview:
    """The versions of a task, oldest first."""

    metric: str
    versions: list[VersionFacts] = field(default_factory=list)


def overview(task_path: Path) -> Overview:
    """Read the records of every version; raises what load_task raises for a folder that is no task."""
    metric = load_task(task_path).definition.primary_metric
    results = read_results(ReadResultsArgs(task_dir=task_path))
    pointer = current(task_path)
    tests = {
        version: (scores[metric], opening.ordinal)
        for opening in openings(task_path)
        for version, scores in opening.scores.items()
        if metric in scores
    }
    forecasts = {one.forecast.version: one for one in scored_forecasts([task_path])}
    found = []
    for record in sorted(list_versions(task_path), key=lambda one: version_number(one.version)):
        result = latest(results, record.version, "valid")
        stage, reason = ("done", None) if result is not None else _unfinished(task_path, record.version)
        test, opening = tests.get(record.version, (None, None))
        found.append(
            VersionFacts(
                record=record,
                stage=stage,
                score=score_of(result, metric) if result else None,
                reason=reason,
                test=test,
                opening=opening,
                weights=has_weights(task_path, record.version),
                in_use=pointer is not None and pointer.version == record.version,
                forecast=forecasts.get(record.version),
            )
        )
    return Overview(metric, found)


def score_of(result: SplitResult, metric: str) -> Score | None:
    """A metric of a result with its spread or interval; None when the result does not have it."""
    value = result.metrics.get(metric)
    if value is None:
        return None
    seeds = [scores[metric] for scores in result.seeds.values() if metric in scores]
    if len(seeds) > 1:
        return Score(value, result.rows, seeds, min(seeds), max(seeds))
    low, high = _drawn_again(result, metric) if metric in _RESAMPLED else (None, None)
    return Score(value, result.rows, seeds, low, high)


def _drawn_again(result: SplitResult, metric: str) -> tuple[float | None, float | None]:
    """The 95 % percentile interval when the rows of a confusion table are drawn again (bootstrap over rows)."""
    labels = list(result.confusion)
    columns = list(dict.fromkeys([*labels, *(name for row in result.confusion.values() for name in row)]))
    table = np.array([[result.confusion[want].get(got, 0) for got in columns] for want in labels], dtype=float)
    total = int(table.sum())
    if total < 2:
        return None, None
    drawn = np.random.default_rng(0).multinomial(total, table.ravel() / total, size=_DRAWS).reshape(-1, *table.shape)
    hits = np.stack([drawn[:, n, n] for n in range(len(labels))], axis=1)
    if metric == "accuracy":
        values = hits.sum(axis=1) / total
    else:
        wanted, given = drawn.sum(axis=2), drawn.sum(axis=1)[:, : len(labels)]
        # As in the metric itself, a label that no drawn row expects has no F1.
        f1, present = 2 * hits / np.maximum(wanted + given, 1), wanted > 0
        values = (f1 * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _unfinished(task_path: Path, version: str) -> tuple[Stage, Text | None]:
    """What became of the training of a version without a result."""
    path = run_to_watch(run_dirs(task_path, version))
    if path is None:
        return "unfinished", None
    health = state_of_safely(path)
    if health is RunHealth.running:
        return "training", None
    if health is RunHealth.queued:
        return "waiting", None
    if health is RunHealth.stalled:
        return "interrupted", None
    status = RunDir(path).status()
    if status is not None and status.state is RunState.failed:
        return "failed", status.error.message if status.error else T("it does not say why")
    return ("cancelled", None) if status and status.state is RunState.cancelled else ("unfinished", None)
