"""What a viewer shows of a run: where it stands, its curves beside those of the version before, and what is wrong.

    watch = RunWatch(run_dir); view = watch.look()   # again and again: only what was appended is read

It reads the run directory and never asks the process, so any number of viewers may look, from anywhere, at any time. It
writes nothing. Waiting for the end of a run is tools/launch_training.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from socket import gethostname
from statistics import median

import psutil

from tools.evidence.thresholds import Thresholds
from tools.launchers.base import RunHealth, is_alive, state_of
from tools.outcomes.history import read_history_lines
from tools.results import HistoryPoint
from tools.running.run_alerts import (
    Alert,
    Pulse,
    curve_alerts,
    gone_alert,
    pace_alerts,
    pauses_between,
    pulse_alerts,
)
from tools.runs import (
    EndEvent,
    EvalEvent,
    RunDir,
    RunError,
    RunEvent,
    RunSpec,
    RunState,
    RunStatus,
    StepEvent,
    WarningEvent,
)
from tools.text import T, Text
from tools.versioning.records import read_manifest

Point = tuple[int, float]
"""Step and value."""


@dataclass(frozen=True)
class Curves:
    """The finite points of one training."""

    losses: list[Point] = field(default_factory=list)
    """Training loss."""
    eval_losses: list[Point] = field(default_factory=list)
    """Validation loss."""
    metrics: list[Point] = field(default_factory=list)
    """The primary metric on validation; a fraction."""

    @property
    def best(self) -> Point | None:
        """The evaluation whose weights are kept: the best metric, the first of equals."""
        return max(self.metrics, key=lambda point: (point[1], -point[0]), default=None)

    @property
    def lowest(self) -> Point | None:
        """The lowest validation loss."""
        return min(self.eval_losses, key=lambda point: (point[1], point[0]), default=None)


@dataclass(frozen=True)
class Baseline:
    """The version that this one started from."""

    version: str
    curves: Curves


@dataclass(frozen=True)
class Eta:
    """Time left and where the number comes from."""

    seconds: float
    how: Text


@dataclass(frozen=True)
class RunView:
    """Everything a viewer shows of a run at one moment."""

    run_id: str
    version: str
    seed: int
    attempt: int
    health: RunHealth
    state: RunState | None
    """None before the worker has said anything."""
    phase: str
    step: int
    total_steps: int
    epoch: float
    eta: Eta | None
    tokens_per_second: float | None
    memory_mb: float | None
    machine_mb: float | None
    primary_metric: str
    curves: Curves
    baseline: Baseline | None
    alerts: list[Alert]
    checkpoint: int | None
    """Step of the newest checkpoint on disk."""
    resumed_from: int | None = None
    error: RunError | None = None
    ending: Text | None = None
    """The worker's last words."""


@dataclass
class _Seen:
    """What the events told so far."""

    points: list[HistoryPoint] = field(default_factory=list)
    times: list[float | None] = field(default_factory=list)
    """When steps were logged; None where training paused for something else."""
    warnings: list[WarningEvent] = field(default_factory=list)
    step: StepEvent | None = None
    ending: Text | None = None
    at: str | None = None
    """Of the newest event."""


class RunWatch:
    """Follows one run directory; `look` may be called from any one thread."""

    def __init__(self, run_dir: Path, *, limits: Thresholds | None = None, task_dir: Path | None = None) -> None:
        self._run = RunDir(run_dir)
        self._limits = limits or Thresholds()
        self._spec: RunSpec = self._run.spec()
        self._baseline = _baseline(task_dir or run_dir.parent.parent, self._spec)
        self._offset = 0
        self._seen = _Seen()
        self._alerts: list[Alert] = []
        """Those of the curves, which change only with new events."""

    def look(self, now: datetime | None = None) -> RunView:
        """How the run stands now; raises nothing for what the files of a run may hold."""
        health = state_of_safely(self._run.path)  # before the events, so that the last ones are read after the end
        fresh, self._offset = self._run.events(self._offset)
        for event in fresh:
            _take(self._seen, event, self._spec.primary_metric)
        if fresh:
            self._alerts = curve_alerts(self._seen.points, self._limits, self._spec.training.method)
        return self._view(health, _status(self._run), now or datetime.now(UTC))

    def _view(self, health: RunHealth, status: RunStatus | None, now: datetime) -> RunView:
        seen, spec = self._seen, self._spec
        here = status is not None and status.host == gethostname()
        step = seen.step
        pulse = self._pulse(status, now, psutil.virtual_memory().total / 1e6 if here else None)
        return RunView(
            run_id=spec.run_id,
            version=spec.version,
            seed=spec.seed,
            attempt=spec.attempt,
            health=health,
            state=status.state if status else None,
            phase=status.phase if status else "queued",
            step=max(status.step if status else 0, step.step if step else 0),
            total_steps=(status.total_steps if status else 0) or (step.total_steps if step else 0),
            epoch=max(status.epoch if status else 0.0, step.epoch if step else 0.0),
            eta=self._eta(health, status),
            tokens_per_second=step.tokens_per_second if step else None,
            memory_mb=pulse.memory_mb,
            machine_mb=pulse.machine_mb,
            primary_metric=spec.primary_metric,
            curves=_curves(seen.points),
            baseline=self._baseline,
            alerts=self._all_alerts(health, status, pulse),
            checkpoint=newest_step(self._run.file("checkpoints")),
            resumed_from=status.resumed_from if status else None,
            error=status.error if status else None,
            ending=seen.ending if health is RunHealth.ended else None,
        )

    def _eta(self, health: RunHealth, status: RunStatus | None) -> Eta | None:
        """The worker's own estimate, else steps left at the pace of the steps logged."""
        if health is not RunHealth.running or status is None:
            return None
        if status.eta_seconds is not None:
            how = T("by the pace of its steps and evaluations")
            if status.phase != "training":
                how = T("by the pace of this phase")
            return Eta(status.eta_seconds, how)
        pauses = pauses_between(self._seen.times)
        if not pauses or status.phase != "training" or status.total_steps <= status.step:
            return None
        steps = [point.step for point in self._seen.points if point.loss is not None or point.bad]
        stride = median(after - before for before, after in pairwise(steps)) if len(steps) > 1 else 1
        seconds = (status.total_steps - status.step) * median(pauses) / max(1, stride)
        return Eta(seconds, T("by the pace of {count} logged steps", count=len(pauses)))

    def _pulse(self, status: RunStatus | None, now: datetime, machine_mb: float | None) -> Pulse:
        moments = [moment for moment in (self._seen.at, status.updated_at if status else None) if moment]
        spoken = [age for moment in moments if (age := _age(moment, now)) is not None]
        beats = _text(self._run.file("heartbeat"))
        return Pulse(
            silent_seconds=min(spoken, default=None),
            heartbeat_seconds=_age(beats.strip(), now),
            memory_mb=self._seen.step.memory_mb if self._seen.step else None,
            machine_mb=machine_mb,
        )

    def _all_alerts(self, health: RunHealth, status: RunStatus | None, pulse: Pulse) -> list[Alert]:
        found = list(self._alerts)
        if health is RunHealth.running:
            pauses = pauses_between(self._seen.times)
            found += [*pace_alerts(pauses, self._limits), *pulse_alerts(pulse, pauses, self._limits)]
        if health is RunHealth.stalled:
            found.append(gone_alert())
        if status is not None and status.error is not None:
            error = status.error
            found.append(Alert("failed", "error", error.message, error.hint, page=error.page))
        found += [Alert("worker", "warning", warning.message, page=warning.page) for warning in self._seen.warnings]
        return sorted(found, key=lambda alert: alert.level != "error")


def run_dirs(task_dir: Path, version: str | None = None) -> list[Path]:
    """The run directories of a task, oldest first; folders whose spec.json cannot be read are left out."""
    found = []
    for file in (task_dir / "runs").glob("*/spec.json"):
        spec = spec_of(file.parent)
        if spec is not None and version in {None, spec.version}:
            found.append((spec.created_at, spec.seed, spec.attempt, file.parent))
    return [path for *_, path in sorted(found)]


def spec_of(run_dir: Path) -> RunSpec | None:
    """What a run trains; None when that cannot be read."""
    try:
        return RunDir(run_dir).spec()
    except (OSError, ValueError):
        return None


def run_to_watch(runs: Sequence[Path]) -> Path | None:
    """The run that is alive, else the one that spoke last, else the newest."""
    alive = [path for path in runs if is_alive(path)]
    if alive:
        return alive[-1]
    spoken = [(status.updated_at, path) for path in runs if (status := _status(RunDir(path))) is not None]
    return max(spoken)[1] if spoken else runs[-1] if runs else None


def state_of_safely(run_dir: Path) -> RunHealth:
    """Where a run stands; a status file that cannot be read counts as none."""
    try:
        return state_of(run_dir)
    except ValueError:
        return RunHealth.running if is_alive(run_dir) else RunHealth.stalled


def newest_step(checkpoints: Path) -> int | None:
    """The step of the newest checkpoint folder that was written to its end; it is not opened."""
    steps = [
        int(path.parent.name.rpartition("-")[2])
        for path in checkpoints.glob("checkpoint-*/trainer_state.json")
        if path.parent.name.rpartition("-")[2].isdecimal()
    ]
    return max(steps, default=None)


def _take(seen: _Seen, event: RunEvent, metric: str) -> None:
    seen.at = event.at
    match event:
        case StepEvent():
            # After a resume the steps since the checkpoint come again: what was logged beyond it is no longer true.
            if seen.points and event.step <= seen.points[-1].step:
                seen.points = [point for point in seen.points if point.step < event.step]
            seen.step = event
            seen.points.append(_step_point(event))
            seen.times.append(_seconds(event.at))
        case EvalEvent():
            seen.points.append(_eval_point(event, metric))
            seen.times.append(None)
        case WarningEvent():
            seen.warnings.append(event)
        case EndEvent():
            seen.ending = event.message
        case _:
            seen.times.append(None)


def _step_point(event: StepEvent) -> HistoryPoint:
    return HistoryPoint(
        step=event.step,
        epoch=event.epoch,
        loss=event.loss,
        learning_rate=event.learning_rate,
        grad_norm=event.grad_norm,
        bad=event.loss is None,
    )


def _eval_point(event: EvalEvent, metric: str) -> HistoryPoint:
    return HistoryPoint(step=event.step, epoch=event.epoch, eval_loss=event.eval_loss, metric=event.metrics.get(metric))


def _curves(points: Sequence[HistoryPoint]) -> Curves:
    return Curves(
        losses=[(point.step, point.loss) for point in points if point.loss is not None],
        eval_losses=[(point.step, point.eval_loss) for point in points if point.eval_loss is not None],
        metrics=[(point.step, point.metric) for point in points if point.metric is not None],
    )


def _baseline(task_dir: Path, spec: RunSpec) -> Baseline | None:
    """The curves of the parent version: of the same seed where it has it, else of its first.

    Training losses of different methods are different quantities, so those of a parent with another one are left out.
    """
    manifest = read_manifest(task_dir / "iterations" / spec.version)
    parent = manifest.parent if manifest else None
    if parent is None:
        return None
    history, _ = read_history_lines(_text(task_dir / "iterations" / parent / "history.jsonl"), parent)
    seeds = [point.seed for point in history.points]
    seed = spec.seed if spec.seed in seeds else seeds[0] if seeds else None
    points = [point for point in history.points if point.seed == seed]
    curves = _curves(points)
    if any((point.method or "sft") != spec.training.method for point in points):
        curves = replace(curves, losses=[])
    return Baseline(parent, curves) if seeds else None


def _status(run: RunDir) -> RunStatus | None:
    try:
        return run.status()
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _seconds(moment: str) -> float | None:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return None


def _age(moment: str, now: datetime) -> float | None:
    then = _seconds(moment)
    return None if then is None else max(0.0, now.timestamp() - then)
