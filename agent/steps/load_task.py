"""Step 1: load the task and say where it stands against its targets."""

from __future__ import annotations

from pathlib import Path

from agent.context import Context, task_path
from agent.events import Notice, TaskLoaded
from agent.state import State
from tools.outcomes.status import task_status
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_task as read_task_folder
from tools.text import T
from tools.versioning.adopt import current
from tools.versions import list_versions


def load_task(state: State, context: Context) -> State:
    """Read the folder, choose the version to improve, and show the summary."""
    path = task_path(state)
    task = read_task_folder(path)
    base = base_version(path, state.get("base", ""))
    results = read_results(ReadResultsArgs(task_dir=path))
    context.emit(TaskLoaded(status=task_status(task, results, version=base or None)))
    if not base:
        context.emit(Notice(message=T("This task has no trained version yet: the first step is a baseline.")))
    return {"base": base}


def base_version(path: Path, wanted: str) -> str:
    """The version that the next one starts from; "" when none has a result.

    In this order: the one this session works on, the one whose snapshot is the configuration on disk, the adopted one, the
    newest with a result.
    """
    trained = [record for record in list_versions(path) if record.has_result]
    names = [record.version for record in trained]
    if wanted in names:
        return wanted
    text = read_task_folder(path).config.text.encode("utf-8")
    same = [record.version for record in trained if record.snapshot and record.snapshot.read_bytes() == text]
    if same:
        return same[-1]
    pointer = current(path)
    if pointer and pointer.version in names:
        return pointer.version
    return names[-1] if names else ""
