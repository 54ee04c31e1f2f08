"""Loading a task folder and its splits: tolerant of what is missing, exact about what is wrong, never writing.

What the pieces mean is read elsewhere: the definition in tools/reading/definition.py, the configuration in
tools/reading/config.py, rows in tools/reading/rows.py. The data recipe is not applied here (tools/running/recipe.py).
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from tools.editing.nearest import nearest
from tools.editing.yaml_file import parse_yaml, read_yaml
from tools.errors import InputError, NotFound, Problem, Refused
from tools.reading.carve import carve, without
from tools.reading.config import CONFIG_NAMES, DEFINITION_NAMES, read_config
from tools.reading.definition import read_definition
from tools.reading.rows import raw_objects, read_rows
from tools.scoring.prompting import template_fields
from tools.task import ConfigFile, Row, Split, SplitName, Task, TaskDefinition
from tools.text import T, visible
from tools.words import split_name

_PEEKED = 5000
"""Rows looked at when something about a task has to be guessed."""
_PAGE = "troubleshooting/broken-files"
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,100}")


class SplitRead(BaseModel):
    """One split as far as it could be read, and what is wrong with its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Split
    problems: list[Problem]


def list_tasks(tasks_dir: Path) -> list[str]:
    """Names of the folders under `tasks_dir` that look like tasks (a definition, a configuration or data), sorted."""
    try:
        folders = sorted(path for path in tasks_dir.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []
    return [path.name for path in folders if _looks_like_a_task(path)]


def find_task(tasks_dir: Path, name: str) -> Path:
    """The folder of the task `name`; raises Refused for a name that leaves `tasks_dir`, NotFound when there is none."""
    if not _NAME.fullmatch(name) or name in {".", ".."} or Path(name).is_absolute():
        raise Refused(
            T("{name} is not a task's name: it must be one folder name.", name=visible(name, 80) or '""'),
            hint=T("Give the name of a folder under {folder}, without slashes.", folder=visible(str(tasks_dir))),
        )
    path = tasks_dir / name
    if not path.is_dir():
        raise _no_such_task(tasks_dir, name)
    if not path.resolve().is_relative_to(tasks_dir.resolve()):
        raise Refused(
            T(
                "The task {name} is a link that leads out of {folder}.",
                name=visible(name),
                folder=visible(str(tasks_dir)),
            ),
            hint=T("Copy the folder there instead of linking it."),
        )
    return path


def load_task(path: Path) -> Task:
    """The task in a folder; raises NotFound without the folder, InputError when its definition is no valid YAML."""
    if not path.is_dir():
        raise _no_such_task(path.parent, path.name)
    if not _looks_like_a_task(path):
        raise InputError(
            T("{folder} holds no task: no definition, no configuration and no data.", folder=visible(str(path))),
            hint=T("Make one from a table of rows with: iterate init"),
            page=_PAGE,
        )
    folder = path.resolve().name
    name = next((name for name in DEFINITION_NAMES if (path / name).is_file()), None)
    file = read_yaml(path / name, name) if name else parse_yaml("", DEFINITION_NAMES[0])
    training = file.data.get("training")
    config = read_config(path, training if isinstance(training, dict) else {})
    definition, problems = read_definition(file, folder, partial(_peek, path, config))
    if name is None:
        problems.insert(0, _no_definition())
    if training is not None and not isinstance(training, dict):
        problems.append(_odd_training(file.name, file.line(["training"])))
    problems += _template_problems(definition, config)
    return Task(path=path, name=folder, definition=definition, config=config, problems=problems)


def load_split(task: Task, name: SplitName) -> SplitRead:
    """The rows of one split, recipe not applied; a file that is missing or unusable is a problem, not an error.

    Without a usable valid file the valid split is carved out of the first train file, stratified and reproducible, and
    those rows are then absent from train. Training and validation rows without an answer are left out, unless the recipe
    relabels them.
    """
    recipe = task.config.values.data
    if name == "train":
        train = _read(task, "train", recipe.train)
        carved = _carved(task, train) if not _has_valid(task) else None
        rows = train.rows if carved is None else without(train.rows, carved)
        return _split(task, "train", train._replace(rows=rows))
    file = recipe.valid if name == "valid" else recipe.test
    found = _read(task, name, [file] if file is not None else [])
    if name == "valid" and not _usable(task, found.rows):
        return _carved_split(task, found)
    return _split(task, name, found)


class _Found(NamedTuple):
    """Rows of some files with the problems met."""

    files: list[str]
    rows: list[Row]
    problems: list[Problem]


def _read(task: Task, name: SplitName, files: list[str]) -> _Found:
    found = _Found([], [], [])
    seen: set[str] = set()
    for file in files:
        path = inside(task.path, file)
        problem = _outside(file) if path is None else None if path.is_file() else _missing(name, file)
        if path is None or problem is not None:
            found.problems.extend([problem] if problem else [])
            continue
        try:
            read = read_rows(path, task.definition, shown=file, seen=seen)
        except InputError as error:
            found.problems.append(_unreadable(file, error))
            continue
        found.files.append(file)
        found.rows.extend(read.rows)
        found.problems.extend(read.problems)
    return found


def inside(folder: Path, file: str) -> Path | None:
    """The path of a file of the task; None when it lies outside the folder, be it through dots, a root or a link."""
    if "\x00" in file or Path(file).is_absolute():
        return None
    try:
        whole = (folder / file).resolve()
        return folder / file if whole.is_relative_to(folder.resolve()) else None
    except (OSError, RuntimeError):
        return None


def _has_valid(task: Task) -> bool:
    """True when the valid file holds at least one row that can be evaluated."""
    file = task.config.values.data.valid
    return file is not None and bool(_usable(task, _read(task, "valid", [file]).rows))


def _usable(task: Task, rows: list[Row]) -> list[Row]:
    settled = task.config.values.data.relabel
    return [row for row in rows if row.answer is not None or row.chosen is not None or row.id in settled]


def _carved(task: Task, train: _Found) -> list[Row]:
    """The rows that stand in for a valid file: from the first train file only, so that added files do not change them."""
    recipe = task.config.values.data
    first = [row for row in train.rows if row.file == next(iter(train.files), None)]
    return carve(_usable(task, first), recipe.valid_fraction, recipe.carve_seed, task.definition.answer.labels)


def _carved_split(task: Task, missing: _Found) -> SplitRead:
    train = _read(task, "train", task.config.values.data.train)
    rows = _carved(task, train)
    problems = [problem for problem in missing.problems if problem.about.get("what") != "no_file"]
    problems.append(_carved_note(task, len(rows)))
    files = sorted({row.file for row in rows})
    return SplitRead(split=Split(name="valid", files=files, rows=rows, carved=True), problems=problems)


def _split(task: Task, name: SplitName, found: _Found) -> SplitRead:
    rows = _usable(task, found.rows)
    problems = list(found.problems)
    if bare := len(found.rows) - len(rows):
        problems.append(_unlabelled(name, found.files[0], bare))
    if not rows:
        problems.append(_empty(name, task))
    return SplitRead(split=Split(name=name, files=found.files, rows=rows), problems=problems)


def _peek(path: Path, config: ConfigFile) -> list[dict[str, Any]]:
    """Raw rows of the first readable file of the train, valid or test split."""
    recipe = config.values.data
    for file in [*recipe.train, *(name for name in (recipe.valid, recipe.test) if name)]:
        whole = inside(path, file)
        if whole is None or not whole.is_file():
            continue
        try:
            if rows := raw_objects(whole, _PEEKED)[0]:
                return rows
        except InputError:
            continue
    return []


def _looks_like_a_task(path: Path) -> bool:
    marks = (*DEFINITION_NAMES, *CONFIG_NAMES)
    return any((path / mark).is_file() for mark in marks) or any((path / "data").glob("*.json*"))


def _no_such_task(tasks_dir: Path, name: str) -> NotFound:
    names = list_tasks(tasks_dir)
    near = nearest(name, names)
    hint = T("These tasks are there: {names}.", names=visible(", ".join(names), 400)) if names else None
    if near is not None:
        hint = T("The nearest one is {near}. All: {names}.", near=near, names=visible(", ".join(names), 400))
    message = T("There is no task {name} in {folder}.", name=visible(name, 80), folder=visible(str(tasks_dir)))
    return NotFound(message, hint=hint or T("Make one with: iterate init"))


def _no_definition() -> Problem:
    return Problem(
        message=T("There is no task_definition.yaml; the task was inferred from its rows."),
        path=DEFINITION_NAMES[0],
        hint=T("Write one, so that the labels, the template and the targets are yours."),
        page="troubleshooting/configuration",
        kind="unreadable_file",
        about={"what": "no_definition"},
    )


def _odd_training(name: str, line: int | None) -> Problem:
    return Problem(
        message=T("The training block of the definition must be keys with values; it was left out."),
        path=name,
        line=line,
        page="troubleshooting/configuration",
        kind="config_mistyped_value",
        about={"key": "training", "path": ["training"], "file": name},
    )


def _template_problems(definition: TaskDefinition, config: ConfigFile) -> list[Problem]:
    """A prompt.template that asks for fields which rows are not read with."""
    template = config.values.prompt.template
    extra = sorted(set(template_fields(template or "")) - set(definition.input_fields))
    if not extra:
        return []
    message = T(
        "prompt.template asks for {fields}, which input_format.template of the definition does not name.",
        fields=visible(", ".join(extra), 100),
    )
    return [
        Problem(
            message=message,
            path=CONFIG_NAMES[0],
            value=visible(extra[0], 60),
            choices=definition.input_fields,
            hint=T("Name only these fields, or add the new one to the definition."),
            page="troubleshooting/configuration",
            kind="config_mistyped_value",
            about={"key": "prompt.template", "path": ["prompt", "template"], "file": CONFIG_NAMES[0]},
        )
    ]


def _outside(file: str) -> Problem:
    return Problem(
        message=T("The file {file} lies outside the task folder; it was not read.", file=visible(file, 100)),
        path=CONFIG_NAMES[0],
        value=visible(file, 100),
        hint=T("Copy it into the task's data folder and name it there."),
        page=_PAGE,
        kind="unreadable_file",
        about={"what": "outside", "key": "data"},
    )


def _missing(name: SplitName, file: str) -> Problem:
    return Problem(
        message=T("The {split} file {file} does not exist.", split=split_name(name), file=visible(file, 100)),
        path=visible(file, 200),
        hint=T("Put the rows there, or name another file in configs/training_config.yaml under data."),
        page=_PAGE,
        kind="unreadable_file" if name == "train" else None,
        about={"what": "no_file", "split": name},
    )


def _unreadable(file: str, error: InputError) -> Problem:
    return Problem(message=error.message, path=file, hint=error.hint, page=_PAGE, kind="unreadable_file")


def _unlabelled(name: SplitName, file: str, count: int) -> Problem:
    return Problem(
        message=T(
            "{count} rows of the {split} split have no usable answer and were left out.",
            count=count,
            split=split_name(name),
        ),
        path=file,
        value=count,
        hint=T("Label them, or settle them by row id under data.relabel."),
        page=_PAGE,
        about={"what": "unlabelled", "split": name, "count": count},
    )


def _empty(name: SplitName, task: Task) -> Problem:
    return Problem(
        message=T("The {split} split of {task} has no usable rows.", split=split_name(name), task=visible(task.name)),
        hint=T("Look at the problems of its files, or add rows."),
        page=_PAGE,
        kind="unreadable_file" if name == "train" else None,
        about={"what": "empty_split", "split": name},
    )


def _carved_note(task: Task, count: int) -> Problem:
    recipe = task.config.values.data
    return Problem(
        message=T(
            "There is no usable valid file: {count} rows were carved out of train, stratified (seed {seed}).",
            count=count,
            seed=recipe.carve_seed,
        ),
        path=recipe.valid,
        value=count,
        hint=T("They are not trained on. Put a valid file of your own at data/valid.jsonl to replace them."),
        page="methods/comparing-versions",
        about={"what": "carved", "split": "valid", "count": count},
    )
