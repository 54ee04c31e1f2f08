"""What a person typed behind /predict and /export, as a row to ask and an export to plan. Nothing is loaded or written here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from agent.conversation.typed import unquoted
from tools.errors import InputError
from tools.exporting.export import FORMS, Wish
from tools.exporting.rows_to_answer import filled, single_row
from tools.exporting.version import UsedVersion, used_version
from tools.runs import Example
from tools.text import T, visible

EXPORTS = "exports"
"""Folder of the workspace that an export goes to when none is named."""


@dataclass(frozen=True)
class TypedRow:
    """A row as far as it was typed."""

    used: UsedVersion
    version: str | None
    """The one that was named; None for the one in use."""
    fields: dict[str, str]
    """Those given by name."""
    text: str | None

    @property
    def values(self) -> dict[str, str]:
        """Field to value, the text where it belongs; raises InputError where every field has its value already."""
        return filled(self.used.task.definition.input_fields, self.text, None, self.fields)

    @property
    def missing(self) -> list[str]:
        """Fields of the task that were not given."""
        values = self.values
        return [name for name in self.used.task.definition.input_fields if name not in values]

    def completed(self, more: Mapping[str, str]) -> TypedRow:
        """The row with further fields."""
        return replace(self, fields={**self.fields, **more})

    def examples(self) -> list[Example]:
        """The row as the version is asked it; raises InputError while a field is missing."""
        if self.missing:
            names = ", ".join(self.used.task.definition.input_fields)
            raise InputError(
                T("A row of this task has the fields {fields}.", fields=visible(names, 200)),
                hint=T("Give what is missing before the text: {line}", line=visible(self.as_line("..."), 300)),
            )
        return single_row(self.used, None, None, self.values)

    def as_line(self, blank: str = "") -> str:
        """The command with a place for each missing field, to be completed, such as: /predict target= TEXT."""
        pairs = [f"{name}={_quoted(value)}" for name, value in self.fields.items()]
        pairs += [f"{name}={blank}" for name in self.missing]
        return " ".join(filter(None, ["/predict", self.version, *pairs, self.text]))


def typed_row(task: Path, args: Mapping[str, JsonValue]) -> TypedRow:
    """The version that is meant and the fields that were typed; raises what keeps the version from being used."""
    used = version_meant(task, args)
    version = args.get("version")
    fields, text = named_fields(str(args.get("text") or ""), used.task.definition.input_fields)
    return TypedRow(used, version if isinstance(version, str) else None, fields, text)


def version_meant(task: Path, args: Mapping[str, JsonValue]) -> UsedVersion:
    """The version that was named, else the one in use; raises what keeps it from being used, with the next step."""
    version = args.get("version")
    return used_version(task, version if isinstance(version, str) else None)


def named_fields(typed: str, names: Sequence[str]) -> tuple[dict[str, str], str | None]:
    """The NAME=VALUE before and behind a text, for names of the task's fields, and the text; None when none is left.

    A value with spaces stands in quotes. Within the text such words are words.
    """
    pair = rf"({'|'.join(map(re.escape, names))})[=＝](\"[^\"]*\"|“[^”]*”|「[^」]*」|\S*)"
    fields: dict[str, str] = {}
    before: Callable[[str], re.Match[str] | None] = re.compile(rf"\s*{pair}(?:\s|$)").match
    behind: Callable[[str], re.Match[str] | None] = re.compile(rf"(?:^|\s){pair}\s*$").search
    for look in (before, behind):
        while (found := look(typed)) is not None:
            value = unquoted(found[2])
            fields |= {found[1]: value} if value else {}
            typed = typed[: found.start()] + typed[found.end() :]
    return fields, unquoted(typed)


def export_wish(workspace: Path, used: UsedVersion, args: Mapping[str, JsonValue]) -> Wish:
    """What would be exported: the adapter unless forms were named, into a folder of the workspace unless one was named."""
    asked, folder = args.get("form"), args.get("folder")
    forms = tuple(form for form in FORMS if isinstance(asked, list) and form in asked)
    if not forms:
        forms = ("merged",) if used.task.config.values.lora is None else ("adapter",)
    usual = workspace / EXPORTS / f"{used.task.name}-{used.version}"
    return Wish(Path(folder).expanduser().absolute() if isinstance(folder, str) else usual, forms)


def _quoted(value: str) -> str:
    if not re.search(r"\s", value):
        return value
    return f"“{value}”" if '"' in value else f'"{value}"'
