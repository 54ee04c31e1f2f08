"""Commands that use what was trained, or make room: predict, export, prune; and the catalogue of base models."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent.commands.common import JsonFlag, TaskName, say, task_folder, task_say
from agent.commands.helping import HelpedCommand, told
from agent.commands.setup import models_app
from tools.text import T

InUseOption = Annotated[
    str | None, typer.Option("--version", help=told(T("Such as v2; the version in use when left out.")))
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", help=told(T("The weights of this seed; the first one when left out.")))
]


class FormChoice(StrEnum):
    """What --form takes."""

    adapter = "adapter"
    merged = "merged"
    gguf = "gguf"
    ollama = "ollama"
    all = "all"


class NumberChoice(StrEnum):
    """What --numbers takes."""

    bf16 = "bf16"
    fp32 = "fp32"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command, text in (
        (predict, T("Answer rows of a file, or one text, with the version in use, asked as its evaluation asked.")),
        (export, T("Write the version in use as adapter, merged model, GGUF or Ollama model; to the hub when asked.")),
        (prune, T("Remove the weights of failed and rolled-back versions; their records and results stay.")),
    ):
        app.command(cls=HelpedCommand, help=told(text))(command)
    listing = T("List the base models that are known, with size, context, licence and memory.")
    checking = T("Say whether a base model fits this machine and a task, before anything is spent.")
    models_app.command("list", cls=HelpedCommand, help=told(listing))(list_models)
    models_app.command("check", cls=HelpedCommand, help=told(checking))(check_model)


def predict(
    task: TaskName,
    file: Annotated[
        str | None,
        typer.Option("--file", help=told(T("CSV, TSV, JSON, JSONL or Parquet with the task's fields; - reads JSONL."))),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help=told(T("File for the answers (JSONL); a stopped run goes on where it was.")))
    ] = None,
    text: Annotated[str | None, typer.Option(help=told(T("One text instead of a file.")))] = None,
    target: Annotated[
        str | None, typer.Option(help=told(T("What the text is judged about, if the task asks.")))
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help=told(T("Any field of the task, by name.")))
    ] = None,
    version: InUseOption = None,
    seed: SeedOption = None,
    json: JsonFlag = False,
) -> None:
    """`iterate predict`."""
    from agent.faces.predicting import PredictWish, predict_rows

    path = task_folder(task)
    wish = PredictWish(file, output, text, target, field or [], version, seed, json)
    raise typer.Exit(predict_rows(path, wish, task_say(path)))


def export(
    task: TaskName,
    to: Annotated[Path, typer.Option(help=told(T("Folder to write to; each form gets a folder in it.")))],
    form: Annotated[FormChoice, typer.Option(help=told(T("What to write.")))] = FormChoice.adapter,
    version: InUseOption = None,
    seed: SeedOption = None,
    numbers: Annotated[
        NumberChoice, typer.Option(help=told(T("How the merged weights are stored.")))
    ] = NumberChoice.bf16,
    converter: Annotated[
        Path | None, typer.Option(help=told(T("convert_hf_to_gguf.py of llama.cpp [env: ITERATE_GGUF_CONVERTER].")))
    ] = None,
    hub: Annotated[
        str | None,
        typer.Option(metavar="USER/NAME", help=told(T("Show what would go to the hub; with --yes send it."))),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help=told(T("Really send it to the hub.")))] = False,
) -> None:
    """`iterate export`."""
    from agent.faces.exporting import ExportWish, export_version

    path = task_folder(task)
    wish = ExportWish(to, form.value, version, seed, numbers.value, converter, hub, yes)
    raise typer.Exit(export_version(path, wish, task_say(path)))


def prune(
    task: TaskName,
    version: Annotated[list[str] | None, typer.Option("--version", help=told(T("Exactly these versions.")))] = None,
    everything: Annotated[
        bool, typer.Option("--all", help=told(T("Also versions that did not fail but are neither in use nor needed.")))
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help=told(T("Remove without being asked.")))] = False,
    json: JsonFlag = False,
) -> None:
    """`iterate prune`."""
    from agent.faces.pruning import prune_task

    path = task_folder(task)
    raise typer.Exit(
        prune_task(path, task_say(path), versions=version or [], everything=everything, yes=yes, as_json=json)
    )


def list_models(json: JsonFlag = False) -> None:
    """`iterate models list`."""
    from agent.faces.catalogue import show_catalogue

    raise typer.Exit(show_catalogue(say(), as_json=json))


def check_model(
    name: Annotated[str, typer.Argument(help=told(T("embedded:<name>, a hub id, or a folder.")))],
    task: Annotated[
        str | None, typer.Option(metavar="TASK", help=told(T("Check it for the configuration of this task.")))
    ] = None,
    json: JsonFlag = False,
) -> None:
    """`iterate models check`."""
    from agent.faces.catalogue import check_base_model

    raise typer.Exit(check_base_model(name, task_folder(task) if task else None, say(), as_json=json))
