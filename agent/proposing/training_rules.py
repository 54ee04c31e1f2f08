"""Rules for how the weights are fitted: epochs, learning rate, warmup, LoRA rank and dropout."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from agent.proposing.draft import Draft
from agent.proposing.forecast import prior_basis, prior_gain
from agent.proposing.view import KeyPath, View
from tools.change import ChangeKind
from tools.editing.yaml_text import number
from tools.finding import Finding, FindingKind, Severity
from tools.text import T, Text

MOST_EPOCHS = 30.0
HIGHEST_LEARNING_RATE = 1e-3
"""Above this LoRA trainings of small models tend to diverge (rule of thumb)."""
LOWEST_LEARNING_RATE = 1e-6
HIGHEST_RANK = 64
"""The specification's step for a task that is low overall."""
HIGHEST_DROPOUT = 0.3
USUAL_WARMUP = 0.1


def underfitting(view: View) -> list[Draft]:
    """More epochs, a higher learning rate, a higher rank: each alone."""
    findings = view.found(FindingKind.underfitting)
    if not findings:
        return []
    drafts = [*_epochs_up(view, findings), *_learning_rate_up(view, findings), *_rank_up(view, findings)]
    if findings[0].about.get("sign") in {
        "high_loss",
        "chance",
    }:  # hardly anything was learned: speed matters more than time
        return [*drafts[1:], *drafts[:1]]
    return drafts


def low_capacity(view: View) -> list[Draft]:
    """A higher rank, with alpha in proportion; also where a target is missed and no cause stands out."""
    findings = view.found(FindingKind.low_capacity) or view.found(FindingKind.low_overall)
    return _rank_up(view, findings) if findings else []


def overfitting(view: View) -> list[Draft]:
    """Fewer epochs; more dropout."""
    findings = view.found(FindingKind.overfitting)
    return [*_epochs_down(view, findings), *_dropout_up(view, findings)] if findings else []


def unstable(view: View) -> list[Draft]:
    """A lower learning rate; a longer warmup."""
    findings = view.found(FindingKind.unstable_training)
    return [*_learning_rate_down(view, findings), *_warmup_up(view, findings)] if findings else []


def _epochs_up(view: View, findings: list[Finding]) -> list[Draft]:
    old = view.task.config.values.training.epochs
    new = min(MOST_EPOCHS, _whole(max(old + 1, math.ceil(old * 1.5))))
    if new <= old:
        return []
    summary = T("Epochs: {old:g} → {new:g}", old=old, new=new)
    return [_draft(view, findings, ("epochs_up", summary), {("training", "epochs"): _number(new)})]


def _epochs_down(view: View, findings: list[Finding]) -> list[Draft]:
    """Down to where the validation result was best, if that is known, else by a quarter."""
    old, best = view.task.config.values.training.epochs, findings[0].about.get("best_epoch")
    new = math.ceil(best) if isinstance(best, int | float) and best > 0 else math.floor(old * 0.75)
    new = max(1, new)
    if new >= old:
        return []
    summary = T("Epochs: {old:g} → {new:g}", old=old, new=new)
    caution = T("The best checkpoint is kept anyway; fewer epochs save time and let the learning rate fall in time.")
    draft = _draft(view, findings, ("epochs_down", summary), {("training", "epochs"): new})
    return [replace(draft, caution=caution)]


def _learning_rate_up(view: View, findings: list[Finding]) -> list[Draft]:
    old = view.task.config.values.training.learning_rate
    new = float(f"{old * 2:.3g}")
    if new > HIGHEST_LEARNING_RATE:
        return []
    summary = T("Learning rate: {old} → {new}", old=number(old), new=number(new))
    return [_draft(view, findings, ("learning_rate_up", summary), {("training", "learning_rate"): new})]


def _learning_rate_down(view: View, findings: list[Finding]) -> list[Draft]:
    """Half of it; a fifth when the loss diverged or was not a number."""
    old = view.task.config.values.training.learning_rate
    part = 5 if findings[0].about.get("sign") in {"nan", "diverged"} else 2
    new = float(f"{old / part:.3g}")
    if new < LOWEST_LEARNING_RATE:
        return []
    summary = T("Learning rate: {old} → {new}", old=number(old), new=number(new))
    return [_draft(view, findings, ("learning_rate_down", summary), {("training", "learning_rate"): new})]


def _warmup_up(view: View, findings: list[Finding]) -> list[Draft]:
    """The usual share of steps where it is shorter; a warmup counted in steps is doubled."""
    old = view.task.config.values.training.warmup
    new = USUAL_WARMUP if old < USUAL_WARMUP else old * 2
    if USUAL_WARMUP <= old < 1:
        return []
    summary = T("Warmup: {old:g} → {new:g}", old=old, new=new)
    return [_draft(view, findings, ("warmup_up", summary), {("training", "warmup"): _number(new)})]


def _rank_up(view: View, findings: list[Finding]) -> list[Draft]:
    """The next step of the rank: the limit of the rule that fired, then 64; alpha keeps its proportion, as one variable."""
    lora = view.task.config.values.lora
    if lora is None:
        return []
    wanted = findings[0].about.get("wanted")
    new = wanted if isinstance(wanted, int) and wanted > lora.r else min(HIGHEST_RANK, max(32, lora.r * 2))
    if new <= lora.r:
        return []
    alpha = lora.alpha * new / lora.r
    summary = T(
        "LoRA rank: {old} → {new}, alpha: {alpha_old:g} → {alpha:g}",
        old=lora.r,
        new=new,
        alpha_old=lora.alpha,
        alpha=alpha,
    )
    values: dict[KeyPath, JsonValue] = {("lora", "r"): new, ("lora", "alpha"): _number(alpha)}
    return [_draft(view, findings, ("rank", summary), values)]


def _dropout_up(view: View, findings: list[Finding]) -> list[Draft]:
    lora = view.task.config.values.lora
    if lora is None or lora.dropout >= HIGHEST_DROPOUT:
        return []
    new = round(min(HIGHEST_DROPOUT, max(0.1, lora.dropout + 0.05)), 3)
    summary = T("LoRA dropout: {old:g} → {new:g}", old=lora.dropout, new=new)
    return [_draft(view, findings, ("dropout_up", summary), {("lora", "dropout"): new})]


def _draft(
    view: View,
    findings: list[Finding],
    what: tuple[str, Text],
    values: Mapping[KeyPath, JsonValue],
) -> Draft:
    """The draft of a change of settings, forecast for the primary metric."""
    key, summary = what
    first = findings[0]
    certain = first.severity is not Severity.info and first.explained_by is None
    return Draft(
        title=summary,
        findings=findings,
        changes=[view.change(ChangeKind.config, summary, values)],
        metric=view.metric,
        gain=prior_gain(key, limit=first.lost, certain=certain),
        basis=prior_basis(key),
        page=first.page,
    )


def _whole(value: float) -> float:
    return float(math.ceil(value))


def _number(value: float) -> JsonValue:
    """Whole numbers without a decimal point, as people write them."""
    return int(value) if float(value).is_integer() else value
