"""Rules for classes: more weight or more repetitions for scarce ones, a little weight for weak ones."""

from __future__ import annotations

from agent.proposing.draft import Draft
from agent.proposing.forecast import prior_basis, prior_gain
from agent.proposing.view import View
from tools.change import Change
from tools.errors import InputError
from tools.finding import Finding, FindingKind, Severity
from tools.generate_data import plan_class_weights, plan_oversampling, weights_change
from tools.text import T, visible

WEAK_CLASS_WEIGHT = 1.5
"""Weight for a class that is weak without being scarce: the specification's own example (step 4.1, 中立: 1.5)."""


def scarce_labels(view: View) -> list[Draft]:
    """Class weights and oversampling for scarce labels: two ways to the same end, each its own proposal."""
    findings = view.found(FindingKind.class_imbalance)
    labels = [str(one.about["label"]) for one in findings if view.counts.get(str(one.about["label"]))]
    if not labels:
        return []
    return [*_weights(view, findings, labels), *_repeats(view, findings, labels)]


def _weights(view: View, findings: list[Finding], labels: list[str]) -> list[Draft]:
    try:
        change = plan_class_weights(view.task, labels)
    except InputError:  # they weigh that already
        return []
    if _lowers(view, change):
        return []
    title = T("Give scarce labels more weight: {labels}", labels=_named(labels))
    return [_draft(view, findings, change, key="class_weights", title=title)]


def _repeats(view: View, findings: list[Finding], labels: list[str]) -> list[Draft]:
    try:
        change = plan_oversampling(view.task, None, labels)
    except InputError:  # they are repeated that often already
        return []
    title = T("Repeat the rows of scarce labels: {labels}", labels=_named(labels))
    caution = T("Repeated rows bring no new knowledge; watch for overfitting on them.")
    return [_draft(view, findings, change, key="oversampling", title=title, caution=caution)]


def weak_label(view: View) -> list[Draft]:
    """A little more weight for the label that costs most, when it is weak although it is not scarce."""
    scarce = {one.about["label"] for one in view.found(FindingKind.class_imbalance)}
    findings = [one for one in view.found(FindingKind.weak_class) if one.about["label"] not in scarce]
    findings = [one for one in findings if view.counts.get(str(one.about["label"]))]
    if not findings:
        return []
    label = str(findings[0].about["label"])
    change = weights_change(view.task, {label: WEAK_CLASS_WEIGHT})
    if change is None or _lowers(view, change):
        return []
    title = T("Give the weak label {label} more weight", label=visible(label, 40))
    caution = T(
        "The label is not scarce: what it is confused with, and whether its rows are labelled consistently, "
        "may matter more than its weight."
    )
    return [_draft(view, findings[:1], change, key="weak_class_weight", title=title, caution=caution)]


def _lowers(view: View, change: Change) -> bool:
    """True when a label would weigh less than it does, which is no answer to its being weak."""
    now = view.task.config.values.training.class_weights
    return any(isinstance(edit.new, int | float) and edit.new < now.get(edit.path[-1], 1) for edit in change.edits)


def _draft(view: View, findings: list[Finding], change: Change, *, key: str, title: T, caution: T | None = None) -> Draft:  # type: ignore[valid-type]
    raise NotImplementedError


def _named(labels: list[str]) -> str:
    return ", ".join(visible(label, 40) for label in labels)
