"""Commands that begin a task without rows: create, split."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from agent.commands.common import JsonFlag, TaskName, chosen_language, open_workspace, say, task_folder, task_say
from agent.commands.helping import HelpedCommand, told
from tools.text import T

_DESCRIBED = "NAME[: MEANING]"
Labels = Annotated[
    list[str] | None,
    typer.Option(metavar=_DESCRIBED, help=told(T("A label and what it means. May be given again."))),
]
AnswerFields = Annotated[
    list[str] | None,
    typer.Option(metavar=_DESCRIBED, help=told(T("A field of the answer and what it means. May be given again."))),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command, text in (
        (
            create,
            T("Make a task without rows: asks what it is, then writes its folder, a guide for labelling included."),
        ),
        (split, T("Divide the first labelled rows of a task into train, valid and a locked test.")),
    ):
        app.command(cls=HelpedCommand, help=told(text))(command)


def create(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help=told(T("Name of the task's folder.")))] = None,
    goal: Annotated[str | None, typer.Option(help=told(T("What the model should do, in one sentence.")))] = None,
    task_type: Annotated[
        str | None, typer.Option("--type", help=told(T("classification, extraction or generation.")))
    ] = None,
    task_language: Annotated[str | None, typer.Option(help=told(T("Language of its texts: en or zh-TW.")))] = None,
    field: Annotated[
        list[str] | None, typer.Option(help=told(T("Input field of a row; the main text first. May be given again.")))
    ] = None,
    label: Labels = None,
    answer_field: AnswerFields = None,
    answer: Annotated[str | None, typer.Option(help=told(T("How the label is written: label or json.")))] = None,
    answer_name: Annotated[
        str | None, typer.Option(help=told(T("With json: name of the field with the label.")))
    ] = None,
    metric: Annotated[str | None, typer.Option(help=told(T("What it is judged by, such as macro_f1.")))] = None,
    target: Annotated[str | None, typer.Option(help=told(T("Score that is good enough, such as 80%.")))] = None,
    base_model: Annotated[str | None, typer.Option(help=told(T("Base model of the first version.")))] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help=told(T("Ask nothing; what is usual stands for what was not said.")))
    ] = False,
    json: JsonFlag = False,
) -> None:
    """`iterate create`."""
    from agent.faces.creating import CreateWishes, create_from_flags
    from agent.model.client import open_model
    from agent.settings import load_settings

    flags = {
        "name": name,
        "goal": goal,
        "task_type": task_type,
        "language": task_language,
        "fields": ", ".join(field) if field else None,
        "labels": "\n".join(label) if label else None,
        "answer_fields": "\n".join(answer_field) if answer_field else None,
        "answer": answer,
        "label_name": answer_name,
        "metric": metric,
        "target": target,
        "base_model": base_model,
    }
    given = {key: value for key, value in flags.items() if value is not None}
    settings = load_settings(os.environ).settings
    wishes = CreateWishes(given=given, yes=yes, as_json=json)
    raise typer.Exit(
        create_from_flags(open_workspace(), wishes, say(), chosen_language(), lambda: open_model(settings))
    )


def split(
    task: TaskName,
    valid_rows: Annotated[int | None, typer.Option(min=1, help=told(T("Validation rows; 15 % when left out.")))] = None,
    test_rows: Annotated[int | None, typer.Option(min=1, help=told(T("Test rows; 20 % when left out.")))] = None,
    seed: Annotated[int, typer.Option(help=told(T("Seed of the split.")))] = 0,
    json: JsonFlag = False,
) -> None:
    """`iterate split`."""
    from agent.faces.splitting import SplitWishes, split_task

    path = task_folder(task)
    raise typer.Exit(split_task(path, task_say(path), SplitWishes(seed, valid_rows, test_rows), as_json=json))
