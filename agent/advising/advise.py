"""A language model's advice on a list of proposals: an order within each tier, a comment for each, and ideas of its own.

Numbers, cost, forecast and tiers stay those of the rules. An idea is checked, forecast and priced by the same code as every
other proposal, is left out when the person has ruled it out, and waits for a decision like any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from agent.advising.asking import asked, bounded, in_language_of
from agent.advising.facts import finding_facts, proposal_facts
from agent.context import Context
from agent.events import Analysed
from agent.model.prompts import load_prompt
from agent.proposing import ProposalHistory
from agent.proposing.reasons import Wishes, wishes_in
from tools.change import Proposal, Tier, Verb
from tools.diagnose import Diagnosis
from tools.errors import IterateError
from tools.text import Speaker, T, visible

MakeIdea = Callable[[Sequence[tuple[str, JsonValue]], str], Proposal]
"""Edits and why -> a checked proposal of origin "model"; raises InputError."""

MOST_IDEAS = 2
MOST_EARLIER = 12
"""Earlier decisions that the model is reminded of, newest last."""
LONGEST_COMMENT = 400
_TIERS = list(Tier)


class _Edit(BaseModel):
    model_config = ConfigDict(extra="ignore")

    key: str
    value: str | int | float | bool | list[str] | None


class _Idea(BaseModel):
    model_config = ConfigDict(extra="ignore")

    edits: list[_Edit] = Field(min_length=1, max_length=6)
    why: str = Field(min_length=1, max_length=2_000)


class _Comment(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    text: str = Field(max_length=2_000)


class Advice(BaseModel):
    """The form of the answer."""

    model_config = ConfigDict(extra="ignore")

    order: list[str]
    """Proposal ids, best first."""
    comments: list[_Comment]
    ideas: list[_Idea] = Field(max_length=8)


def advise(
    context: Context,
    diagnosis: Diagnosis,
    proposals: Sequence[Proposal],
    past: ProposalHistory,
    *,
    make: MakeIdea,
    analysed: Analysed | None = None,
) -> list[Proposal]:
    """The proposals as the model would put them, its ideas last in their tiers; unchanged without a model or on failure."""
    if context.model is None or diagnosis.version is None or not proposals:
        return list(proposals)
    prompt = _prompt(context, diagnosis, proposals, past, analysed)
    advice = asked(context, [{"role": "user", "content": prompt}], Advice)
    if advice is None:
        return list(proposals)
    wishes = wishes_in(past.decisions)
    listed = _commented(_ordered(proposals, advice.order, wishes), advice.comments)
    ideas = _ideas(advice.ideas, {one.id for one in listed} | past.rejected(), past, make)
    ideas = [one for one in ideas if wishes.allow(one)][:MOST_IDEAS]
    return sorted([*listed, *ideas], key=_tier)


def _tier(proposal: Proposal) -> int:
    return _TIERS.index(proposal.tier)


def _ordered(proposals: Sequence[Proposal], order: Sequence[str], wishes: Wishes) -> list[Proposal]:
    """The model's order inside each tier, behind repairs and what the person asked for; what it does not name comes last."""
    place = {proposal_id: number for number, proposal_id in reversed(list(enumerate(order)))}
    return sorted(
        proposals,
        key=lambda one: (_tier(one), not _first(one), not wishes.prefer(one), place.get(one.id, len(order))),
    )


def _first(proposal: Proposal) -> bool:
    """True for what the rules put first because nothing can be trusted before it, whatever a model thinks of it."""
    return any(kind in _BEFORE_ALL for kind in proposal.findings)


_BEFORE_ALL = frozenset(
    {"split_leak", "config_renamed_key", "config_mistyped_value", "config_unknown_key", "output_format", "truncated"}
)


def _commented(proposals: Sequence[Proposal], comments: Sequence[_Comment]) -> list[Proposal]:
    words = {one.id: bounded(one.text, LONGEST_COMMENT) for one in comments}
    return [one.model_copy(update={"comment": words.get(one.id) or one.comment}) for one in proposals]


def _ideas(ideas: Sequence[_Idea], known: set[str], past: ProposalHistory, make: MakeIdea) -> list[Proposal]:
    """The ideas that pass every check and are neither listed nor rejected nor tried in vain, each once."""
    found: dict[str, Proposal] = {}
    for idea in ideas:
        edits: list[tuple[str, JsonValue]] = [(edit.key, _plain(edit.value)) for edit in idea.edits]
        try:
            proposal = make(edits, bounded(idea.why, LONGEST_COMMENT))
        except IterateError:
            continue
        if proposal.id not in known | past.tried_in_vain(proposal.config_sha256):
            found.setdefault(proposal.id, proposal)
    return list(found.values())


def _plain(value: str | int | float | bool | list[str] | None) -> JsonValue:
    return list(value) if isinstance(value, list) else value


def _prompt(
    context: Context,
    diagnosis: Diagnosis,
    proposals: Sequence[Proposal],
    past: ProposalHistory,
    analysed: Analysed | None,
) -> str:
    facts = {
        "task": diagnosis.task,
        "version": diagnosis.version,
        "findings": [finding_facts(one, context.say) for one in diagnosis.findings[:8]],
        "analysis_of_errors": analysed.model_dump(include={"summary", "patterns"}) if analysed is not None else None,
        "proposals": [proposal_facts(one, context.say) for one in proposals],
    }
    return load_prompt(
        "advise",
        language=in_language_of(context.say),
        facts=visible(json.dumps(facts, ensure_ascii=False)),
        earlier=visible(json.dumps(_earlier(past, context.say), ensure_ascii=False)),
    )


def _earlier(past: ProposalHistory, say: Speaker) -> list[dict[str, Any]]:
    """What was decided on before, why, and what came of it."""
    return [
        {
            "change": say(proposal.title),
            "decision": "approved" if decision.decision in {Verb.approve, Verb.edit} else decision.decision.value,
            "reason": visible(say(T("{reason}", reason=decision.reason)), 300),
            "outcome": past.outcomes.get(proposal.id),
        }
        for proposal, decision in past.decisions[-MOST_EARLIER:]
    ]
