"""The rows of a task that was never divided into train, valid and test: what lies there, and what a person does next.

Labelled rows are those that a person decided in a review batch, and rows of data/raw that bring their answer. Dividing them
is tools/making/first_split.py.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.errors import InputError, Problem
from tools.labelling.pool import pool_files, read_found
from tools.making.split_rows import LEAST_ROWS
from tools.reading.rows import content_id
from tools.reading.task import inside
from tools.reviewing.batch import Item, list_batches, load_batch
from tools.reviewing.row_forms import row_problems
from tools.task import Task
from tools.text import T, Text, shell_word, visible

PAGE = "methods/labelling"
_USUAL = "data/train.jsonl"
PERSON = "person"
"""Source of a candidate whose text nobody wrote for training."""
_WRITTEN = ("generated_by", "parent_id")
"""Marks of rows in data/raw that a model wrote: they are reviewed before they count (tools/samples.py)."""
Key = tuple[tuple[str, str], ...]


class Labelled(BaseModel):
    """One row with an answer that it may be trained and judged by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    fields: dict[str, str]
    answer: JsonValue
    meta: dict[str, JsonValue] = {}
    written: bool = False
    """True when a model wrote it: such rows are for training, since nothing can be judged by them."""

    @property
    def key(self) -> Key:
        """What makes two rows the same question."""
        return tuple(sorted(self.fields.items()))


class FirstRows(BaseModel):
    """What lies in a task whose train split is empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labelled: list[Labelled]
    """Each question once; the person's decision wins over what a file says."""
    waiting: int
    """Rows without an answer, in batches and in data/raw."""
    problems: list[Problem] = []


def never_divided(task: Task) -> bool:
    """True when the files of train are there for rows to come: blank, or not made yet under their usual name.

    A file that holds something unreadable, or that the recipe names and nobody has, is another matter: diagnosis says which.
    """
    return all(_is_blank(task, file) for file in task.config.values.data.train)


def _is_blank(task: Task, file: str) -> bool:
    path = inside(task.path, file)
    if path is None:
        return False
    if not path.exists():
        return file == _USUAL
    try:
        with path.open("rb") as stream:
            return not any(line.strip() for line in stream)
    except OSError:
        return False


def first_rows(task: Task) -> FirstRows:
    """Everything that could become the first rows of the splits."""
    decided, waiting, settled = _reviewed(task)
    known = {row.key for row in decided} | settled
    found: list[Labelled] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for file in pool_files(task.path):
        read = read_found(task, file, seen)
        problems += read.problems
        for row in read.rows:
            if row.key in known or row.key in waiting or any(mark in row.meta for mark in _WRITTEN):
                continue
            known.add(row.key)
            if row.answer is None or row_problems(task, row.fields, row.answer):
                waiting.add(row.key)
            else:
                found.append(Labelled(id=row.id, fields=row.fields, answer=row.answer, meta=row.meta))
    return FirstRows(labelled=[*decided, *found], waiting=len(waiting), problems=problems)


def _reviewed(task: Task) -> tuple[list[Labelled], set[Key], set[Key]]:
    """The new rows that a person decided to keep, the questions that are still open, and those that were left out."""
    kept: dict[Key, Labelled] = {}
    open_rows: set[Key] = set()
    left_out: set[Key] = set()
    for name in list_batches(task.path):
        for item in load_batch(task.path, name).items:
            if item.candidate.origin != "new":
                continue
            key = tuple(sorted(item.fields.items()))
            if item.decision is None:
                open_rows.add(key)
            elif item.state == "rejected" or row_problems(task, item.fields, item.answer):
                left_out.add(key)
            else:
                kept[key] = _decided(name, item)
    return list(kept.values()), open_rows - set(kept), left_out - set(kept)


def _decided(batch: str, item: Item) -> Labelled:
    meta: dict[str, JsonValue] = {"review": batch, "source": item.candidate.source}
    if item.candidate.provenance:
        meta["provenance"] = item.candidate.provenance
    return Labelled(
        id=item.candidate.row or f"r{content_id(item.fields, item.answer)}",
        fields=item.fields,
        answer=item.answer,
        meta=meta,
        written=item.candidate.source != PERSON,
    )


def next_step(task: Task) -> Text:
    """What a person does next in a task that was never divided."""
    rows = first_rows(task)
    name, labelled = shell_word(task.name), len(rows.labelled)
    if labelled >= LEAST_ROWS:
        return T(
            "{count} rows have an answer and {waiting} wait for one. Divide them into train, valid and test with: "
            "iterate split {task}; or label more first: iterate label {task}",
            count=labelled,
            waiting=rows.waiting,
            task=name,
        )
    if rows.waiting:
        return T(
            "{waiting} rows wait for an answer and {count} have one; {least} are the least. Label them with: "
            "iterate label {task}",
            waiting=rows.waiting,
            count=labelled,
            least=LEAST_ROWS,
            task=name,
        )
    return T(
        "Put texts into data/raw of the task (its README shows the form) and label them with: iterate label {task}. "
        "A table that has labels makes a task at once: iterate init FILE. So far {count} rows have an answer.",
        task=name,
        count=labelled,
    )


def require_rows(task: Task) -> None:
    """Raise InputError with the next step while there is nothing to train on."""
    if never_divided(task):
        raise InputError(
            T("{task} has no rows to train on yet.", task=visible(task.name)), hint=next_step(task), page=PAGE
        )
