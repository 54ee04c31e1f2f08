"""Opening the chat: full screen on a terminal that can show one, plain lines everywhere else; on leaving, the way back."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.faces.console import ask, interactive, is_yes, out
from agent.faces.views.sessions import session_lines
from agent.paths import Workspace, offer_examples
from agent.records import PastSession, find_session, newest_open, past_sessions
from agent.settings import Settings
from tools.errors import InputError
from tools.text import Speaker, T

_ON = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True)
class ChatStart:
    """What the command line said about the chat."""

    task: str | None = None
    resume: str | None = None
    """A session or a task; "" lets the person choose."""
    newest: bool = False
    """Go on with the newest open session."""
    plain: bool = False


@dataclass(frozen=True)
class CommandLine:
    """The commands that can be typed in the plain chat too."""

    run: Callable[[list[str]], int]
    names: Collection[str]
    workspace: Path | None = None
    """Named by a flag, so it belongs into the command that comes back."""

    def way_back(self, command: str) -> str:
        """The command with the workspace that this one was given."""
        return f"{command} --workspace {shlex.quote(str(self.workspace))}" if self.workspace is not None else command


def open_chat(  # noqa: PLR0913, PLR0917 - where, in which language, with which settings, how to begin
    workspace: Workspace,
    say: Speaker,
    language: str,
    settings: Settings,
    start: ChatStart,
    commands: CommandLine,
    environ: Mapping[str, str],
) -> int:
    """Chat until the person leaves; the exit code."""
    if not workspace.task_names():
        _offer_examples(workspace, say)
    task = workspace.task_path(start.task) if start.task else None
    if start.plain or not full_screen(environ):
        from agent.faces.plain_chat import PlainChat

        chat = PlainChat(workspace, say, language, settings, commands.run, commands.names)
        code = chat.talk(task, _chosen(workspace, start, say))
        left: str | None = None
    else:
        resume = start.resume if start.resume == "" else _session_id(workspace, start)
        code, left = _on_screen(workspace, say, language, settings, task, resume)
    waiting = newest_open(_tasks(workspace))
    command = left or (f"iterate --resume {waiting.record.id}" if waiting else None)
    if command is not None:
        out(say(T("Continue with: {command}", command=commands.way_back(command))))
    return code


def full_screen(environ: Mapping[str, str]) -> bool:
    """True when there is a screen: a terminal that moves its cursor, or a browser."""
    if environ.get("TEXTUAL_DRIVER"):
        return True
    if environ.get("ITERATE_PLAIN", "").lower() in _ON or environ.get("TERM", "") in {"", "dumb"}:
        return False
    return interactive()


def _on_screen(
    workspace: Workspace, say: Speaker, language: str, settings: Settings, task: Path | None, resume: str | None
) -> tuple[int, str | None]:
    from agent.faces.tui.app import IterateApp

    app = IterateApp(workspace, say, language, task=task, resume=resume, settings=settings)
    result = app.run()
    return (result if result is not None else app.return_code or 0), app.resume_line


def _chosen(workspace: Workspace, start: ChatStart, say: Speaker) -> PastSession | None:
    """The session to go on with; without a name the person at the terminal chooses from the list."""
    if start.resume != "":
        wanted = _session_id(workspace, start)
        return find_session(_tasks(workspace), wanted) if wanted is not None else None
    for line in session_lines(past_sessions(_tasks(workspace)), say):
        out(line)
    typed = ask(say(T("Which one? "))) if interactive() else None
    return find_session(_tasks(workspace), typed.strip()) if typed and typed.strip() else None


def _session_id(workspace: Workspace, start: ChatStart) -> str | None:
    tasks = _tasks(workspace)
    if start.resume is not None:
        return find_session(tasks, start.resume).record.id
    if not start.newest:
        return None
    newest = newest_open(tasks)
    if newest is None:
        raise InputError(
            T("No session of this workspace is open."),
            hint=T("Begin one: iterate run TASK"),
            page="troubleshooting/sessions-and-locks",
        )
    return newest.record.id


def _offer_examples(workspace: Workspace, say: Speaker) -> None:
    out(say(T("There are no tasks in {folder}.", folder=str(workspace.tasks_dir))))
    out(say(T("Without data yet? `iterate create` asks what the task is, and makes its folder.")))
    if not interactive():
        out(say(T("Make one with `iterate init FILE`, or copy the example tasks with `iterate init --examples`.")))
        return
    answer = ask(say(T("Copy the three example tasks here? [y/N] ")))
    if is_yes(answer):
        names = offer_examples(workspace.root)
        out(say(T("Copied {names}.", names=", ".join(names))))


def _tasks(workspace: Workspace) -> list[Path]:
    return [workspace.task_path(name) for name in workspace.task_names()]
