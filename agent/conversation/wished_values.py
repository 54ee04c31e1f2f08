"""The keys and values of a wish: what each key is called now, whether it may be wished for, and whether the value fits.

Every problem is collected, none is guessed away silently. What a wish would do is agent/conversation/wishes.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, JsonValue

from tools.editing.nearest import nearest
from tools.errors import InputError, Problem
from tools.reading.config_keys import SECTIONS, SHORT_FORMS, all_keys, renamed
from tools.reading.config_values import check_value, choices_for, shown, wanted
from tools.reading.task import inside
from tools.task import Task
from tools.text import T, Text, visible

KeyPath = tuple[str, ...]

MOST_EDITS = 12
"""Keys in one wish; more at once is another configuration, not a change."""
_MAPPINGS = {("training", "class_weights"), ("data", "oversample"), ("data", "relabel"), ("prompt", "label_words")}
_NOT_WISHED: dict[KeyPath, Text] = {
    ("training", "command"): T("it names a program to run"),
    ("data", "valid"): T("it says what versions are measured with"),
    ("data", "test"): T("it says what versions are measured with"),
    ("data", "valid_fraction"): T("it says what versions are measured with"),
    ("data", "carve_seed"): T("it says what versions are measured with"),
    ("launcher", "kind"): T("it says where programs run"),
}
"""Keys that only a person changes, in the file itself, with the reason."""
_PAGE = "troubleshooting/configuration"


class Wanted(NamedTuple):
    """One key under its current name, and its new value."""

    path: KeyPath
    value: JsonValue


def read_wish(task: Task, edits: Sequence[tuple[str, JsonValue]]) -> list[Wanted]:
    """The edits with current key names and values as the fields take them; raises InputError with every problem.

    Rows of data.exclude are added to those left out already; a mapping such as data.oversample changes the named labels only.
    """
    if not 0 < len(edits) <= MOST_EDITS:
        raise _too_many(len(edits))
    problems: list[Problem] = []
    found: dict[KeyPath, JsonValue] = {}
    for key, value in edits:
        path = key_path(key)
        problem = _unknown(key) if path is None else _barred(task, path, value)
        if path is None or problem is not None:
            problems += [problem] if problem is not None else []
            continue
        for each in _entries(path, value):
            checked = _checked(each)
            if isinstance(checked, Problem):
                problems.append(checked)
            else:
                found[checked.path] = _with_present(task, checked)
    if problems:
        raise InputError(
            T("This cannot be proposed."), hint=T("All problems are listed."), page=_PAGE, problems=problems
        )
    return _news(task, [Wanted(path, value) for path, value in found.items()])


def _too_many(count: int) -> InputError:
    return InputError(
        T("A wish names 1 to {most} keys, and this one names {count}.", most=MOST_EDITS, count=count),
        hint=T("Name the keys that matter most; one variable at a time tells what helped."),
        page=_PAGE,
    )


def _news(task: Task, wishes: list[Wanted]) -> list[Wanted]:
    """The wishes that change something; raises InputError when there is none."""
    news = [one for one in wishes if not _same(task, one)]
    if not news:
        keys = ", ".join(visible(".".join(one.path), 80) for one in wishes)
        raise InputError(
            T("The configuration has this already: {keys}.", keys=keys), hint=T("Give another value."), page=_PAGE
        )
    return news


def _same(task: Task, wanted: Wanted) -> bool:
    now = present(task, wanted.path)
    if wanted.value is None:
        return ".".join(wanted.path[:2]) not in task.config.origins or (len(wanted.path) == 3 and now is None)
    return now == wanted.value


def key_path(key: str) -> KeyPath | None:
    """The path of a key as people write it: current, older and short names; a label may follow and may hold dots."""
    parts = tuple(part.strip() for part in key.strip().split("."))
    if parts[:2] in all_keys().values():
        rest = ".".join(parts[2:])
        if not rest:
            return parts[:2]
        return (*parts[:2], rest) if parts[:2] in _MAPPINGS else None
    if parts in SHORT_FORMS:
        return SHORT_FORMS[parts]
    old = renamed(parts) if len(parts) <= 2 and all(parts) else None
    return old.to if old is not None and old.value is None else None


def present(task: Task, path: KeyPath) -> JsonValue:
    """The value that counts now, defaults filled in; None where there is none."""
    section: BaseModel | None = getattr(task.config.values, path[0])
    if section is None:
        return None
    value: JsonValue = section.model_dump(mode="json", include={path[1]}).get(path[1])
    if len(path) == 3:
        return value.get(path[2]) if isinstance(value, dict) else None
    return value


def _entries(path: KeyPath, value: JsonValue) -> list[Wanted]:
    """A mapping as one wish for each of its entries."""
    if path in _MAPPINGS and isinstance(value, dict) and value:
        return [Wanted((*path, name), item) for name, item in value.items()]
    return [Wanted(path, value)]


def _checked(one: Wanted) -> Wanted | Problem:
    """The value as the field takes it, such as a number for the text "2e-5"."""
    if one.value is None:
        return one
    whole: JsonValue = {one.path[2]: one.value} if len(one.path) == 3 else one.value
    found = check_value(one.path[:2], whole)
    wrong = [slip for slip in found.slips if slip.what == "wrong_value"]
    if not found.usable or wrong:
        return _does_not_fit(one)
    value = found.value.get(one.path[2]) if len(one.path) == 3 and isinstance(found.value, dict) else found.value
    return Wanted(one.path, value)


def _with_present(task: Task, one: Wanted) -> JsonValue:
    """The rows to leave out besides those that are left out already; any other value as it is."""
    now = present(task, one.path)
    if one.path != ("data", "exclude") or not isinstance(one.value, list) or not isinstance(now, list):
        return one.value
    return list(dict.fromkeys(str(row) for row in (*now, *one.value)))


def _barred(task: Task, path: KeyPath, value: JsonValue) -> Problem | None:
    """Keys that are nobody's to wish, and files that are none of the task's."""
    key = ".".join(path)
    if path[:2] in _NOT_WISHED:
        return Problem(
            message=T("{key} is not changed by a wish: {reason}.", key=key, reason=_NOT_WISHED[path[:2]]),
            hint=T("Change it yourself in {file} if you mean it.", file="configs/training_config.yaml"),
            page=_PAGE,
        )
    if path == ("data", "train"):
        files = [str(file) for file in (value if isinstance(value, list) else [value])]
        measured = _measured(task, files)
        if measured is not None:
            return measured
    elif path == ("training", "base_model") and _is_path(str(value)):
        files = [str(value)]
    else:
        return None
    odd = [file for file in files if (place := inside(task.path, file)) is None or not place.exists()]
    return None if not odd else _no_such_file(key, odd[0])


def _measured(task: Task, files: Sequence[str]) -> Problem | None:
    """Training on rows that versions are measured with is no wish to be had, whatever name the file is given by."""
    recipe = task.config.values.data
    kept = {(task.path / file).resolve() for file in (recipe.valid, recipe.test) if file is not None}
    for file in files:
        place = inside(task.path, file)
        if place is not None and place.resolve() in kept:
            return Problem(
                message=T(
                    "{file} is what versions are measured with; training on it would make the scores worthless.",
                    file=visible(file, 80),
                ),
                value=visible(file, 80),
                page="troubleshooting/data-leak",
            )
    return None


def _is_path(name: str) -> bool:
    """True for a base model that is a folder rather than a name of the hub or an embedded one."""
    return name.startswith((".", "/", "~", "\\")) or ".." in name or "\\" in name


def _no_such_file(key: str, file: str) -> Problem:
    return Problem(
        message=T("{key}: {file} is not in the task's folder.", key=key, file=visible(file, 80)),
        value=visible(file, 80),
        hint=T("Put it into the task's folder first; nothing outside is used by a wish."),
        page="troubleshooting/broken-files",
    )


def _unknown(key: str) -> Problem:
    names = {path[1]: ".".join(path) for path in all_keys().values()}
    asked = key.strip()
    near = nearest(asked, names.values()) or names.get(nearest(asked.rsplit(".", 1)[-1], names) or "")
    choices = [near] if near else sorted(SECTIONS)
    return Problem(
        message=T("{key} is no key of the configuration.", key=visible(asked, 80) or "''"),
        value=visible(asked, 80),
        choices=choices,
        hint=T("Did you mean {near}?", near=near)
        if near
        else T("The sections are {names}.", names=", ".join(SECTIONS)),
        page=_PAGE,
    )


def _does_not_fit(one: Wanted) -> Problem:
    return Problem(
        message=T(
            "{key} must be {wanted}, and it is {value}.",
            key=visible(".".join(one.path), 80),
            wanted=wanted(one.path),
            value=shown(one.value),
        ),
        value=shown(one.value),
        choices=choices_for(one.path),
        page=_PAGE,
    )
