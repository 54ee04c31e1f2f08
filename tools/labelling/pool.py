"""The pool: rows of a task that nobody has labelled and that could be, read from data/raw or from a named file.

Rows that could not become training rows are left out before anybody is asked: copies of evaluated rows, rows that train has
already, repetitions. The machine compares with validation and test; no text of theirs leaves this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.errors import NotFound, Problem
from tools.evidence.leaks import find_leaks
from tools.evidence.thresholds import read_thresholds
from tools.reading.rows import read_rows
from tools.reading.task import load_split
from tools.task import Row, Task
from tools.text import T, visible

RAW_DIR = "data/raw"
MOST_ROWS = 20_000
"""Rows of a pool that are looked at, in file order: comparing more with all splits takes longer than a person waits."""
_ENDINGS = (".jsonl", ".json")


class Pool(BaseModel):
    """Unlabelled rows that could be labelled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: list[str]
    """Relative to the task folder where they lie inside it."""
    rows: list[Row]
    labelled: int = 0
    """Rows left out because they have an answer already."""
    known: int = 0
    """Rows left out because train has them, or nearly, or because they are repeated."""
    leaking: int = 0
    """Rows left out because validation or test has them, or nearly."""
    unread: int = 0
    """Rows beyond MOST_ROWS."""
    problems: list[Problem] = []


def pool_files(task_path: Path) -> list[Path]:
    """The files of data/raw that rows can be read from."""
    folder = task_path / RAW_DIR
    return sorted(file for file in folder.glob("*") if file.suffix.lower() in _ENDINGS and file.is_file())


def read_pool(task: Task, file: Path | None = None) -> Pool:
    """The rows that a person could label; raises NotFound without a file, InputError for one that cannot be opened."""
    files = [file] if file is not None else pool_files(task.path)
    if not files or not files[0].is_file():
        raise _no_pool(task, file)
    seen: set[str] = set()
    reads = [read_rows(one, task.definition, shown=_shown(task.path, one), seen=seen) for one in files]
    rows = [row for read in reads for row in read.rows]
    open_rows = [row for row in rows if row.answer is None and row.chosen is None]
    looked_at = open_rows[:MOST_ROWS]
    fresh = _unknown(task, looked_at)
    leaking = _leaking(task, fresh)
    return Pool(
        files=[_shown(task.path, one) for one in files],
        rows=[row for row in fresh if row.id not in leaking],
        labelled=len(rows) - len(open_rows),
        known=len(looked_at) - len(fresh),
        leaking=len(leaking),
        unread=len(open_rows) - len(looked_at),
        problems=[problem for read in reads for problem in read.problems],
    )


def _unknown(task: Task, rows: Sequence[Row]) -> list[Row]:
    """Each question once, without those that stand in train, excluded rows included."""
    first = {row.key: row for row in reversed(rows)}
    train = load_split(task, "train").split.rows
    limit = read_thresholds(task.definition.thresholds)[0].near_duplicate
    copies = {leak.row for leak in find_leaks(list(first.values()), train, limit)}
    return [row for row in rows if first[row.key] is row and row.id not in copies]


def _leaking(task: Task, rows: list[Row]) -> set[str]:
    limit = read_thresholds(task.definition.thresholds)[0].near_duplicate
    evaluated = [load_split(task, "valid").split.rows, load_split(task, "test").split.rows]
    return {leak.row for split in evaluated if split for leak in find_leaks(rows, split, limit)}


def _shown(task_path: Path, file: Path) -> str:
    try:
        return file.resolve().relative_to(task_path.resolve()).as_posix()
    except ValueError:
        return file.as_posix()


def _no_pool(task: Task, file: Path | None) -> NotFound:
    if file is not None:
        message = T("There is no file {file} to take rows from.", file=visible(str(file), 200))
    else:
        message = T(
            "{task} has no rows to label: {folder} holds no JSON or JSONL file.", task=task.name, folder=RAW_DIR
        )
    return NotFound(
        message,
        hint=T(
            "Put unlabelled rows with the fields {fields} into data/raw/pool.jsonl, one JSON object a line, or name a file.",
            fields=", ".join(task.definition.input_fields) or "-",
        ),
        page="methods/labelling",
    )
