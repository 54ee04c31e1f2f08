"""A proposal with the values of a person: checked at once, with its words, diff and price made anew."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pydantic import JsonValue

from agent.proposing.cost import price
from agent.proposing.view import TaskRows, value_at, written_data
from tools.change import Change, Edit, Effect, Proposal
from tools.edit_config import config_after, config_diff, refuse_new_problems, text_after
from tools.editing.yaml_text import flow
from tools.errors import InputError, Problem
from tools.preference.usable import pair_problems
from tools.reading.task import load_split
from tools.running.recipe import apply_recipe
from tools.scoring.asking import Asker
from tools.scoring.prompting import template_fields
from tools.task import ConfigFile, Row, Task
from tools.text import Speaker, T, Text, english, visible
from tools.versioning.changes import setting_name


def edited(proposal: Proposal, edits: list[Change], task: Task, say: Speaker = english) -> Proposal:
    """The proposal with the person's changes in place of its own, and everything that follows from them.

    Raises InputError with every problem at once (keys, types, ranges, labels, row ids), or when nothing would change.
    """
    changes = [_made_anew(change, proposal, task) for change in edits]
    text = text_after(task.config, [edit for change in changes for edit in change.edits], say)
    after = checked_config(task, text)
    diff = config_diff(task.config.text, text)
    if not diff:
        raise InputError(
            T("These values are what the configuration has already."),
            hint=T("Give another value, or reject the proposal."),
            page="troubleshooting/configuration",
        )
    same = changes == proposal.changes
    update = {
        "title": proposal.title if same else joined([change.summary for change in changes]),
        "changes": changes,
        "diff": diff,
        "config_sha256": task.config.sha256,
        "effect": proposal.effect if same else _forecast(proposal, changes),
        "cost": price(TaskRows(task), changes, after),
    }
    return proposal.model_copy(update=update)


def _made_anew(change: Change, proposal: Proposal, task: Task) -> Change:
    """The change with the values that the file has now, and in words what it really does."""
    if change in proposal.changes and proposal.config_sha256 == task.config.sha256:
        return change
    written = written_data(task.config.text)
    edits = [Edit(path=edit.path, old=value_at(written, edit.path), new=edit.new) for edit in change.edits]
    summary = joined([_in_words(edit) for edit in edits])
    return Change(kind=change.kind, summary=summary, edits=edits)


def _in_words(edit: Edit) -> Text:
    old, new = shown_value(edit.old), shown_value(edit.new)
    return T("{what}: {old} → {new}", what=setting_name(tuple(edit.path)), old=old, new=new)


def shown_value(value: JsonValue) -> str | Text:
    """A value as a sentence shows it."""
    return T("not set") if value is None else visible(flow(value, inside=False), 80)


def joined(parts: list[Text]) -> Text:
    """Several sentences as one."""
    return reduce(lambda one, other: T("{one}; {other}", one=one, other=other), parts)


def checked_config(task: Task, text: str) -> ConfigFile:
    """The configuration with this text; raises InputError for every problem of its values, its data recipe and its prompt."""
    after = config_after(task, text)
    before = [*task.config.problems, *_recipe_problems(task, task.config)]
    refuse_new_problems(before, [*after.problems, *_recipe_problems(task, after)])
    return after


def _recipe_problems(task: Task, config: ConfigFile) -> list[Problem]:
    """Files that are not the task's, unknown labels and row ids, a method without pairs, a prompt that asks nothing."""
    changed = task.model_copy(update={"config": config})
    train = load_split(changed, "train")
    files = [one for one in train.problems if one.about.get("what") in {"no_file", "outside"}]
    recipe = apply_recipe(changed, train.split, oversample=False)
    return [*files, *recipe.problems, *pair_problems(changed), *_prompt_problems(changed, recipe.rows)]


def _prompt_problems(task: Task, rows: Sequence[Row]) -> list[Problem]:
    """Why rows could not be asked as the configuration says: examples that train does not have, words that mean two labels."""
    template = task.config.values.prompt.template
    if template is not None and not template_fields(template):
        message = T("prompt.template names no field of the rows, so every question would be the same.")
        hint = T("Put field names in braces, such as {example}.", example="{text}")
        return [Problem(message=message, hint=hint, page="methods/prompting")]
    try:
        asker = Asker(task)
        for row in rows[:1]:
            asker.messages(row)
    except InputError as error:
        return error.problems or [Problem(message=error.message, hint=error.hint, page=error.page)]
    return []


def _forecast(proposal: Proposal, changes: list[Change]) -> Effect:
    """The forecast of the values proposed first; where a number was moved the other way, one that expects nothing."""
    effect = proposal.effect
    if not _is_reversed(proposal.changes, changes):
        basis = T("Edited by you; the forecast was made for the values proposed first. {basis}", basis=effect.basis)
        return effect.model_copy(update={"basis": basis})
    size = max(abs(effect.low), abs(effect.high))
    basis = T(
        "Edited by you to the other side of the present value, which the forecast says nothing about: as likely to help "
        "as to harm."
    )
    return effect.model_copy(update={"low": -size, "high": size, "p_better": 0.5, "source": "prior", "basis": basis})


def _is_reversed(proposed: list[Change], changes: list[Change]) -> bool:
    """True when a number was to rise and falls now, or the other way round."""
    ways = {edit.path: _way(edit) for change in proposed for edit in change.edits}
    return any(_way(edit) * ways.get(edit.path, 0) < 0 for change in changes for edit in change.edits)


def _way(edit: Edit) -> int:
    old, new = edit.old, edit.new
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return 0
    return (new > old) - (new < old)
