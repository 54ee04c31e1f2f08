"""`iterate init`: columns guessed with reasons, asked for at a terminal, then a new task folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.faces.console import out
from agent.paths import Workspace, offer_examples
from tools.errors import InputError
from tools.text import Speaker, T


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
