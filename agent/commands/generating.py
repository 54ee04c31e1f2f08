"""Commands about new training rows: generate, review."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from agent.commands.common import JsonFlag, TaskName, task_folder, task_say
from agent.commands.helping import HelpedCommand, told
from tools.text import T

Label = Annotated[
    str | None,
    typer.Option(
        "--class",
        "--target-class",
        help=told(T("Label to write rows for; the one with the fewest training rows when left out.")),
    ),
]
Samples = Annotated[
    int | None, typer.Option("--samples", "--num-samples", min=1, help=told(T("Rows wanted; 200 when left out.")))
]
DryRun = Annotated[
    int | None,
    typer.Option(
        "--dry-run",
        min=1,
        metavar="N",
        help=told(T("Show about N rows, whole answers, with their checks, and write nothing.")),
    ),
]
BatchName = Annotated[
    str | None,
    typer.Option("--batch", help=told(T("Name of the batch; an unfinished one goes on where it stopped."))),
]
Output = Annotated[
    str | None,
    typer.Option("--output", help=told(T("Copy the rows that pass to this new file inside the task folder."))),
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", help=told(T("US dollars that the batch may cost at most.")))
]
MaxMinutes = Annotated[
    float | None,
    typer.Option(
        "--max-minutes", help=told(T("Minutes after which this call ends, questions that are being asked included."))
    ),
]
PerMinute = Annotated[float | None, typer.Option("--per-minute", help=told(T("Questions per minute at most.")))]
Parallel = Annotated[int, typer.Option("--parallel", min=1, max=64, help=told(T("Questions at the same time.")))]
PriceOption = Annotated[
    str | None,
    typer.Option(
        "--price", metavar="IN,OUT", help=told(T("Dollars for a million tokens asked and answered, such as 0.15,0.60."))
    ),
]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help=told(T("Go on although the first answers held no usable row.")))
]
Close = Annotated[bool, typer.Option("--close", help=told(T("Ask nothing more: take what an unfinished batch has.")))]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command, text in (
        (
            generate,
            T("Write new training rows with a language model, check and judge them, and put them up for review."),
        ),
        (
            review,
            T("Review waiting rows one by one: accept, edit, relabel or reject. What is accepted becomes a change."),
        ),
    ):
        app.command(cls=HelpedCommand, help=told(text))(command)


def generate(
    task: TaskName,
    label: Label = None,
    samples: Samples = None,
    dry_run: DryRun = None,
    batch: BatchName = None,
    output: Output = None,
    max_cost: MaxCost = None,
    max_minutes: MaxMinutes = None,
    per_minute: PerMinute = None,
    parallel: Parallel = 4,
    price: PriceOption = None,
    keep_going: KeepGoing = False,
    close: Close = False,
    json: JsonFlag = False,
) -> None:
    """`iterate generate`."""
    from agent.faces.generating import generate_for
    from agent.settings import load_settings
    from tools.errors import InputError
    from tools.generate_data import GenerateDataArgs
    from tools.generating.asking import Limits
    from tools.generating.prices import parse_price

    path = task_folder(task)
    if any(value is not None and not value > 0 for value in (max_cost, max_minutes, per_minute)):
        raise InputError(  # NaN is above nothing
            T("Limits must be above 0."),
            hint=T("Such as --max-cost 2.5, --max-minutes 30 or --per-minute 20; without one there is no limit."),
            page="methods/data-generation",
        )
    args = GenerateDataArgs(
        task_dir=path,
        action="generate",
        labels=[label] if label else [],
        count=dry_run or samples,
        output=output,
        batch=batch,
        dry_run=dry_run is not None,
        keep_going=keep_going,
        close=close,
        limits=Limits(parallel=parallel, max_cost=max_cost, max_minutes=max_minutes, per_minute=per_minute),
    )
    settings = load_settings(os.environ).settings
    chosen = parse_price(price) if price else None
    raise typer.Exit(generate_for(args, settings, chosen, task_say(path), as_json=json))


def review(
    task: TaskName,
    batch: Annotated[
        str | None, typer.Argument(help=told(T("Batch to review; all that have open rows when left out.")))
    ] = None,
) -> None:
    """`iterate review`."""
    from agent.faces.reviewing import review_task

    path = task_folder(task)
    raise typer.Exit(review_task(path, batch, task_say(path)))
