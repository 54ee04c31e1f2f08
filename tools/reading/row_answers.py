"""Reading the expected answer of a row against the declared format: a label, an object or a text.

This is for data, where a label that differs in width or case can be recognised and said; a model's answer is read
strictly in tools/scoring/answers.py.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any, NamedTuple

from pydantic import JsonValue

from tools.editing.nearest import nearest
from tools.task import AnswerFormat
from tools.text import T, Text, visible

Answer = str | dict[str, JsonValue] | None


class Fault(NamedTuple):
    """What is wrong with an answer; `hint` says what was made of it."""

    sort: str
    message: Text
    value: str | None = None
    choices: list[str] = []  # noqa: RUF012 - never changed
    hint: Text | None = None


class AnswerRead(NamedTuple):
    """The answer in the form that rows hold; None with a fault when it cannot be used, None alone when there is none."""

    answer: Answer
    fault: Fault | None = None


def read_answer(raw: Any, answer: AnswerFormat) -> AnswerRead:
    """Read a raw answer; None stands for a row without one."""
    if raw is None:
        return AnswerRead(None)
    if answer.type == "label" or answer.label_field is not None:
        return _read_label(raw, answer)
    if answer.type == "json":
        return _read_object(raw, answer)
    text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
    return AnswerRead(text) if text.strip() else AnswerRead(None, _empty())


def _read_label(raw: Any, answer: AnswerFormat) -> AnswerRead:
    label = _label_in(raw, answer)
    if label is None:
        return AnswerRead(None, _wrong_shape(raw, T("The label must be a text, or an object that holds it.")))
    if label in answer.labels or (label and not answer.labels):
        return AnswerRead(label)
    if not label:
        return AnswerRead(None, _empty(answer.labels))
    same = {_folded(declared): declared for declared in reversed(answer.labels)}.get(_folded(label))
    if same is not None:
        return AnswerRead(same, _variant(label, same))
    return AnswerRead(None, _unknown(label, answer.labels))


def _label_in(raw: Any, answer: AnswerFormat) -> str | None:
    """The label as text, taken out of an object or of JSON text; None when there is none."""
    if isinstance(raw, str):
        inner = _object_in(raw)
        return raw.strip() if inner is None or raw.strip() in answer.labels else _label_in(inner, answer)
    if isinstance(raw, dict):
        held = raw.get(answer.label_field) if answer.label_field else None
        if held is None and len(raw) == 1:
            held = next(iter(raw.values()))
        return None if isinstance(held, dict) else _label_in(held, answer)
    if isinstance(raw, bool | int | float):
        return json.dumps(raw)
    return None


def _read_object(raw: Any, answer: AnswerFormat) -> AnswerRead:
    value = _object_in(raw) if isinstance(raw, str) else raw
    if not isinstance(value, dict):
        return AnswerRead(None, _wrong_shape(raw, T("The answer must be a JSON object.")))
    missing = [name for name in answer.fields if name not in value]
    if missing:
        message = T("The answer lacks {fields}.", fields=visible(", ".join(missing), 100))
        return AnswerRead(None, Fault("answer_field", message, missing[0], sorted(map(str, value)), _LEFT))
    for name, choices in answer.enums.items():
        if choices and name in value and value[name] not in choices:
            return AnswerRead(None, _unknown(_short(value[name]), choices))
    return AnswerRead(value)


_LEFT = T("The row counts as unlabelled until its answer is mended.")


def _object_in(text: str) -> dict[str, Any] | None:
    """The object that a text is; None for other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _folded(label: str) -> str:
    """A label without differences of width, case and surrounding space."""
    return unicodedata.normalize("NFKC", label).strip().casefold()


def _variant(label: str, declared: str) -> Fault:
    return Fault(
        "label_variant",
        T("The label {label} is not written as declared.", label=visible(label, 60)),
        visible(label, 60),
        [declared],
        T("It was read as {declared}.", declared=visible(declared)),
    )


def _unknown(label: str, choices: list[str]) -> Fault:
    near = nearest(label, choices)
    hint = T("The nearest declared one is {near}. The row counts as unlabelled until then.", near=visible(near or ""))
    return Fault(
        "unknown_label",
        T("{label} is not one of the declared labels.", label=visible(label, 60) or '""'),
        visible(label, 60),
        choices,
        hint if near is not None else _LEFT,
    )


def _wrong_shape(raw: Any, message: Text) -> Fault:
    return Fault("answer_shape", message, _short(raw), [], _LEFT)


def _empty(choices: list[str] | None = None) -> Fault:
    return Fault("empty_answer", T("The answer is empty."), "", choices or [], _LEFT)


def _short(value: Any) -> str:
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 60)
