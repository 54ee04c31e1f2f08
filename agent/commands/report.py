"""The command about a night that was: report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.commands.common import JsonFlag, open_workspace, say, show_json
from agent.commands.helping import HelpedCommand, told
from tools.text import T


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(
        cls=HelpedCommand,
        help=told(
            T("Read the morning report: how a night ended, what it gained by the locked test, what waits for you.")
        ),
    )(report)


def report(
    night: Annotated[
        str | None,
        typer.Argument(metavar="[NIGHT]", help=told(T("Id of a night, or its beginning; the newest when left out."))),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="PATH", help=told(T("Write one self-contained HTML file, with plots, instead."))
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--list", help=told(T("List the nights of this workspace, newest first.")))
    ] = False,
    json: JsonFlag = False,
) -> None:
    """`iterate report`."""
    from agent.faces.report import list_nights, show_report
    from agent.overnight.reporting.facts import night_facts
    from agent.overnight.reporting.nights import find_night, line_up, nights

    root = open_workspace().root
    if json:
        found = [line_up(one) for one in nights(root)] if every else None
        show_json(
            night_facts(find_night(root, night)) if found is None else [one.model_dump(mode="json") for one in found]
        )
    elif every:
        list_nights(root, say())
    else:
        show_report(root, night, html, say())
