"""The tasks of the workspace in one table."""

from __future__ import annotations

from agent.conversation.answers.telling import grid, para
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.proposing.now import base_version
from tools.comparing.words import metric_name
from tools.errors import IterateError
from tools.outcomes.status import task_status
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_task
from tools.text import T


def answer(_understood: Understood, situation: Situation, tell: Tell) -> None:
    """List every task with its score against the target."""
    names = situation.workspace.task_names()
    if not names:
        para(tell, T("This workspace has no tasks yet. `iterate init FILE` makes one from a table of your own."))
        para(tell, T("Without data yet? Say: create a new task"))
        return
    header = [T("Task"), T("Version"), T("Metric"), T("Score (valid)"), T("Target")]
    grid(tell, header, [_row(name, situation) for name in names])
    para(tell, T("To begin with one: improve {task}", task=names[0]))


def _row(name: str, situation: Situation) -> list[str]:
    path = situation.workspace.task_path(name)
    try:
        results = read_results(ReadResultsArgs(task_dir=path))
        status = task_status(load_task(path), results, version=base_version(path, "") or None)
    except IterateError:
        return [name, situation.say(T("unreadable")), "", "", ""]
    line = next((one for one in status.metrics if one.metric == status.primary_metric), None)
    value = situation.say(T("untrained")) if line is None or line.value is None else f"{line.value:.1%}"
    target = f"{line.target:.1%}" if line is not None and line.target is not None else ""
    return [name, status.version or "-", situation.say(metric_name(status.primary_metric)), value, target]
