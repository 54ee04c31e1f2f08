"""Commands that look: tasks, status, diagnose, propose, history, refs; and the six tools, called as they are."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.commands.common import (
    JsonFlag,
    TaskName,
    chosen_language,
    open_workspace,
    say,
    show_json,
    task_folder,
    task_say,
)
from agent.commands.helping import HelpedCommand, told
from agent.faces.console import out
from agent.faces.layout import wrap
from tools.text import T


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command, text in (
        (tasks, T("List the tasks of the workspace with their newest score against the target.")),
        (status, T("Show where a task stands: configuration, scores against targets, classes, data.")),
        (diagnose, T("Say what is wrong with a task, with the numbers, the rows and the page that explains it.")),
        (
            propose,
            T("List proposed changes, best first, each with its diff, expected effect and cost; nothing is changed."),
        ),
        (history, T("List the versions of a task, decisions taken, openings of the test set, and how forecasts did.")),
        (refs, T("List, search or read the reference pages on symptoms and methods.")),
        (tool, T("Call one of the six typed tools with JSON; without a name, list them with their effects.")),
    ):
        app.command(cls=HelpedCommand, help=told(text))(command)


def tasks(json: JsonFlag = False) -> None:
    """`iterate tasks`."""
    from agent.faces.views.tasks import task_lines, task_overview

    workspace = open_workspace()
    overview = [task_overview(workspace.task_path(name)) for name in workspace.task_names()]
    if json:
        show_json([one.model_dump(mode="json") for one in overview])
        return
    for line in task_lines(workspace, overview, say()):
        out(line)


def status(task: TaskName, json: JsonFlag = False) -> None:
    """`iterate status`."""
    from agent.faces.views.status import status_lines
    from agent.proposing.now import base_version
    from tools.outcomes.status import task_status
    from tools.read_results import ReadResultsArgs, read_results
    from tools.reading.task import load_task

    path = task_folder(task)
    results = read_results(ReadResultsArgs(task_dir=path))
    facts = task_status(load_task(path), results, version=base_version(path, "") or None)
    if json:
        show_json(facts)
        return
    for line in status_lines(facts, task_say(path)):
        out(line)


def diagnose(
    task: TaskName,
    version: Annotated[
        str | None, typer.Option(help=told(T("Version to diagnose; the one in use when left out.")))
    ] = None,
    json: JsonFlag = False,
) -> None:
    """`iterate diagnose`."""
    from agent.faces.views.diagnosis import diagnosis_lines
    from agent.proposing.now import base_version
    from tools.diagnose import DiagnoseArgs
    from tools.diagnose import diagnose as diagnose_tool

    path = task_folder(task)
    found = diagnose_tool(DiagnoseArgs(task_dir=path, version=base_version(path, version or "") or None))
    if json:
        show_json(found)
        return
    for line in diagnosis_lines(found, task_say(path)):
        out(line)


def propose(task: TaskName, json: JsonFlag = False) -> None:
    """`iterate propose`."""
    from agent.faces.views.proposal import proposal_lines
    from agent.proposing.now import base_version, proposals_now
    from tools.diagnose import DiagnoseArgs
    from tools.diagnose import diagnose as diagnose_tool

    path = task_folder(task)
    base = base_version(path, "")
    diagnosis = diagnose_tool(DiagnoseArgs(task_dir=path, version=base or None))
    proposals = proposals_now(path, base, diagnosis)
    if json:
        show_json([{"id": one.id, **one.model_dump(mode="json")} for one in proposals])
        return
    speak = task_say(path)
    if diagnosis.status.next_step is not None:
        for line in wrap(speak(diagnosis.status.next_step)):
            out(line)
    for number, proposal in enumerate(proposals, start=1):
        for line in proposal_lines(proposal, speak, number=number, total=len(proposals)):
            out(line)
        out()


def history(task: TaskName, json: JsonFlag = False) -> None:
    """`iterate history`."""
    from agent.faces.views.history import history_lines, task_history

    path = task_folder(task)
    facts = task_history(path)
    if json:
        show_json(facts)
        return
    for line in history_lines(facts, task_say(path)):
        out(line)


def refs(
    query: Annotated[
        list[str] | None, typer.Argument(metavar="[PAGE|WORDS]", help=told(T("Page id, or words to find.")))
    ] = None,
) -> None:
    """`iterate refs`."""
    from agent.faces.views.refs import show_refs

    show_refs(" ".join(query) if query else None, say(), language=chosen_language())


def tool(
    name: Annotated[
        str | None, typer.Argument(help=told(T("One of the six tools; a list of them when left out.")))
    ] = None,
    arguments: Annotated[str, typer.Argument(metavar="[JSON]", help=told(T("Its arguments as a JSON object.")))] = "{}",
) -> None:
    """`iterate tool`."""
    from tools.contract import TOOLS, Effects, call, find_tool

    if name is not None and find_tool(name).effect is Effects.read:
        out(call(name, arguments))
        return
    if name is not None:
        from agent.manual import call_tool  # 1 s: the lock is that of the sessions

        out(call_tool(name, arguments))
        return
    for each in TOOLS.values():
        out(f"{each.name:<16} {each.effect:<6} {each.description}")
        out(f"{'':<24}{', '.join(each.resolve().args.model_fields)}")
