"""Where things are: workspace, task, configuration, records, settings."""

from __future__ import annotations

from agent.conversation.answers.telling import TaskWanted, items, task_of
from agent.conversation.said import Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.settings import settings_file
from tools.text import T, Text, visible
from tools.versioning.adopt import POINTER, current


def answer(understood: Understood, situation: Situation, tell: Tell) -> None:
    """List the places."""
    workspace = situation.workspace
    places = [T("Workspace: {folder}. {reason}", folder=visible(str(workspace.root)), reason=workspace.origin)]
    places += _of_task(understood, situation)
    places += [
        T("Reference pages: {folder}", folder=visible(str(situation.library.root))),
        T("Settings: {file}", file=visible(str(settings_file()))),
    ]
    items(tell, places)


def _of_task(understood: Understood, situation: Situation) -> list[Text]:
    try:
        path = task_of(understood, situation)
    except TaskWanted:
        return [T("Tasks: {folder}", folder=visible(str(situation.workspace.tasks_dir)))]
    pointer = current(path)
    used = T("{file} ({version})", file=POINTER, version=pointer.version) if pointer else T("none adopted yet")
    return [
        T("Task: {folder}", folder=visible(str(path))),
        T(
            "Inside it: data/ (rows), configs/training_config.yaml (what makes a version), iterations/ (records of versions), "
            "runs/ (trainings), benchmarks/results/ (scores)"
        ),
        T("Version in use: {used}", used=used),
    ]
