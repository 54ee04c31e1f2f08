"""A YAML file of the user as a pydantic model: every mistake at once, with its line, key, value, choices and the nearest name.

It is for files that are taken whole or not at all, such as a policy; a task's configuration is read more tolerantly.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue, ValidationError

from tools.editing.nearest import nearest
from tools.editing.yaml_file import YamlFile, read_yaml
from tools.errors import InputError, Problem
from tools.text import T, Text, visible


class Unfit(ValueError):
    """A validator's reason to refuse a value, in words that are translated, with the choice that looks most like it."""

    def __init__(self, message: Text, near: str | None = None) -> None:
        super().__init__(str(message))
        self.message, self.near = message, near


M = TypeVar("M", bound=BaseModel)
Place = tuple[int | str, ...]
"""Keys and 0-based places in lists."""


def read_model(path: Path, model: type[M], *, wrong: Text, hint: Text) -> M:
    """The file as a `model`, an empty one as its defaults; raises InputError with `wrong`, `hint` and every problem."""
    file = read_yaml(path, visible(str(path)))
    try:
        return model.model_validate(file.data)
    except ValidationError as invalid:
        problems = {tuple(_place(file.data, error["loc"])): error for error in reversed(invalid.errors())}
        found = [_problem(file, model, place, error) for place, error in reversed(problems.items())]
        raise InputError(wrong, hint=hint, problems=found) from invalid


def shown_place(place: Place) -> str:
    """The place as people write it, such as approve[2].kinds; list items count from 1."""
    shown = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place)
    return visible(shown.removeprefix("."), 80)


def _problem(file: YamlFile, model: type[BaseModel], place: Place, error: Any) -> Problem:
    unknown, unfit = error["type"] == "extra_forbidden", _unfit(error)
    value = _at(file.data, place)
    choices = [] if unfit is not None else list(_choices(_type_at(model, place[:-1] if unknown else place)))
    given = str(place[-1]) if unknown and place else str(value)
    near = unfit.near if unfit is not None else nearest(given, choices) if choices else None
    return Problem(
        message=_message(shown_place(place), value, error, choose=bool(choices), unknown=unknown),
        path=file.name,
        line=file.line([str(part) for part in place]),
        value=visible(str(value), 80),
        choices=choices,
        hint=T("Did you mean {near}?", near=near) if near else None,
    )


def _message(key: str, value: JsonValue, error: Any, *, choose: bool, unknown: bool) -> Text:
    if unknown:
        return T("{key} is not a key that this file can hold.", key=key)
    if choose and error["type"] in {"enum", "literal_error"}:
        return T("{key} is {value}, which is not one of the choices.", key=key, value=visible(str(value), 80))
    unfit = _unfit(error)
    if unfit is not None:
        return T("{key}: {reason}", key=key or "-", reason=unfit.message)
    if error["type"] in _REASONS:
        reason = _REASONS[error["type"]](error.get("ctx", {}))
        return T("{key} is {value}: {reason}", key=key or "-", value=visible(str(value), 80), reason=reason)
    return T("{key}: {reason}", key=key or "-", reason=visible(error["msg"].removeprefix("Value error, "), 200))


_NUMBER, _WHOLE = T("it must be a number."), T("it must be a whole number.")
_YES_OR_NO, _KEYS = T("it must be true or false."), T("it must hold keys with values.")
_REASONS: dict[str, Callable[[dict[str, Any]], Text]] = {
    "greater_than": lambda limits: T("it must be above {limit:g}.", limit=limits["gt"]),
    "greater_than_equal": lambda limits: T("it must be {limit:g} or more.", limit=limits["ge"]),
    "less_than_equal": lambda limits: T("it must be {limit:g} or less.", limit=limits["le"]),
    **dict.fromkeys(("bool_parsing", "bool_type"), lambda _: _YES_OR_NO),
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), lambda _: _WHOLE),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), lambda _: _NUMBER),
    **dict.fromkeys(("model_type", "dict_type"), lambda _: _KEYS),
    "list_type": lambda _: T("it must be a list."),
}
"""What pydantic says in English alone, for the mistakes that are usual."""


def _unfit(error: Any) -> Unfit | None:
    reason = error.get("ctx", {}).get("error")
    return reason if isinstance(reason, Unfit) else None


def _place(data: JsonValue, loc: Sequence[int | str]) -> Iterator[int | str]:
    """The part of pydantic's place that is in the file; it also names the members of unions that it tried."""
    for part in loc:
        if _holds(data, part):
            yield part
            data = _at(data, (part,))


def _holds(data: JsonValue, part: int | str) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


def _at(data: JsonValue, place: Place) -> JsonValue:
    for part in place:
        data = data[part]  # type: ignore[index]  # _place has walked this way
    return data


def _type_at(annotation: Any, place: Place) -> Any:
    for part in place:
        annotation = _inner(annotation, part)
    return annotation


def _inner(annotation: Any, part: int | str) -> Any:
    """The type of one item of a model, a list or a mapping; None where there is none."""
    origin, args = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return field.annotation if field is not None else None
    if origin in {Union, types.UnionType}:
        return next((found for one in args if (found := _inner(one, part)) is not None), None)
    if origin in {list, tuple} and isinstance(part, int):
        return args[0]
    return args[1] if origin is dict else None


def _choices(annotation: Any) -> Iterator[str]:
    """The names or values that may stand there, where they can be listed."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from annotation.model_fields
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (str(one.value) for one in annotation)
    elif get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    elif get_origin(annotation) in {Union, types.UnionType}:
        for one in get_args(annotation):
            yield from _choices(one)
