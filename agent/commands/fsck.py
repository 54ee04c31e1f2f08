"""The command that checks and mends: fsck."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.commands.common import JsonFlag, open_workspace, say
from agent.commands.helping import HelpedCommand, told
from tools.text import T


def register(app: typer.Typer) -> None:
    """Add the command."""
    text = T("Check the records of a task or of the whole workspace, explain what is wrong, and mend it when asked.")
    app.command(cls=HelpedCommand, help=told(text))(fsck)


def fsck(
    task: Annotated[
        str | None, typer.Argument(metavar="TASK", help=told(T("Only this task; all of the workspace when left out.")))
    ] = None,
    mend: Annotated[
        bool, typer.Option("--mend", help=told(T("Mend what can be mended; what is taken away is kept.")))
    ] = False,
    json: JsonFlag = False,
) -> None:
    """`iterate fsck`."""
    from agent.faces.fsck import check_workspace

    workspace = open_workspace()
    tasks = [workspace.task_path(name) for name in ([task] if task is not None else workspace.task_names())]
    raise typer.Exit(check_workspace(workspace, tasks, say(), mending=mend, as_json=json))
