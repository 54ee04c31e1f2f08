"""The beginning of a night: its plan, and what must hold before one is written or taken up."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from agent.approval import user_name
from agent.overnight.commands import command_like
from agent.overnight.records import BudgetLimits, NightPlan, NightRecord, begin_night, night_records, nights_folder
from agent.overnight.rules import NightRules
from agent.proposing.now import base_version
from tools.errors import Busy, InputError, IterateError
from tools.files import now
from tools.text import T, visible

_PAGE = "methods/overnight"
_LOCK = ".begin.lock"
"""File beside the nights of a workspace: two that begin at once would not see each other's plan."""


def start_night(  # noqa: PLR0913 - a plan has this many parts, all named at the call
    workspace: Path,
    tasks: Sequence[Path],
    limits: BudgetLimits,
    rules: NightRules,
    *,
    seed: int,
    command: str,
    who: str | None = None,
) -> NightRecord:
    """Write the plan of a new night; nothing runs yet.

    Raises InputError without tasks or for two of one name, Busy or InputError where another night is not over with one of them.
    """
    paths = [path.resolve() for path in tasks]
    _require_tasks(paths)
    night = f"{now()[:16].replace(':', '').replace('-', '').lower()}-{secrets.token_hex(2)}"
    if rules.max_trainings is not None:
        limits = limits.model_copy(update={"runs": min(rules.max_trainings, limits.runs or rules.max_trainings)})
    plan = NightPlan(
        id=night,
        workspace=str(workspace.resolve()),
        started_at=now(),
        tasks=[str(path) for path in paths],
        limits=limits,
        rules=rules.model_dump(mode="json"),
        command=command,
        resume=command_like(command, "overnight", "--resume", night),
        seed=seed,
        who=who or user_name(),
        start_versions={path.name: _start_version(path) for path in paths},
    )
    nights_folder(workspace).mkdir(parents=True, exist_ok=True)
    with FileLock(nights_folder(workspace) / _LOCK):
        _require_usable(workspace, paths)
        return begin_night(workspace, plan)


def open_nights(workspace: Path) -> list[NightRecord]:
    """The nights that have not ended, oldest first."""
    return [record for record in night_records(workspace) if not record.is_over]


def require_own(record: NightRecord) -> None:
    """Raise InputError for a night that was begun in another folder: its plan and its commands name the tasks there."""
    begun, here = record.plan().workspace, record.workspace.resolve()
    if begun in {"", str(here)}:
        return
    raise InputError(
        T("Night {id} was begun in {begun}, and its tasks are folders there.", id=record.id, begun=visible(begun)),
        hint=T(
            "If the workspace was moved, move it back and take it up: {resume} / In a copy begin another night, and delete "
            "{folder} to be rid of this one.",
            resume=record.plan().resume,
            folder=visible(str(record.folder)),
        ),
        page=_PAGE,
    )


def _require_tasks(paths: Sequence[Path]) -> None:
    names = [path.name for path in paths]
    if not names:
        raise InputError(T("A night needs at least one task."), page=_PAGE)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            T("Two of the tasks are called {name}, so their records could not be told apart.", name=visible(twice[0])),
            hint=T("Give each of them a night of its own."),
            page=_PAGE,
        )


def _require_usable(workspace: Path, paths: Sequence[Path]) -> None:
    for record in open_nights(workspace):
        shared = sorted(set(record.plan().tasks) & set(map(str, paths)))
        if shared:
            raise _taken(record, visible(Path(shared[0]).name))


def _taken(record: NightRecord, task: str) -> IterateError:
    """A task belongs to one night at a time, also while nobody works on that one."""
    end = command_like(record.plan().command, "overnight", "--stop", record.id)
    if record.is_worked_on:
        return Busy(
            T("Night {id} is working on {task}.", id=record.id, task=task),
            hint=T("Wait for it, or end it: {command}", command=end),
            page=_PAGE,
        )
    return InputError(
        T("Night {id} on {task} was cut off or left, and has not ended.", id=record.id, task=task),
        hint=T("Take it up: {resume} / End it: {end}", resume=record.plan().resume, end=end),
        page=_PAGE,
    )


def _start_version(path: Path) -> str:
    """The version that a night starts from; "" also for a task that cannot be read, which is paused later."""
    try:
        return base_version(path, "")
    except (IterateError, OSError, UnicodeDecodeError):
        return ""
