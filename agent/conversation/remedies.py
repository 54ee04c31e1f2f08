"""From a remedy by name to the values it means for this task: oversampling of the scarce labels, a rank twice as high, ...

The values are the ones that the rules of agent/proposing would choose; checking and pricing is agent/conversation/wishes.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from agent.conversation.wishes import WishedEdit
from agent.proposing.class_rules import WEAK_CLASS_WEIGHT
from agent.proposing.method_rules import method_values
from agent.proposing.now import base_version
from agent.proposing.training_rules import HIGHEST_DROPOUT
from tools.catalogue.entries import ATTENTION
from tools.catalogue.look_up import entry_of
from tools.change import Change
from tools.config import Method
from tools.diagnose import DiagnoseArgs, diagnose
from tools.errors import InputError
from tools.finding import FindingKind
from tools.generate_data import plan_class_weights, plan_oversampling, weights_change
from tools.labelling.examples import typical_examples
from tools.reading.task import load_task
from tools.task import Task
from tools.text import T, Text, shell_word, visible

_FIXED: dict[str, list[WishedEdit]] = {
    "deduplicate": [("data.deduplicate", True)],
    "constrained": [("decoding.constrained", True)],
}


def wished_edits(change: JsonValue, label: JsonValue, path: Path) -> list[WishedEdit]:
    """The edits that a change in words means for a task; raises InputError when it means none."""
    if isinstance(change, dict) and isinstance(change.get("edits"), list):
        pairs = change["edits"]
        assert isinstance(pairs, list)
        return [(str(pair[0]), pair[1]) for pair in pairs if isinstance(pair, list)]
    name = str(change.get("remedy")) if isinstance(change, dict) else str(change)
    task = load_task(path)
    if name in _FIXED:
        return _FIXED[name]
    if name in _BY_LABEL:
        labels = [label] if isinstance(label, str) else _scarce_or_weak(task)
        return _as_wish(_BY_LABEL[name](task, labels))
    if name in _BY_VALUE:
        return _BY_VALUE[name](task)
    raise _unknown(name)


def _as_wish(change: Change) -> list[WishedEdit]:
    return [(edit.dotted, edit.new) for edit in change.edits]


def _scarce_or_weak(task: Task) -> list[str]:
    """The labels that the diagnosis calls scarce, else the weakest flagged one; none means every label that needs it."""
    found = diagnose(DiagnoseArgs(task_dir=task.path, version=base_version(task.path, "") or None))
    scarce = [str(one.about["label"]) for one in found.findings if one.kind is FindingKind.class_imbalance]
    weak = sorted((line for line in found.status.classes if line.weak and line.train_rows), key=lambda line: line.f1)
    return scarce or [line.label for line in weak[:1]]


def _oversampling(task: Task, labels: list[str]) -> Change:
    try:
        return plan_oversampling(task, None, labels)
    except InputError:
        if not labels:
            raise
        return plan_oversampling(
            task, None
        )  # the labels meant are repeated already: whichever else is below the largest


def _class_weights(task: Task, labels: list[str]) -> Change:
    """By frequency; labels that would weigh less for it, although they are what the wish is about, get a little more."""
    change = plan_class_weights(task, labels)
    now = task.config.values.training.class_weights
    lowered = any(isinstance(edit.new, int | float) and edit.new < now.get(edit.path[-1], 1) for edit in change.edits)
    if not labels or not lowered:
        return change
    return weights_change(task, dict.fromkeys(labels, WEAK_CLASS_WEIGHT)) or change


def _more(key: str, factor: float, *, whole: bool) -> Callable[[Task], list[WishedEdit]]:
    """A key of the section training, multiplied."""

    def edits(task: Task) -> list[WishedEdit]:
        old = float(getattr(task.config.values.training, key))
        new = max(1, math.ceil(old * factor) if factor > 1 else math.floor(old * factor)) if whole else old * factor
        return [(f"training.{key}", new if whole else float(f"{new:.3g}"))]

    return edits


def _rank(factor: float) -> Callable[[Task], list[WishedEdit]]:
    """The rank, with alpha in proportion."""

    def edits(task: Task) -> list[WishedEdit]:
        lora = task.config.values.lora
        if lora is None:
            raise _no_adapter()
        rank = max(1, round(lora.r * factor))
        alpha = lora.alpha * rank / lora.r
        return [("lora.r", rank), ("lora.alpha", int(alpha) if alpha.is_integer() else alpha)]

    return edits


def _dropout(step: float) -> Callable[[Task], list[WishedEdit]]:
    def edits(task: Task) -> list[WishedEdit]:
        lora = task.config.values.lora
        if lora is None:
            raise _no_adapter()
        return [("lora.dropout", round(min(HIGHEST_DROPOUT, max(0.0, lora.dropout + step)), 3))]

    return edits


def _larger_model(task: Task) -> list[WishedEdit]:
    model = task.config.values.training.base_model
    known = entry_of(model, task.path)
    if known is None or known.larger is None:
        raise InputError(
            T("No larger model of the family of {model} is known here.", model=visible(model, 80)),
            hint=T("Name one: try base_model=NAME"),
            page="methods/model-upgrade",
        )
    return [("training.base_model", known.larger)]


def _method(name: Method) -> Callable[[Task], list[WishedEdit]]:
    """The method with its pairs, its strength and its rate."""

    def edits(task: Task) -> list[WishedEdit]:
        return [(".".join(path), value) for path, value in method_values(task, name).items()]

    return edits


def _mixture(task: Task) -> list[WishedEdit]:
    """The mixture of experts of the family, with the adapter on its attention, where its linear layers are."""
    model = task.config.values.training.base_model
    known = entry_of(model, task.path)
    if known is None or known.mixture is None:
        raise InputError(
            T("No mixture of experts of the family of {model} is known here.", model=visible(model, 80)),
            hint=T("Name one: try base_model=NAME"),
            page="methods/model-upgrade",
        )
    return [("training.base_model", known.mixture), ("lora.target_modules", list(ATTENTION))]


def _examples(task: Task) -> list[WishedEdit]:
    """A typical answered training row of each label, shown before every question."""
    ids = typical_examples(task)
    if not ids:
        raise InputError(
            T("There are no training rows that could be shown as examples, or too many labels for a prompt."),
            hint=T("Name the rows: try prompt.examples=[ID, ID]"),
            page="methods/prompting",
        )
    return [("prompt.examples", [*ids])]


def _by_a_person(said: Text, how: Callable[[str], Text], page: str) -> Callable[[Task], list[WishedEdit]]:
    """What a person has to look at row by row before there is anything to propose."""

    def edits(task: Task) -> list[WishedEdit]:
        raise InputError(said, hint=how(shell_word(task.name)), page=page)

    return edits


def _more_data(task: Task) -> list[WishedEdit]:
    raise InputError(
        T(
            "New rows are not written from the conversation; a change of the configuration cannot add what is not there."
        ),
        hint=T(
            "Write and review them first: iterate generate {task} --class LABEL, then iterate review {task}. Or ask: what "
            "would oversampling do",
            task=shell_word(task.name),
        ),
        page="methods/data-generation",
    )


def _no_adapter() -> InputError:
    return InputError(T("This task trains all weights, so there is no LoRA adapter to change."), page="methods/lora")


def _unknown(name: str) -> InputError:
    known = ", ".join([*_BY_LABEL, *_BY_VALUE, *_FIXED])
    return InputError(
        T("{name} is no remedy known here.", name=repr(visible(name, 60))),
        hint=T("Known: {known}; or a key with a value, such as learning rate 2e-4.", known=known),
    )


_BY_LABEL: dict[str, Callable[[Task, list[str]], Change]] = {
    "oversampling": _oversampling,
    "class_weights": _class_weights,
}
_BY_VALUE: dict[str, Callable[[Task], list[WishedEdit]]] = {
    "epochs_up": _more("epochs", 1.5, whole=True),
    "epochs_down": _more("epochs", 0.75, whole=True),
    "learning_rate_up": _more("learning_rate", 2, whole=False),
    "learning_rate_down": _more("learning_rate", 0.5, whole=False),
    "batch_size_up": _more("batch_size", 2, whole=True),
    "batch_size_down": _more("batch_size", 0.5, whole=True),
    "max_length_up": _more("max_length", 2, whole=True),
    "max_length_down": _more("max_length", 0.5, whole=True),
    "warmup_up": _more("warmup", 2, whole=False),
    "warmup_down": _more("warmup", 0.5, whole=False),
    "rank_up": _rank(2),
    "rank_down": _rank(0.5),
    "dropout_up": _dropout(0.05),
    "dropout_down": _dropout(-0.05),
    "larger_model": _larger_model,
    "dpo": _method("dpo"),
    "orpo": _method("orpo"),
    "kto": _method("kto"),
    "more_data": _more_data,
    "mixture": _mixture,
    "examples": _examples,
    "suspects": _by_a_person(
        T("Which of the doubted labels is wrong is for a person to say."),
        lambda task: T(
            "Look at them one by one: /samples, or iterate review {task}. What you decide becomes a proposal like any other.",
            task=task,
        ),
        "troubleshooting/label-noise",
    ),
    "labelling": _by_a_person(
        T("Labels come from a person, row by row."),
        lambda task: T(
            "Start with: iterate label {task}. The labelled rows become a proposal like any other.", task=task
        ),
        "methods/labelling",
    ),
}
