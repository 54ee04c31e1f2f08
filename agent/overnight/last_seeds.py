"""Trainings held back for the end of a night: further seeds of each best version, so that opening its test decides something.

How many is agent/overnight/choose.py; they are trained when nothing else fits into what is left beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.overnight.choose import seeds_before_opening
from agent.overnight.context import Night, Standing
from agent.overnight.finish import belief_over_start, first_and_best
from tools.errors import IterateError
from tools.reading.task import load_split, load_task
from tools.versioning.records import training_of


@dataclass(frozen=True)
class Held:
    """What is held back for one task."""

    path: Path
    version: str
    seed: int
    """The next one."""
    runs: int
    minutes: float
    """Of one training."""


def held_back(night: Night) -> list[Held]:
    """What is held back for every task that is not paused."""
    standing = night.standing()
    found = (_held(night, standing, path) for name, path in night.tasks.items() if name not in standing.paused)
    return [held for held in found if held is not None]


def line_key(held: Held) -> str:
    """Key of the line that says that the seed was trained, or could not be."""
    return f"measured:{held.path.name}:{held.version}:{held.seed}"


def _held(night: Night, standing: Standing, path: Path) -> Held | None:
    kept, versions = standing.kept(path.name), first_and_best(night, standing, path.name)
    if versions is None or not kept[-1][0].proposal.cost.trainings:
        return None  # a change of the prompt alone is asked of the seeds that its parent has
    start, best = versions
    try:
        trained = [one.seed for one in training_of(path, best)]
        belief = belief_over_start(path, standing, start, best)
        rows = max(1, len(load_split(load_task(path), "test").split.rows))
    except (IterateError, OSError, ValueError):
        return None
    seeds = {"trained": len(trained), "base_seeds": len(training_of(path, start))}
    runs = seeds_before_opening(belief, most=night.rules.seeds, rows=rows, **seeds) if trained else 0
    held = Held(path, best, max(trained, default=0) + 1, runs, kept[-1][0].minutes / night.rules.seeds)
    vain = any(line.key == line_key(held) for line in standing.lines)
    return held if runs and not vain else None
