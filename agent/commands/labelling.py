"""Commands that look or ask before a version is trained: label, quick-check, lr-range."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.commands.common import JsonFlag, TaskName, task_folder, task_say
from agent.commands.helping import HelpedCommand, told
from tools.text import T


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for name, command, text in (
        ("label", label, T("Label rows of a pool where it pays: those that the present version is unsure of.")),
        (
            "quick-check",
            quick_check,
            T(
                "Try a change on a part of the training rows, beside the configuration as it is. No version is recorded."
            ),
        ),
        ("lr-range", lr_range, T("Find where the learning rate makes the loss fall fastest, and where it diverges.")),
    ):
        app.command(name, cls=HelpedCommand, help=told(text))(command)


def label(
    task: TaskName,
    count: Annotated[int, typer.Option("--count", min=1, help=told(T("Rows to choose.")))] = 50,
    file: Annotated[
        Path | None,
        typer.Option("--file", help=told(T("File with unlabelled rows; those of data/raw/ when left out."))),
    ] = None,
    no_model: Annotated[
        bool, typer.Option("--no-model", help=told(T("Draw the rows at random instead of asking the present version.")))
    ] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", help=told(T("Only choose the rows; label them later or in the chat.")))
    ] = False,
    more: Annotated[
        bool, typer.Option("--more", help=told(T("Choose new rows although some are still waiting.")))
    ] = False,
) -> None:
    """`iterate label`."""
    from agent.faces.labelling import LabelWishes, label_task

    path = task_folder(task)
    wishes = LabelWishes(count=count, file=file, use_model=not no_model, only_prepare=prepare, more=more)
    raise typer.Exit(label_task(path, wishes, task_say(path)))


def quick_check(
    task: TaskName,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help=told(T("A change to try, such as training.learning_rate=0.001."))
        ),
    ] = None,
    proposal: Annotated[
        int | None, typer.Option("--proposal", min=1, help=told(T("Number of a proposal of `iterate propose` to try.")))
    ] = None,
    share: Annotated[float, typer.Option("--share", min=0.05, max=1, help=told(T("Part of the training rows.")))] = 0.3,
    valid_rows: Annotated[int, typer.Option("--valid-rows", min=10, help=told(T("Validation rows at most.")))] = 120,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=9, help=told(T("Trainings of each side.")))] = 1,
    price: Annotated[bool, typer.Option("--price", help=told(T("Only say what it would take.")))] = False,
    json: JsonFlag = False,
) -> None:
    """`iterate quick-check`."""
    from agent.faces.probing import QuickWishes, check_quickly

    path = task_folder(task)
    wishes = QuickWishes(
        changes=changes or [],
        proposal=proposal,
        share=share,
        valid_rows=valid_rows,
        seeds=seeds,
        only_price=price,
    )
    raise typer.Exit(check_quickly(path, wishes, task_say(path), as_json=json))


def lr_range(
    task: TaskName,
    steps: Annotated[int, typer.Option("--steps", min=20, max=1000, help=told(T("Steps of the test.")))] = 80,
    low: Annotated[float, typer.Option("--low", help=told(T("Learning rate it begins with.")))] = 1e-6,
    high: Annotated[
        float, typer.Option("--high", help=told(T("Learning rate it ends with, if the loss lets it.")))
    ] = 0.1,
    json: JsonFlag = False,
) -> None:
    """`iterate lr-range`."""
    from agent.faces.probing import find_learning_rate

    path = task_folder(task)
    raise typer.Exit(find_learning_rate(path, (low, high, steps), task_say(path), as_json=json))
