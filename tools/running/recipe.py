"""The data recipe: which rows of train a version is really fitted on, and how much each of them weighs.

Source files are never edited. The steps always come in the same order (exclude, relabel, deduplicate, oversample, weigh)
and give the same rows in the same order for the same files and recipe. Reading the files is tools/reading/task.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from tools.editing.nearest import nearest
from tools.editing.problem_log import ProblemLog
from tools.errors import Problem
from tools.task import Row, Split, Task
from tools.text import T, Text, visible

CONFIG_FILE = "configs/training_config.yaml"


class RecipeResult(BaseModel):
    """The rows of one version, with what the recipe could not do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: list[Row]
    """In file order, repetitions at the end; their ids end in "#2", "#3", ... and their meta names the source as parent_id."""
    weights: list[float]
    """Weight of each row in the loss, as given in training.class_weights; 1 where nothing is given."""
    problems: list[Problem] = []
    before: dict[str, int] = {}
    """Rows per label as they stand in the files."""
    after: dict[str, int] = {}
    """Rows per label as trained on."""


def apply_recipe(task: Task, train: Split, *, oversample: bool = True) -> RecipeResult:
    """The rows of `train` after the task's recipe; a line that cannot be followed becomes a problem and is passed over.

    With `oversample` off, rows are not repeated: diagnosis looks at rows, not at copies of them.
    """
    recipe = task.config.values.data
    labels = known_labels(task, train.rows)
    log = _Log(labels)
    rows = _exclude(train.rows, recipe.exclude, log)
    rows = _relabel(rows, {row.id for row in train.rows}, recipe.relabel, log)
    if recipe.deduplicate:
        rows = first_of_each_question(rows)
    repeats = _repeats(rows, recipe.oversample, log)
    if oversample:
        rows = [*rows, *repeats]
    weights = task.config.values.training.class_weights
    for label in [label for label in weights if label not in labels]:
        log.unknown_label("training.class_weights", label)
    return RecipeResult(
        rows=rows,
        weights=[weights.get(row.answer, 1.0) if isinstance(row.answer, str) else 1.0 for row in rows],
        problems=log.problems,
        before=label_counts(train.rows),
        after=label_counts(rows),
    )


def known_labels(task: Task, rows: Iterable[Row]) -> list[str]:
    """The declared labels, else (for classification) those that the rows carry; empty where rows have no labels."""
    declared = task.definition.answer.labels
    if declared or task.definition.task_type != "classification":
        return declared
    return list(label_counts(rows))


def label_counts(rows: Iterable[Row]) -> dict[str, int]:
    """Rows per label in order of appearance."""
    counts: dict[str, int] = {}
    for row in rows:
        if isinstance(row.answer, str):
            counts[row.answer] = counts.get(row.answer, 0) + 1
    return counts


def first_of_each_question(rows: Sequence[Row]) -> list[Row]:
    """Only the first of rows with the same input fields."""
    first: dict[tuple[tuple[str, str], ...], Row] = {}
    for row in rows:
        first.setdefault(row.key, row)
    return list(first.values())


class _Log:
    """Collects what is wrong with the lines of the recipe; of many problems of one sort the first few and their number."""

    def __init__(self, labels: list[str]) -> None:
        self.labels = labels
        self._log = ProblemLog(CONFIG_FILE)

    @property
    def problems(self) -> list[Problem]:
        """Everything that was noted."""
        return self._log.problems()

    def unknown_row(self, key: str, row_id: str, ids: set[str]) -> None:
        """A row id that train does not have."""
        self._log.add(key, lambda: _unknown_row(key, row_id, ids))

    def unknown_label(self, key: str, label: str) -> None:
        """A label that the task does not have."""
        self._log.add(f"{key} label", lambda: _unknown_label(key, label, self.labels))

    def add(self, message: Text, value: str, hint: Text) -> None:
        """Any other problem."""
        self._log.add(str(message), lambda: _problem(message, value, hint))


def _problem(message: Text, value: str, hint: Text, choices: Sequence[str] = ()) -> Problem:
    return Problem(
        message=message,
        path=CONFIG_FILE,
        value=visible(value, 80),
        choices=[visible(choice, 80) for choice in choices],
        hint=hint,
        page="troubleshooting/configuration",
    )


def _unknown_row(key: str, row_id: str, ids: set[str]) -> Problem:
    near = nearest(row_id, sorted(ids))
    hint = T("The nearest id is {id}.", id=visible(near, 80)) if near else T("Remove the id from the recipe.")
    message = T("{key} names the row {id}, which is not in train.", key=key, id=visible(row_id, 80))
    return _problem(message, row_id, hint)


def _unknown_label(key: str, label: str, labels: Sequence[str]) -> Problem:
    if not labels:
        return _problem(
            T("{key} names a label, but the rows of this task have none.", key=key), label, T("Remove the line.")
        )
    message = T("{key} names the label {label}, which this task does not have.", key=key, label=visible(label, 80))
    return _problem(message, label, T("Use a label as it is declared in task_definition.yaml."), labels)


def _exclude(rows: Sequence[Row], ids: Sequence[str], log: _Log) -> list[Row]:
    present = {row.id for row in rows}
    for row_id in dict.fromkeys(ids):
        if row_id not in present:
            log.unknown_row("data.exclude", row_id, present)
    unwanted = set(ids)
    return [row for row in rows if row.id not in unwanted]


def _relabel(rows: Sequence[Row], present: set[str], labels: dict[str, str], log: _Log) -> list[Row]:
    usable = {}
    for row_id, label in labels.items():
        if row_id not in present:
            log.unknown_row("data.relabel", row_id, present)
        elif label not in log.labels:
            log.unknown_label("data.relabel", label)
        else:
            usable[row_id] = label
    return [row.model_copy(update={"answer": usable[row.id]}) if row.id in usable else row for row in rows]


def _repeats(rows: Sequence[Row], wanted: dict[str, int], log: _Log) -> list[Row]:
    """Copies of rows, label by label in the order of the recipe, taken in file order until the number is reached."""
    taken = {row.id for row in rows}
    copies: list[Row] = []
    for label, number in wanted.items():
        source = [row for row in rows if row.answer == label]
        if label not in log.labels:
            log.unknown_label("data.oversample", label)
        elif not source:
            message = T("data.oversample cannot repeat rows of {label}: train has none.", label=visible(label, 80))
            log.add(message, label, T("Add rows of this label first."))
        elif number < len(source):
            _fewer_wanted(label, number, len(source), log)
        else:
            copies += [_copy(source[n % len(source)], n // len(source) + 1, taken) for n in range(len(source), number)]
    return copies


def _fewer_wanted(label: str, wanted: int, present: int, log: _Log) -> None:
    log.add(
        T(
            "data.oversample asks for {wanted} rows of {label}, but train has {present}; nothing was taken away.",
            wanted=wanted,
            label=visible(label, 80),
            present=present,
        ),
        label,
        T("Oversampling only adds rows: give a larger number, or list rows under data.exclude to drop them."),
    )


def _copy(row: Row, number: int, taken: set[str]) -> Row:
    while (name := f"{row.id}#{number}") in taken:
        number += 1
    taken.add(name)
    return row.model_copy(update={"id": name, "meta": {**row.meta, "parent_id": row.id}})
