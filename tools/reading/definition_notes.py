"""Collecting what is odd about a definition while it is read, each with the line of its key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from pydantic import JsonValue

from tools.editing.nearest import nearest
from tools.editing.yaml_file import YamlFile
from tools.errors import Problem
from tools.text import T, Text, visible

_PAGE = "troubleshooting/configuration"


class Notes:
    """One definition being read: its data, its problems so far, and the rows it describes when they are asked for."""

    def __init__(self, file: YamlFile, peek: Callable[[], list[dict[str, Any]]]) -> None:
        self.file = file
        self.data = file.data
        self.problems: list[Problem] = list(file.problems)
        self._peek = peek

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Raw objects of the training file, read once and only when something has to be guessed."""
        return self._peek()

    def assumed(self, path: Sequence[str], message: Text, what: str) -> None:
        """Note that something was missing and has been filled in."""
        self._add(path, message, None, about={"what": what})

    def wrong(
        self,
        path: Sequence[str],
        message: Text,
        value: JsonValue = None,
        *,
        choices: Sequence[str] = (),
        hint: Text | None = None,
    ) -> None:
        """Note that a value cannot be used as it is."""
        self._add(path, message, "config_mistyped_value", value=_shown(value), choices=list(choices), hint=hint)

    def one_of(self, path: Sequence[str], value: JsonValue, choices: Sequence[str]) -> None:
        """Note a value that is none of the valid ones, with the nearest of them."""
        near = nearest(str(value), choices)
        message = T("{key} is {value}, which is not valid.", key=".".join(path), value=_shown(value) or "-")
        hint = T("The nearest valid one is {near}.", near=near) if near else T("Choose one of the valid ones.")
        self.wrong(path, message, value, choices=choices, hint=hint)

    def text(self, *path: str) -> str | None:
        """A value that should be a text; numbers are written out; None when it is missing or something else."""
        value: JsonValue = self.data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        self.wrong(path, T("{key} must be a text.", key=".".join(path)), value)
        return None

    def _add(self, path: Sequence[str], message: Text, kind: str | None, **more: Any) -> None:
        about = {"key": ".".join(path), "path": list(path), "file": self.file.name, **more.pop("about", {})}
        line = self.file.line(list(path))
        self.problems.append(
            Problem(message=message, path=self.file.name, line=line, page=_PAGE, kind=kind, about=about, **more)
        )


def _shown(value: JsonValue) -> str | None:
    return None if value is None else visible(str(value), 60)
