"""The pool: rows of a task that nobody has labelled and that could be, read from data/raw or from a named file.

Rows that could not become training rows are left out before anybody is asked: copies of evaluated rows, rows that train has
already, repetitions. The machine compares with validation and test; no text of theirs leaves this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.editing.text_lines import read_text
from tools.errors import InputError, NotFound, Problem
from tools.evidence.leaks import find_leaks
from tools.evidence.thresholds import read_thresholds
from tools.making.table import read_table
from tools.reading.rows import RowsRead, read_objects, read_rows
from tools.reading.task import load_split
from tools.task import Row, Task
from tools.text import T, visible

RAW_DIR = "data/raw"
MOST_ROWS = 20_000
"""Rows of a pool that are looked at, in file order: comparing more with all splits takes longer than a person waits."""
ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".txt")
_ABOUT = frozenset({"readme", "license", "licence", "notes", "source"})
"""Files that speak about rows and hold none."""


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
    files = (file for file in folder.glob("*") if file.suffix.lower() in ENDINGS and file.is_file())
    return sorted(file for file in files if file.stem.casefold() not in _ABOUT)


def read_pool(task: Task, file: Path | None = None) -> Pool:
    """The rows that a person could label; raises NotFound without a file, InputError for one that cannot be opened."""
    files = [file] if file is not None else pool_files(task.path)
    if not files or not files[0].is_file():
        raise _no_pool(task, file)
    seen: set[str] = set()
    reads = (
        [read_pool_file(task, files[0], seen)] if file is not None else [read_found(task, one, seen) for one in files]
    )
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


def read_found(task: Task, file: Path, seen: set[str]) -> RowsRead:
    """The rows of a file that lies in data/raw; one that cannot be read is a problem and no obstacle to the others."""
    try:
        return read_pool_file(task, file, seen)
    except InputError as error:
        shown = _shown(task.path, file)
        return RowsRead(
            rows=[], problems=[Problem(message=error.message, path=shown, hint=error.hint, page=error.page)]
        )


def read_pool_file(task: Task, file: Path, seen: set[str]) -> RowsRead:
    """The rows of one file: JSON lines, a table with a column for each field, or one text a line; raises InputError."""
    shown = _shown(task.path, file)
    if file.suffix.lower() in (".jsonl", ".json"):
        return read_rows(file, task.definition, shown=shown, seen=seen)
    if file.suffix.lower() != ".txt":
        table = read_table(file)
        read = read_objects(enumerate(table.rows, start=2), task.definition, shown=shown, seen=seen)
        return RowsRead(rows=read.rows, problems=[*table.problems, *read.problems])
    fields = task.definition.input_fields
    if len(fields) != 1:
        raise InputError(
            T(
                "{file} is plain text, but a row of this task has the fields {fields}.",
                file=shown,
                fields=", ".join(fields),
            ),
            hint=T("Write a table with these columns (.csv), or one JSON object a line (.jsonl)."),
            page="methods/labelling",
        )
    lines = enumerate(read_text(file)[0].splitlines(), start=1)
    texts = ((number, {fields[0]: line.strip()}) for number, line in lines if line.strip())
    return read_objects(texts, task.definition, shown=shown, seen=seen)


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
            "{task} has no rows to label: {folder} holds no file that ends in {endings}.",
            task=task.name,
            folder=RAW_DIR,
            endings=", ".join(ENDINGS),
        )
    return NotFound(
        message,
        hint=T(
            "Put unlabelled rows with the fields {fields} into data/raw/pool.jsonl, one JSON object a line, or name a file. "
            "A table (.csv) with these columns will do as well, and with one field a text a line (.txt).",
            fields=", ".join(task.definition.input_fields) or "-",
        ),
        page="methods/labelling",
    )
