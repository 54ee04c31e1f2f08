"""Turning a table into examples: which columns count, what they are called in rows, what is left out, what belongs together."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from functools import partial
from typing import Any, NamedTuple

from pydantic import JsonValue

from tools.editing.nearest import nearest
from tools.editing.problem_log import ProblemLog
from tools.errors import InputError, Problem
from tools.making.guess_columns import MOST_LABELS, ColumnGuess, value_text
from tools.making.split_rows import Group
from tools.making.table import Table
from tools.reading.row_shapes import ANSWER_KEYS
from tools.task import TaskType
from tools.text import T, Text, visible

_RESERVED = frozenset({"id", "messages", "prompt", "chosen", "rejected", *ANSWER_KEYS})
_PAGE = "troubleshooting/broken-files"


class Example(NamedTuple):
    """One usable row of the table."""

    fields: dict[str, str]
    answer: JsonValue
    label: str
    """The label for classification, else ""."""
    group: str
    """Rows whose main text is the same belong together."""


class Columns(NamedTuple):
    """The columns of a table that make its rows."""

    text_column: str
    label_column: str
    target_columns: list[str]
    task_type: TaskType


def choose_columns(
    guess: ColumnGuess, text: str | None, label: str | None, targets: list[str] | None, task_type: TaskType | None
) -> Columns:
    """The columns as given, else as guessed; raises InputError naming every column that is not there."""
    given = [name for name in (text, label, *(targets or [])) if name is not None]
    problems = [_no_column(name, guess.columns) for name in given if name not in guess.columns]
    chosen_text, chosen_label = text or guess.text_column, label or guess.label_column
    if chosen_text is None or chosen_label is None or chosen_text == chosen_label:
        message = T("Which column is the text and which the label cannot be told from the table.")
        hint = T("Name them: --text COLUMN --label COLUMN.")
        problems.append(Problem(message=message, choices=guess.columns, hint=hint))
    if problems:
        raise InputError(problems[0].message, hint=problems[0].hint, problems=problems)
    taken = {chosen_text, chosen_label}
    extra = [name for name in (guess.target_columns if targets is None else targets) if name not in taken]
    kind = task_type or (guess.task_type if label in (None, guess.label_column) else None) or "classification"
    return Columns(str(chosen_text), str(chosen_label), extra, kind)


def _no_column(name: str, columns: list[str]) -> Problem:
    near = nearest(name, columns)
    return Problem(
        message=T("There is no column {name}.", name=visible(name, 80)),
        value=visible(name, 80),
        choices=columns,
        hint=T("The nearest one is {near}.", near=visible(near))
        if near
        else T("Columns are {columns}.", columns=visible(", ".join(columns), 300)),
    )


def field_names(columns: Columns) -> dict[str, str]:
    """Column to the field name in rows: the column's own name where a template can use it."""
    names: dict[str, str] = {}
    for place, column in enumerate([columns.text_column, *columns.target_columns]):
        name = re.sub(r"\W+", "_", column).strip("_")
        fits = (
            name.isidentifier()
            and name not in _RESERVED
            and name not in names.values()
            and name != columns.label_column
        )
        names[column] = name if fits else "text" if place == 0 else f"field_{place}"
    return names


def examples_of(table: Table, columns: Columns, log: ProblemLog) -> list[Example]:
    """The usable rows; exact repetitions are taken once."""
    names = field_names(columns)
    examples: list[Example] = []
    seen: set[str] = set()
    for number, row in enumerate(table.rows, start=1):
        fields = {field: value_text(row.get(column)) for column, field in names.items()}
        answer = _answer(row.get(columns.label_column), columns.task_type)
        if answer is None or not all(fields.values()):
            log.add("incomplete", partial(_left_out, number, T("It lacks a text or an answer.")))
            continue
        said = json.dumps([fields, answer], ensure_ascii=False, sort_keys=True)
        if said in seen:
            log.add("repeated", partial(_left_out, number, T("It repeats a row before it.")))
            continue
        seen.add(said)
        label = answer if columns.task_type == "classification" and isinstance(answer, str) else ""
        examples.append(Example(fields, answer, label, folded(fields[names[columns.text_column]])))
    _check_labels(columns, examples)
    return examples


def _check_labels(columns: Columns, examples: list[Example]) -> None:
    if columns.task_type != "classification" or len({example.label for example in examples}) <= MOST_LABELS:
        return
    raise InputError(
        T("The column {column} has more than {most} different values.", column=columns.label_column, most=MOST_LABELS),
        hint=T("Choose another label column, or make the task a generation."),
    )


def _answer(value: Any, task_type: TaskType) -> JsonValue:
    """The answer in a cell; None for an empty or unusable one."""
    if task_type != "extraction":
        return value_text(json.dumps(value) if isinstance(value, bool) else value) or None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, dict) or not value:
        return None
    storable: dict[str, JsonValue] = json.loads(json.dumps(value, default=str))
    return storable


def _left_out(number: int, reason: Text) -> Problem:
    return Problem(
        message=T("Row {number} of the table was left out. {reason}", number=number, reason=reason),
        page=_PAGE,
        kind="bad_rows",
    )


def folded(text: str) -> str:
    """A text without differences of width, case and spacing, so that near copies stay in one split."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def groups_of(examples: list[Example], log: ProblemLog) -> list[Group]:
    """Examples with the same main text, together; those whose answers contradict each other only fit train."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, example in enumerate(examples):
        places[example.group].append(place)
    groups: list[Group] = []
    for rows in places.values():
        answers: dict[str, set[str]] = defaultdict(set)
        for place in rows:
            answers[json.dumps(examples[place].fields, sort_keys=True)].add(json.dumps(examples[place].answer))
        contradicting = any(len(said) > 1 for said in answers.values())
        if contradicting:
            log.add("contradicting", partial(_contradiction, examples[rows[0]]))
        groups.append(Group(rows, Counter(examples[place].label for place in rows), contradicting))
    return groups


def _contradiction(example: Example) -> Problem:
    return Problem(
        message=T(
            "The same question has different answers: {text}", text=visible(" / ".join(example.fields.values()), 80)
        ),
        hint=T("Such rows are kept out of valid and test; settle which answer is right."),
        page="troubleshooting/label-noise",
        kind="bad_rows",
        about={"what": "contradicting"},
    )
