"""The tasks of a workspace in one table, and what can be typed next."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.faces.layout import pad, table, width, wrap
from agent.faces.views.words import percent
from agent.paths import Workspace
from agent.proposing.now import base_version
from tools.comparing.words import metric_name
from tools.errors import IterateError
from tools.outcomes.status import task_status
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_task
from tools.text import Speaker, T, Text, visible


class TaskOverview(BaseModel):
    """One task in one line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str | None = None
    metric: str | None = None
    value: float | None = None
    target: float | None = None
    problem: Text | None = None
    """Why the task cannot be read; everything else is None then."""


def task_overview(path: Path) -> TaskOverview:
    """The task's newest score against its first target; a task that cannot be read says why."""
    try:
        results = read_results(ReadResultsArgs(task_dir=path))
        status = task_status(load_task(path), results, version=base_version(path, "") or None)
    except IterateError as error:
        return TaskOverview(name=path.name, problem=error.message)
    line = next((one for one in status.metrics if one.metric == status.primary_metric), None)
    return TaskOverview(
        name=path.name,
        version=status.version,
        metric=status.primary_metric,
        value=line.value if line else None,
        target=line.target if line else None,
    )


def task_lines(
    workspace: Workspace, overview: list[TaskOverview], say: Speaker, *, chatting: bool = False
) -> list[str]:
    """The table of tasks and what comes next: commands, or what can be said where a chat listens."""
    lines = [say(T("Workspace: {folder}", folder=str(workspace.root))), ""]
    if not overview:
        lines += wrap(say(T("No tasks yet. `iterate init FILE` makes one from a table of your own.")))
        return [
            *lines,
            *wrap(say(T("Without data yet? `iterate create` asks what the task is, and makes its folder."))),
        ]
    header = [say(T("Task")), say(T("Version")), say(T("Metric")), say(T("Score (valid)")), say(T("Target"))]
    lines += table(header, [_row(one, say) for one in overview])
    for one in overview:
        if one.problem:
            lines += wrap(f"{visible(one.name)}: {say(one.problem)}", indent="  ")
    name = visible(overview[-1].name if len(overview) == 1 else _weakest(overview))
    return [*lines, "", *_next(_sayable(name, say) if chatting else _typed(name), say)]


def _row(one: TaskOverview, say: Speaker) -> list[str]:
    if one.problem:
        return [visible(one.name), say(T("unreadable")), "", "", ""]
    value = percent(one.value) if one.value is not None else say(T("untrained"))
    target = percent(one.target) if one.target is not None else ""
    return [visible(one.name), one.version or "-", say(metric_name(one.metric or "")), value, target]


def _weakest(overview: list[TaskOverview]) -> str:
    """The task farthest below its target: the one to begin with."""
    known = [one for one in overview if one.value is not None and one.target is not None]
    return min(known, key=lambda one: (one.value or 0) - (one.target or 0)).name if known else overview[0].name


def _typed(name: str) -> list[tuple[str, Text]]:
    """What can be typed on the command line."""
    return [
        ("iterate", T("talk about it: the chat")),
        (f"iterate run {name}", T("improve it: diagnosis, proposals to approve, training, comparison")),
        (f"iterate status {name}", T("where it stands")),
        (f"iterate diagnose {name}", T("what is wrong, with evidence")),
        ("iterate refs", T("read about symptoms and methods")),
        ("iterate --help", T("every command")),
    ]


def _sayable(name: str, say: Speaker) -> list[tuple[str, Text]]:
    """What can be said in the chat."""
    return [
        (say(T("improve {name}", name=name)), T("improve it: diagnosis, proposals to approve, training, comparison")),
        (say(T("status of {name}", name=name)), T("where it stands")),
        (say(T("what is wrong with {name}", name=name)), T("what is wrong, with evidence")),
        (say(T("read about overfitting")), T("read about symptoms and methods")),
        (say(T("help")), T("everything that can be said")),
        (say(T("quit")), T("leave; a training goes on")),
    ]


def _next(commands: list[tuple[str, Text]], say: Speaker) -> list[str]:
    column = max(width(command) for command, _ in commands) + 2
    return [say(T("What you can type next:")), *[f"  {pad(command, column)}{say(text)}" for command, text in commands]]
