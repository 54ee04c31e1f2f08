"""What the parts of a night share: its record, its rules, who watches; and where it stands, read off its lines.

Nothing about the course of a night lives in memory alone: `standing` reads it anew, so that a night that was killed anywhere
goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.context import Left
from agent.events import Emit
from agent.overnight.budget import Meter, exhausted, minutes_left, overdue, runs_left
from agent.overnight.commands import command_like
from agent.overnight.records import (
    Chosen,
    Guarded,
    Measured,
    NightLine,
    NightPlan,
    NightRecord,
    QuickChecked,
    Spent,
    StopReason,
    TaskPaused,
    TestOpenedOnce,
    Tried,
    Waiting,
)
from agent.overnight.rules import NightRules
from agent.overnight.watchman import runs_since
from agent.paths import task_word
from tools.diagnose import Diagnosis
from tools.files import now
from tools.text import Speaker, Text

if TYPE_CHECKING:  # a night without a model needs nothing of its client
    from agent.model.client import ChatModel
    from agent.model.prices import Affordable

STOP = "stop"
"""File in the folder of a night: a person wants it to end."""

Tell = Callable[[NightLine], None]
"""Hears every line when it is written."""


def unlimited(model: ChatModel) -> Affordable:
    """For a model whose cost nobody limits or counts."""
    from agent.model.prices import Affordable

    return Affordable(model, None, None)


@dataclass(frozen=True)
class Standing:
    """Where a night stands, by its lines."""

    lines: list[NightLine]

    @property
    def open(self) -> Chosen | None:
        """The trial that has not ended."""
        ended = {line.trial for line in self.lines if isinstance(line, Tried)}
        return next((line for line in self.lines if isinstance(line, Chosen) and line.trial not in ended), None)

    @property
    def next_trial(self) -> int:
        """Number of the trial after the last."""
        return 1 + max((line.trial for line in self.lines if isinstance(line, Chosen)), default=0)

    @property
    def paused(self) -> set[str]:
        """Tasks on which nothing more is tried."""
        return {line.task for line in self.lines if isinstance(line, TaskPaused)}

    @property
    def cut(self) -> Guarded | None:
        """The line that ended the night in the middle of a training."""
        return next((line for line in self.lines if isinstance(line, Guarded) and line.ends is not None), None)

    @property
    def spent(self) -> Spent | None:
        """The newest line about what was used."""
        return next((line for line in reversed(self.lines) if isinstance(line, Spent)), None)

    def trials(self, task: str) -> list[tuple[Chosen, Tried]]:
        """The trials of a task that have ended, in their order."""
        ended = {line.trial: line for line in self.lines if isinstance(line, Tried)}
        mine = [line for line in self.lines if isinstance(line, Chosen) and line.task == task]
        return [(line, ended[line.trial]) for line in mine if line.trial in ended]

    def kept(self, task: str) -> list[tuple[Chosen, Tried]]:
        """The trials of a task that were kept, in their order."""
        return [(chosen, tried) for chosen, tried in self.trials(task) if tried.outcome == "kept" and tried.version]

    def quick(self, trial: int) -> QuickChecked | None:
        """The quick check of a trial."""
        return next((line for line in self.lines if isinstance(line, QuickChecked) and line.trial == trial), None)

    def measured(self, task: str) -> bool:
        """True when the version that the night starts from got its further seeds."""
        return any(isinstance(line, Measured) and line.task == task for line in self.lines)

    def opened(self, task: str) -> TestOpenedOnce | None:
        """The opening of the locked test for a task."""
        return next((line for line in self.lines if isinstance(line, TestOpenedOnce) and line.task == task), None)

    def crashes_in_a_row(self, task: str) -> int:
        """How many of the newest trials of a task crashed, one after another."""
        count = 0
        for _, tried in reversed(self.trials(task)):
            if tried.outcome != "crashed":
                break
            count += 1
        return count


@dataclass
class Night:
    """One process at work on a night."""

    record: NightRecord
    plan: NightPlan
    rules: NightRules
    meter: Meter
    watch: Emit
    say: Speaker
    stop: Callable[[], bool]
    tell: Tell
    model: ChatModel | None = None
    afford: Callable[[ChatModel], Affordable] = unlimited
    """Whether the model may be asked under the night's limit of cost, and for what price."""
    is_priced: bool = False
    """True once that was answered: a server that was gone is asked again, one that has answered is not."""
    ending: bool = False
    """True once the night is being ended: nothing is trained any more, and no training is waited for."""
    diagnoses: dict[tuple[str, ...], Diagnosis] = field(default_factory=dict)
    """What was found on a version, so that it is not looked at again for every choice."""

    @property
    def folder(self) -> Path:
        """Where the night is kept."""
        return self.record.folder

    @property
    def who(self) -> str:
        """The night's name in the records of a task."""
        return f"night {self.record.id}"

    @property
    def tasks(self) -> dict[str, Path]:
        """The folders of its tasks, by name."""
        return {Path(path).name: Path(path) for path in self.plan.tasks}

    def standing(self) -> Standing:
        """Where it stands now."""
        return Standing(self.record.lines())

    def add(self, kind: type[Any], key: str, **parts: Any) -> None:
        """Write a line, unless one with its key is there."""
        self._write(kind(at=now(), key=key, **parts))

    def _write(self, *lines: NightLine) -> None:
        for line in self.record.add(*lines):
            self.tell(line)

    def count_runs(self) -> None:
        """Count every run that began on the tasks since the night did, whoever followed it."""
        for path in self.tasks.values():
            self.meter.ran(*runs_since(self.folder, path))

    def spend(self) -> None:
        """Write down what was used up to now, and what the clocks did."""
        self.count_runs()
        jump = self.meter.jump()
        if jump is not None:
            self._write(jump)
        self.tell(self.meter.write())

    def exhausted(self) -> StopReason | None:
        """The limit that is reached; one that a training was cancelled for stays so, whatever the clock says now."""
        cut = self.standing().cut
        return cut.ends if cut is not None else exhausted(self.plan.limits, self.meter.spent(), datetime.now(UTC))

    def overdue(self, grace: float) -> StopReason | None:
        """The limit of time that was passed more than so many minutes ago."""
        return overdue(self.plan.limits, self.meter.spent(), datetime.now(UTC), grace)

    def minutes_left(self) -> float:
        """Minutes until the night has to be over."""
        return minutes_left(self.plan.limits, self.meter.spent(), datetime.now(UTC))

    def runs_left(self) -> int | None:
        """Trainings that may still be started; None without a limit."""
        return runs_left(self.plan.limits, self.meter.spent())

    def has_room(self, minutes: float) -> bool:
        """True when one more training of so many minutes fits into what is left."""
        return self.exhausted() is None and minutes <= self.minutes_left()

    def stop_wanted(self) -> bool:
        """True when a person asked for the night to end."""
        return (self.folder / STOP).exists()

    def leaving(self) -> bool:
        """True when this process should stop working: it is left, or the night ends."""
        return self.stop() or self.stop_wanted()

    def stay_or_leave(self) -> None:
        """Raise Left when this process should stop working."""
        if self.leaving():
            raise Left

    def command(self, verb: str, task: str, *words: str) -> str:
        """A command line about one of the tasks."""
        return command_like(self.plan.command, verb, task_word(self.record.workspace, self.tasks[task]), *words)

    def pause(self, task: str, reason: Text, verb: str, *words: str) -> None:
        """Try nothing more on a task tonight, and say which command takes it up again; of one that is gone, what is left."""
        parts: dict[str, Any] = {"at": now(), "task": task, "reason": reason}
        there = self.tasks[task].is_dir()
        command = self.command(verb, task, *words) if there else command_like(self.plan.command, "fsck")
        self._write(
            TaskPaused(key=f"paused:{task}", **parts),
            Waiting(key=f"waiting:{task}:paused", what="paused_task", command=command, **parts),
        )

    def guard(self, guard: str, message: Text, *, task: str | None, about: str = "", page: str | None = None) -> None:
        """Write down that a guard stopped something."""
        key = ":".join(part for part in ("guarded", guard, task, about) if part)
        self.add(Guarded, key, task=task, guard=guard, message=message, page=page)
