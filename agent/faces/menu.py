"""`iterate` without a command: the tasks and what can be typed next."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from agent.faces.console import ask, interactive, out
from agent.faces.views.tasks import task_lines, task_overview
from agent.paths import Workspace, offer_examples
from tools.text import Speaker, T

LEAVING = frozenset({"q", "quit", "exit", "離開"})


def show_menu(workspace: Workspace, say: Speaker, run: Callable[[list[str]], int]) -> int:
    """Show the tasks, then `run` typed commands until an empty line; without a terminal it only shows."""
    if not workspace.task_names():
        _offer_examples(workspace, say)
    overview = [task_overview(workspace.task_path(name)) for name in workspace.task_names()]
    for line in task_lines(workspace, overview, say):
        out(line)
    if interactive() and overview:
        _prompt(run, say)
    return 0


def _offer_examples(workspace: Workspace, say: Speaker) -> None:
    out(say(T("There are no tasks in {folder}.", folder=str(workspace.tasks_dir))))
    if not interactive():
        out(say(T("Make one with `iterate init FILE`, or copy the example tasks with `iterate init --examples`.")))
        return
    answer = ask(say(T("Copy the three example tasks here? [y/N] ")))
    if answer and answer.strip().lower() in {"y", "yes", "是", "好"}:
        names = offer_examples(workspace.root)
        out(say(T("Copied {names}.", names=", ".join(names))))


def _prompt(run: Callable[[list[str]], int], say: Speaker) -> None:
    """Read commands as typed on the command line, without the word iterate, until an empty line."""
    while True:
        line = ask("iterate> ")
        if line is None or not line.strip() or line.strip() in LEAVING:
            return
        try:
            words = shlex.split(line)
        except ValueError:
            out(say(T("A quotation mark is not closed.")))
            continue
        run(words[1:] if words[:1] == ["iterate"] else words)
