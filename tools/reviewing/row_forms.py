"""A reviewed row as data: whether it may be trained on as it stands, and how it is written to a file.

What is written is read back by tools/reading/rows.py as the same row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from tools.reading.row_answers import read_answer
from tools.reading.row_shapes import ANSWER_KEYS, turns_of
from tools.scoring.prompting import answer_text
from tools.task import Task, TaskDefinition
from tools.text import T, Text, visible

CHARACTERS_PER_TOKEN = 8
"""More characters than this go into no token on average, in any language: a longer row would surely be cut."""


def row_problems(task: Task, fields: Mapping[str, str], answer: JsonValue) -> list[Text]:
    """Everything that speaks against training on a row with these fields and this answer; empty when nothing does."""
    problems = [
        T("The field {field} is empty.", field=visible(name, 60)) for name, text in fields.items() if not text.strip()
    ]
    if is_chat(task.definition, fields) and _turns(fields["messages"]) is None:
        problems.append(T("The messages are no chat turns any more."))
    limit = task.config.values.training.max_length
    length = sum(map(len, fields.values()))
    if length > limit * CHARACTERS_PER_TOKEN:
        message = T(
            "The text has {length} characters; training reads {limit} tokens and would cut it.",
            length=length,
            limit=limit,
        )
        problems.append(message)
    return [*problems, *_answer_problems(task, answer)]


def is_chat(definition: TaskDefinition, fields: Mapping[str, str]) -> bool:
    """True for a row whose whole input is a chat."""
    return set(fields) == {"messages"} and "messages" not in definition.input_fields


def _turns(messages: str) -> list[dict[str, str]] | None:
    try:
        return turns_of(json.loads(messages))
    except (ValueError, RecursionError):
        return None


def _answer_problems(task: Task, answer: JsonValue) -> list[Text]:
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        return [T("The row has no answer.")]
    read = read_answer(answer, task.definition.answer)
    if read.fault is None:
        return []
    choices = ", ".join(read.fault.choices)
    if not choices:
        return [read.fault.message]
    return [T("{problem} Choose one of: {choices}.", problem=read.fault.message, choices=visible(choices, 200))]


def row_object(
    definition: TaskDefinition, row_id: str, fields: Mapping[str, str], answer: JsonValue, meta: dict[str, JsonValue]
) -> dict[str, JsonValue]:
    """The JSON object of a row, in a shape that reading understands."""
    extra = {key: value for key, value in meta.items() if key not in fields}
    if is_chat(definition, fields):
        turns: list[JsonValue] = [dict(turn) for turn in _turns(fields["messages"]) or []]
        turns.append({"role": "assistant", "content": answer_text(definition.answer, answer)})
        return {"id": row_id, "messages": turns, **extra}
    given: dict[str, JsonValue] = {name: fields[name] for name in fields}
    return {"id": row_id, **given, **_answer_part(definition, answer), **extra}


def _answer_part(definition: TaskDefinition, answer: JsonValue) -> dict[str, JsonValue]:
    """The answer under a key that is not taken by an input field; else its fields loose in the row."""
    if definition.task_type == "classification":
        keys = (ANSWER_KEYS[0], definition.answer.label_field or ANSWER_KEYS[1], ANSWER_KEYS[1])
    else:
        keys = (ANSWER_KEYS[1], ANSWER_KEYS[0], ANSWER_KEYS[0])
    free = [key for key in keys if key not in definition.input_fields]
    if not free and isinstance(answer, dict):
        return dict(answer)
    return {free[0] if free else keys[0]: answer}
