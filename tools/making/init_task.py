"""Making a task folder out of a local table: columns, stratified splits, definition, configuration, README and scripts.

An existing folder is never touched: the task is built beside it and moved into place in one step. Guessing columns is
tools/making/guess_columns.py; the texts of the files are tools/making/task_files.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.editing.problem_log import ProblemLog
from tools.errors import InputError, Problem
from tools.files import write_atomic
from tools.making.guess_columns import ColumnGuess, guess_columns, guess_in
from tools.making.new_folder import build_folder, free_place
from tools.making.split_rows import LEAST_ROWS, divide, sizes_of
from tools.making.table import read_table
from tools.making.table_examples import Example, choose_columns, examples_of, field_names, groups_of
from tools.making.task_files import NewTask, config_text, definition_text, readme_text
from tools.making.task_scripts import write_scripts
from tools.reading.rows import content_id
from tools.task import SplitName, TaskType
from tools.text import Speaker, T, english, visible

__all__ = ["ColumnGuess", "MadeTask", "guess_columns", "make_task"]

UNUSED = "data/raw/unused.jsonl"


class MadeTask(BaseModel):
    """What was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    counts: dict[str, int]
    """Rows in "train", "valid", "test", and "unused" for those that no split had room for."""
    labels: dict[str, dict[str, int]]
    """Split to label to rows, for classification."""
    problems: list[Problem]


def make_task(  # noqa: PLR0913 - the public face of `iterate init`: one keyword for each of its flags
    source: Path,
    tasks_dir: Path,
    name: str,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    target_columns: list[str] | None = None,
    task_type: TaskType | None = None,
    language: str | None = None,
    base_model: str = "embedded:gemma3-270m",
    train_rows: int | None = None,
    valid_rows: int | None = None,
    test_rows: int | None = None,
    seed: int = 0,
    say: Speaker = english,
) -> MadeTask:
    """Make the task `name` from the table in `source`; columns not given are guessed.

    Without sizes, 15 % of the rows become valid and 20 % test, and train gets the rest. Raises Refused for a name that is
    taken, InputError for columns or sizes that do not fit, and leaves nothing behind then. `say` speaks the language of
    the README and of the comments.
    """
    target = free_place(tasks_dir, name)
    table = read_table(source)
    columns = choose_columns(guess_in(table), text_column, label_column, target_columns, task_type)
    log = ProblemLog(source.name)
    examples = examples_of(table, columns, log)
    if len(examples) < LEAST_ROWS:
        raise _too_few(source.name, len(examples), [*table.problems, *log.problems()])
    groups = groups_of(examples, log)
    sizes = sizes_of(len(examples), train_rows, valid_rows, test_rows)
    placed = divide(groups, sizes, seed)
    new = NewTask(
        name=name,
        source=source.name,
        task_type=columns.task_type,
        language=language or _language(examples),
        base_model=base_model,
        fields=list(field_names(columns).values()),
        label_name=columns.label_column,
        labels=_by_frequency(examples),
        answer_fields=_answer_fields(examples),
        counts={split: len(rows) for split, rows in placed.items()},
        seed=seed,
    )
    problems = [*table.problems, *log.problems(), *_thin_labels(new, examples, placed)]
    unused = build_folder(target, lambda building: _fill(building, new, examples, placed, say))
    counts = {**{split: len(placed[split]) for split in ("train", "valid", "test")}, "unused": unused}
    return MadeTask(path=target, counts=counts, labels=_labels(new, examples, placed), problems=problems)


def _by_frequency(examples: Sequence[Example]) -> list[str]:
    """The labels, the most frequent first."""
    counted = Counter(example.label for example in examples if example.label)
    return [label for label, _ in counted.most_common()]


def _labels(
    new: NewTask, examples: Sequence[Example], placed: Mapping[SplitName, Sequence[int]]
) -> dict[str, dict[str, int]]:
    """Rows per label and split, for classification."""
    if not new.labels:
        return {}
    return {split: dict(Counter(examples[place].label for place in rows)) for split, rows in placed.items()}


def _too_few(name: str, count: int, problems: list[Problem]) -> InputError:
    return InputError(
        T(
            "{file} has {count} usable rows; a task needs at least {least}.",
            file=visible(name),
            count=count,
            least=LEAST_ROWS,
        ),
        hint=T("Look at the rows that were left out, or name other columns."),
        problems=problems,
    )


def _language(examples: list[Example]) -> str:
    """zh-TW for texts with Chinese characters, else en."""
    sample = "".join(example.group for example in examples[:500])
    chinese = sum("\u4e00" <= char <= "\u9fff" for char in sample)
    return "zh-TW" if chinese > 0.2 * max(1, len(sample)) else "en"


def _answer_fields(examples: list[Example]) -> list[str]:
    return list(
        dict.fromkeys(str(key) for example in examples if isinstance(example.answer, dict) for key in example.answer)
    )


def _thin_labels(new: NewTask, examples: list[Example], placed: dict[SplitName, list[int]]) -> list[Problem]:
    """Labels that some split has no row of."""
    missing = [
        (label, split)
        for label in new.labels
        for split in placed
        if not any(examples[place].label == label for place in placed[split])
    ]
    return [
        Problem(
            message=T("The label {label} has no row in {split}.", label=visible(label, 60), split=split),
            hint=T("Add rows of that label, or merge it with another."),
            page="troubleshooting/small-data",
        )
        for label, split in missing
    ]


def _fill(
    building: Path, new: NewTask, examples: list[Example], placed: dict[SplitName, list[int]], say: Speaker
) -> int:
    seen: Counter[str] = Counter()
    lines = [_line(example, seen) for example in examples]
    for split, places in placed.items():
        write_atomic(building / "data" / f"{split}.jsonl", "".join(lines[place] for place in places))
    taken = {place for places in placed.values() for place in places}
    unused = [line for place, line in enumerate(lines) if place not in taken]
    if unused:
        write_atomic(building / UNUSED, "".join(unused))
    write_atomic(building / "task_definition.yaml", definition_text(new, say))
    write_atomic(building / "configs" / "training_config.yaml", config_text(new, say))
    write_atomic(building / "README.md", readme_text(new, len(unused), say))
    write_scripts(building)
    return len(unused)


def _line(example: Example, seen: Counter[str]) -> str:
    """A row as a line of JSON, under an id made from its content."""
    identity = content_id(example.fields, example.answer)
    seen[identity] += 1
    unique = identity if seen[identity] == 1 else f"{identity}~{seen[identity]}"
    answer = {"label": example.label} if example.label else {"output": example.answer}
    return json.dumps({"id": unique, **example.fields, **answer}, ensure_ascii=False) + "\n"
