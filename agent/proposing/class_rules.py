"""Rules for classes: more weight or more repetitions for scarce ones, a little weight for weak ones."""

from __future__ import annotations

from dataclasses import replace

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
    findings = _about_known_labels(view, view.found(FindingKind.class_imbalance))
    labels = [str(one.about["label"]) for one in findings]
    if not labels:
        return []
    named = ", ".join(visible(label, 40) for label in labels)
    drafts = []
    weights = _weights(view, labels)
    if weights is not None:
        title = T("Give scarce labels more weight: {labels}", labels=named)
        drafts.append(replace(_draft(view, findings, weights, "class_weights"), title=title))
    repeats = _repeats(view, labels)
    if repeats is not None:
        title = T("Repeat the rows of scarce labels: {labels}", labels=named)
        caution = T("Repeated rows bring no new knowledge; watch for overfitting on them.")
        draft = _draft(view, findings, repeats, "oversampling")
        drafts.append(replace(draft, title=title, caution=caution, page="methods/oversampling"))
    return drafts


def weak_label(view: View) -> list[Draft]:
    """A little more weight for the label that costs most, when it is weak although it is not scarce."""
    scarce = {one.about["label"] for one in view.found(FindingKind.class_imbalance)}
    findings = _about_known_labels(view, view.found(FindingKind.weak_class))
    findings = [one for one in findings if one.about["label"] not in scarce][:1]
    if not findings:
        return []
    label = str(findings[0].about["label"])
    change = weights_change(view.task, {label: WEAK_CLASS_WEIGHT})
    if change is None or _lowers(view, change):
        return []
    caution = T(
        "The label is not scarce: what it is confused with, and whether its rows are labelled consistently, "
        "may matter more than its weight."
    )
    title = T("Give the weak label {label} more weight", label=visible(label, 40))
    return [replace(_draft(view, findings, change, "weak_class_weight"), title=title, caution=caution)]


def _about_known_labels(view: View, findings: list[Finding]) -> list[Finding]:
    """Findings about labels that have training rows to weigh or repeat."""
    return [one for one in findings if view.rows.counts.get(str(one.about.get("label")))]


def _weights(view: View, labels: list[str]) -> Change | None:
    try:
        change = plan_class_weights(view.task, labels)
    except InputError:  # they weigh that already
        return None
    return None if _lowers(view, change) else change


def _repeats(view: View, labels: list[str]) -> Change | None:
    try:
        return plan_oversampling(view.task, None, labels)
    except InputError:  # they are repeated that often already
        return None


def _lowers(view: View, change: Change) -> bool:
    """True when a label would weigh less than it does, which is no answer to its being weak."""
    now = view.task.config.values.training.class_weights
    return any(isinstance(edit.new, int | float) and edit.new < now.get(edit.path[-1], 1) for edit in change.edits)


def _draft(view: View, findings: list[Finding], change: Change, key: str) -> Draft:
    """The draft of a change for the label of the first finding, forecast for that label's F1."""
    first = findings[0]
    certain = first.severity is not Severity.info and first.explained_by is None
    lag = None if first.lost is None else first.lost * max(1, len(view.diagnosis.status.classes))
    return Draft(
        title=change.summary,
        findings=findings,
        changes=[change],
        metric=f"f1[{first.about['label']}]",
        gain=prior_gain(key, limit=lag, certain=certain),
        basis=prior_basis(key),
        page="methods/class-weights",
    )
