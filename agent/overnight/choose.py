"""The decisions of a night, each a function of what is believed: what to try, whether to go on, how many seeds, keep, adopt.

The real loop (agent/overnight/) and the simulation of a thousand nights (tests/benchmarks/overnight_simulation.py) call the
same functions, so what is simulated is what runs. Nothing here reads a file, a clock or a model; differences, errors and floors
are fractions of the primary metric. The numbers below were chosen by that simulation, on worlds other than its held-out one.

    choose -> (quick_check_pays -> quick_verdict) -> train one seed -> seeds_wanted ... -> keep | drop -> the next
           -> seeds_before_opening -> worth_opening -> test opened once -> ending
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from agent.overnight.belief import Arm, Belief, usual_error
from tools.comparison import Verdict
from tools.text import T, Text

FLOOR = 0.001
"""A step that is expected to bring less than a tenth of a point is not worth its cost."""
QUICK_PART = 0.6
"""Part of an effect that a quick check shows: fewer rows and steps move a score less."""
KEPT_WITHIN = 1 / 3
"""A change that measured lower than its base by more than this part of the error is not kept, whatever was promised of it."""
OPEN_AT = 0.95
"""Probability of a gain from which on the locked test is opened: each opening makes later claims harder."""
DECIDES = 2.8
"""Standard errors of test that an expected gain must have for the opening to say "better" four times in five: 1.96 + 0.84."""
_NODES = [NormalDist().inv_cdf((number + 0.5) / 9) for number in range(9)]

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
    elsewhere: float
    """Expected gain of one training of the best of the others; what further seeds of this one are weighed against."""


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

    Each arm's draw is its own, whatever the order of the list, which follows measured minutes, and whatever else is in it:
    otherwise a tenth of a minute more or less would deal the draws of all arms anew.
    """
    fitting = [arm for arm in arms if arm.minutes <= minutes_left and arm.belief.worth(noise) >= FLOOR]
    if not fitting:
        return None
    drawn = rng.random()
    best = max(fitting, key=lambda arm: _draw(arm, drawn) / max(arm.minutes, 0.5))
    elsewhere = max((arm.belief.worth(noise) for arm in fitting if arm is not best), default=0.0)
    return Choice(best, best.mean, best.sd, len(arms), elsewhere)


def _draw(arm: Arm, drawn: float) -> float:
    return random.Random(f"{drawn}:{arm.task}:{arm.key}").gauss(arm.mean, arm.sd)


def quick_check_pays(
    belief: Belief, *, noise: float, rows: int, seeds: int = 1, part: float, elsewhere: float = 0.0
) -> bool:
    """Whether a quick check is worth its cost, `part` of that of one training (in runs or minutes, the scarcer).

    It may show that the training is better spent on another change, which is expected to bring `elsewhere`; it pays when that
    is worth more than what the same cost would bring in trainings. `noise` is the standard error that the full training will
    have, `rows` and `seeds` are those of the quick check.
    """
    error = usual_error(rows, seeds=seeds, base_seeds=seeds) / QUICK_PART
    moves = belief.sd**2 / math.hypot(belief.sd, error)
    left = math.sqrt(belief.sd**2 - moves**2)
    now = max(belief.worth(noise), elsewhere)
    looks = [max(Belief(belief.mean + node * moves, left).worth(noise), elsewhere) for node in _NODES]
    return sum(looks) / len(looks) - now > part * now


def quick_verdict(belief: Belief, low: float, high: float, difference: float, *, noise: float) -> QuickVerdict:
    """A quick check ends a change only when a full training is not worth it any more; else it moves the belief.

    `low` and `high` are its 95 % interval, `noise` the standard error that the full training will have.
    """
    error = max((high - low) / (2 * 1.96), 1e-4)
    after = belief.after(difference / QUICK_PART, error / QUICK_PART)
    reason = T(
        "The quick check showed {points:+.1f} points; of a full training {expected:+.1f} are expected, and {better:.0%} "
        "that it gains at all.",
        points=100 * difference,
        expected=100 * after.mean,
        better=after.p_better,
    )
    return QuickVerdict(after.worth(noise) >= FLOOR, reason, after)


def seeds_wanted(belief: Belief, *, trained: int, most: int, noise: float, elsewhere: float = 0.0) -> int:
    """How many further seeds to train now, 0 or 1: what looks good is replicated as long as nothing else is worth more.

    `belief` is after `trained` seeds, `noise` the standard error that one more seed alone would have, `elsewhere` as in Choice.
    """
    if trained >= most or belief.mean <= 0:
        return 0
    gained = belief.worth(noise) - belief.mean
    return 1 if gained >= max(FLOOR, elsewhere) else 0


def keep(belief: Belief, difference: float, error: float) -> bool:
    """True when later trials should start from it; no claim is made by that.

    `belief` has taken in the measured mean over seeds. A strict test here would throw real gains away; taking the measurement
    at its word would keep what was lucky.
    """
    return belief.mean > 0 and difference >= -KEPT_WITHIN * error


def gain_over_start(kept: Sequence[Belief], difference: float, error: float) -> Belief:
    """What is believed of the night's best version against the one it started from, measured against it on valid at the end.

    `kept` is what was believed of each kept change before it was tried: the luck by which they were kept is drawn back.
    """
    prior = Belief(sum(one.mean for one in kept), math.sqrt(sum(one.sd**2 for one in kept)))
    return prior.after(difference, error)


def seeds_before_opening(belief: Belief, *, trained: int, most: int, rows: int, base_seeds: int) -> int:
    """Further seeds of the night's best version before the test of so many rows is opened; trainings are held back for them.

    A gain that the opening will probably see as it is needs none.
    """
    error = usual_error(rows, seeds=max(1, trained), base_seeds=max(1, base_seeds))
    return 0 if belief.mean >= DECIDES * error else max(0, most - trained)


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
