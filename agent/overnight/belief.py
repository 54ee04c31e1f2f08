"""What a night believes about changes: forecasts as normal distributions, moved by what this and earlier nights observed.

All numbers are fractions of the primary metric, as changes against the version that a night works from. No files are read here
except earlier forecasts, through tools/versioning/forecasts.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from tools.change import Change, Effect, Proposal
from tools.comparison import Comparison
from tools.evidence.power import TYPICAL_DISAGREEMENT
from tools.evidence.statistics import ASSUMED_SPREAD
from tools.task import Task
from tools.versioning.forecasts import change_key, moved_by, normal_of, scored_forecasts

_STANDARD = NormalDist()


@dataclass(frozen=True)
class Belief:
    """A normal distribution over a true difference."""

    mean: float
    sd: float

    @property
    def p_better(self) -> float:
        """Probability that the difference is above zero."""
        return _STANDARD.cdf(self.mean / self.sd)

    def after(self, difference: float, error: float) -> Belief:
        """The belief once a difference was measured with this standard error: the measurement is shrunk towards the belief.

        That is what takes the winner's curse out of choosing (Efron 2011, doi:10.1198/jasa.2011.tm11181): the largest of many
        measurements is a lucky one, and it is drawn back the more, the more its error outweighs what was believed.
        """
        precision = 1 / self.sd**2 + 1 / error**2
        return Belief((self.mean / self.sd**2 + difference / error**2) / precision, precision**-0.5)

    def worth(self, error: float) -> float:
        """Expected gain of measuring with this error and then keeping the change only if it is believed to gain.

        The knowledge gradient with one alternative (Frazier, Powell and Dayanik 2008, doi:10.1137/070693424).
        """
        moves = self.sd**2 / math.hypot(self.sd, error)
        z = self.mean / moves
        return moves * _STANDARD.pdf(z) + self.mean * _STANDARD.cdf(z)

    def plus(self, other: Belief) -> Belief:
        """The belief about two independent differences together."""
        return Belief(self.mean + other.mean, math.hypot(self.sd, other.sd))


@dataclass(frozen=True)
class Arm:
    """One change that may be tried, with what is believed about it."""

    key: str
    """Proposal.id."""
    kind: str
    """`kind_of` the proposal."""
    task: str
    mean: float
    sd: float
    minutes: float
    """Of one training of it."""

    @property
    def belief(self) -> Belief:
        """Its effect on the primary metric."""
        return Belief(self.mean, self.sd)


@dataclass(frozen=True)
class Observation:
    """What came of one trial."""

    kind: str
    difference: float
    error: float
    metric: str
    """Metric that its forecast was about, under which it is recorded for later forecasts."""


class Beliefs:
    """What is believed about each kind of change, moved by every trial of that kind so far as all forecasts are (`moved_by`).

    A shift that all kinds share was tried too: in the simulation it ended nights early and cost more gain than it saved.
    """

    def __init__(self, seen: Iterable[Observation] = ()) -> None:
        self._seen = list(seen)

    def observed(self, one: Observation) -> None:
        """Take in what came of a trial."""
        self._seen.append(one)

    def about(self, kind: str, effect: Effect, share: float = 1.0) -> Belief:
        """The belief about a change with this forecast; `share` is what its metric counts less in the primary one.

        What was measured on this task stays as it is. A learned forecast knows the outcomes of its kind and metric already.
        """
        prior = forecast_belief(effect, share)
        if effect.source == "measured":
            return prior
        known = effect.metric if effect.source == "learned" else None
        own = [one for one in self._seen if one.kind == kind and one.metric != known]
        return Belief(*moved_by(prior.mean, prior.sd, [(one.difference, one.error) for one in own]))


def forecast_belief(effect: Effect, share: float = 1.0) -> Belief:
    """A forecast in terms of the primary metric."""
    middle, spread = normal_of(effect)
    return Belief(middle / share, spread / share)


def kind_of(changes: Sequence[Change]) -> str:
    """What a proposal changes, as forecasts name it; the parts of a bundle joined, so that it teaches nothing about them."""
    return "+".join(sorted({change_key(change) for change in changes}))


def share_of(metric: str, task: Task) -> float:
    """A class's F1 counts in the macro-F1 by one over the number of classes."""
    return max(1.0, float(len(task.definition.answer.labels))) if metric.startswith("f1[") else 1.0


def arms_of(task: Task, proposals: Sequence[Proposal], beliefs: Beliefs) -> list[Arm]:
    """An arm for each proposal that changes something."""
    arms = []
    for proposal in proposals:
        if proposal.changes:
            kind = kind_of(proposal.changes)
            belief = beliefs.about(kind, proposal.effect, share_of(proposal.effect.metric, task))
            minutes = proposal.cost.minutes / max(1, proposal.cost.trainings)
            arms.append(Arm(proposal.id, kind, task.name, belief.mean, belief.sd, minutes))
    return arms


def seen_in(proposal: Proposal, difference: float, error: float) -> Observation:
    """A trial of this night as an observation; `difference` and `error` are of the primary metric."""
    return Observation(kind_of(proposal.changes), difference, error, proposal.effect.metric)


def seen_before(tasks: Iterable[Task], until: str) -> list[Observation]:
    """Outcomes of earlier iterations of these tasks, up to an instant (ISO 8601, UTC), oldest first within a task."""
    found = []
    for task in tasks:
        for one in scored_forecasts([task.path]):
            if one.outcome.at < until:
                share = share_of(one.outcome.metric, task)
                error = (one.outcome.error if one.outcome.error is not None else ASSUMED_SPREAD * math.sqrt(2)) / share
                kind = "+".join(sorted(one.forecast.kinds))
                found.append(Observation(kind, one.outcome.observed / share, error, one.outcome.metric))
    return found


def usual_error(rows: int, *, seeds: int = 1, base_seeds: int = 1) -> float:
    """Standard error of a difference on so many rows before anything is measured: rows that flip, and seeds on both sides."""
    return math.sqrt(TYPICAL_DISAGREEMENT / rows + ASSUMED_SPREAD**2 * (1 / seeds + 1 / base_seeds))


def measured(comparison: Comparison) -> tuple[float, float] | None:
    """Difference of the primary metric and its standard error; None when they were not comparable."""
    if comparison.verdict == "not_comparable" or not comparison.metrics:
        return None
    line = comparison.metrics[0]
    if line.range is not None:
        return line.difference, max((line.range.high - line.range.low) / (2 * 1.96), 1e-4)
    usual = usual_error(comparison.rows, seeds=comparison.new_seeds, base_seeds=comparison.base_seeds)
    return line.difference, usual
