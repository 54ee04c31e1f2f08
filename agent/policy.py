"""Approval without a person at the keyboard: rules on the command line and policy files.

What a rule does not cover is deferred, never approved and never blocking. A policy is the user's own words in a file or
a flag; nothing that a model or a data row says can widen it. Some things no rule covers: see `always_waits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, field_validator, model_validator

from agent.approval import Answer, Confirmation, ConfirmQuestion, DecideQuestion, Question, VersionChoice
from tools.change import ChangeKind, Decision, Edit, Proposal, Verb
from tools.comparing.words import verdict_name
from tools.comparison import Verdict
from tools.editing.yaml_model import Unfit
from tools.files import now
from tools.reading.config_keys import SHORT_FORMS, known, renamed
from tools.reading.key_patterns import EditPattern, KeyPattern
from tools.text import T, Text, Words, visible
from tools.versioning.rule_facts import NO_FACTS, RuleFacts

BASELINE: Final = "baseline"
"""The word that allows training a task's first version."""
ANY = "any"
"""The word that allows every kind of change, and the first version."""

AdoptRule = Literal["wait", "if_better", "if_not_worse"]
"""What to do once the locked test set was opened: leave it to a person, or adopt by its verdict."""

_NEVER_BY_RULE = ("training.command", "launcher.*", "data.valid", "data.test", "data.valid_fraction", "data.carve_seed")
"""Keys that decide which program runs, where, and on which rows a version is measured."""
_BASE_MODEL = "training.base_model"
_ROW_FILES = "data.train"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bounds(_Model):
    """The values that a key may get."""

    min: FiniteFloat | None = None
    max: FiniteFloat | None = None
    one_of: list[JsonValue] | None = None

    @model_validator(mode="after")
    def _some_value_is_inside(self) -> Bounds:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise Unfit(T("no value is inside, since min is above max."))
        if self.min is None and self.max is None and self.one_of is None:
            raise Unfit(T("it limits nothing; give min, max or one_of."))
        return self

    def hold(self, value: JsonValue) -> bool:
        """True when the value is inside; one that is not a number is inside no limits."""
        if self.one_of is not None and value not in self.one_of:
            return False
        if self.min is None and self.max is None:
            return True
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def __str__(self) -> str:
        if self.one_of is not None:
            return visible(", ".join(map(str, self.one_of)), 120)
        low, high = ("" if one is None else f"{one:g}" for one in (self.min, self.max))
        return f"{low} … {high}".strip()


class Allowance(_Model):
    """Changes that may run without asking; every condition given must hold for every edit of the proposal."""

    kinds: list[ChangeKind | Literal["baseline"]] = []
    """Kinds of change; empty means any."""
    keys: list[EditPattern] = []
    """Patterns over dotted configuration keys, such as "training.*"; empty means any."""
    ranges: dict[KeyPattern, Bounds] = {}
    """Pattern of keys to the values they may get; keys that no pattern fits may get any."""
    models: list[str] = []
    """Patterns of base models that may be changed to; empty means any whose licence was named here before."""
    data: list[str] = []
    """Patterns of files that may join the training rows, such as "data/reviewed/*"; empty means none."""
    generated: bool = False
    """Whether such a file may hold rows that a language model wrote."""
    from_model: bool = False
    """Whether a change that a language model thought of is covered too."""
    max_minutes: float | None = Field(default=None, gt=0)
    """Longest estimated cost."""

    def covers(self, proposal: Proposal, facts: RuleFacts = NO_FACTS) -> bool:
        """True when the whole proposal is inside this allowance."""
        return self.refusal(proposal, facts) is None

    def refusal(self, proposal: Proposal, facts: RuleFacts) -> tuple[int, Text] | None:
        """Why the proposal is not inside, with the number of the condition that failed, in their order; None when it is."""
        conditions: tuple[Callable[[Proposal, RuleFacts], Text | None], ...] = (
            self._wrong_kind,
            self._wrong_key,
            self._wrong_origin,
            self._too_long,
            self._out_of_range,
            self._wrong_model,
            self._wrong_data,
        )
        answers = (condition(proposal, facts) for condition in conditions)
        return next(((place, answer) for place, answer in enumerate(answers) if answer is not None), None)

    def _wrong_kind(self, proposal: Proposal, _: RuleFacts) -> Text | None:
        if not proposal.changes:
            if BASELINE in self.kinds and not self.keys:
                return None
            return T("No rule allows training the first version; the word for it is {word}.", word=BASELINE)
        wrong = [change.kind for change in proposal.changes if self.kinds and change.kind not in self.kinds]
        return T("No rule allows changes of the kind {kind}.", kind=wrong[0].value) if wrong else None

    def _wrong_key(self, proposal: Proposal, _: RuleFacts) -> Text | None:
        wrong = [edit for edit in edits_of(proposal) if self.keys and not _fits(edit.dotted, self.keys)]
        return T("No rule allows changes of {key}.", key=visible(wrong[0].dotted, 80)) if wrong else None

    def _wrong_origin(self, proposal: Proposal, _: RuleFacts) -> Text | None:
        if proposal.origin != "model" or self.from_model:
            return None
        return T("A language model thought of it; only a policy file with `from_model: true` covers that.")

    def _too_long(self, proposal: Proposal, _: RuleFacts) -> Text | None:
        if self.max_minutes is None or proposal.cost.minutes <= self.max_minutes:
            return None
        return T(
            "It takes about {minutes:.0f} min, and the rules allow {most:g}.",
            minutes=proposal.cost.minutes,
            most=self.max_minutes,
        )

    def _out_of_range(self, proposal: Proposal, _: RuleFacts) -> Text | None:
        for one in settings_of(proposal):
            for pattern, bounds in self.ranges.items():
                if fnmatchcase(one.key, pattern) and not bounds.hold(one.new):
                    return T(
                        "{key} would be {value}, and the rules allow {range}.",
                        key=visible(one.key, 80),
                        value=visible(str(one.new), 60),
                        range=str(bounds),
                    )
        return None

    def _wrong_model(self, proposal: Proposal, _: RuleFacts) -> Text | None:
        for one in settings_of(proposal):
            if one.key == _BASE_MODEL and self.models and not _fits(str(one.new), self.models):
                return T("The rules do not name the base model {name}.", name=visible(str(one.new), 80))
        return None

    def _wrong_data(self, proposal: Proposal, facts: RuleFacts) -> Text | None:
        for file in added_files(proposal):
            if not _fits(file, self.data):
                return T("The rules do not name {file} under `data`.", file=visible(file, 120))
            if file not in facts.own_files and not self.generated:
                return T("{file} may hold rows that a language model wrote.", file=visible(file, 120))
        return None


class Setting(NamedTuple):
    """One setting of the configuration under its current name, however an edit writes it."""

    key: str
    old: JsonValue
    new: JsonValue


def edits_of(proposal: Proposal) -> list[Edit]:
    """Every edit of a proposal."""
    return [edit for change in proposal.changes for edit in change.edits]


def settings_of(proposal: Proposal) -> list[Setting]:
    """Every setting that a proposal touches, whole sections taken apart and old names understood."""
    return [setting for edit in edits_of(proposal) for setting in _settings(edit.path, edit.old, edit.new)]


def _settings(path: tuple[str, ...], old: JsonValue, new: JsonValue) -> Iterator[Setting]:
    if not isinstance(old, dict) and not isinstance(new, dict):
        found = None if known(path) else renamed(path)
        place = SHORT_FORMS.get(path) or (found.to if found is not None else None) or path
        yield Setting(".".join(place), old, new)
        return
    before, after = (value if isinstance(value, dict) else {} for value in (old, new))
    for name in dict.fromkeys([*before, *after]):
        yield from _settings((*path, name), before.get(name), after.get(name))


def added_files(proposal: Proposal) -> list[str]:
    """Files that would join the training rows."""
    found: list[str] = []
    for one in settings_of(proposal):
        if one.key == _ROW_FILES:
            old, new = (value if isinstance(value, list) else [value] for value in (one.old, one.new))
            found += [str(file) for file in new if file is not None and file not in old]
    return found


def always_waits(proposal: Proposal, facts: RuleFacts) -> Text | None:
    """Why no rule at all can cover a proposal, whatever it says; None for all others."""
    for one in settings_of(proposal):
        if _fits(one.key, _NEVER_BY_RULE):
            return T("{key} decides what runs or what is measured; only a person changes it.", key=visible(one.key, 80))
        if one.key == _BASE_MODEL and str(one.new) not in facts.named_models:
            return T("The licence of {name} was not accepted here yet.", name=visible(str(one.new), 80))
    return None


def refusal_by(allowances: Sequence[Allowance], proposal: Proposal, facts: RuleFacts) -> Text | None:
    """Why none of the allowances covers a proposal, from the one that comes nearest; None when one covers it."""
    waits = always_waits(proposal, facts)
    if waits is not None:
        return waits
    refusals = [allowance.refusal(proposal, facts) for allowance in allowances]
    if not refusals:
        return T("No rule allows anything.")
    failed = [one for one in refusals if one is not None]
    return max(failed, key=lambda one: one[0])[1] if len(failed) == len(refusals) else None


def fine_by(rule: AdoptRule, verdict: Verdict) -> bool:
    """Whether a verdict on the locked test lets a rule adopt."""
    return verdict == "better" or (rule == "if_not_worse" and verdict == "undecided")


def test_said(verdict: Verdict) -> Text:
    """Why a rule adopts or does not, once the locked test was opened."""
    return T("The verdict on the locked test: {verdict}.", verdict=verdict_name(verdict))


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


class DecideRules(_Model):
    """What to do with a compared version, by its verdict; a verdict not named waits for a person."""

    better: Literal["adopt", "continue", "rollback", "wait"] = "wait"
    undecided: Literal["continue", "rollback", "wait"] = "wait"
    worse: Literal["continue", "rollback", "wait"] = "wait"
    not_comparable: Literal["continue", "rollback", "wait"] = "wait"


class NightRulesOfFile(_Model):
    """What a policy file says about unattended nights alone."""

    seeds: int = Field(default=3, ge=1, le=10)
    """Trainings of one change with different seeds at most; further ones run while they are worth it, and before the test."""
    quick_check: bool = True
    """Whether a change is tried on a part of the rows before its training."""
    grace: float = Field(default=0.25, ge=0, le=10)
    """Share of its planned minutes for which a training may go on after the time of the night; 0 cancels it at once.

    An estimate that is a quarter too low still ends, and one that is hopelessly wrong does not take the morning.
    """


class Policy(_Model):
    """A policy file: what is allowed while nobody answers."""

    approve: list[Allowance] = []
    max_trainings: int | None = Field(default=None, ge=0)
    """Trainings that may be approved in one session."""
    decide: DecideRules = DecideRules()
    """For `iterate run`; a night decides by means over seeds and by what it believed before."""
    adopt: AdoptRule = "wait"
    """What to do after the locked test set was opened."""
    deploy: bool = False
    """Whether adoption may run the task's own deploy command; without it the adoption of such a task waits."""
    night: NightRulesOfFile = NightRulesOfFile()

    @field_validator("adopt", mode="before")
    @classmethod
    def _word_of_earlier_files(cls, value: object) -> object:
        return "if_not_worse" if value == "if_test_not_worse" else value


class PolicyApprover:
    """Answers from a Policy; defers the proposals it does not cover and leaves other questions pending."""

    def __init__(
        self,
        policy: Policy,
        *,
        by: Literal["rule", "policy"],
        who: str,
        defer_rest: bool,
        approved: Callable[[str], int],
        facts: RuleFacts = NO_FACTS,
    ) -> None:
        """`approved` tells how many trainings rules have approved in this session, besides the question about that proposal."""
        self._facts = facts
        self._policy = policy
        self._by = by
        self._who = who
        self._defer_rest = defer_rest
        self._approved = approved

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
        refusal = self._refusal(proposal)
        if refusal is None:
            return self._decision(proposal, Verb.approve, "")
        if not self._defer_rest:
            return None
        return self._decision(proposal, Verb.defer, refusal)

    def _refusal(self, proposal: Proposal) -> Text | None:
        limit = self._policy.max_trainings
        if limit is not None and self._approved(proposal.id) + proposal.cost.trainings > limit:
            return T("The rules allow {count} trainings, and they are used up.", count=limit)
        return refusal_by(self._policy.approve, proposal, self._facts)

    def _decision(self, proposal: Proposal, verb: Verb, reason: Words) -> Decision:
        return Decision(proposal_id=proposal.id, decision=verb, reason=reason, by=self._by, who=self._who, at=now())

    def _choose(self, question: DecideQuestion) -> VersionChoice | None:
        choice = getattr(self._policy.decide, question.comparison.verdict)
        if choice == "wait":
            return None
        reason = T("The verdict on validation: {verdict}.", verdict=verdict_name(question.comparison.verdict))
        return VersionChoice(choice=choice, reason=reason, by=self._by, who=self._who, at=now())

    def _confirm(self, question: ConfirmQuestion) -> Confirmation | None:
        policy, verdict = self._policy, question.opened.verdict
        if policy.adopt == "wait" or (self._facts.deploys and not policy.deploy):
            return None
        fine = fine_by(policy.adopt, verdict)
        return Confirmation(adopt=fine, reason=test_said(verdict), by=self._by, who=self._who, at=now())
