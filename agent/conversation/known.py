"""What the situation knows by name: tasks and what they are about, labels, versions, pages. Read from files once per change."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agent.conversation.situation import Situation
from agent.conversation.wording import CHINESE, fold
from tools.errors import IterateError
from tools.outcomes.result_origins import version_number
from tools.reading.config import CONFIG_NAMES, DEFINITION_NAMES
from tools.reading.task import load_task
from tools.task import TaskType

_WATCHED = (*DEFINITION_NAMES, *CONFIG_NAMES)
_VERSION = re.compile(r"v\d{1,6}")


@dataclass(frozen=True)
class TaskFacts:
    """How people may call a task, and what can be said about it."""

    name: str
    """Name of its folder."""
    about: str
    """Name, domain and description in lower case: a word that stands in one task's only is a name of that task."""
    labels: tuple[str, ...] = ()
    """Class labels, or the fields of an object."""
    task_type: TaskType | None = None
    """None for a task that cannot be read."""


@dataclass(frozen=True)
class Known:
    """Names that may occur in what a person types."""

    tasks: tuple[TaskFacts, ...]
    current: TaskFacts | None
    """The task under discussion, or the only one there is."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the task under discussion; those of all tasks before one is."""
        if self.current is not None:
            return self.current.labels
        return tuple(dict.fromkeys(label for task in self.tasks for label in task.labels))

    def owner(self, labels: Iterable[object]) -> str | None:
        """The only task that has these labels, before one is under discussion; None when that does not tell."""
        wanted = set(labels)
        owners = [task.name for task in self.tasks if wanted <= set(task.labels)]
        return owners[0] if wanted and self.current is None and len(owners) == 1 else None

    def of(self, name: object) -> Known:
        """The same with another task under discussion."""
        task = next((one for one in self.tasks if one.name == name), None)
        return self if task is None else Known(self.tasks, task)


def known_in(situation: Situation) -> Known:
    """What this situation knows."""
    tasks = tuple(task_facts(situation.workspace.tasks_dir / name) for name in situation.workspace.task_names())
    if situation.task is not None:
        return Known(tasks, task_facts(situation.task))
    return Known(tasks, tasks[0] if len(tasks) == 1 else None)


def task_facts(path: Path) -> TaskFacts:
    """The facts of a task folder, read again only when its files changed."""
    return _facts(path, tuple(_stamp(path / name) for name in _WATCHED))


def version_names(path: Path) -> list[str]:
    """Names of the recorded versions, oldest first, from the folder names alone."""
    try:
        names = [each.name for each in (path / "iterations").iterdir() if _VERSION.fullmatch(each.name)]
    except OSError:
        return []
    return sorted(names, key=version_number)


@lru_cache(maxsize=256)
def _facts(path: Path, _stamps: tuple[int, ...]) -> TaskFacts:
    try:
        task = load_task(path)
    except IterateError:
        return TaskFacts(path.name, fold(path.name))
    definition = task.definition
    labels = definition.answer.labels or definition.answer.fields
    about = " ".join(
        part for part in (path.name, definition.task_name, definition.domain, definition.description) if part
    )
    return TaskFacts(path.name, fold(about), tuple(labels), definition.task_type)


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def named_by(words: str, tasks: tuple[TaskFacts, ...]) -> str | None:
    """The one task whose description has these words; None when none or several do."""
    found = [task.name for task in tasks if words in task.about]
    return found[0] if len(found) == 1 else None


CHINESE_RUN = re.compile(f"[{CHINESE}]+")
