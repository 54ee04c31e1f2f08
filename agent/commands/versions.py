"""Commands about versions: adopt, rollback."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.commands.common import TaskName, task_folder, task_say
from agent.commands.helping import HelpedCommand, told
from tools.text import T


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command, text in (
        (
            adopt,
            T("Open the locked test set for this version, show it, ask once more, and make it the version in use."),
        ),
        (
            rollback,
            T(
                "Restore an earlier version: its configuration and the pointer to the version in use. Nothing is deleted."
            ),
        ),
    ):
        app.command(cls=HelpedCommand, help=told(text))(command)


def adopt(
    task: TaskName,
    version: Annotated[str, typer.Argument(help=told(T("Version to adopt, such as v2.")))],
    yes: Annotated[
        bool, typer.Option("--yes", help=told(T("Adopt whatever the test says, without the last question.")))
    ] = False,
) -> None:
    """`iterate adopt`."""
    from agent.faces.adopting import adopt_version

    path = task_folder(task)
    raise typer.Exit(adopt_version(path, version, task_say(path), yes=yes))


def rollback(
    task: TaskName,
    to: Annotated[
        str | None, typer.Option(help=told(T("Version to go back to; the one in use before when left out.")))
    ] = None,
) -> None:
    """`iterate rollback`."""
    from agent.faces.adopting import roll_back_version

    path = task_folder(task)
    raise typer.Exit(roll_back_version(path, to, task_say(path)))
