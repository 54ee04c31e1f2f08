"""The first train, valid and test of a task that began without rows: stratified, reproducible, and nothing in two of them.

    first_rows -> copies and near copies put together -> divide -> data/test.jsonl, data/valid.jsonl, data/train.jsonl

A split that has rows already stays as it is, and labelled rows that are copies of its rows are left out. Train is written
last: while it is empty nothing counts as divided, so that an interrupted call is simply made again and loses no row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from tools.editing.problem_log import ProblemLog
from tools.errors import InputError, Problem, Refused
from tools.evidence.leaks import find_leaks
from tools.evidence.row_keys import NearIndex, Questions
from tools.evidence.thresholds import read_thresholds
from tools.files import write_atomic
from tools.making.first_rows import PAGE, Labelled, first_rows, never_divided, next_step
from tools.making.split_rows import LEAST_ROWS, ORDER, Group, divide, sizes_of
from tools.making.table_examples import Example, folded, groups_of
from tools.reading.task import inside, load_split
from tools.reviewing.row_forms import row_object
from tools.task import Row, SplitName, Task
from tools.text import T, shell_word, visible

_WRITTEN_IN: tuple[SplitName, ...] = ("test", "valid", "train")
"""Train last: it is what counts as divided."""


class FirstSplit(BaseModel):
    """Which labelled row goes where, before anything is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: dict[SplitName, list[Labelled]]
    """In the order of their ids; a split that has rows already gets none."""
    kept: list[SplitName] = []
    """Splits that have rows already and stay as they are."""
    left_out: int = 0
    """Labelled rows that are copies of rows in such a split, or that nothing has room for."""
    seed: int
    problems: list[Problem] = []

    @property
    def counts(self) -> dict[SplitName, int]:
        """Rows of each split."""
        return {split: len(rows) for split, rows in self.rows.items()}

    def labels(self) -> dict[str, dict[SplitName, int]]:
        """Label to split to rows; empty for answers that are no labels."""
        counted: dict[str, dict[SplitName, int]] = {}
        for split, rows in self.rows.items():
            for row in rows:
                if isinstance(row.answer, str):
                    by_split = counted.setdefault(row.answer, dict.fromkeys(self.rows, 0))
                    by_split[split] += 1
        return counted


def plan_first_split(
    task: Task, *, seed: int = 0, valid_rows: int | None = None, test_rows: int | None = None
) -> FirstSplit:
    """Divide what is labelled; without sizes 15 % become valid and 20 % test.

    Raises Refused when train has rows, InputError when too few rows have an answer or the sizes do not fit.
    """
    if not never_divided(task):
        raise Refused(
            T("{task} is divided already: train has rows.", task=visible(task.name)),
            hint=T(
                "New labelled rows join train through the review: iterate review {task}", task=shell_word(task.name)
            ),
            page=PAGE,
        )
    found = first_rows(task)
    kept: list[SplitName] = [name for name in ("valid", "test") if _evaluated(task, name)]
    rows = _without_copies(task, sorted(found.labelled, key=lambda row: row.id), kept)
    judged = sum(not row.written for row in rows)
    if judged < LEAST_ROWS:
        raise InputError(
            T("Only {count} rows have an answer by a person; {least} are the least.", count=judged, least=LEAST_ROWS),
            hint=next_step(task),
            page=PAGE,
            problems=found.problems,
        )
    log = ProblemLog(task.name)
    groups = _groups(task, rows, log)
    apart = sorted(place for group in groups if _is_written(group, rows) for place in group.rows)
    sizes = sizes_of(len(rows) - len(apart), None, valid_rows, test_rows, kept)
    placed = divide([group for group in groups if not _is_written(group, rows)], sizes, seed)
    placed["train"] = sorted([*placed["train"], *apart])
    divided = {split: [rows[place] for place in placed[split]] for split in ORDER}
    split = FirstSplit(
        rows=divided,
        kept=kept,
        left_out=len(found.labelled) - sum(map(len, divided.values())),
        seed=seed,
        problems=[*found.problems, *log.problems()],
    )
    return split.model_copy(update={"problems": [*split.problems, *_thin(split, task)]})


def make_first_split(task: Task, split: FirstSplit) -> list[str]:
    """Write the files of the planned splits and return their names; raises Refused where a file holds something already."""
    files = {name: _file_of(task, name) for name in _WRITTEN_IN if split.rows[name]}
    for file in files.values():
        path = task.path / file
        if path.is_file() and path.read_bytes().strip():
            raise Refused(
                T("{file} is not empty; it was not touched.", file=visible(file)),
                hint=T("Its rows cannot be read. Mend the file, or move it away, and divide again."),
                page="troubleshooting/broken-files",
            )
    for name, file in files.items():
        lines = (row_object(task.definition, row.id, row.fields, row.answer, row.meta) for row in split.rows[name])
        write_atomic(task.path / file, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return list(files.values())


def _file_of(task: Task, name: SplitName) -> str:
    """The file that the recipe names for a split."""
    recipe = task.config.values.data
    named = next(iter(recipe.train), None) if name == "train" else recipe.valid if name == "valid" else recipe.test
    file = named or f"data/{name}.jsonl"
    if inside(task.path, file) is None or not file.endswith(".jsonl"):
        raise Refused(
            T("The file {file} of {split} cannot be written.", file=visible(file, 100), split=name),
            hint=T("Name a .jsonl file inside the task folder in configs/training_config.yaml, under data."),
        )
    return file


def _evaluated(task: Task, name: SplitName) -> list[Row]:
    """The rows that a split has of its own."""
    read = load_split(task, name).split
    return [] if read.carved else read.rows


def _without_copies(task: Task, rows: list[Labelled], kept: Sequence[SplitName]) -> list[Labelled]:
    limit = read_thresholds(task.definition.thresholds)[0].near_duplicate
    as_rows = [_row(row) for row in rows]
    copies = {leak.row for name in kept for leak in find_leaks(as_rows, _evaluated(task, name), limit)}
    return [row for row in rows if row.id not in copies]


def _row(one: Labelled) -> Row:
    answer = one.answer if isinstance(one.answer, str | dict) else None
    return Row(id=one.id, fields=one.fields, answer=answer)


def _groups(task: Task, rows: Sequence[Labelled], log: ProblemLog) -> list[Group]:
    """Rows that must stay together: the same main text, or nearly the same question with the same answer."""
    together = _together(task, rows)
    stratified = task.definition.task_type == "classification"
    examples = [
        Example(row.fields, row.answer, str(row.answer) if stratified else "", str(group))
        for row, group in zip(rows, together, strict=True)
    ]
    return groups_of(examples, log)


def _is_written(group: Group, rows: Sequence[Labelled]) -> bool:
    """True when a model wrote one of them: they are for training alone, with whatever is a copy of them."""
    return any(rows[place].written for place in group.rows)


def _together(task: Task, rows: Sequence[Labelled]) -> list[int]:
    """A number for each row; rows with the same number are copies of each other, or of copies."""
    parents = list(range(len(rows)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    main = next(iter(task.definition.input_fields), "")
    questions = Questions([_row(row) for row in rows])
    asked = [questions.of(_row(row)) for row in rows]
    index = NearIndex(asked, read_thresholds(task.definition.thresholds)[0].near_duplicate)
    same: dict[object, int] = {}
    for at, row in enumerate(rows):
        for key in (asked[at], folded(row.fields.get(main) or json.dumps(row.fields, sort_keys=True))):
            parents[root(at)] = root(same.setdefault(key, at))
        while (near := index.nearest(asked[at], _new_to(at, root, rows, task))) is not None:
            parents[root(at)] = root(near)
    return [root(at) for at in range(len(rows))]


def _new_to(at: int, root: Callable[[int], int], rows: Sequence[Labelled], task: Task) -> Callable[[int], bool]:
    """Which earlier rows count as near copies of row `at` that are not known to be: those with its answer."""
    free = task.definition.task_type == "generation"
    return lambda other: other < at and root(other) != root(at) and (free or rows[other].answer == rows[at].answer)


def _thin(split: FirstSplit, task: Task) -> list[Problem]:
    """Labels that some split has no row of: it cannot be learnt, or not be measured, how well they are recognised."""
    counted = split.labels()
    filled = [name for name in ORDER if name not in split.kept]
    return [
        Problem(
            message=T("The label {label} has no row in {split}.", label=visible(label, 60), split=name),
            hint=T("Label more rows before dividing; afterwards new rows only join train."),
            page="troubleshooting/small-data",
        )
        for label in task.definition.answer.labels
        for name in filled
        if not Counter(counted.get(label, {}))[name]
    ]
