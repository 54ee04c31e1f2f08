"""What every command shares: global options, workspace, language, and the one place that turns errors into exit codes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel

from agent.commands.helping import told, wrong_use_lines
from agent.faces.console import out, show_error, tell
from agent.i18n import choose_language, speaker
from agent.paths import Workspace, find_workspace
from agent.settings import load_settings
from tools.errors import IterateError
from tools.text import Speaker, T

if TYPE_CHECKING:
    from agent.faces.opening import ChatStart


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

JsonFlag = Annotated[bool, typer.Option("--json", help=told(T("Machine-readable output on stdout.")))]
TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help=told(T("Name of a task in the workspace, or a path to its folder.")))
]


ContinueFlag = Annotated[
    bool, typer.Option("--continue", help=told(T("Go on with the newest open session of this workspace.")))
]
ResumeOption = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="[SESSION|TASK]",
        help=told(T("Go on with this session, or with the open one of this task; without a name, choose.")),
    ),
]
PlainFlag = Annotated[
    bool, typer.Option("--plain", help=told(T("Chat in plain lines instead of a full screen [env: ITERATE_PLAIN].")))
]


def main_options(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help=told(T("Folder that holds tasks/ [env: ITERATE_WORKSPACE]."))),
    ] = None,
    language: Annotated[
        str | None, typer.Option("--lang", "-l", help=told(T("en or zh-TW [env: ITERATE_LANGUAGE].")))
    ] = None,
    newest: ContinueFlag = False,
    resume: ResumeOption = None,
    plain: PlainFlag = False,
    version: Annotated[bool, typer.Option("--version", help=told(T("Show the version and exit.")))] = False,
) -> None:
    """`iterate`."""
    # A command typed in the chat keeps what the chat was started with.
    OPTIONS.workspace, OPTIONS.language = workspace or OPTIONS.workspace, language or OPTIONS.language
    if version:
        from importlib.metadata import version as installed

        out("iterate-mode " + installed("iterate-mode"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        from agent.faces.opening import ChatStart

        raise typer.Exit(open_here(context, ChatStart(resume=resume, newest=newest, plain=plain)))


def open_here(context: Any, start: ChatStart) -> int:
    """The chat in this workspace; the commands of the command line can be typed in it."""
    from agent.faces.opening import CommandLine, open_chat

    program: Any = context.command

    def run(words: list[str]) -> int:
        if words[:1] in ([], ["chat"]):
            tell(say()(T("You are in the chat already.")))
            return 2
        return guarded(lambda: program.main(globals_first(words), prog_name="iterate", standalone_mode=False))

    commands = CommandLine(run, [*program.commands], OPTIONS.workspace)
    settings = load_settings(os.environ).settings
    return open_chat(open_workspace(), say(), chosen_language(), settings, start, commands, os.environ)


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
    """The words of a command line with the global options moved to its front, so that they may stand anywhere.

    `--resume` without a value gets an empty one.
    """
    front: list[str] = []
    rest: list[str] = []
    for at, word in enumerate(words):
        following = words[at + 1 : at + 2]
        if at and words[at - 1] in _GLOBALS:
            continue
        if word in _GLOBALS:
            front += [word, *following]
        elif word.startswith(tuple(f"{name}=" for name in _GLOBALS)):
            front.append(word)
        elif word == "--resume" and (not following or following[0].startswith("-")):
            rest.append("--resume=")
        else:
            rest.append(word)
    return front + rest


def language_flag(words: list[str]) -> str | None:
    """The language that a command line asks for, before it is parsed: its help is said in it too."""
    front = globals_first(words)
    pairs = pairwise(front)
    glued = [word.partition("=")[2] for word in front if word.startswith(("--lang=", "-l="))]
    return next((value for word, value in pairs if word in {"--lang", "-l"}), glued[0] if glued else None)


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
        for line in wrong_use_lines(wrong, safe_say()):
            tell(line)
        return int(wrong.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        tell(safe_say()(T("Interrupted. Nothing was left half written.")))
        return 130
    except IterateError as error:
        show_error(error, safe_say())
        return error.exit_code


def safe_say() -> Speaker:
    """The speaker of the chosen language; where the choice itself is the error, that of the surroundings."""
    try:
        return say()
    except IterateError:
        return speaker(choose_language(None)[0])
