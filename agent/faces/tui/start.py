"""What the chat shows first: the tasks with their standing, and what can be said next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from agent.conversation.said import Order
from agent.faces.last_night import last_night
from agent.faces.tui.widgets.blocks import Entry, Grid, Link, Note
from agent.faces.views.words import percent
from agent.paths import Workspace
from agent.records import past_sessions
from tools.comparing.words import metric_name
from tools.text import Speaker, T, Text, visible

if TYPE_CHECKING:
    from agent.faces.views.tasks import TaskOverview


SESSION_STATES: dict[str | None, Text] = {
    None: T("open: it was cut off"),
    "waiting": T("a decision waits"),
    "interrupted": T("you left it"),
    "failed": T("the training failed"),
    "done": T("finished"),
    "nothing_to_do": T("nothing to do"),
}
"""What became of a session, by the reason it ended for."""


def overviews(workspace: Workspace) -> list[TaskOverview]:
    """Every task of the workspace in one line each; reads their files."""
    from agent.faces.views.tasks import task_overview  # 0.1 s: it brings the rules of diagnosis along

    return [task_overview(workspace.task_path(name)) for name in workspace.task_names()]


class LeftOpen(NamedTuple):
    """A task whose session can be taken up, and what it waits for."""

    task: str
    """"" for a night, whose report is offered instead."""
    state: Text


def left_open(workspace: Workspace) -> list[LeftOpen]:
    """Tasks with a training that is running or a session that was left."""
    from tools.launch_training import active_runs

    tasks = [workspace.task_path(name) for name in workspace.task_names()]
    training = {task: T("a training is running") for task in tasks if active_runs(task)}
    waiting = {one.task: SESSION_STATES[one.record.reason] for one in past_sessions(tasks) if one.open}
    found = [LeftOpen(task.name, state) for task, state in {**waiting, **training}.items()]
    night = last_night(workspace)
    return [LeftOpen("", night), *found] if night is not None else found


def start_entries(
    workspace: Workspace, tasks: Sequence[TaskOverview], say: Speaker, left: Sequence[LeftOpen] = ()
) -> list[Entry]:
    """The table of tasks, what was left open, and a few sentences that can be said, best first."""
    entries: list[Entry] = [Note(say(workspace.news), "muted")] if workspace.news else []
    if not tasks:
        told = T("There are no tasks in {folder}.", folder=str(workspace.tasks_dir))
        made = T("`iterate init FILE` makes one from a table of your own.")
        create = _say(T("create a new task"), Order(command="create"), say)
        return [*entries, Note(say(told)), Note(say(made)), Note(say(T("Without data yet? Say:"))), create]
    header = [T("Task"), T("Version"), T("Metric"), T("Score (valid)"), T("Target")]
    entries.append(Grid([say(one) for one in header], [_row(one, say) for one in tasks]))
    entries += [Note(f"{visible(one.name)}: {say(one.problem)}", "warning", sign="⚠ ") for one in tasks if one.problem]
    for one in left:
        if not one.task:
            told = T("read the morning report: {state}", state=one.state)
            entries.append(_say(told, Order(command="report"), say))
            continue
        told = T("go on with {task}: {state}", task=visible(one.task), state=one.state)
        entries.append(_say(told, Order(command="improve", args={"task": one.task}), say))
    return [*entries, Note(say(T("What you can say:")), "strong"), *suggestions(weakest(tasks), say)]


def suggestions(name: str, say: Speaker) -> list[Entry]:
    """Sentences to begin with; choosing one says it."""
    shown = visible(name)
    return [
        _say(T("improve {task}", task=shown), Order(command="improve", args={"task": name}), say),
        _say(T("what is wrong with {task}", task=shown), Order(command="diagnose", args={"task": name}), say),
        _say(T("status of {task}", task=shown), Order(command="status", args={"task": name}), say),
        _say(T("help"), Order(command="help"), say),
    ]


def weakest(tasks: Sequence[TaskOverview]) -> str:
    """The task farthest below its target: the one to begin with."""
    known = [one for one in tasks if one.value is not None and one.target is not None]
    return min(known, key=lambda one: (one.value or 0) - (one.target or 0)).name if known else tasks[0].name


def _say(sentence: Text, order: Order, say: Speaker) -> Entry:
    return Link(say(sentence), order)


def _row(one: TaskOverview, say: Speaker) -> list[str]:
    if one.problem:
        return [visible(one.name), say(T("unreadable")), "", "", ""]
    value = percent(one.value) if one.value is not None else say(T("untrained"))
    sign = ""
    if one.value is not None and one.target is not None:
        sign = " ✓" if one.value >= one.target - 1e-9 else " ✗"
    target = percent(one.target) if one.target is not None else ""
    return [visible(one.name), one.version or "-", say(metric_name(one.metric or "")), value + sign, target]
