"""`iterate init`: columns guessed with reasons, asked for at a terminal, then a new task folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from agent.faces.console import ask, interactive, out, problem_lines
from agent.paths import Workspace, offer_examples
from tools.errors import InputError
from tools.making.guess_columns import guess_columns
from tools.making.init_task import MadeTask, make_task
from tools.text import Speaker, T, Text, visible


@dataclass(frozen=True)
class InitWishes:
    """What the flags said; None is asked for or guessed."""

    source: Path
    name: str | None
    text: str | None
    label: str | None
    targets: list[str]
    base_model: str
    train_rows: int | None
    valid_rows: int | None
    test_rows: int | None
    seed: int


def copy_examples(workspace: Workspace, say: Speaker, *, wanted: bool) -> int:
    """Copy the bundled tasks into the workspace; without a wish it only says what `init` needs."""
    if not wanted:
        raise InputError(
            T("`iterate init` needs a file to make a task from."),
            hint=T("Give a CSV, TSV, JSON, JSONL or Parquet file, or --examples for the bundled tasks."),
        )
    names = offer_examples(workspace.root)
    out(say(T("Copied {names} to {folder}.", names=", ".join(names) or "-", folder=str(workspace.tasks_dir))))
    return 0


def init_task(workspace: Workspace, wishes: InitWishes, say: Speaker) -> int:
    """Make the task and say what was made, what was chosen and why, and what comes next."""
    guess = guess_columns(wishes.source)
    for reason in guess.reasons.values():
        out(say(reason))
    text = wishes.text or _confirmed(T("Column with the text"), guess.text_column, say)
    label = wishes.label or _confirmed(T("Column with the label"), guess.label_column, say)
    name = wishes.name or _usable_name(wishes.source.stem)
    made = make_task(
        wishes.source,
        workspace.tasks_dir,
        name,
        text_column=text,
        label_column=label,
        target_columns=wishes.targets or guess.target_columns,
        base_model=wishes.base_model,
        train_rows=wishes.train_rows,
        valid_rows=wishes.valid_rows,
        test_rows=wishes.test_rows,
        seed=wishes.seed,
    )
    _show_made(made, name, say)
    return 0


def _confirmed(question: Text, guessed: str | None, say: Speaker) -> str | None:
    """The guess, or what a person types in its place; without a terminal the guess stands."""
    if not interactive():
        return guessed
    typed = ask(f"{say(question)} [{visible(guessed or '')}]: ")
    return typed.strip() or guessed if typed is not None else guessed


def _usable_name(stem: str) -> str:
    """A task name from a file name: what cannot stand in one becomes a hyphen."""
    return re.sub(r"[^\w-]+", "-", stem).strip("-_").lower() or "task"


def _show_made(made: MadeTask, name: str, say: Speaker) -> None:
    for problem in made.problems:
        for line in problem_lines(problem, say):
            out(line)
    counts = ", ".join(f"{split} {count}" for split, count in made.counts.items())
    out(say(T("Made the task {name} in {folder}: {counts} rows.", name=name, folder=str(made.path), counts=counts)))
    out(say(T("Next: iterate run {name}  (the first step is a baseline)", name=name)))
