"""From drafts to proposals: check each against the whole configuration, show it as a diff, forecast and price it, rank them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.proposing.class_rules import scarce_labels, weak_label
from agent.proposing.cost import price
from agent.proposing.data_rules import contradictions, leaked_rows, repetitions
from agent.proposing.draft import Draft
from agent.proposing.forecast import effect
from agent.proposing.generation_rules import reviewed_rows
from agent.proposing.history import ProposalHistory
from agent.proposing.method_rules import method_upgrade
from agent.proposing.model_rules import larger_model, mixture_of_experts
from agent.proposing.output_rules import constrained_decoding, longer_answers, longer_rows, stated_format
from agent.proposing.prompt_rules import declared_keys, prompt_caution, shown_examples
from agent.proposing.reasons import Wishes, wishes_in
from agent.proposing.repair_rules import config_repairs
from agent.proposing.training_rules import low_capacity, overfitting, underfitting, unstable
from agent.proposing.view import View
from tools.change import Effect, Goal, Proposal, Tier, Verb
from tools.diagnose import Diagnosis
from tools.edit_config import config_diff, require_valid, text_after
from tools.errors import InputError
from tools.task import Task
from tools.text import Speaker, T, Text, english, visible
from tools.versioning.forecasts import FILE as FORECASTS
from tools.versioning.forecasts import change_key, learned_effect, outcomes_of

Rule = Callable[[View], list[Draft]]

RULES: tuple[Rule, ...] = (
    # what is broken
    config_repairs,
    leaked_rows,
    constrained_decoding,
    declared_keys,
    stated_format,
    shown_examples,
    longer_answers,
    longer_rows,
    contradictions,
    repetitions,
    # what a person has reviewed
    reviewed_rows,
    # quick wins
    unstable,
    scarce_labels,
    weak_label,
    underfitting,
    overfitting,
    low_capacity,
    # long term
    method_upgrade,
    larger_model,
    mixture_of_experts,
)
"""Every rule; of two that propose the same change the earlier one speaks."""

MOST_PROPOSALS = 8
"""More at once are not read; the rest is proposed again when these are decided."""

_TIERS = [Tier.quick, Tier.medium, Tier.long]


@dataclass(frozen=True)
class _Ranked:
    """A checked proposal with what its place in the list depends on."""

    proposal: Proposal
    draft: Draft
    expected: float
    """Expected gain of its metric, with what was learned."""


def propose(
    task: Task, diagnosis: Diagnosis, history: ProposalHistory | None = None, say: Speaker = english
) -> list[Proposal]:
    """Proposals for the findings, best first; empty for a healthy task and before there is a result.

    A change that is set already, that was rejected, or that brought nothing to this very configuration is not proposed.
    """
    if diagnosis.healthy or diagnosis.version is None:
        return []
    past = history or ProposalHistory()
    view = View(task, diagnosis)
    wishes = wishes_in(past.decisions)
    barred = past.rejected() | past.tried_in_vain(task.config.sha256)
    ranked: dict[str, _Ranked] = {}
    for draft in (draft for rule in RULES for draft in rule(view)):
        one = _checked(view, draft, say)
        if one is not None and one.proposal.id not in barred and wishes.allow(one.proposal):
            ranked.setdefault(one.proposal.id, one)
    ordered = sorted(ranked.values(), key=lambda one: _order(one, view, wishes))
    return [_with_history(one.proposal, past) for one in ordered[:MOST_PROPOSALS]]


def _checked(view: View, draft: Draft, say: Speaker) -> _Ranked | None:
    """The draft as a proposal; None when it changes nothing or the configuration would not be valid with it."""
    try:
        proposal = build(view, draft, say)
    except InputError:
        return None
    if not proposal.diff:
        return None
    forecast = proposal.effect
    expected = draft.gain.mean if forecast.source != "learned" else (forecast.low + forecast.high) / 2
    return _Ranked(proposal, draft, expected)


def build(view: View, draft: Draft, say: Speaker = english) -> Proposal:
    """The draft with its diff, its forecast and its price; raises InputError when the configuration would not be valid."""
    text = text_after(view.task.config, [edit for change in draft.changes for edit in change.edits], say)
    after = require_valid(view.task, text)
    proposal = Proposal(
        task=view.task.name,
        title=draft.title,
        problem=draft.problem or _problem(draft),
        findings=list(dict.fromkeys(finding.kind.value for finding in draft.findings)),
        goal=Goal(metric=draft.metric, now=view.now(draft.metric), wanted=0.0),
        changes=draft.changes,
        diff=config_diff(view.task.config.text, text),
        config_sha256=view.task.config.sha256,
        effect=effect(draft.metric, draft.gain, draft.basis, draft.source),
        cost=price(view.rows, draft.changes, after),
        difficulty=draft.difficulty,
        tier=draft.tier,
        page=draft.page,
        caution=draft.caution or prompt_caution(view, draft.changes),
    )
    forecast = _learned(view, proposal)
    goal = proposal.goal.model_copy(update={"wanted": _wanted(view, draft, forecast)})
    return proposal.model_copy(update={"effect": forecast, "goal": goal})


def _learned(view: View, proposal: Proposal) -> Effect:
    """The forecast as outcomes of the same kind of change have moved it, on this task and the others of this workspace.

    What was counted on this task stays as it is, and a bundle learns nothing from its parts.
    """
    if proposal.effect.source == "measured" or len(proposal.changes) > 1:
        return proposal.effect
    tasks = [path.parents[1] for path in sorted(view.task.path.parent.glob(f"*/{FORECASTS}"))]
    return learned_effect(proposal.effect, outcomes_of(change_key(proposal.changes[0]), tasks))


def _wanted(view: View, draft: Draft, forecast: Effect) -> float:
    """The score hoped for: the upper end of the forecast; the target where no score is known."""
    if draft.wanted is not None:
        return draft.wanted
    now = view.now(draft.metric)
    if now is None:
        return view.target or 1.0
    return round(min(1.0, now + max(forecast.high, 0.0)), 3)


def _problem(draft: Draft) -> Text:
    """What the first finding says, and how many more say the same."""
    first = draft.findings[0]
    title = first.title if str(first.title).endswith(".") else T("{sentence}.", sentence=first.title)
    if len(draft.findings) == 1:
        return T("{title} {detail}", title=title, detail=first.detail)
    more = len(draft.findings) - 1
    return T("{title} {detail} ({more} more finding(s) of this kind)", title=title, detail=first.detail, more=more)


def _order(one: _Ranked, view: View, wishes: Wishes) -> tuple[int, int, int, float]:
    """Tier by tier; repairs first; then what a rejection asked for; then by expected gain of the primary metric per minute."""
    gain = one.expected / _share(one.draft.metric, view)
    per_minute = gain / max(one.proposal.cost.minutes, 0.5)
    return (
        _TIERS.index(one.proposal.tier),
        one.draft.urgency,
        0 if wishes.prefer(one.proposal) else 1,
        -per_minute,
    )


def _share(metric: str, view: View) -> float:
    """A class's F1 counts in the macro-F1 by one over the number of classes."""
    return max(1.0, float(len(view.diagnosis.status.classes))) if metric.startswith("f1[") else 1.0


def _with_history(proposal: Proposal, past: ProposalHistory) -> Proposal:
    """Say so when another answer to the same finding was rejected before."""
    kinds = set(proposal.findings)
    for earlier, decision in reversed(past.decisions):
        if decision.decision is Verb.reject and kinds & set(earlier.findings):
            told = _told(earlier.title, str(decision.reason))
            caution = told if proposal.caution is None else T("{one} {other}", one=proposal.caution, other=told)
            return proposal.model_copy(update={"caution": caution})
    return proposal


def _told(title: Text, reason: str) -> Text:
    if not reason.strip():
        return T("You rejected another answer to this problem: {title}.", title=title)
    return T(
        'You rejected another answer to this problem ({title}) because of "{reason}"; this takes it into account.',
        title=title,
        reason=visible(reason.strip(), 160),
    )
