"""The quick check of a trial: on a part of the rows first, where the rules allow it and it is worth its cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.context import Left
from agent.events import Progress
from agent.overnight.belief import Belief, usual_error
from agent.overnight.choose import quick_check_pays, quick_verdict
from agent.overnight.context import Night
from agent.overnight.overtime import stops
from agent.overnight.records import Chosen, QuickChecked
from agent.session import task_lock
from tools.change import ChangeKind
from tools.errors import InputError
from tools.probing.quick_check import QuickCheckArgs, QuickPlan, plan_quick_check, run_quick_check
from tools.probing.quick_records import read_quick
from tools.reading.task import load_split, load_task
from tools.runs import RunEvent
from tools.text import Text

RUNS = 2
"""One for each side."""


@dataclass(frozen=True)
class Checked:
    """What a quick check means for its trial."""

    goes_on: bool
    reason: Text
    belief: Belief


@dataclass(frozen=True)
class _Numbers:
    difference: float
    low: float
    high: float


def quickly_checked(night: Night, chosen: Chosen, path: Path) -> Checked | None:
    """The quick check of a trial, made now or before; None where there is none. Raises Left, and RunFailed for a failure."""
    line = night.standing().quick(chosen.trial)
    if line is not None:
        return _meaning(chosen, path, _Numbers(line.difference, line.low, line.high))
    if not _pays(night, chosen):
        return None
    numbers = _known(chosen, path) or _measure(night, chosen, path)
    if numbers is None:
        return None
    checked = _meaning(chosen, path, numbers)
    night.add(
        QuickChecked,
        f"quick:{chosen.trial}",
        trial=chosen.trial,
        task=chosen.task,
        difference=numbers.difference,
        low=numbers.low,
        high=numbers.high,
        goes_on=checked.goes_on,
        reason=checked.reason,
    )
    return checked


def _meaning(chosen: Chosen, path: Path, numbers: _Numbers) -> Checked:
    verdict = quick_verdict(_first_belief(chosen), numbers.low, numbers.high, numbers.difference, noise=_noise(path))
    return Checked(verdict.goes_on, verdict.reason, verdict.belief)


def _pays(night: Night, chosen: Chosen) -> bool:
    """True for a training that the rules want tried first, with runs left for both sides and the training itself."""
    needs_training = bool(chosen.proposal.changes) and chosen.proposal.cost.trainings > 0
    left = night.runs_left()
    enough = left is None or left > RUNS + chosen.proposal.cost.trainings
    return night.rules.quick_check and needs_training and enough and not _begins_elsewhere(chosen)


def _begins_elsewhere(chosen: Chosen) -> bool:
    """True for another base model or method: a few steps of one say little about the other.

    Measured once, SmolLM2 to Gemma on 65 rows and 10 steps: -22 points, and +8.5 after the full training of both.
    """
    return any(change.kind in {ChangeKind.base_model, ChangeKind.method} for change in chosen.proposal.changes)


def _is_worth_it(night: Night, chosen: Chosen, path: Path, plan: QuickPlan) -> bool:
    """Whether what it may show is worth its part of a training, in minutes, or in runs where they are limited."""
    training = _training_minutes(night, chosen)
    part = max(_minutes(night, chosen, plan) / training, RUNS if night.runs_left() is not None else 0)
    belief, seeds, rows = _first_belief(chosen), plan.args.seeds, plan.valid_rows
    known = {"noise": _noise(path), "part": part, "elsewhere": chosen.elsewhere}
    return quick_check_pays(belief, rows=rows, seeds=seeds, **known)


def _training_minutes(night: Night, chosen: Chosen) -> float:
    return max(chosen.minutes / night.rules.seeds, 0.1)


def _minutes(night: Night, chosen: Chosen, plan: QuickPlan) -> float:
    """Planned for both sides together."""
    if plan.estimate is not None:
        return plan.estimate.minutes
    return 2 * plan.args.share * _training_minutes(night, chosen)


def _first_belief(chosen: Chosen) -> Belief:
    return Belief(chosen.expected, max(chosen.spread, 1e-6))


def _noise(path: Path) -> float:
    return usual_error(max(1, len(load_split(load_task(path), "valid").split.rows)))


def _known(chosen: Chosen, path: Path) -> _Numbers | None:
    """A check of this trial that was recorded before the night was cut off."""
    mine = [one for one in read_quick(path) if one.change_id == chosen.proposal.id and one.at >= chosen.at]
    return _Numbers(mine[-1].difference, mine[-1].low, mine[-1].high) if mine else None


def _measure(night: Night, chosen: Chosen, path: Path) -> _Numbers | None:
    task = load_task(path)
    args = QuickCheckArgs(
        task_dir=path,
        changes=chosen.proposal.changes,
        change_id=chosen.proposal.id,
        metric=task.definition.primary_metric,
    )

    def hear(run: Path, event: RunEvent) -> None:
        night.meter.ran(run.name)
        night.watch(Progress(run_id=run.name, event=event))

    with task_lock(path):
        try:
            plan = plan_quick_check(args)
        except InputError:  # the change moves what is measured, so only its full training can be compared
            return None
        if not _is_worth_it(night, chosen, path, plan):
            return None
        waiting = stops(night, path, _minutes(night, chosen, plan), lambda: True)
        result = run_quick_check(plan, hear, waiting)
    if result is None:
        night.stay_or_leave()
        raise Left  # somebody cancelled one side, or its time is over: it is begun anew when the night goes on
    return _Numbers(result.difference, result.low, result.high)
