"""The forms in which a model is asked to answer, and reading what it really answered.

A server is told the strict form; what comes is read leniently and judged row by row (tools/generating/checks.py), so that one
bad row does not cost the good ones beside it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, JsonValue, WithJsonSchema, create_model

from tools.task import TaskDefinition

UNCLEAR = "unclear"
"""What the judge may say instead of a label."""
LONGEST_ANSWER = 1_000_000
"""Characters; what is longer is not parsed at all."""


def label_key(definition: TaskDefinition) -> str:
    """The name of the label in a written row: one that is no input field."""
    wanted = (definition.answer.label_field, "label", "answer", "row_label")
    return next(name for name in wanted if name and name not in definition.input_fields)


def written_rows(definition: TaskDefinition, labels: Sequence[str]) -> type[BaseModel]:
    """The form of new rows: the input fields and the label."""
    names = [*definition.input_fields, label_key(definition)]
    texts: dict[str, JsonValue] = {name: {"type": "string"} for name in names}
    texts[names[-1]] = {"type": "string", "enum": [*labels]}
    row = {"type": "object", "properties": texts, "required": [*names], "additionalProperties": False}
    return create_model("WrittenRows", rows=(list[Annotated[Any, WithJsonSchema(row)]], ...))


def judged_label(labels: Sequence[str]) -> type[BaseModel]:
    """The form of the judge's answer."""
    choices = [*labels, *([] if UNCLEAR in labels else [UNCLEAR])]
    schema = {"type": "string", "enum": choices}
    return create_model("JudgedLabel", label=(Annotated[Any, WithJsonSchema(schema)], ...))


def read_rows(text: str) -> list[Any] | None:
    """The items of a list of rows as they came, None when the text holds no such list."""
    answer = _object(text)
    rows = answer.get("rows") if answer is not None else None
    return rows if isinstance(rows, list) else None


def read_label(text: str) -> str | None:
    """The judge's label as it came, None when the text holds none."""
    answer = _object(text)
    label = answer.get("label") if answer is not None else None
    return label.strip() if isinstance(label, str) and label.strip() else None


def holds_object(text: str) -> bool:
    """Whether a JSON object stands in a text, with words around it or without."""
    return _object(text[text.find("{") : text.rfind("}") + 1]) is not None


def _object(text: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(text) if len(text) <= LONGEST_ANSWER else None
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
