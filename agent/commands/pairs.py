"""`iterate pairs`: the pairs of a better and a worse answer that ORPO, DPO and KTO learn from."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.commands.common import JsonFlag, TaskName, task_folder, task_say
from agent.commands.helping import HelpedCommand, told
from tools.text import T


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(
        cls=HelpedCommand,
        help=told(T("Show the pairs of better and worse answers that ORPO, DPO and KTO learn from, or make them.")),
    )(pairs)


def pairs(
    task: TaskName,
    write: Annotated[
        bool, typer.Option("--write", help=told(T("Write the pairs of the labels that are confused most.")))
    ] = False,
    out_of_fold: Annotated[
        bool,
        typer.Option(
            "--out-of-fold",
            help=told(
                T("Train on parts of the rows and take the model's own errors on the rest. Typing this approves it.")
            ),
        ),
    ] = False,
    folds: Annotated[int, typer.Option("--folds", min=2, max=10, help=told(T("Parts for --out-of-fold.")))] = 3,
    file: Annotated[str | None, typer.Option("--file", help=told(T("Show this file of pairs.")))] = None,
    json: JsonFlag = False,
) -> None:
    """`iterate pairs`."""
    from agent.faces.pairs import show_pairs, train_for_pairs, write_pairs

    path = task_folder(task)
    say = task_say(path)
    if out_of_fold:
        raise typer.Exit(train_for_pairs(path, folds, say))
    if write:
        raise typer.Exit(write_pairs(path, say))
    raise typer.Exit(show_pairs(path, say, file=file, as_json=json))
