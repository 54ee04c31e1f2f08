"""Rules for another base model: the next larger one of the family, or a mixture of experts, out of the catalogue.

What does not fit is said in the proposal before anything is spent; only what is known without a network is looked at.
"""

from __future__ import annotations

from pydantic import JsonValue

from agent.proposing.draft import Draft
from agent.proposing.forecast import prior_basis, prior_gain
from agent.proposing.view import KeyPath, View
from tools.catalogue.checks import check_model
from tools.catalogue.entries import ATTENTION, Entry
from tools.catalogue.look_up import entry_of
from tools.catalogue.memory import training_gb
from tools.change import ChangeKind, Difficulty, Tier
from tools.config import Lora
from tools.finding import FindingKind, Severity
from tools.text import T, Text

_PAGE = "methods/model-upgrade"


def larger_model(view: View) -> list[Draft]:
    """The next larger base model, when the target is missed and no cheaper cause was found."""
    now = _now(view)
    step = _step(now, "larger", view)
    return [] if now is None or step is None else [_draft(view, now, step, "base_model", {})]


def mixture_of_experts(view: View) -> list[Draft]:
    """The mixture of experts of the family, with the adapter on its attention, where its linear layers are."""
    now = _now(view)
    step = _step(now, "mixture", view)
    lora = view.task.config.values.lora
    if now is None or step is None or lora is None:
        return []
    keep = lora.target_modules != "all-linear" and set(lora.target_modules) <= set(ATTENTION)
    targets: dict[KeyPath, JsonValue] = {} if keep else {("lora", "target_modules"): list(ATTENTION)}
    return [_draft(view, now, step, "mixture", targets)]


def _now(view: View) -> Entry | None:
    if not view.found(FindingKind.low_overall):
        return None
    return entry_of(view.task.config.values.training.base_model, view.task.path)


def _step(now: Entry | None, kind: str, view: View) -> Entry | None:
    name = getattr(now, kind) if now is not None else None
    return entry_of(name, view.task.path) if name else None


def _draft(view: View, now: Entry, step: Entry, key: str, more: dict[KeyPath, JsonValue]) -> Draft:
    findings = view.found(FindingKind.low_overall)
    values: dict[KeyPath, JsonValue] = {("training", "base_model"): step.name, **more}
    summary = T("Base model: {old} → {new}", old=now.name, new=step.name)
    if more:
        summary = T("{change}, LoRA on the attention only", change=summary)
    first = findings[0]
    certain = first.severity is not Severity.info and first.explained_by is None
    return Draft(
        title=summary,
        findings=findings,
        changes=[view.change(ChangeKind.base_model, summary, values)],
        metric=view.metric,
        gain=prior_gain(key, limit=first.lost, certain=certain),
        basis=prior_basis(key),
        page=_PAGE,
        tier=Tier.long,
        difficulty=Difficulty.high,
        caution=_caution(view, now, step, values),
    )


def larger_or_smaller(view: View, name: str) -> int:
    """1 when another base model has more weights than the present one, -1 when it has fewer, 0 where one is not known."""
    now, step = _entries(view, name)
    if now is None or step is None:
        return 0
    return (step.shape.parameters > now.shape.parameters) - (step.shape.parameters < now.shape.parameters)


def model_caution(view: View, name: str) -> Text | None:
    """What another base model costs and what speaks against it here, for a wish; None where a model is not known."""
    now, step = _entries(view, name)
    return None if now is None or step is None else _caution(view, now, step, {})


def _entries(view: View, name: str) -> tuple[Entry | None, Entry | None]:
    path = view.task.path
    return entry_of(view.task.config.values.training.base_model, path), entry_of(name, path)


def _caution(view: View, now: Entry, step: Entry, values: dict[KeyPath, JsonValue]) -> Text:
    """What it costs in memory, and everything that speaks against it here."""
    config = view.task.config.values
    lora = config.lora or Lora()
    after = lora.model_copy(update={"target_modules": values[("lora", "target_modules")]}) if len(values) > 1 else lora
    said = T(
        "{parameters:.2g} times the weights; training needs about {new:.1f} GB instead of {old:.1f} GB.",
        parameters=step.shape.parameters / now.shape.parameters,
        new=training_gb(step.shape, after),
        old=training_gb(now.shape, lora),
    )
    if step.shape.experts:
        said = T(
            "{said} Each token goes through {active:.1f} of {all:.1f} billion weights, but all of them lie in memory.",
            said=said,
            active=step.shape.active / 1e3,
            all=step.shape.parameters / 1e3,
        )
    checked = check_model(step.name, config.model_copy(update={"lora": config.lora and after}), view.task.path)
    for check in checked:
        if check.ok is False or (check.ok is None and check.hint is not None):
            said = T("{said} {more}", said=said, more=check.message)
    return T("{said} A new base model needs a noise floor of its own.", said=said)
