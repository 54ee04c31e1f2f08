"""What a morning report knows, as typed facts: numbers, ids and counts. No sentences, no language, no row of any data.

agent/overnight/reporting/facts.py fills them from a night's record; sections.py says them. Differences are fractions.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agent.overnight.records import BudgetLimits, StopReason
from tools.change import Proposal
from tools.comparison import Verdict
from tools.text import Text, Words
from tools.versioning.forecasts import ForecastScore

LEVEL = 0.8
"""Probability that the interval of an expectation promises."""
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)

NightState = Literal["over", "running", "cut_off"]
Outcome = Literal["kept", "discarded", "dead_end", "crashed", "interrupted", "under_way"]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(_Facts):
    """A difference, with its 95 percent interval where one is known."""

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def direction(self) -> int | None:
        """1 or -1 when the interval lies on one side of zero, 0 when it holds zero, None without an interval."""
        if self.low is None or self.high is None:
            return None
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


class QuickFacts(_Facts):
    """What the quick check of a trial said."""

    difference: float
    low: float
    high: float
    goes_on: bool


class TrialFacts(_Facts):
    """One change that was tried on one task."""

    number: int
    task: str
    title: Text | None
    """None when the line that chose it is lost."""
    kinds: list[str] = []
    origin: str = ""
    proposal_id: str = ""
    base: str = ""
    version: str | None = None
    chosen_at: str = ""
    ended_at: str = ""
    expected: float | None = None
    """None for a baseline."""
    spread: float | None = None
    planned_minutes: float | None = None
    candidates: int | None = None
    quick: QuickFacts | None = None
    outcome: Outcome = "under_way"
    reason: Text | None = None
    seeds: list[int] = []
    metric: str = ""
    before: float | None = None
    """Score of the base on valid, mean over its seeds."""
    after: float | None = None
    observed: Estimate | None = None
    verdict: Verdict | None = None
    """Of the paired comparison on valid."""
    noise_floor: float | None = None
    minutes: float = 0.0

    @property
    def is_baseline(self) -> bool:
        """True for the first training of a task, which changes nothing and of which nothing was expected."""
        return self.title is not None and not self.kinds

    @property
    def low(self) -> float | None:
        """Lower end of what was expected, with 80 % probability."""
        return None if self.expected is None or self.spread is None else self.expected - Z * self.spread

    @property
    def high(self) -> float | None:
        """Upper end of it."""
        return None if self.expected is None or self.spread is None else self.expected + Z * self.spread


class OpenedScore(_Facts):
    """One metric of one version: valid said, test says."""

    version: str
    metric: str
    valid: float | None
    test: float


class OpenedFacts(_Facts):
    """What the one opening of a task's locked test set showed."""

    at: str
    base: str
    version: str
    ordinal: int | None
    rows: int | None
    metric: str
    scores: list[OpenedScore]
    valid: Estimate | None
    """The difference that valid had shown, without interval."""
    test: Estimate | None
    p_corrected: float | None
    verdict: Verdict
    notes: list[Text]


class TaskFacts(_Facts):
    """Where one task stands after the night."""

    name: str
    path: str
    start: str
    """Version that gains are counted from: the one the night began with, or the baseline it trained; "" without either."""
    best: str
    """The newest version that was kept; later trials start from it."""
    metric: str = ""
    before: float | None = None
    after: float | None = None
    gain: Estimate | None = None
    """Of `best` over `start` on valid; None when nothing was kept."""
    seeds: int = 0
    tried: int = 0
    kept: int = 0
    """Changes that were kept; a baseline is none."""
    baseline: str | None = None
    """The first version of the task, when the night trained it."""
    noise_floor: float | None = None
    paused: Text | None = None
    opened: OpenedFacts | None = None
    adopted: str | None = None
    replaced: str | None = None
    """The version in use before the night adopted one."""


class BudgetPoint(_Facts):
    """What was used up to a moment."""

    at: str
    minutes: float
    runs: int
    dollars: float
    tokens: int
    estimated: bool = False
    """True when a server did not count its tokens."""


class BudgetFacts(_Facts):
    """What the night might use and what it used."""

    limits: BudgetLimits
    points: list[BudgetPoint]

    @property
    def used(self) -> BudgetPoint:
        """The newest point; nothing before the first."""
        return self.points[-1] if self.points else BudgetPoint(at="", minutes=0, runs=0, dollars=0, tokens=0)


class ForecastLine(_Facts):
    """A forecast of the proposal that was tried, and what came of it on valid."""

    task: str
    version: str
    metric: str
    low: float
    high: float
    level: float
    p_better: float
    observed: float
    inside: bool


class GuardFacts(_Facts):
    """A guard that fired, or a disturbance that the night survived."""

    at: str
    task: str | None
    guard: str
    message: Text
    page: str | None


class WaitingFacts(_Facts):
    """A decision that only a person may take."""

    number: int
    task: str
    what: Literal["proposal", "adoption", "paused_task", "offer"]
    reason: Text
    title: Text | None
    version: str | None
    proposal: Proposal | None
    command: str
    settled: bool
    """True when it was decided since."""
    is_decision: bool
    """False for what could be done besides."""


class AloneFacts(_Facts):
    """A decision that the night took without a person."""

    at: str
    task: str
    what: Literal["proposal", "adoption"]
    subject: Text
    rule: Words
    """Who or what covered it, as the journal has it; "" when only the night's own record tells."""


class MeasuredFacts(_Facts):
    """A version that was trained with further seeds: the one that a night started from, or one that it kept."""

    task: str
    version: str
    seeds: list[int]
    """All of its seeds."""
    base: str | None = None
    """What it was tried against; None for a version that the night did not make, or that cannot be compared any more."""
    gain: Estimate | None = None
    """Against `base`, over all seeds."""


class NightFacts(_Facts):
    """One night, ready to be told."""

    id: str
    folder: str
    state: NightState
    started_at: str
    newest_at: str
    """Of the newest line; the start before the first."""
    who: str
    seed: int
    reason: StopReason | None
    """Why it is over; None while it is not."""
    message: Text | None
    taken_up: int
    unreadable: int
    """Lines of the record that cannot be read."""
    tasks: list[TaskFacts]
    trials: list[TrialFacts]
    measured: list[MeasuredFacts]
    budget: BudgetFacts
    forecasts: list[ForecastLine]
    tonight: ForecastScore
    """Of the forecasts of this night."""
    ever: ForecastScore
    """Of all forecasts of these tasks so far."""
    guards: list[GuardFacts]
    waiting: list[WaitingFacts]
    alone: list[AloneFacts]
    rules: dict[str, Any]
    command: str
    resume: str

    @property
    def open(self) -> list[WaitingFacts]:
        """The decisions that still wait, and what is offered besides."""
        return [one for one in self.waiting if not one.settled]

    @property
    def decisions(self) -> list[WaitingFacts]:
        """Those that wait, without what merely could be done."""
        return [one for one in self.open if one.is_decision]
