"""Which version's weights a training begins with: training.start_from, or what the method asks for when it is not set."""

from __future__ import annotations

from tools.edit_config import config_after
from tools.errors import InputError, NotFound
from tools.running.weights import start_folder
from tools.task import Task
from tools.text import T, Text, visible
from tools.versioning.adopt import current
from tools.versioning.records import find_version, snapshot_text

CONTINUING = frozenset({"dpo", "kto"})
"""Methods that polish a trained model: without training.start_from they begin with the parent version's weights."""


def start_version(task: Task, version: str) -> str | None:
    """The version whose weights the training of `version` begins with; None for the base model.

    Not set, dpo and kto begin with the parent (the adopted version where no parent is recorded) if its weights are here. Raises
    InputError when training.start_from asks for a parent without weights, and for weights of another shape or base model.
    """
    training = task.config.values.training
    asked = training.start_from == "parent"
    if training.command is not None or not (asked or (training.start_from is None and training.method in CONTINUING)):
        return None
    parent = parent_of(task, version)
    if parent is None or not can_start(task, parent):
        if not asked:
            return None
        raise InputError(
            T("training.start_from is parent, and {parent} has no weights here.", parent=visible(parent or "-", 40)),
            hint=T("Set training.start_from to base, or train the parent version again."),
            page="methods/dpo",
        )
    _require_fit(task, parent)
    return parent


def parent_of(task: Task, version: str) -> str | None:
    """The recorded parent of a version, else the version in use."""
    try:
        manifest = find_version(task.path, version).manifest
    except NotFound:
        manifest = None
    if manifest is not None and manifest.parent is not None:
        return manifest.parent
    pointer = current(task.path)
    return pointer.version if pointer is not None and pointer.version != version else None


def can_start(task: Task, version: str) -> bool:
    """True when a version's weights are kept here."""
    try:
        start_folder(task.path, version, task.config.values.training.seed)
    except NotFound:
        return False
    return True


def misfit(task: Task, parent: str) -> Text | None:
    """Why the weights of a version cannot be trained on under the task's configuration; None when they can or nobody knows."""
    text = snapshot_text(task.path, parent)
    if text is None:
        return None
    then, now = config_after(task, text).values, task.config.values
    if then.training.base_model != now.training.base_model:
        return T("its base model is {model}", model=visible(then.training.base_model, 80))
    shapes = [(one.r, one.alpha, one.target_modules) if one else None for one in (then.lora, now.lora)]
    if shapes[0] != shapes[1]:
        return T("its lora section is another one")
    return None


def _require_fit(task: Task, parent: str) -> None:
    reason = misfit(task, parent)
    if reason is not None:
        raise InputError(
            T(
                "Training cannot start from the weights of {parent}: {reason}.",
                parent=visible(parent, 40),
                reason=reason,
            ),
            hint=T("Keep base model and lora as they were, or set training.start_from to base."),
            page="methods/dpo",
        )
