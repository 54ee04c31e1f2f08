"""What can be wrong with a configuration, in words for people and in `kind` and `about` for diagnosis.

`about` holds `key` and `path` as written in `file`, and where a repair is known `fix_path` and `fix_value` (the edit of the
configuration that mends it; a `fix_path` of null means that the key is only to be removed).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import JsonValue

from tools.editing.nearest import nearest
from tools.editing.yaml_file import YamlFile
from tools.editing.yaml_text import number
from tools.errors import Problem
from tools.reading.config_keys import Path, Renamed, all_keys
from tools.reading.config_values import Slip, choices_for, default_of, shown, wanted
from tools.text import T, Text, visible

_PAGE = "troubleshooting/configuration"
_SIMILAR = 60
"""From this likeness (0 to 100) on a known key is named as the nearest."""
_ALIKE = 80
"""From this likeness on an unknown key is taken for a typing error and a repair is offered."""


class Source(NamedTuple):
    """One of the two files that give values."""

    name: str
    data: dict[str, JsonValue]
    yaml: YamlFile | None

    def line(self, path: Path) -> int | None:
        """The line of a key."""
        return self.yaml.line(path) if self.yaml is not None else None

    def gives(self, path: Path) -> bool:
        """True when the file has that section's field under its current name."""
        section = self.data.get(path[0])
        return isinstance(section, dict) and path[1] in section


class Given(NamedTuple):
    """One value as a file gives it."""

    path: Path
    """The field under its current name; empty when the key was dropped."""
    written: Path
    """The key as it stands in the file."""
    value: JsonValue
    renamed: Renamed | None = None


def unknown_key(source: Source, written: Path, value: JsonValue) -> Problem:
    """A key that nobody reads."""
    fields = {path[1]: path for path in all_keys().values()}
    near, alike = nearest(written[-1], fields, _SIMILAR), nearest(written[-1], fields, _ALIKE)
    mends = alike is not None and not source.gives(fields[alike])
    fix: dict[str, JsonValue] = {"fix_path": list(fields[alike]), "fix_value": value} if alike and mends else {}
    name = ".".join(fields[near]) if near else None
    hint = T("The nearest known key is {near}.", near=name) if name else T("Remove it, or check its spelling.")
    return _problem(
        source,
        written,
        "config_unknown_key",
        T("The key {key} is not known; it has no effect.", key=visible(".".join(written), 80)),
        value=shown(value),
        choices=[name] if name else [],
        hint=hint,
        fix=fix,
    )


def renamed_key(source: Source, given: Given, reason: Text) -> Problem:
    """A key that current libraries or this program call otherwise, or no longer have."""
    old, new = visible(".".join(given.written), 80), ".".join(given.path)
    if not given.path:
        message = T("{key} has no effect here. {reason}", key=old, reason=reason)
        hint = T("Remove the line.")
    else:
        message = T("{key} is now {new}. {reason}", key=old, new=new, reason=reason)
        hint = T(
            "Write {new}: {value} instead; it is understood that way meanwhile.", new=new, value=shown(given.value)
        )
    fix: dict[str, JsonValue] = {"fix_path": list(given.path) or None, "fix_value": given.value if given.path else None}
    return _problem(source, given.written, "config_renamed_key", message, value=shown(given.value), hint=hint, fix=fix)


def written_for_yaml_1_1(source: Source, written: Path, path: Path, value: float, text: str) -> Problem:
    """A number such as 1e-5, which training scripts that use PyYAML get as text."""
    message = T(
        "{key}: {text} is a number here, but readers of YAML 1.1 such as PyYAML take it for text.",
        key=visible(".".join(written), 80),
        text=text,
    )
    hint = T("Write {number}.", number=number(value))
    fix: dict[str, JsonValue] = {
        "what": "yaml_1_1",
        "fix_path": list(path),
        "fix_value": value,
        "fix_text": number(value),
    }
    return _problem(source, written, "config_mistyped_value", message, value=text, hint=hint, fix=fix)


def slip(source: Source, given: Given, found: Slip) -> Problem:
    """A value of the wrong type, out of range, or spelled otherwise than it should be."""
    written = (*given.written, *found.path[2:])
    key = visible(".".join(written), 80)
    held = shown(found.given)
    if found.what == "wrong_value":
        default = default_of(given.path) if len(found.path) == 2 else None
        message = T("{key} must be {wanted}, and it is {value}.", key=key, wanted=wanted(found.path), value=held)
        used = T("The default {default} is used meanwhile.", default=shown(default))
        hint = used if len(found.path) == 2 else T("This entry is left out meanwhile.")
        understood = default
    else:
        message = T(
            "{key} is {value} where it should be {understood}.", key=key, value=held, understood=shown(found.understood)
        )
        hint = T("Write {understood}; it is understood that way meanwhile.", understood=shown(found.understood))
        understood = found.understood
    fix: dict[str, JsonValue] = {"what": found.what, "fix_path": list(found.path), "fix_value": understood}
    problem = _problem(source, written, "config_mistyped_value", message, value=held, hint=hint, fix=fix)
    return problem.model_copy(update={"choices": choices_for(found.path)})


def wrong_section(source: Source, written: Path, value: JsonValue) -> Problem:
    """A section that is no mapping."""
    message = T("{key} must be keys with values, and it is {value}.", key=written[0], value=shown(value))
    hint = T("Its defaults are used meanwhile.")
    return _problem(
        source, written, "config_mistyped_value", message, value=shown(value), hint=hint, fix={"what": "wrong_value"}
    )


def conflict(source: Source, below: Source, path: Path, value: JsonValue, other: JsonValue) -> Problem:
    """Both files give a value, and not the same one."""
    key = ".".join(path)
    message = T(
        "{key} is {value} in {file} and {other} in {below}; {file} counts.",
        key=key,
        value=shown(value),
        file=source.name,
        other=shown(other),
        below=below.name,
    )
    hint = T("Remove the value in {below} if it is no longer meant.", below=below.name)
    fix: dict[str, JsonValue] = {"config_value": value, "definition_value": other}
    return _problem(source, path, "config_conflict", message, value=shown(value), hint=hint, fix=fix)


def not_dividing(source: Source, batch: int, micro: int) -> Problem:
    """A micro batch that does not divide the batch."""
    written: Path = ("training", "micro_batch_size")
    message = T(
        "training.micro_batch_size is {micro}, which does not divide batch_size {batch}.", micro=micro, batch=batch
    )
    divisors = [str(part) for part in range(1, min(batch, 512) + 1) if batch % part == 0]
    hint = T("Choose a divisor of batch_size; the whole batch is taken at once meanwhile.")
    fitting = max(int(part) for part in divisors if int(part) <= micro)
    fix: dict[str, JsonValue] = {"what": "wrong_value", "fix_path": list(written), "fix_value": fitting}
    problem = _problem(source, written, "config_mistyped_value", message, value=str(micro), hint=hint, fix=fix)
    return problem.model_copy(update={"choices": divisors})


def _problem(  # noqa: PLR0913 - the parts of a problem, all of them named by its callers
    source: Source,
    written: Path,
    kind: str,
    message: Text,
    *,
    value: str,
    hint: Text,
    fix: dict[str, JsonValue],
    choices: Sequence[str] = (),
) -> Problem:
    return Problem(
        message=message,
        path=source.name,
        line=source.line(written),
        value=value,
        choices=list(choices),
        hint=hint,
        page=_PAGE,
        kind=kind,
        about={"key": ".".join(written), "path": list(written), "file": source.name, **fix},
    )
