"""The decisions of a night, each a function of what is believed: what to try, whether to go on, how many seeds, keep, adopt.

The real loop (agent/overnight/trial.py, finish.py) and the simulation of a thousand nights
(tests/benchmarks/overnight_simulation.py) call the same functions, so what is simulated is what runs. Nothing here reads a
file, a clock or a model; differences, errors and floors are fractions of the primary metric.

    choose -> (quick_verdict) -> train one seed -> seeds_wanted ... -> keep | drop -> ... -> worth_opening -> ending
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.overnight.belief import Arm, Belief
from tools.comparison import Verdict
from tools.text import T, Text

FLOOR = 0.001
"""A step that is expected to bring less than a tenth of a point is not worth its cost."""
QUICK_PART = 0.6
"""Part of an effect that a quick check shows: fewer rows and steps move a score less."""
KEEP_AT = 0.6
"""Probability of a gain from which on a change is kept; no claim is made by it."""
OPEN_AT = 0.7
"""Probability of a gain from which on the locked test is opened: each opening makes later claims harder."""

AdoptRule = Literal["wait", "if_better", "if_not_worse"]


@dataclass(frozen=True)
class Choice:
    """The change that is tried next."""

    arm: Arm
    expected: float
    """Mean of what is believed about it."""
    spread: float
    candidates: int
    """Among how many."""


@dataclass(frozen=True)
class QuickVerdict:
    """Whether a quick check lets its change go on to a full training."""

    goes_on: bool
    reason: Text
    belief: Belief
    """What is believed now; the full training starts from it."""


@dataclass(frozen=True)
class Ending:
    """What the opened test means for the version in use."""

    adopt: bool
    reason: Text
    expected: Belief
    """What is believed about its gain, validation and test together. The claim is the test's interval alone."""


def choose(arms: Sequence[Arm], *, rng: random.Random, minutes_left: float, noise: float) -> Choice | None:
    """The next change by Thompson sampling: one draw from each belief, the largest draw per minute wins (Thompson 1933).

    `noise` is the standard error that the first measurement will have. None when nothing fits into the minutes left, or when no
    change is worth its cost: `Belief.worth` of the best is below FLOOR.
    """
    fitting = [arm for arm in arms if arm.minutes <= minutes_left and arm.belief.worth(noise) >= FLOOR]
    if not fitting:
        return None
    draws = [(rng.gauss(arm.mean, arm.sd) / max(arm.minutes, 0.5), arm) for arm in fitting]
    best = max(draws, key=lambda pair: pair[0])[1]
    return Choice(best, best.mean, best.sd, len(arms))


def quick_verdict(belief: Belief, low: float, high: float, difference: float, *, noise: float) -> QuickVerdict:
    """A quick check ends a change only when a full training is not worth it any more; else it moves the belief.

    `low` and `high` are its 95 % interval, `noise` the standard error that the full training will have.
    """
    error = max((high - low) / (2 * 1.96), 1e-4)
    after = belief.after(difference / QUICK_PART, error / QUICK_PART)
    goes_on = after.worth(noise) >= FLOOR
    reason = T(
        "The quick check showed {points:+.1f} points; a gain of {expected:+.1f} is expected of a full training, with a "
        "probability of {better:.0%} that it gains at all.",
        points=100 * difference,
        expected=100 * after.mean,
        better=after.p_better,
    )
    return QuickVerdict(goes_on, reason, after)


def seeds_wanted(belief: Belief, *, trained: int, most: int, noise: float) -> int:
    """How many further seeds to train now, 0 or 1: what looks good is replicated, the rest is dropped.

    `belief` is after `trained` seeds; `noise` is the standard error that one more seed alone would have.
    """
    if trained >= most or belief.mean <= 0:
        return 0
    gained = belief.worth(noise) - max(belief.mean, 0.0)
    return 1 if gained >= FLOOR else 0


def keep(belief: Belief) -> bool:
    """True when later trials should start from it: by its mean over seeds, shrunk towards what was believed before."""
    return belief.mean > 0 and belief.p_better >= KEEP_AT


def worth_opening(belief: Belief) -> bool:
    """Whether to open the locked test for the night's best version, once, given what is believed of its gain over the start."""
    return belief.p_better >= OPEN_AT


def ending(rule: AdoptRule, belief: Belief, *, difference: float, error: float, verdict: Verdict) -> Ending:
    """Whether the night's rules adopt the best version now that the test is open; "wait" leaves it to a person."""
    now = belief.after(difference, error) if verdict != "not_comparable" else belief
    match rule:
        case "if_better" if verdict == "better":
            return Ending(True, T("The locked test says better, and the rules adopt what is better."), now)
        case "if_better":
            return Ending(False, T("The rules adopt only what the locked test says is better."), now)
        case "if_not_worse" if verdict in ("better", "undecided") and now.mean > 0:
            return Ending(True, T("The locked test does not say worse, and a gain is expected."), now)
        case "if_not_worse":
            return Ending(False, T("No gain is expected after the locked test."), now)
        case _:
            return Ending(False, T("Adopting waits for a person."), now)
