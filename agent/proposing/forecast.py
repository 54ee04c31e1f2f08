"""A forecast as a mixture: either the change is the right one and brings what the table promises, or it does nothing.

gain ~ works x N(middle, spread) + (1 - works) x N(0, noise). Its 10 % and 90 % quantiles are the interval, its mass above 0
the probability of improving. Outcomes of earlier iterations replace the table as far as there are any
(tools/versioning/forecasts.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

from agent.proposing.matrix import NOISE, PRIORS
from tools.change import Effect
from tools.text import T, Text

Source = Literal["measured", "learned", "prior"]
LEVEL = 0.8
_TAIL = (1 - LEVEL) / 2
_Z80 = 1.2816
"""Standard deviations between the middle and the 90 % quantile of a normal distribution."""
_SMALLEST_SPREAD = 0.005
_SURE = 0.9
"""A change is never more certain than this to do what it should."""


class Gain(NamedTuple):
    """The two outcomes a forecast reckons with, as fractions of the metric."""

    middle: float
    spread: float
    """Standard deviation when the change is the right one."""
    works: float

    def below(self, value: float) -> float:
        """Probability of a gain below `value`."""
        right = _normal_below((value - self.middle) / self.spread)
        return self.works * right + (1 - self.works) * _normal_below(value / NOISE)

    @property
    def mean(self) -> float:
        """The expected gain."""
        return self.works * self.middle


def prior_gain(name: str, *, limit: float | None = None, certain: bool = True) -> Gain:
    """The gain that the table states; no more than `limit`, what the finding says is lost at most.

    A finding that is a mere possibility (`certain` False) makes the change half as likely to be the right one.
    """
    prior = PRIORS[name]
    high = prior.high if limit is None else min(prior.high, max(limit, 0.0))
    low = min(prior.low, high)
    return _gain(low, high, prior.works if certain else prior.works / 2)


def measured_gain(lost: float) -> Gain:
    """The gain of mending a fault whose cost was counted on this task: between half of it and all of it, nine times in ten."""
    return _gain(lost / 2, lost, _SURE)


def no_gain() -> Gain:
    """The forecast for a change that is not meant to move the score."""
    return Gain(0.0, NOISE, 0.0)


def fall(share: float) -> Gain:
    """The forecast when scores were too high by up to `share`: they will probably fall."""
    return _gain(-share, 0.0, _SURE)


def _gain(low: float, high: float, works: float) -> Gain:
    spread = max((high - low) / (2 * _Z80), _SMALLEST_SPREAD)
    return Gain((low + high) / 2, math.hypot(spread, NOISE / 2), works)


def effect(metric: str, gain: Gain, basis: Text, source: Source = "prior") -> Effect:
    """The forecast of a gain as an interval that will be scored."""
    return Effect(
        metric=metric,
        low=round(_quantile(gain.below, _TAIL), 3),
        high=round(_quantile(gain.below, 1 - _TAIL), 3),
        level=LEVEL,
        p_better=round(1 - gain.below(0.0), 2),
        source=source,
        basis=basis,
    )


def prior_basis(name: str) -> Text:
    """Where a forecast from the table comes from, in words."""
    prior = PRIORS[name]
    numbers = {"low": prior.low, "high": prior.high, "works": prior.works}
    if prior.from_matrix:
        return T(
            "The matrix of the specification gives {low:+.0%} to {high:+.0%}; that it holds here is put at {works:.0%}.",
            **numbers,
        )
    return T(
        "A careful guess, {low:+.0%} to {high:+.0%} when it is the right change, which is put at {works:.0%}.",
        **numbers,
    )


def _normal_below(z: float) -> float:
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


def _quantile(below: Callable[[float], float], share: float) -> float:
    """The value below which `share` of the mass lies, by bisection on [-1, 1]."""
    low, high = -1.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < share else (low, middle)
    return (low + high) / 2
