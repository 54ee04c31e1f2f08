"""Commands that open the chat: chat, sessions, serve; and what `iterate` alone does."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Annotated

import typer

from agent.commands.common import (
    OPTIONS,
    ContinueFlag,
    JsonFlag,
    PlainFlag,
    ResumeOption,
    chosen_language,
    open_here,
    open_workspace,
    say,
    show_json,
)
from agent.commands.helping import HelpedCommand, told
from agent.faces.console import out
from tools.text import T


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command, text in (
        (chat, T("Open the chat: talk about a task, decide on proposals, watch trainings, compare versions.")),
        (sessions, T("List the sessions of this workspace, newest first.")),
        (serve, T("Show the chat in a browser on this machine.")),
    ):
        app.command(cls=HelpedCommand, help=told(text))(command)


def chat(
    context: typer.Context,
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help=told(T("Task to talk about.")))] = None,
    newest: ContinueFlag = False,
    resume: ResumeOption = None,
    plain: PlainFlag = False,
) -> None:
    """`iterate chat`."""
    from agent.faces.opening import ChatStart

    start = ChatStart(task=task, resume=resume, newest=newest, plain=plain)
    raise typer.Exit(open_here(context.find_root(), start))


def sessions(json: JsonFlag = False) -> None:
    """`iterate sessions`."""
    from agent.faces.views.sessions import session_lines
    from agent.records import past_sessions

    workspace = open_workspace()
    found = past_sessions([workspace.task_path(name) for name in workspace.task_names()])
    if json:
        show_json([{**one.record.model_dump(mode="json"), "open": one.open} for one in found])
        return
    for line in session_lines(found, say()):
        out(line)


def serve(
    port: Annotated[int, typer.Option(help=told(T("Port to listen on.")), min=1, max=65535)] = 8000,
    host: Annotated[
        str,
        typer.Option(help=told(T("Address to listen on; with another one than this machine's, others can use it."))),
    ] = "127.0.0.1",
    public_url: Annotated[
        str | None, typer.Option(help=told(T("Address in the browser, where it differs: a forwarded port, a proxy.")))
    ] = None,
) -> None:
    """`iterate serve`."""
    from agent.faces.browser import serve_chat

    words = [sys.executable, "-m", "agent.cli", "chat", "--workspace", str(open_workspace().root)]
    words += ["--lang", chosen_language()] if OPTIONS.language or "ITERATE_LANGUAGE" in os.environ else []
    raise typer.Exit(serve_chat(shlex.join(words), host, port, public_url, say()))
