"""A wish becomes a proposal: checked, shown as a diff, forecast and priced by the same code as every other proposal.

    [("training.learning_rate", 1e-4)]  ->  Proposal, or InputError with everything that is wrong with it

A wish of a person and an idea of a language model take the same way. Nothing is written, approved or trained here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import JsonValue

from agent.conversation.situation import Situation
from agent.conversation.wished_values import Wanted, present, read_wish
from agent.proposing import build
from agent.proposing.draft import Draft
from agent.proposing.edited import checked_config, joined, shown_value
from agent.proposing.forecast import prior_basis, prior_gain
from agent.proposing.model_rules import larger_or_smaller, model_caution
from agent.proposing.view import KeyPath, View
from tools.change import Change, ChangeKind, Difficulty, Proposal, Tier
from tools.diagnose import Diagnosis
from tools.edit_config import text_after
from tools.errors import InputError
from tools.generate_data import entry_edits
from tools.outcomes.status import task_status
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import load_task
from tools.task import Task
from tools.text import Speaker, T, Text, english
from tools.versioning.changes import setting_name

V = TypeVar("V")
Origin = Literal["person", "model"]
WishedEdit = tuple[str, JsonValue]
"""A dotted key such as "data.oversample.中立" and its new value; None takes the key out, so that its default counts."""

_ENTRIES = {("data", "oversample"), ("training", "class_weights"), ("data", "relabel")}
_TOGETHER: dict[KeyPath, KeyPath] = {("lora", "alpha"): ("lora", "r")}
"""Keys that are one variable with another one."""
_BASE_MODEL: KeyPath = ("training", "base_model")
_METHOD: KeyPath = ("training", "method")
_OF_METHOD = {
    ("training", "beta"),
    ("training", "start_from"),
    ("training", "learning_rate"),
    ("training", "epochs"),
    ("data", "preference"),
}
"""Keys that belong to the method when it changes: what is right for SFT is wrong for DPO."""

_KINDS: dict[KeyPath, ChangeKind] = {
    ("data", "train"): ChangeKind.data,
    ("data", "relabel"): ChangeKind.data,
    ("data",): ChangeKind.recipe,
    ("training", "class_weights"): ChangeKind.recipe,
    ("training", "method"): ChangeKind.method,
    ("training", "beta"): ChangeKind.method,
    ("training", "start_from"): ChangeKind.method,
    ("data", "preference"): ChangeKind.method,
    ("training", "base_model"): ChangeKind.base_model,
    ("prompt",): ChangeKind.prompt,
    ("decoding",): ChangeKind.decoding,
}
_PRIORS: dict[tuple[KeyPath, int], str] = {
    (("data", "oversample"), 1): "oversampling",
    (("training", "class_weights"), 1): "class_weights",
    (("lora", "r"), 1): "rank",
    (("lora", "dropout"), 1): "dropout_up",
    (("training", "epochs"), 1): "epochs_up",
    (("training", "epochs"), -1): "epochs_down",
    (("training", "learning_rate"), 1): "learning_rate_up",
    (("training", "learning_rate"), -1): "learning_rate_down",
    (("training", "warmup"), 1): "warmup_up",
    (("training", "max_length"), 1): "max_length_up",
    (("data", "deduplicate"), 1): "deduplicate",
    (("data", "exclude"), 0): "exclude_contradictions",
    (("decoding", "constrained"), 1): "format",
    (("training", "method"), 0): "method",
    (("training", "base_model"), 1): "base_model",
}
"""Key and direction to the row of the table of priors; anything else has the row for what no rule knows."""
_PAGES: dict[KeyPath, str] = {
    ("data", "oversample"): "methods/oversampling",
    ("data", "exclude"): "troubleshooting/label-noise",
    ("data", "relabel"): "troubleshooting/label-noise",
    ("data",): "troubleshooting/small-data",
    ("training", "class_weights"): "methods/class-weights",
    ("training", "base_model"): "methods/model-upgrade",
    ("training", "method"): "methods/comparison",
    ("data", "preference"): "methods/comparison",
    ("training", "max_length"): "troubleshooting/truncation",
    ("training",): "methods/sft",
    ("lora",): "methods/lora",
    ("prompt",): "troubleshooting/output-format",
    ("decoding",): "methods/decoding",
}


def wish(situation: Situation, edits: Sequence[WishedEdit], *, origin: Origin, comment: str | None = None) -> Proposal:
    """The wish as a proposal for the task under discussion.

    Raises InputError with every problem at once (no task, unknown keys, values that do not fit, keys that are nobody's to
    wish), or when the configuration says so already.
    """
    if situation.task is None:
        raise InputError(
            T("No task is under discussion, so there is nothing to change."),
            hint=T("Name a task first: /improve TASK"),
        )
    return wish_for(situation.task, edits, origin=origin, comment=comment, say=situation.say)


def wish_for(
    path: Path, edits: Sequence[WishedEdit], *, origin: Origin, comment: str | None = None, say: Speaker = english
) -> Proposal:
    """The same for the task in a folder."""
    task = load_task(path)
    wanted = read_wish(task, edits)
    view = _view(task)
    changes = _changes(view, wanted)
    checked_config(task, text_after(task.config, [edit for one in changes for edit in one.edits], say))
    proposal = build(view, _draft(view, wanted, changes, origin), say)
    return proposal.model_copy(update={"origin": origin, "comment": comment})


def _view(task: Task) -> View:
    """The task with its scores; no rule is run for a wish."""
    status = task_status(task, read_results(ReadResultsArgs(task_dir=task.path)))
    return View(task, Diagnosis(task=task.name, version=status.version, findings=[], healthy=True, status=status))


def _changes(view: View, wanted: Sequence[Wanted]) -> list[Change]:
    """One change for each variable: keys that only make sense together, and the labels of one section, are one."""
    groups: dict[KeyPath, list[Wanted]] = {}
    of_method = _OF_METHOD if any(one.path == _METHOD for one in wanted) else set()
    for one in wanted:
        field = one.path[:2]
        groups.setdefault(_METHOD if field in of_method else _TOGETHER.get(field, field), []).append(one)
    return [_change(view, group) for group in groups.values()]


def _change(view: View, group: Sequence[Wanted]) -> Change:
    summary = joined([_in_words(view.task, one) for one in group])
    kind = _lookup(_KINDS, group[0].path, ChangeKind.config)
    field = group[0].path[:2]
    entries = {one.path[2]: one.value for one in group if len(one.path) == 3}
    given = {label: value for label, value in entries.items() if isinstance(value, int | float | str)}
    if field in _ENTRIES and len(given) == len(group):
        edits = entry_edits(view.task, (field[0], field[1]), _labels_now(view.task, field), given)
        return Change(kind=kind, summary=summary, edits=edits)
    return view.change(kind, summary, {one.path: one.value for one in group})


def _labels_now(task: Task, field: KeyPath) -> dict[str, float | str]:
    now = present(task, field)
    return (
        {label: value for label, value in now.items() if isinstance(value, int | float | str)}
        if isinstance(now, dict)
        else {}
    )


def _in_words(task: Task, wanted: Wanted) -> Text:
    old, new = shown_value(_plainly(present(task, wanted.path))), shown_value(_plainly(wanted.value))
    return T("{what}: {old} → {new}", what=setting_name(wanted.path), old=old, new=new)


def _plainly(value: JsonValue) -> JsonValue:
    """Whole numbers without a decimal point, as people write them."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _draft(view: View, wanted: Sequence[Wanted], changes: list[Change], origin: Origin) -> Draft:
    first = wanted[0]
    prior = _PRIORS.get((first.path[:2], _direction(view, first)), "other")
    asked = T("You asked for this change.") if origin == "person" else T("A language model suggested this change.")
    draft = Draft(
        title=joined([change.summary for change in changes]),
        findings=[],
        changes=changes,
        metric=_metric(view, wanted),
        # No finding asked for it, so it is half as likely to be the right change.
        gain=prior_gain(prior, certain=False),
        basis=T("{basis} No finding asked for it, so that is halved.", basis=prior_basis(prior)),
        page=_lookup(_PAGES, first.path, "troubleshooting/configuration"),
        problem=asked,
        caution=_caution(view, wanted, changes),
    )
    if any(change.kind is ChangeKind.base_model for change in changes):
        return replace(draft, tier=Tier.long, difficulty=Difficulty.high)
    return draft


def _caution(view: View, wanted: Sequence[Wanted], changes: Sequence[Change]) -> Text | None:
    if len(changes) < 2:
        return model_caution(view, str(wanted[0].value)) if wanted[0].path == _BASE_MODEL else None
    return T(
        "It changes {count} settings at once: if the score moves, nothing tells which of them did it.",
        count=len(changes),
    )


def _direction(view: View, wanted: Wanted) -> int:
    """1 for more, -1 for less, 0 where neither can be said; a label that is not named weighs 1 and is not repeated."""
    if wanted.path == _BASE_MODEL:
        return larger_or_smaller(view, str(wanted.value))
    old, new = present(view.task, wanted.path), wanted.value
    if old is None and len(wanted.path) == 3:
        old = 1 if wanted.path[:2] == ("training", "class_weights") else 0
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return 0
    return (new > old) - (new < old)


def _metric(view: View, wanted: Sequence[Wanted]) -> str:
    """The F1 of the label when the wish is about one label, else the primary metric."""
    labels = {one.path[2] for one in wanted if len(one.path) == 3 and one.path[:2] in _ENTRIES}
    if len(labels) == 1 and all(len(one.path) == 3 for one in wanted):
        metric = f"f1[{labels.pop()}]"
        return metric if view.now(metric) is not None else view.metric
    return view.metric


def _lookup(table: dict[KeyPath, V], path: KeyPath, otherwise: V) -> V:
    """The entry for a field, else for its section."""
    return table.get(path[:2], table.get(path[:1], otherwise))
