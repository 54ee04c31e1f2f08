"""Approval without a person at the keyboard: rules on the command line and policy files.

What a rule does not cover is deferred, never approved and never blocking. A policy is the user's own words in a file or
a flag; nothing that a model or a data row says can widen it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from agent.approval import Answer, Confirmation, ConfirmQuestion, DecideQuestion, Question, VersionChoice
from tools.change import ChangeKind, Decision, Proposal, Verb
from tools.errors import InputError, Problem
from tools.files import now
from tools.text import T, visible

BASELINE = "baseline"
"""The word that allows training a task's first version."""


class Allowance(BaseModel):
    """Changes that may run without asking; every condition given must hold for every edit of the proposal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: list[ChangeKind | Literal["baseline"]] = []
    """Kinds of change; empty means any."""
    keys: list[str] = []
    """Patterns over dotted configuration keys, such as "training.*"; empty means any."""
    max_minutes: float | None = None
    """Longest estimated cost."""

    def covers(self, proposal: Proposal) -> bool:
        """True when the whole proposal is inside this allowance."""
        if self.max_minutes is not None and proposal.cost.minutes > self.max_minutes:
            return False
        if not proposal.changes:
            return BASELINE in self.kinds and not self.keys
        kinds_fit = not self.kinds or all(change.kind in self.kinds for change in proposal.changes)
        edits = [edit for change in proposal.changes for edit in change.edits]
        return kinds_fit and (not self.keys or all(self._key_fits(edit.dotted) for edit in edits))

    def _key_fits(self, dotted: str) -> bool:
        return any(fnmatchcase(dotted, pattern) for pattern in self.keys)


class DecideRules(BaseModel):
    """What to do with a compared version, by its verdict; a verdict not named waits for a person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    better: Literal["adopt", "continue", "rollback", "wait"] = "wait"
    undecided: Literal["continue", "rollback", "wait"] = "wait"
    worse: Literal["continue", "rollback", "wait"] = "wait"
    not_comparable: Literal["continue", "rollback", "wait"] = "wait"


class Policy(BaseModel):
    """A policy file: what is allowed while nobody answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approve: list[Allowance] = []
    max_trainings: int | None = None
    """Trainings that may be approved in one session."""
    decide: DecideRules = DecideRules()
    adopt: Literal["wait", "if_test_not_worse"] = "wait"
    """What to do after the locked test set was opened."""


class PolicyApprover:
    """Answers from a Policy; defers the proposals it does not cover and leaves other questions pending."""

    def __init__(self, policy: Policy, *, by: Literal["rule", "policy"], who: str, defer_rest: bool) -> None:
        self._policy = policy
        self._by = by
        self._who = who
        self._defer_rest = defer_rest
        self._trainings = 0

    def answer(self, question: Question) -> Answer | None:
        """Approve or defer a proposal; decide by the verdict; confirm by the test; None leaves it to a person."""
        match question:
            case DecideQuestion():
                return self._choose(question)
            case ConfirmQuestion():
                return self._confirm(question)
            case _:
                return self._review(question.proposal)

    def _review(self, proposal: Proposal) -> Decision | None:
        if self._covers(proposal):
            self._trainings += proposal.cost.trainings
            return self._decision(proposal, Verb.approve, "")
        if not self._defer_rest:
            return None
        return self._decision(proposal, Verb.defer, "not covered by the rules given")

    def _covers(self, proposal: Proposal) -> bool:
        limit = self._policy.max_trainings
        if limit is not None and self._trainings + proposal.cost.trainings > limit:
            return False
        return any(allowance.covers(proposal) for allowance in self._policy.approve)

    def _decision(self, proposal: Proposal, verb: Verb, reason: str) -> Decision:
        return Decision(proposal_id=proposal.id, decision=verb, reason=reason, by=self._by, who=self._who, at=now())

    def _choose(self, question: DecideQuestion) -> VersionChoice | None:
        choice = getattr(self._policy.decide, question.comparison.verdict)
        if choice == "wait":
            return None
        reason = "verdict on valid: " + question.comparison.verdict
        return VersionChoice(choice=choice, reason=reason, by=self._by, who=self._who, at=now())

    def _confirm(self, question: ConfirmQuestion) -> Confirmation | None:
        if self._policy.adopt == "wait":
            return None
        verdict = question.opened.verdict
        reason = "verdict on the locked test: " + verdict
        fine = verdict in {"better", "undecided"}
        return Confirmation(adopt=fine, reason=reason, by=self._by, who=self._who, at=now())


def parse_rules(rules: list[str]) -> Policy:
    """A policy from `--approve RULE` flags: a kind of change, "baseline", "any", or a pattern of configuration keys.

    Raises InputError that lists every rule it did not understand and the valid kinds.
    """
    allowances: list[Allowance] = []
    problems: list[Problem] = []
    kinds = [kind.value for kind in ChangeKind]
    for rule in rules:
        if rule == "any":
            allowances += [Allowance(), Allowance(kinds=[BASELINE])]
        elif rule == BASELINE:
            allowances.append(Allowance(kinds=[BASELINE]))
        elif rule in kinds:
            allowances.append(Allowance(kinds=[ChangeKind(rule)]))
        elif "." in rule or "*" in rule:
            allowances.append(Allowance(keys=[rule]))
        else:
            problem = T("{rule} is neither a kind of change nor a pattern of configuration keys.", rule=visible(rule))
            problems.append(
                Problem(message=problem, value=visible(rule), choices=[*kinds, BASELINE, "any", "training.*"])
            )
    if problems:
        raise InputError(
            T("An approval rule was not understood; nothing was approved."),
            hint=T("Use a kind of change, baseline, any, or a pattern of keys such as training.epochs."),
            problems=problems,
        )
    return Policy(approve=allowances)


def read_policy(path: Path) -> Policy:
    """The policy in a YAML file; raises InputError with every problem in it."""
    shown = visible(str(path))
    try:
        raw = YAML(typ="safe").load(path.read_text(encoding="utf-8-sig"))
    except OSError as reason:
        raise InputError(
            T("Could not read the policy file {path}: {reason}.", path=shown, reason=reason.strerror or str(reason))
        ) from reason
    except (YAMLError, UnicodeDecodeError) as reason:
        raise InputError(
            T("The policy file {path} is not valid YAML: {reason}.", path=shown, reason=visible(str(reason), 300))
        ) from reason
    try:
        return Policy.model_validate(raw or {})
    except ValidationError as invalid:
        raise InputError(
            T("The policy file {path} has mistakes; nothing was approved.", path=shown),
            hint=T("Mend the lines named and run the same command again."),
            problems=[
                _policy_problem(shown, error["loc"], error["msg"], error.get("input")) for error in invalid.errors()
            ],
        ) from invalid


def _policy_problem(path: str, place: tuple[int | str, ...], reason: str, value: object) -> Problem:
    key = ".".join(str(part) for part in place)
    choices = [kind.value for kind in ChangeKind] + [BASELINE] if "kinds" in place else list(Policy.model_fields)
    return Problem(
        message=T("{key}: {reason}", key=key or "policy", reason=visible(reason)),
        path=path,
        value=visible(str(value), 80),
        choices=choices,
    )
