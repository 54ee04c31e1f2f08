"""The command that works unattended: overnight."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.commands.common import JsonFlag, chosen_language, open_workspace, say
from agent.commands.helping import HelpedCommand, told
from agent.faces.console import out
from tools.errors import InputError
from tools.text import T

Named = Annotated[
    list[str] | None,
    typer.Argument(metavar="TASK", help=told(T("Tasks to work on; may be left out where there is only one."))),
]


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    text = T(
        "Improve tasks while nobody is here, under a budget and rules; what they do not cover waits. Nothing is ever asked."
    )
    app.command(cls=HelpedCommand, help=told(text))(overnight)


def overnight(
    task: Named = None,
    until: Annotated[str | None, typer.Option(metavar="HH:MM", help=told(T("End at this time of day.")))] = None,
    max_hours: Annotated[
        str | None, typer.Option(metavar="HOURS", help=told(T("Hours of work at most, such as 8, 1.5h or 90m.")))
    ] = None,
    max_runs: Annotated[
        int | None, typer.Option(help=told(T("Trainings at most, quick checks and further seeds included.")))
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(metavar="DOLLARS", help=told(T("US dollars at most for the language model.")))
    ] = None,
    allow: Annotated[
        str | None,
        typer.Option(metavar="KINDS", help=told(T("What may be tried; config,recipe,prompt when left out."))),
    ] = None,
    policy: Annotated[Path | None, typer.Option(help=told(T("File with the rules, instead of --allow.")))] = None,
    seed: Annotated[int | None, typer.Option(help=told(T("Of the random draws; the plan keeps it.")))] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="[NIGHT]", help=told(T("Take up this night, or the newest that is not over."))),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help=told(T("Run in a process of its own that outlives the terminal.")))
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help=told(T("End the night named, or the newest: its training is stopped.")))
    ] = False,
    service: Annotated[
        bool, typer.Option("--service", help=told(T("Print a systemd unit that takes a night up after a restart.")))
    ] = False,
    json: JsonFlag = False,
) -> None:
    """`iterate overnight`."""
    from agent.faces.overnight import NightWish, begin, end_night, night_to_take_up, service_text, show_plan, work_on
    from agent.overnight.records import NightRecord

    workspace, names = open_workspace(), task or []
    if service:
        out(service_text(workspace.root))
        return
    if stop:
        raise typer.Exit(end_night(night_to_take_up(workspace.root, resume or (names[0] if names else "")), say()))
    wish = NightWish(until, max_hours, max_runs, max_cost, allow, policy, seed)
    record: NightRecord
    if resume is not None:
        if names or wish != NightWish():
            raise InputError(
                T("--resume takes a night up as it was planned; tasks, limits and rules cannot be given with it."),
                hint=T("Leave them out, or begin another night without --resume."),
                page="methods/overnight",
            )
        record = night_to_take_up(workspace.root, resume)
    else:
        record = begin(
            workspace.root, [workspace.task_path(name) for name in _tasks(names, workspace.task_names())], wish
        )
    show_plan(record, say(), as_json=json)
    raise typer.Exit(_detached(record, workspace.root, json) if detach else work_on(record, say(), as_json=json))


def _detached(record: object, workspace: Path, as_json: bool) -> int:
    from agent.faces.overnight import detach, detached_lines
    from agent.overnight.records import NightRecord

    assert isinstance(record, NightRecord)
    pid = detach(record, workspace, chosen_language())
    if not as_json:
        for text in detached_lines(record, pid):
            out(say()(text))
    return 0


def _tasks(named: list[str], known: list[str]) -> list[str]:
    """The tasks to work on; without a name only where there is no doubt, since a night spends hours on what it is given."""
    if named or len(known) == 1:
        return named or known
    raise InputError(
        T("A night works on the tasks that you name, and no task was named."),
        hint=T("Name one or more of them: {names}.", names=", ".join(known) or "-"),
        page="methods/overnight",
    )
