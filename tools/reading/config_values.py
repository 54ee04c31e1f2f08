"""Checking one value of a configuration: its type, its range, and how it is spelled.

A value is understood wherever it can be (a quoted number is a number), and the check says so. It knows fields, not files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Literal, NamedTuple

from pydantic import JsonValue, ValidationError

from tools.reading.config_keys import SECTIONS, Path
from tools.text import T, Text, visible

What = Literal["quoted", "not_a_list", "spelling", "wrong_value"]


class Slip(NamedTuple):
    """A value that is not written as it should be."""

    what: What
    path: Path
    """Of the field, or of the entry or item inside it."""
    given: JsonValue
    understood: JsonValue
    """The value it was taken for; None when the default stands in."""


class Checked(NamedTuple):
    """A field's value with its slips; `usable` is False when the default must stand in."""

    usable: bool
    value: JsonValue
    slips: list[Slip]


def check_value(path: Path, value: JsonValue) -> Checked:
    """Check the value of one known field, entry by entry where it is a list or a mapping."""
    if isinstance(value, dict) and _holds(path, "object"):
        return _check_entries(path, value)
    if isinstance(value, list) and _holds(path, "array"):
        return _check_items(path, value)
    return _check_single(path, value, lambda item: item)


def _check_entries(path: Path, value: dict[str, JsonValue]) -> Checked:
    kept: dict[str, JsonValue] = {}
    slips: list[Slip] = []
    for name, item in value.items():
        checked = _check_single((*path, name), item, partial(_entry, name))
        slips += checked.slips
        if checked.usable:
            kept[name] = checked.value
    return Checked(True, kept, slips)


def _entry(name: str, value: JsonValue) -> JsonValue:
    return {name: value}


def _check_items(path: Path, value: list[JsonValue]) -> Checked:
    kept: list[JsonValue] = []
    slips: list[Slip] = []
    for index, item in enumerate(value):
        checked = _check_single((*path, str(index)), item, lambda held: [held])
        slips += checked.slips
        if checked.usable:
            kept.append(checked.value)
    return Checked(True, kept, slips)


def _check_single(path: Path, value: JsonValue, wrap: Callable[[JsonValue], JsonValue]) -> Checked:
    if _fits(path, wrap(value), value):
        return Checked(True, value, [])
    for what, guess in _guesses(path, value):
        if _fits(path, wrap(guess), guess):
            return Checked(True, guess, [Slip(what, path, value, guess)])
    return Checked(False, None, [Slip("wrong_value", path, value, None)])


def _guesses(path: Path, value: JsonValue) -> list[tuple[What, JsonValue]]:
    """What a value that does not fit may have been meant as, likeliest first."""
    guesses: list[tuple[What, JsonValue]] = []
    if isinstance(value, str):
        number = _number(value)
        guesses += [("quoted", number)] if number is not None else []
        guesses += [("quoted", value.strip().lower() == "true")] if value.strip().lower() in {"true", "false"} else []
        guesses += [("spelling", value.strip().lower())]
    if isinstance(value, int | float) and not isinstance(value, bool):
        guesses += [("spelling", str(value))] if _holds(path, "object") or _holds(path, "array") else []
    if isinstance(value, str | int | float):
        guesses += [("not_a_list", [value])]
    return guesses


def _number(text: str) -> int | float | None:
    """The number that a text is; None for other text and for numbers beyond floating point."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and text.strip().lstrip("+-").isdecimal() else number


def _fits(path: Path, whole: JsonValue, part: JsonValue) -> bool:
    """True when the field accepts the value as it is written, without turning text or true/false into numbers."""
    if isinstance(part, float) and not math.isfinite(part):
        return False
    section, field = path[0], path[1]
    try:
        accepted = getattr(SECTIONS[section].model_validate({field: whole}), field)
    except ValidationError:
        return False
    while isinstance(accepted, dict | list) and not isinstance(part, dict | list):
        accepted = next(iter(accepted.values() if isinstance(accepted, dict) else accepted))
    return isinstance(accepted, str | bool) == isinstance(part, str | bool)


@cache
def _schema(path: Path) -> dict[str, Any]:
    properties: dict[str, Any] = SECTIONS[path[0]].model_json_schema()["properties"]
    schema: dict[str, Any] = properties[path[1]]
    return schema


def _variants(path: Path) -> list[dict[str, Any]]:
    """The schemas a value may fulfil: of the field, or of its entries for a longer path."""
    variants: list[dict[str, Any]] = _schema(path[:2]).get("anyOf", [_schema(path[:2])])
    if len(path) == 2:
        return variants
    return [inner for schema in variants if (inner := schema.get("items") or schema.get("additionalProperties"))]


def _holds(path: Path, kind: str) -> bool:
    return any(schema.get("type") == kind for schema in _variants(path[:2]))


def choices_for(path: Path) -> list[str]:
    """The values a field may have, when they can be listed."""
    return [str(choice) for schema in _variants(path) for choice in schema.get("enum", [schema.get("const")]) if choice]


def wanted(path: Path) -> Text:
    """What a field takes, in words: "a whole number above 0"."""
    if choices := choices_for(path):
        return T("one of {choices}", choices=", ".join(choices))
    schema = _variants(path)[0]
    kinds = {
        "integer": T("a whole number"),
        "number": T("a number"),
        "boolean": T("true or false"),
        "string": T("a text"),
        "array": T("a list"),
        "object": T("keys with values"),
    }
    kind = kinds.get(str(schema.get("type")), T("another value"))
    limits = [text for text in (_lower(schema), _upper(schema)) if text is not None]
    if len(limits) == 2:
        return T("{kind} {low} and {high}", kind=kind, low=limits[0], high=limits[1])
    return T("{kind} {limit}", kind=kind, limit=limits[0]) if limits else kind


def _lower(schema: dict[str, Any]) -> Text | None:
    if "exclusiveMinimum" in schema:
        return T("above {limit}", limit=schema["exclusiveMinimum"])
    return T("of at least {limit}", limit=schema["minimum"]) if "minimum" in schema else None


def _upper(schema: dict[str, Any]) -> Text | None:
    if "exclusiveMaximum" in schema:
        return T("below {limit}", limit=schema["exclusiveMaximum"])
    return T("of at most {limit}", limit=schema["maximum"]) if "maximum" in schema else None


def default_of(path: Path) -> JsonValue:
    """The default of a field."""
    value: JsonValue = SECTIONS[path[0]].model_fields[path[1]].get_default(call_default_factory=True)
    return value


def shown(value: JsonValue) -> str:
    """A value as it is put into a message."""
    return visible(json.dumps(value, ensure_ascii=False), 60)
