"""What a night may do by itself: the rules, why a proposal is not covered by them, and the approver that keeps to them.

Rules come from a policy file or from `--allow`, and are fixed in the night's plan when it starts: editing the file meanwhile
changes nothing. No rule covers what agent/policy.py `always_waits` names; destroying, uploading, accepting a licence and
opening the test set before the end have no rule at all. What is not covered is deferred: never approved, never blocking.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.approval import Answer, Confirmation, ConfirmQuestion, DecideQuestion, Question, VersionChoice
from agent.policy import AdoptRule, Allowance, NightRulesOfFile, fine_by, refusal_by, test_said
from agent.written_rules import parse_words, read_policy
from tools.change import Decision, Proposal, Verb
from tools.errors import InputError
from tools.files import now
from tools.text import T, Text, visible
from tools.versioning.rule_facts import NO_FACTS, RuleFacts

__all__ = [
    "NightApprover",
    "NightRules",
    "RuleFacts",
    "adoption_waits",
    "flat_rules",
    "grace_minutes",
    "grace_text",
    "parse_allow",
    "read_rules",
    "refusal",
    "rules_for",
]

Choice = Literal["adopt", "continue", "rollback"]
Choose = Callable[[DecideQuestion], tuple[Choice, Text] | None]
"""What the loop makes of a compared version and why; None leaves the question to a person."""


LEAST_MINUTES = 10.0
"""Loading a model and the last evaluation take minutes, however short the training between them is."""


class NightRules(BaseModel):
    """What may be tried and done while nobody is here; kept in the night's plan as it was at the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approve: list[Allowance] = Field(min_length=1)
    max_trainings: int | None = None
    adopt: AdoptRule = "wait"
    """By the verdict on the locked test, opened once at the end."""
    deploy: bool = False
    """Whether adoption may run the task's own deploy command."""
    seeds: int = Field(default=3, ge=1, le=10)
    """Trainings of one change with different seeds at most; further ones run while they are worth it, and before the test."""
    quick_check: bool = True
    """Whether a change may be tried on a part of the rows before its training, where that is worth its cost."""
    grace: float = Field(default=NightRulesOfFile().grace, ge=0, le=10)
    """Share of its planned minutes for which a training may go on after the time of the night."""
    source: str
    """Where they come from: the words of `--allow`, or the name of the policy file."""


def read_rules(path: Path) -> NightRules:
    """The rules in a policy file; raises InputError with line, key, value and choices of every mistake."""
    policy = read_policy(path)
    if not policy.approve:
        raise InputError(
            T("The policy file {path} allows nothing, so a night could try nothing.", path=visible(str(path))),
            hint=T("List under `approve:` what may be tried, such as - kinds: [config, recipe]"),
        )
    return NightRules(
        approve=policy.approve,
        max_trainings=policy.max_trainings,
        adopt=policy.adopt,
        deploy=policy.deploy,
        seeds=policy.night.seeds,
        quick_check=policy.night.quick_check,
        grace=policy.night.grace,
        source=visible(path.name, 120),
    )


def parse_allow(words: str) -> NightRules:
    """The rules in the words of `--allow`, such as "config,recipe,prompt"; raises InputError for a word that means nothing."""
    allowances = parse_words([words])
    if not allowances:
        raise InputError(
            T("Nothing was allowed, so a night could try nothing."),
            hint=T("Name kinds of change: --allow config,recipe,prompt"),
        )
    night = NightRulesOfFile()
    return NightRules(
        approve=allowances,
        seeds=night.seeds,
        quick_check=night.quick_check,
        grace=night.grace,
        source="--allow " + visible(words, 120),
    )


def rules_for(allow: str | None, policy: Path | None) -> NightRules:
    """The rules of a command line that may give either; raises InputError for both or neither."""
    if allow is not None and policy is not None:
        raise InputError(
            T("--allow and --policy were both given, so it is not clear which of them decides."),
            hint=T("Give one of them; a policy file can hold everything that --allow can."),
        )
    if policy is not None:
        return read_rules(policy)
    if allow is not None:
        return parse_allow(allow)
    raise InputError(
        T("Nothing was allowed, so a night could try nothing."),
        hint=T("Name kinds of change: --allow config,recipe,prompt"),
    )


def refusal(rules: NightRules, proposal: Proposal, facts: RuleFacts = NO_FACTS) -> Text | None:
    """Why the rules do not cover a proposal; None when they do. Without facts no base model's licence counts as accepted."""
    return refusal_by(rules.approve, proposal, facts)


def flat_rules(rules: dict[str, Any]) -> list[tuple[str, str]]:
    """The rules of a plan, key by key with their values as they are written; what says nothing is left out."""
    return [(key, value) for key, value in _flat(rules) if value not in {"null", "[]", "{}"}]


def _flat(value: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys with their values as JSON; plain values of a list on one line, others numbered."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{before}.{key}" if before else str(key))
    elif isinstance(value, list) and value and all(not isinstance(one, dict | list) for one in value):
        yield before, ", ".join(str(one) for one in value)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, f"{before} {number}")
    elif isinstance(value, str):
        yield before, value
    else:
        yield before, json.dumps(value, ensure_ascii=False, default=str)


def adoption_waits(rules: NightRules, facts: RuleFacts) -> Text | None:
    """Why adoption is left to a person whatever the test says; None when the verdict decides."""
    if rules.adopt == "wait":
        return T("The rules leave adoption to a person.")
    if facts.deploys and not rules.deploy:
        return T(
            "Adoption would run the task's deploy command, and only a policy file with `deploy: true` allows that."
        )
    return None


def grace_minutes(share: float, planned: float) -> float:
    """How long a training that was planned at so many minutes may go on after the time of the night; 0 for a share of 0."""
    return max(LEAST_MINUTES, share * planned) if share else 0.0


def grace_text(share: float) -> Text:
    """The rule in words."""
    if not share:
        return T("A training that is not finished when the time is over is cancelled at once.")
    return T(
        "A training that is not finished when the time is over may go on for {share:.0%} of its planned time, or {least:.0f} "
        "min where that is longer; after that it is cancelled.",
        share=share,
        least=LEAST_MINUTES,
    )


class NightApprover:
    """Answers the questions of one trial: approves its proposal alone, and decides as the loop does, inside the rules."""

    def __init__(
        self,
        rules: NightRules,
        chosen: str | None,
        choose: Choose,
        *,
        facts: RuleFacts = NO_FACTS,
        may_open_test: bool = False,
    ) -> None:
        """`chosen` is a Proposal.id, None approves nothing; only the end of a night may open the test set."""
        self._rules, self._chosen, self._choose, self._facts = rules, chosen, choose, facts
        self._may_open_test = may_open_test

    def answer(self, question: Question) -> Answer | None:
        """Approve or defer a proposal, decide, or confirm; None leaves the question to a person."""
        match question:
            case DecideQuestion():
                return self._decide(question)
            case ConfirmQuestion():
                return self._confirm(question)
            case _:
                return self._review(question.proposal)

    def _review(self, proposal: Proposal) -> Decision:
        refused = refusal(self._rules, proposal, self._facts)
        if refused is None and proposal.id != self._chosen:
            refused = T("Another change is tried first tonight.")
        return Decision(
            proposal_id=proposal.id,
            decision=Verb.approve if refused is None else Verb.defer,
            reason="" if refused is None else refused,
            by="policy",
            who=self._rules.source,
            at=now(),
        )

    def _decide(self, question: DecideQuestion) -> VersionChoice | None:
        chosen = self._choose(question)
        if chosen is None or (chosen[0] == "adopt" and not self._may_open_test):
            return None
        choice, reason = chosen
        return VersionChoice(choice=choice, reason=reason, by="policy", who=self._rules.source, at=now())

    def _confirm(self, question: ConfirmQuestion) -> Confirmation | None:
        if adoption_waits(self._rules, self._facts) is not None:
            return None
        verdict = question.opened.verdict
        fine = fine_by(self._rules.adopt, verdict)
        return Confirmation(adopt=fine, reason=test_said(verdict), by="policy", who=self._rules.source, at=now())
