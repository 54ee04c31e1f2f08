"""Which run of a task a viewer looks at: the one that is alive, else the newest; or the one the person turned to.

It only reads files, so it takes up trainings that were started anywhere. Nothing of the screen is in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.errors import IterateError
from tools.evidence.thresholds import Thresholds, read_thresholds
from tools.launchers.base import log_tail
from tools.reading.task import load_task
from tools.watch_run import RunView, RunWatch, run_dirs, run_to_watch, spec_of

LOG_LINES = 60


@dataclass(frozen=True)
class Followed:
    """What there is to show at one moment."""

    view: RunView | None
    """None when the task has no run."""
    number: int = 0
    """1-based place of the run among those of its version."""
    total: int = 0
    log: str = ""


class Follower:
    """Looks at the runs of one task; `look` and `turn` are called from one thread at a time."""

    def __init__(self, task_path: Path) -> None:
        self._task = task_path
        self._limits = _limits(task_path)
        self._watch: RunWatch | None = None
        self._path: Path | None = None
        self._chosen = False

    def look(self, turn: int = 0) -> Followed:
        """What is to be shown now; `turn` of 1 or -1 goes to the next or previous run of the version first."""
        runs = run_dirs(self._task)
        if not self._chosen or self._path not in runs:
            self._turn_to(run_to_watch(runs))
        siblings = self._siblings()
        if turn and self._path in siblings and len(siblings) > 1:
            self._chosen = True
            self._turn_to(siblings[(siblings.index(self._path) + turn) % len(siblings)])
        if self._watch is None or self._path is None:
            return Followed(None)
        number = siblings.index(self._path) + 1 if self._path in siblings else 1
        return Followed(self._watch.look(), number, max(1, len(siblings)), log_tail(self._path, LOG_LINES))

    def _turn_to(self, path: Path | None) -> None:
        if path == self._path:
            return
        self._path = path
        self._watch = RunWatch(path, limits=self._limits, task_dir=self._task) if path is not None else None

    def _siblings(self) -> list[Path]:
        spec = spec_of(self._path) if self._path is not None else None
        return run_dirs(self._task, spec.version) if spec is not None else []


def _limits(task_path: Path) -> Thresholds:
    try:
        return read_thresholds(load_task(task_path).definition.thresholds)[0]
    except (IterateError, OSError):
        return Thresholds()
