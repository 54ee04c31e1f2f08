"""Making one clear definition out of task_definition.yaml in the shapes in which users write it.

Whatever is odd becomes a Problem with its line, and the nearest sensible reading stands in; what is missing is guessed
from the rows and said. The `training:` block is read by tools/reading/config.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, get_args

from pydantic import JsonValue

from tools.editing.nearest import nearest
from tools.editing.yaml_file import YamlFile
from tools.errors import Problem
from tools.reading.answer_format import answer_format
from tools.reading.definition_notes import Notes
from tools.reading.infer_definition import default_template, guess_input_fields, guess_type
from tools.reading.targets import read_targets
from tools.scoring.prompting import template_fields
from tools.task import AnswerFormat, TaskDefinition, TaskType
from tools.text import T

_TYPES: tuple[TaskType, ...] = get_args(TaskType)
_TYPE_SYNONYMS: dict[str, TaskType] = {
    "text-classification": "classification",
    "sequence-classification": "classification",
    "classify": "classification",
    "分類": "classification",
    "information-extraction": "extraction",
    "token-classification": "extraction",
    "ner": "extraction",
    "extract": "extraction",
    "擷取": "extraction",
    "抽取": "extraction",
    "text-generation": "generation",
    "summarization": "generation",
    "generate": "generation",
    "生成": "generation",
}
_CLEARLY_MEANT = 75
"""From this likeness (0 to 100) on a misspelled type is taken for the nearest one."""
_SAFE_NAME = re.compile(r"[^/\\\x00-\x1f]{1,100}")


def read_definition(
    file: YamlFile, folder: str, peek: Callable[[], list[dict[str, Any]]]
) -> tuple[TaskDefinition, list[Problem]]:
    """The definition in `file` and what is odd about it; `peek` gives raw training rows if something must be guessed."""
    notes = Notes(file, peek)
    task_type = _task_type(notes)
    answer = answer_format(notes, task_type)
    language = notes.text("language")
    template = _template(notes, answer, language)
    definition = TaskDefinition(
        task_name=_task_name(notes, folder),
        task_type=task_type,
        domain=notes.text("domain"),
        language=language.replace("_", "-") if language else None,
        description=notes.text("description"),
        template=template,
        input_fields=list(dict.fromkeys(template_fields(template))),
        answer=answer,
        targets=read_targets(notes),
        thresholds=_thresholds(notes),
        slices=_slices(notes),
        deploy_command=_deploy(notes),
        raw=file.data,
    )
    return definition, notes.problems


def _task_name(notes: Notes, folder: str) -> str:
    name = notes.text("task_name")
    if name is None:
        return folder
    if not _SAFE_NAME.fullmatch(name) or ".." in name:
        notes.wrong(("task_name",), T("The task's name must be a plain name; the folder's name is used."), name)
        return folder
    return name


def _task_type(notes: Notes) -> TaskType:
    given = notes.data.get("task_type")
    name = str(given).strip().lower().replace("_", "-")
    found = next((kind for kind in _TYPES if kind == name), None) or _TYPE_SYNONYMS.get(name)
    if found is not None:
        return found
    if given is not None:
        notes.one_of(("task_type",), given, _TYPES)
        near = nearest(name, _TYPES, _CLEARLY_MEANT)
        return next((kind for kind in _TYPES if kind == near), None) or guess_type(notes.rows)
    guess = guess_type(notes.rows)
    notes.assumed(("task_type",), T("task_type is missing; by its rows it is {type}.", type=guess), "task_type")
    return guess


def _template(notes: Notes, answer: AnswerFormat, language: str | None) -> str:
    """The input template; one made of the rows' fields when there is none that names a field."""
    block = notes.data.get("input_format")
    given = block if isinstance(block, str) else block.get("template") if isinstance(block, dict) else None
    if isinstance(given, str) and template_fields(given):
        return given
    fields = guess_input_fields(notes.rows, [*answer.fields, *([answer.label_field] if answer.label_field else [])])
    template = default_template(fields, language)
    if given is None:
        message = T("input_format.template is missing; {template} is used.", template=_escaped(template))
        notes.assumed(("input_format", "template"), message, "template")
    else:
        message = T("The template names no field of the rows; {template} is used.", template=_escaped(template))
        hint = T("Put field names in braces, such as {example}.", example="{text}")
        notes.wrong(("input_format", "template"), message, given, choices=fields, hint=hint)
    return template


def _escaped(template: str) -> str:
    return template.replace("\n", "\\n")


def _thresholds(notes: Notes) -> dict[str, float]:
    """Numbers of the `diagnosis:` block; which names there are is known to the rules that use them."""
    block = notes.data.get("diagnosis")
    if block is None:
        return {}
    if not isinstance(block, dict):
        notes.wrong(("diagnosis",), T("diagnosis must be names of thresholds with numbers."), block)
        return {}
    block = inner if isinstance(inner := block.get("thresholds"), dict) else block
    limits: dict[str, float] = {}
    for name, value in block.items():
        number = _number(value)
        if number is None:
            notes.wrong(("diagnosis", name), T("diagnosis.{name} must be a number.", name=name), value)
        else:
            limits[name] = number
    return limits


def _number(value: JsonValue) -> float | None:
    """A number, also as text, also with a percent sign."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _slices(notes: Notes) -> list[str]:
    value = notes.data.get("slices")
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return [str(name) for name in names]
    if value is not None:
        notes.wrong(("slices",), T("slices must be a list of row fields."), value)
    return []


def _deploy(notes: Notes) -> str | None:
    block = notes.data.get("deploy")
    if isinstance(block, dict):
        return notes.text("deploy", "command")
    return notes.text("deploy") if block is not None else None
