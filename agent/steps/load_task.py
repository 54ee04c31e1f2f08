"""Step 1: load the task and say where it stands against its targets."""

from __future__ import annotations

from agent.context import Context, task_path
from agent.events import Notice, TaskLoaded
from agent.proposing.now import base_version
from agent.state import State
from tools.outcomes.status import task_status
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_task as read_task_folder
from tools.text import T


def load_task(state: State, context: Context) -> State:
    """Read the folder, choose the version to improve, and show the summary."""
    path = task_path(state)
    task = read_task_folder(path)
    base = base_version(path, state.get("base", ""))
    results = read_results(ReadResultsArgs(task_dir=path))
    status = task_status(task, results, version=base or None)
    context.emit(TaskLoaded(status=status))
    if not base and status.next_step is None:
        context.emit(Notice(message=T("This task has no trained version yet: the first step is a baseline.")))
    return {"base": base}
