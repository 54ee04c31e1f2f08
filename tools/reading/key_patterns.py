"""Patterns over the keys of a configuration, as rules of approval name them; one that can fit no key is refused as misspelt.

A limit on a key that does not exist would limit nothing, and nobody would notice before the morning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, get_origin

from pydantic import AfterValidator

from tools.editing.nearest import nearest
from tools.editing.yaml_model import Unfit
from tools.reading.config_keys import SECTIONS, SHORT_FORMS, all_keys, renamed
from tools.text import T


def fits_a_key(pattern: str) -> bool:
    """True when a pattern such as "training.*" or "data.oversample.中立" can fit a setting under its current name."""
    return _fits_one(pattern, [*all_keys()])


def fits_an_edit(pattern: str) -> bool:
    """The same for an edit as a configuration writes it: short forms, old names and whole sections count too."""
    path = tuple(pattern.split("."))
    old = renamed(path) if len(path) == 1 or path[0] in SECTIONS else None
    short = [".".join(one) for one in SHORT_FORMS]
    return (old is not None and old.to is not None) or _fits_one(pattern, [*all_keys(), *short, *SECTIONS])


def nearest_key(pattern: str) -> str | None:
    """The key that a misspelt pattern most likely means, or that an old name was replaced by."""
    old = renamed(tuple(pattern.split(".")))
    return ".".join(old.to) if old is not None and old.to is not None else nearest(pattern, all_keys())


def _fits_one(pattern: str, keys: Sequence[str]) -> bool:
    """True when the pattern fits a key, or what may stand under one that holds a mapping, such as a label's weight."""
    outer = ".".join(pattern.split(".")[:2])
    return any(fnmatchcase(key, pattern) for key in keys) or any(fnmatchcase(key, outer) for key in _mappings())


def _mappings() -> list[str]:
    return [
        f"{section}.{name}"
        for section, model in SECTIONS.items()
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is dict
    ]


def _checked(fits: Callable[[str], bool]) -> AfterValidator:
    def check(pattern: str) -> str:
        if not fits(pattern):
            raise Unfit(T("it fits no key of a configuration."), nearest_key(pattern))
        return pattern

    return AfterValidator(check)


KeyPattern = Annotated[str, _checked(fits_a_key)]
EditPattern = Annotated[str, _checked(fits_an_edit)]
