"""Grants: what a person allowed for the rest of a session, as a rule no wider than its sentence.

A grant is made only from a person's own approval of a proposal that changes nothing but hyperparameters. It covers edits of
exactly the keys of that proposal, a few times, at about its price, and never what a language model proposes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from tools.change import ChangeKind, Decision, Proposal, SessionRule, Verb
from tools.files import now
from tools.text import T, Text, visible

TRAININGS = 2
"""How many more trainings one answer can allow."""
SLACK = 1.5
"""An estimate may grow by this much before a proposal of the same kind is asked about again."""


class Grant(BaseModel):
    """A rule of this session with the person who gave it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: SessionRule
    who: str
    at: str


def offered_rule(proposal: Proposal) -> SessionRule | None:
    """The rule that an approval of this proposal may carry; None when it touches more than hyperparameters."""
    if not _only_hyperparameters(proposal):
        return None
    longest = max(1, math.ceil(proposal.cost.minutes * SLACK))
    return SessionRule(keys=_keys(proposal), trainings=TRAININGS, max_minutes=longest)


def rule_sentence(rule: SessionRule) -> Text:
    """Exactly what the rule allows, in words."""
    return T(
        "Allow changes of {keys} in this session, {count} more trainings of at most {minutes:.0f} min each. "
        "What a language model proposes is still asked.",
        keys=visible(", ".join(rule.keys)),
        count=rule.trainings,
        minutes=rule.max_minutes,
    )


def granted(decision: Decision, proposal: Proposal) -> Grant | None:
    """The grant that a decision makes; None unless a person approved and the rule is no wider than the one offered."""
    rule, offered = decision.remember, offered_rule(proposal)
    if rule is None or offered is None or decision.by != "person" or decision.decision is not Verb.approve:
        return None
    wider = not set(rule.keys) <= set(offered.keys) or rule.trainings > offered.trainings
    if wider or rule.max_minutes > offered.max_minutes:
        return None
    return Grant(rule=rule, who=decision.who, at=decision.at)


def covers(rule: SessionRule, proposal: Proposal) -> bool:
    """True when the whole proposal is inside the rule."""
    fits = set(_keys(proposal)) <= set(rule.keys) and proposal.cost.minutes <= rule.max_minutes
    return fits and _only_hyperparameters(proposal) and proposal.origin != "model"


def covering(grants: Sequence[Grant], proposal: Proposal) -> Grant | None:
    """The first grant that covers the proposal."""
    return next((grant for grant in grants if covers(grant.rule, proposal)), None)


def used(grants: Sequence[Grant], grant: Grant) -> list[Grant]:
    """The grants after one of them was used: one training fewer, gone when none is left."""
    left = grant.rule.trainings - 1
    rest = [grant.model_copy(update={"rule": grant.rule.model_copy(update={"trainings": left})})] if left else []
    at = grants.index(grant)
    return [*grants[:at], *rest, *grants[at + 1 :]]


def decided_by(grant: Grant, proposal: Proposal) -> Decision:
    """The approval that a grant gives, which names the rule and its giver."""
    rule = T("{rule} ({who}, {at})", rule=rule_sentence(grant.rule), who=grant.who, at=grant.at)
    return Decision(proposal_id=proposal.id, decision=Verb.approve, by="rule", who=rule, at=now())


def _only_hyperparameters(proposal: Proposal) -> bool:
    return bool(proposal.changes) and all(change.kind is ChangeKind.config for change in proposal.changes)


def _keys(proposal: Proposal) -> list[str]:
    return list(dict.fromkeys(edit.dotted for change in proposal.changes for edit in change.edits))
