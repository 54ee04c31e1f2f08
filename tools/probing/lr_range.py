"""What a range test of the learning rate says: from where the loss falls, where it diverges, and whether the rate in use fits.

    plan_range -> run_probe (tools/probing/probe_runs.py) -> read_range -> RangeReading -> rate_change

Smith (2017), arXiv:1506.01186, section 3.3: train briefly while the rate rises, and read a range of usable rates from the loss
against the rate: from its steepest fall to a third of the rate at which it diverges, since what is good for a few steps from
the start is at the upper end of what a whole training bears.

The steepest fall alone is no advice, though it is often given: measured on the bundled stance task with Gemma 3 270M it lay at
1.6e-5, where the model learns the form of an answer (loss 4.1 to 0.5), and 5e-4 is thirty times that and good. So only a rate
outside of the range is reason for a change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.change import Change, ChangeKind, Edit
from tools.errors import InputError, RunFailed
from tools.probing.probe_runs import prepare_probe
from tools.results import HistoryPoint
from tools.running.plan_runs import plan_runs
from tools.runs import Example, RateRange, RunDir
from tools.task import Task
from tools.text import T, visible

PURPOSE = "range"
"""The `version` of such a run; it is none."""
LOW, HIGH, STEPS = 1e-6, 0.1, 80
SMOOTHED_OVER = 3
"""Steps before and behind that the loss of a step is averaged with: single batches differ more than neighbouring rates do.
A mean of both sides has no lag, so the steepest fall stays where it was."""
DIVERGES = 1.5
"""The smoothed loss has diverged when it is this many times its lowest value so far."""
SAFE_PART = 3.0
"""Usable rates end this factor below the rate of divergence."""
_MUCH_THE_SAME = 1.25
"""Rates this close to each other are no change."""
_MEASURABLE_FALL = 0.02
"""Part of the first loss that it must fall by for a steepest point to mean anything."""
_LEAST_POINTS = 10


class RangePoint(BaseModel):
    """One step of the test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float
    loss: float | None
    """None when it was not a number."""
    smoothed: float | None


class RangeReading(BaseModel):
    """The outcome of a range test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    points: list[RangePoint]
    steepest: float | None
    """Rate at which the smoothed loss falls fastest over the logarithm of the rate; None when it hardly falls."""
    lowest: float | None
    """Rate at which the smoothed loss is lowest."""
    diverges: float | None
    """Rate from which the loss rises away; None when it did not within the range."""

    @property
    def most(self) -> float | None:
        """The highest usable rate; None where the loss did not diverge, so that it is not known."""
        return None if self.diverges is None else _rounded(self.diverges / SAFE_PART)

    def instead_of(self, rate: float) -> float | None:
        """The nearest usable rate for one that is not; None for a usable one, and where the test gives no reason for any."""
        if self.steepest is None:
            return None
        least = self.steepest if self.most is None else min(self.steepest, self.most)
        nearest = max(rate, least) if self.most is None else min(max(rate, least), self.most)
        return None if abs(math.log(nearest / rate)) < math.log(_MUCH_THE_SAME) else nearest


def plan_range(task: Task, wanted: RateRange) -> Path:
    """The prepared run of a range test with the task's configuration and its first seed; the same wish is computed once."""
    if task.config.values.training.command is not None:
        raise InputError(
            T("This task trains with a script of its own, whose learning rate this program does not set."),
            page="methods/quick-check",
        )
    if wanted.low >= wanted.high:
        raise InputError(
            T("The range must rise: {low:g} is not below {high:g}.", low=wanted.low, high=wanted.high),
            page="methods/quick-check",
        )
    seed = task.config.values.training.all_seeds[0]
    plan = plan_runs(task, PURPOSE, seeds=[seed])[0]
    rows = [Example.model_validate_json(line) for line in plan.data["train.jsonl"].splitlines()]
    spec = plan.spec.model_copy(update={"rate_range": wanted})
    return prepare_probe(task.path, spec, {"train": rows, "valid": []})


def read_range(run: Path) -> RangeReading:
    """What a finished test says; raises RunFailed when it has no result or too few steps."""
    result = RunDir(run).result()
    points = [] if result is None else [one for one in result.history if one.learning_rate is not None]
    if len(points) < _LEAST_POINTS:
        raise RunFailed(
            T("The range test {run} has too few steps to be read.", run=visible(run.name)),
            hint=T("The loss diverged at once: begin with a lower rate (--low)."),
            page="methods/quick-check",
        )
    return reading_of(points)


def reading_of(history: Sequence[HistoryPoint]) -> RangeReading:
    """The reading of losses with their rates, in order."""
    points = _smoothed(history)
    known = [(math.log10(one.rate), one.smoothed) for one in points if one.smoothed is not None]
    end = _divergence(points)
    before = [pair for pair in known if end is None or pair[0] < math.log10(end)]
    steepest = _steepest(before)
    lowest = min(before, key=lambda pair: pair[1])[0] if before else None
    return RangeReading(
        points=points,
        steepest=steepest,
        lowest=None if lowest is None else _rounded(10**lowest),
        diverges=end,
    )


def rate_change(task: Task, reading: RangeReading) -> Change | None:
    """The change to the nearest usable rate; None while the configured one is usable."""
    now = task.config.values.training.learning_rate
    wanted = reading.instead_of(now)
    if wanted is None:
        return None
    summary = T("Learning rate: {old:g} → {new:g} (range test)", old=now, new=wanted)
    return Change(kind=ChangeKind.config, summary=summary, edits=[Edit(path=("training", "learning_rate"), new=wanted)])


def _smoothed(history: Sequence[HistoryPoint]) -> list[RangePoint]:
    losses = [one.loss for one in history]
    found = []
    for at, one in enumerate(history):
        near = [loss for loss in losses[max(0, at - SMOOTHED_OVER) : at + SMOOTHED_OVER + 1] if loss is not None]
        mean = None if one.loss is None else sum(near) / len(near)
        found.append(RangePoint(rate=one.learning_rate or 0.0, loss=one.loss, smoothed=mean))
    return found


def _divergence(points: Sequence[RangePoint]) -> float | None:
    lowest = math.inf
    for one in points:
        if one.smoothed is None or one.smoothed > DIVERGES * lowest:
            return _rounded(one.rate)
        lowest = min(lowest, one.smoothed)
    return None


def _steepest(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Where a straight line through five neighbouring points falls most."""
    if len(pairs) < _LEAST_POINTS or pairs[0][1] - min(loss for _, loss in pairs) < _MEASURABLE_FALL * pairs[0][1]:
        return None
    windows = [pairs[at - 2 : at + 3] for at in range(2, len(pairs) - 2)]
    middle = min(windows, key=_slope)[2]
    return _rounded(10 ** middle[0])


def _slope(window: Sequence[tuple[float, float]]) -> float:
    """Of the least-squares line."""
    x, y = (sum(pair[side] for pair in window) / len(window) for side in (0, 1))
    return sum((one - x) * (loss - y) for one, loss in window) / sum((one - x) ** 2 for one, _ in window)


def _rounded(rate: float) -> float:
    """Two digits: more would promise a precision that the test does not have."""
    return float(f"{rate:.2g}")
