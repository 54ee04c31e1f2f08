"""Strict reading of a model's answer in the declared output format, and the name of what is wrong with it.

Strict on purpose: the program that uses the model will be strict too, and a lenient parser would book format faults as
knowledge. Only whitespace around the whole output is removed (str.strip, so ideographic spaces too). There is no Unicode
normalisation: a full-width, half-width or differently composed variant of a label is `unknown_label`. It mends nothing and
scores nothing (tools/scoring/metrics.py). This source is part of the evaluator hash (tools/scoring/evaluator.py): it must
not contain formatted string literals, whose tokens differ between Python versions.
"""

from __future__ import annotations

import json
from enum import StrEnum, auto
from typing import NamedTuple

from pydantic import JsonValue

from tools.task import AnswerFormat


class ParseFailure(StrEnum):
    """Why an output is not an answer; the first that applies, in the order of the checks."""

    empty = auto()
    """Nothing but whitespace."""
    not_json = auto()
    """No JSON at all, or a value that JSON forbids (NaN, a key given twice, half of a surrogate pair)."""
    extra_text = auto()
    """A whole label or object with other text around it."""
    not_object = auto()
    """JSON, but a list, a string, a number or null."""
    missing_field = auto()
    extra_field = auto()
    wrong_type = auto()
    """A field with declared values holds something that is not text."""
    unknown_label = auto()
    """Text that is not one of the declared labels or values."""
    repeated = auto()
    """The same label or object several times."""
    cut_off = auto()
    """JSON that ends before its object does."""


class Parsed(NamedTuple):
    """An answer, or the reason why there is none."""

    value: JsonValue
    """The label (also when the declared format is an object with a label field), the object or the text."""
    failure: ParseFailure | None


MAX_DEPTH = 64
"""Deepest nesting of lists and objects that is still an answer; readers of JSON give up not far beyond 100."""


class _DuplicateKeyError(ValueError):
    """A JSON object names a key twice, so it says two things."""


def parse_answer(answer: AnswerFormat, raw: str) -> Parsed:
    """Read the whole output as one answer in the declared format."""
    text = raw.strip()
    if not text:
        return Parsed(None, ParseFailure.empty)
    if answer.type == "label":
        return _parse_label(answer.labels, text)
    if answer.type == "json":
        return _parse_object(answer, text)
    return Parsed(text, None)


def expected_answer(answer: AnswerFormat, value: JsonValue) -> JsonValue:
    """The expected value in the form in which answers are parsed: an object's label or declared fields, a bare text."""
    if isinstance(value, dict) and answer.label_field is not None:
        return value.get(answer.label_field)
    if isinstance(value, dict) and answer.fields:
        return {field: value[field] for field in answer.fields if field in value}
    if isinstance(value, str) and answer.type == "text":
        return value.strip()
    return value


def _parse_label(labels: list[str], text: str) -> Parsed:
    if text in labels or not labels:
        return Parsed(text, None)
    if any(_is_repeated(label, text) for label in labels):
        return Parsed(None, ParseFailure.repeated)
    if any(_stands_in(label, text) for label in labels):
        return Parsed(None, ParseFailure.extra_text)
    return Parsed(None, ParseFailure.unknown_label)


def _is_repeated(label: str, text: str) -> bool:
    """The label at least twice, with nothing but punctuation or space between; the last may be cut."""
    times, rest = 0, text
    while label and rest.startswith(label):
        times += 1
        rest = _without_separators(rest[len(label) :], label)
    return times > 1 and label.startswith(rest)


def _without_separators(text: str, label: str) -> str:
    start = 0
    while start < len(text) and not text[start].isalnum() and not text.startswith(label, start):
        start += 1
    return text[start:]


def _stands_in(label: str, text: str) -> bool:
    """The label stands in the text on its own, not as part of a word or of a longer Chinese phrase."""
    start = text.find(label) if label else -1
    while start >= 0:
        end = start + len(label)
        if not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum():
            return True
        start = text.find(label, start + 1)
    return False


def _parse_object(answer: AnswerFormat, text: str) -> Parsed:
    try:
        value = _load(text)
    except (ValueError, RecursionError) as fault:
        return Parsed(None, _json_failure(text, fault))
    if not isinstance(value, dict):
        return Parsed(None, ParseFailure.not_object)
    failure = _field_failure(answer, value)
    if failure is not None:
        return Parsed(None, failure)
    if answer.label_field is not None:
        return Parsed(value[answer.label_field], None)
    return Parsed({field: value[field] for field in answer.fields or value}, None)


def _field_failure(answer: AnswerFormat, value: dict[str, JsonValue]) -> ParseFailure | None:
    """What is wrong with the fields of an object; the values of fields without declared values are free."""
    declared = answer.fields or ([answer.label_field] if answer.label_field is not None else list(value))
    if any(field not in value for field in declared):
        return ParseFailure.missing_field
    if len(value) > len(declared):
        return ParseFailure.extra_field
    limited = {field: choices for field in declared if (choices := allowed_values(answer, field)) is not None}
    if any(not isinstance(value[field], str) for field in limited):
        return ParseFailure.wrong_type
    if any(choices and value[field] not in choices for field, choices in limited.items()):
        return ParseFailure.unknown_label
    return None


def allowed_values(answer: AnswerFormat, field: str) -> list[str] | None:
    """The values a field may have; [] for a label field without declared labels, None for a free field."""
    if field in answer.enums:
        return answer.enums[field]
    return answer.labels if field == answer.label_field else None


def _json_failure(text: str, fault: Exception) -> ParseFailure:
    if isinstance(fault, _DuplicateKeyError):
        return ParseFailure.not_json
    start = text.find("{")
    while start >= 0:
        end = _object_end(text, start)
        if end is None:
            return ParseFailure.cut_off
        if _loads_as_object(text[start:end]):
            return ParseFailure.repeated if _is_repeated(text[start:end], text) else ParseFailure.extra_text
        start = text.find("{", end)
    return ParseFailure.not_json


def _object_end(text: str, start: int) -> int | None:
    """The index after the brace that closes the one at `start`; None when the text ends first."""
    depth, in_string, escaped = 0, False, False
    for index in range(start, len(text)):
        char = text[index]
        if in_string:
            in_string = escaped or char != '"'
            escaped = char == "\\" and not escaped
            continue
        in_string = char == '"'
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return index + 1
    return None


def _loads_as_object(text: str) -> bool:
    try:
        return isinstance(_load(text), dict)
    except (ValueError, RecursionError):
        return False


def _load(text: str) -> JsonValue:
    """JSON without Python's extensions; raises ValueError."""
    value: JsonValue = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    if _depth(value) > MAX_DEPTH:
        raise ValueError
    # Half a surrogate pair and a number beyond floating point cannot be stored, so they are not answers.
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    return value


def _depth(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _unique_keys(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _DuplicateKeyError
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
