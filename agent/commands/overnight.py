"""The command that works unattended: overnight."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.commands.common import JsonFlag, chosen_language, open_workspace, say
from agent.commands.helping import HelpedCommand, told
from agent.faces.console import out
from agent.paths import Workspace
from tools.errors import InputError
from tools.text import T

if TYPE_CHECKING:
    from agent.faces.overnight import NightWish
    from agent.overnight.records import NightRecord

TaskNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="TASK", help=told(T("Tasks to work on; may be left out where there is only one."))),
]
UntilOption = Annotated[str | None, typer.Option(metavar="HH:MM", help=told(T("End at this time of day.")))]
HoursOption = Annotated[
    str | None, typer.Option(metavar="HOURS", help=told(T("Hours of work at most, such as 8, 1.5h or 90m.")))
]
RunsOption = Annotated[
    int | None, typer.Option(help=told(T("Trainings at most, quick checks and further seeds included.")))
]
CostOption = Annotated[
    float | None, typer.Option(metavar="DOLLARS", help=told(T("US dollars at most for the language model.")))
]
AllowOption = Annotated[
    str | None, typer.Option(metavar="KINDS", help=told(T("What may be tried; config,recipe,prompt when left out.")))
]
PolicyOption = Annotated[Path | None, typer.Option(help=told(T("File with the rules, instead of --allow.")))]
SeedOption = Annotated[int | None, typer.Option(help=told(T("Of the random draws; the plan keeps it.")))]
NightOption = Annotated[
    str | None, typer.Option(metavar="[NIGHT]", help=told(T("Take up this night, or the newest that is not over.")))
]
DetachFlag = Annotated[
    bool, typer.Option("--detach", help=told(T("Run in a process of its own that outlives the terminal.")))
]
StopFlag = Annotated[
    bool, typer.Option("--stop", help=told(T("End the night named, or the newest: its training is stopped.")))
]
ServiceFlag = Annotated[
    bool, typer.Option("--service", help=told(T("Print a systemd unit that takes a night up after a restart.")))
]


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    text = T(
        "Improve tasks while nobody is here, under a budget and rules; what they do not cover waits. Nothing is ever asked."
    )
    app.command(cls=HelpedCommand, help=told(text))(overnight)


def overnight(
    task: TaskNames = None,
    until: UntilOption = None,
    max_hours: HoursOption = None,
    max_runs: RunsOption = None,
    max_cost: CostOption = None,
    allow: AllowOption = None,
    policy: PolicyOption = None,
    seed: SeedOption = None,
    resume: NightOption = None,
    detach: DetachFlag = False,
    stop: StopFlag = False,
    service: ServiceFlag = False,
    json: JsonFlag = False,
) -> None:
    """`iterate overnight`."""
    from agent.faces.overnight import NightWish, end_night, night_to_take_up, show_plan, work_on
    from agent.faces.service_unit import service_text

    workspace, names = open_workspace(), task or []
    if service:
        out(service_text(workspace.root))
        return
    if stop:
        raise typer.Exit(end_night(night_to_take_up(workspace.root, resume or "".join(names[:1])), say()))
    wish = NightWish(until, max_hours, max_runs, max_cost, allow, policy, seed)
    record = _begun(workspace, names, wish) if resume is None else _taken_up(workspace, names, wish, resume)
    show_plan(record, say(), as_json=json)
    raise typer.Exit(_detached(record, workspace, json) if detach else work_on(record, say(), as_json=json))


def _begun(workspace: Workspace, names: list[str], wish: NightWish) -> NightRecord:
    """A new night; without a name only where there is no doubt, since it spends hours on what it is given."""
    from agent.faces.overnight import begin

    known = workspace.task_names()
    if not names and len(known) != 1:
        raise InputError(
            T("A night works on the tasks that you name, and no task was named."),
            hint=T("Name one or more of them: {names}.", names=", ".join(known) or "-"),
            page="methods/overnight",
        )
    return begin(workspace.root, [workspace.task_path(name) for name in names or known], wish)


def _taken_up(workspace: Workspace, names: list[str], wish: NightWish, night: str) -> NightRecord:
    from agent.faces.overnight import NightWish, night_to_take_up

    if names or wish != NightWish():
        raise InputError(
            T("--resume takes a night up as it was planned; tasks, limits and rules cannot be given with it."),
            hint=T("Leave them out, or begin another night without --resume."),
            page="methods/overnight",
        )
    return night_to_take_up(workspace.root, night)


def _detached(record: NightRecord, workspace: Workspace, as_json: bool) -> int:
    from agent.faces.overnight import detach, detached_lines

    pid = detach(record, workspace.root, chosen_language())
    for text in [] if as_json else detached_lines(record, pid):
        out(say()(text))
    return 0
