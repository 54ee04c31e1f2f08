"""Commands that spend time or write: run, train, evaluate, compare, oversample."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from agent.commands.common import JsonFlag, TaskName, open_workspace, show_json, task_folder, task_say
from agent.commands.helping import HelpedCommand, told
from agent.faces.console import out
from agent.paths import task_word, workspace_words
from tools.text import T

VersionOption = Annotated[str | None, typer.Option("--version", help=told(T("Such as v2.")))]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command, text in (
        (run, T("Improve a task: status, diagnosis, proposals to approve, training, comparison, decision.")),
        (
            train,
            T(
                "Train a version from configs/training_config.yaml as it stands, and record it. Typing this approves it."
            ),
        ),
        (evaluate, T("Evaluate a trained version on the valid split; the test split stays locked.")),
        (compare, T("Compare two versions on the same valid rows: intervals, fixed and broken rows, verdict.")),
        (oversample, T("Write an oversampling line into the recipe of the next version. Typing this approves it.")),
    ):
        app.command(cls=HelpedCommand, help=told(text))(command)


def run(
    task: TaskName,
    approve: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help=told(T("Approve without asking: a kind (recipe, config, ...), baseline, any, or keys (training.*).")),
        ),
    ] = None,
    yes_policy: Annotated[
        Path | None, typer.Option(help=told(T("Policy file that answers in place of a person.")))
    ] = None,
    new: Annotated[bool, typer.Option("--new", help=told(T("Start a new session even if one is open.")))] = False,
    json: JsonFlag = False,
) -> None:
    """`iterate run`."""
    from agent.faces.runner import run_session

    workspace = open_workspace()
    path = workspace.task_path(task)
    back = shlex.join(["iterate", *workspace_words(workspace.root), "run", task_word(workspace.root, path)])
    raise typer.Exit(
        run_session(path, task_say(path), resume=back, rules=approve or [], policy=yes_policy, fresh=new, as_json=json)
    )


def train(
    task: TaskName,
    version: VersionOption = None,
    seeds: Annotated[
        str | None, typer.Option(help=told(T("Seeds to train, such as 42,43; those of the config when left out.")))
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help=told(T("Stop the training that is running; its checkpoint is kept.")))
    ] = False,
    json: JsonFlag = False,
) -> None:
    """`iterate train`."""
    from agent.faces.training import stop_training, train_version

    path = task_folder(task)
    if stop:
        raise typer.Exit(stop_training(path, task_say(path)))
    raise typer.Exit(train_version(path, version, seeds, task_say(path), as_json=json))


def evaluate(
    task: TaskName,
    version: VersionOption = None,
    rescore: Annotated[
        bool,
        typer.Option("--rescore", help=told(T("Score the stored predictions again instead of generating new ones."))),
    ] = False,
    json: JsonFlag = False,
) -> None:
    """`iterate evaluate`."""
    from agent.faces.training import evaluate_version

    path = task_folder(task)
    raise typer.Exit(evaluate_version(path, version, task_say(path), again=not rescore, as_json=json))


def compare(
    task: TaskName,
    base: Annotated[str, typer.Argument(help=told(T("Version to compare with, such as v1.")))],
    new: Annotated[str, typer.Argument(help=told(T("Version to judge, such as v2.")))],
    json: JsonFlag = False,
) -> None:
    """`iterate compare`."""
    from agent.faces.layout import aligned
    from tools.compare import CompareArgs
    from tools.compare import compare as compare_tool
    from tools.comparing.report import markdown

    path = task_folder(task)
    comparison = compare_tool(CompareArgs(task_dir=path, base=base, new=new))
    if json:
        show_json(comparison)
    else:
        out(aligned(markdown(comparison, task_say(path))))


def oversample(
    task: TaskName,
    target_count: Annotated[int, typer.Option(min=1, help=told(T("Rows that each label gets at least.")))],
    label: Annotated[list[str] | None, typer.Option(help=told(T("Only these labels.")))] = None,
) -> None:
    """`iterate oversample`."""
    from agent.faces.editing import oversample_task

    path = task_folder(task)
    raise typer.Exit(oversample_task(path, target_count, label or [], task_say(path)))
