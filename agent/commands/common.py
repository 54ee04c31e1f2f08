"""What every command shares: global options, workspace, language, and the one place that turns errors into exit codes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from agent.faces.console import out, show_error, tell
from agent.i18n import choose_language, speaker
from agent.paths import Workspace, find_workspace
from agent.settings import load_settings
from tools.errors import IterateError
from tools.text import Speaker, T


@dataclass
class Options:
    """The global options, kept for the command that runs."""

    workspace: Path | None = None
    language: str | None = None
    json: bool = False


OPTIONS = Options()

_GLOBALS = ("--workspace", "-w", "--lang", "-l")
UsageError: Any = typer.BadParameter.__base__
"""Every wrong use of a command; typer carries its own copy of click and exports only this child of it."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="Name of a task in the workspace, or a path to its folder.")
]


def main_options(
    context: typer.Context,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="Folder that holds tasks/ [env: ITERATE_WORKSPACE].")
    ] = None,
    language: Annotated[str | None, typer.Option("--lang", "-l", help="en or zh-TW [env: ITERATE_LANGUAGE].")] = None,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Improve an existing LLM fine-tuning task: diagnose, propose, approve, train, compare, decide."""
    # A command typed at the menu keeps what the menu was started with.
    OPTIONS.workspace, OPTIONS.language = workspace or OPTIONS.workspace, language or OPTIONS.language
    if version:
        from importlib.metadata import version as installed

        out("iterate-mode " + installed("iterate-mode"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        from agent.faces.menu import show_menu

        def run(words: list[str]) -> int:
            return guarded(lambda: context.command.main(globals_first(words), standalone_mode=False))

        raise typer.Exit(show_menu(open_workspace(), say(), run))


def chosen_language(task_language: str | None = None) -> str:
    """The language of messages: flag, settings and environment, the task's language, then the locale."""
    settings = load_settings(os.environ).settings
    return choose_language(OPTIONS.language, settings.language, task_language, os.environ)[0]


def say(task_language: str | None = None) -> Speaker:
    """The speaker of the chosen language."""
    return speaker(chosen_language(task_language))


def open_workspace() -> Workspace:
    """The workspace of this command; what was chosen or copied is said on stderr."""
    workspace = find_workspace(OPTIONS.workspace, os.environ, Path.cwd())
    if workspace.added:
        names = ", ".join(workspace.added)
        tell(say()(T("Copied the bundled tasks {names} to {folder}.", names=names, folder=str(workspace.tasks_dir))))
    return workspace


def task_folder(name: str) -> Path:
    """The folder of the task called `name`; raises NotFound with the names that exist."""
    return open_workspace().task_path(name)


def task_say(path: Path) -> Speaker:
    """The speaker for a task's reports, which may be in the task's own language."""
    from tools.reading.task import load_task

    return say(load_task(path).definition.language)


def globals_first(words: list[str]) -> list[str]:
    """The words of a command line with the global options moved to its front, so that they may stand anywhere."""
    front: list[str] = []
    rest: list[str] = []
    left = iter(words)
    for word in left:
        if word in _GLOBALS:
            front += [word, *[value for value in [next(left, None)] if value is not None]]
        elif word.startswith(tuple(f"{name}=" for name in _GLOBALS)):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def show_json(value: BaseModel | list[Any] | dict[str, Any]) -> None:
    """One JSON document on stdout."""
    if isinstance(value, BaseModel):
        out(value.model_dump_json(indent=2))
    else:
        out(json.dumps(value, ensure_ascii=False, indent=2))


def guarded(command: Callable[[], Any]) -> int:
    """Run a command and return its exit code; errors a user can meet are shown with their next step."""
    try:
        result = command()
        return result if isinstance(result, int) else 0
    except typer.Exit as done:
        return done.exit_code
    except UsageError as wrong:
        wrong.show()
        return int(wrong.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        tell(say()(T("Interrupted. Nothing was left half written.")))
        return 130
    except IterateError as error:
        show_error(error, say())
        return error.exit_code
