"""What a test set of a given size can show, and what an undecided comparison would need.

It computes before money is spent; it judges no versions (tools/compare.py does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from tools.evidence.statistics import LEVEL, Estimate

WANTED_POWER = 0.8
"""Chance of seeing a real difference that a plan should have (Cohen's convention)."""
TYPICAL_DISAGREEMENT = 0.10
"""Share of rows on which two trainings differ in being right, as long as the task has not shown its own."""
USUAL_EFFECTS = (0.02, 0.05, 0.10)
"""Differences in accuracy that a reader has in mind: 2, 5 and 10 points."""
MOST_ROWS = 1_000_000
MOST_SEEDS = 30
"""Beyond these a plan is no plan."""


class Visible(BaseModel):
    """What exact McNemar sees on this many rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    disagreement: float
    """Share of rows on which exactly one version is right; a larger difference brings its own."""
    powers: dict[str, float]
    """Difference in accuracy, such as "0.05", to the chance of seeing it."""
    smallest: float | None
    """Smallest difference seen with WANTED_POWER; None when the rows are too few for any."""


class Settling(BaseModel):
    """What would probably decide an undecided comparison if the difference is what it looks like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int | None
    """Rows in the split, with the seeds as they are; None when no number of rows would."""
    seeds: int | None
    """Seeds of each version, with the rows as they are; None when no number of seeds would."""
    smallest: float
    """Smallest difference that the present rows and seeds show with WANTED_POWER."""


def mcnemar_power(rows: int, disagreement: float, effect: float, alpha: float = 1 - LEVEL) -> float:
    """Chance that exact McNemar finds the new version better when it truly is by `effect` (fraction of rows).

    Summed exactly over the number of discordant rows, Binomial(rows, disagreement), of which the share
    (disagreement + effect) / (2 disagreement) favours the new version; an effect cannot exceed the disagreement.
    """
    import numpy as np
    from scipy.stats import binom

    if rows < 1 or disagreement <= 0:
        return 0.0
    share = min(1.0, (disagreement + effect) / (2 * disagreement))
    low, high = binom.ppf([1e-9, 1 - 1e-9], rows, disagreement)
    discordant = np.arange(int(low), int(high) + 1)
    largest_kept = binom.isf(alpha / 2, discordant, 0.5)
    return float((binom.pmf(discordant, rows, disagreement) * binom.sf(largest_kept, discordant, share)).sum())


def rows_for_power(disagreement: float, effect: float, power: float = WANTED_POWER) -> int | None:
    """Rows with which exact McNemar sees `effect` with `power`; None beyond MOST_ROWS. Exact up to the test's saw teeth."""
    return _first(lambda rows: mcnemar_power(rows, disagreement, effect) >= power, MOST_ROWS)


def visible(rows: int, disagreement: float = TYPICAL_DISAGREEMENT, effects: Sequence[float] = USUAL_EFFECTS) -> Visible:
    """The power of a split of `rows` rows for some differences, and the smallest difference it shows reliably."""

    def power(effect: float) -> float:
        return mcnemar_power(rows, max(disagreement, effect), effect)

    thousandths = _first(lambda step: power(step / 1000) >= WANTED_POWER, 1000)
    return Visible(
        rows=rows,
        disagreement=disagreement,
        powers={str(effect): power(effect) for effect in effects},
        smallest=None if thousandths is None else thousandths / 1000,
    )


def disagreement(first: Sequence[Sequence[bool]], second: Sequence[Sequence[bool]] | None = None) -> float | None:
    """Mean share of rows on which two trainings differ in being right; each argument is one list of rows per seed.

    With one argument: over all pairs of its seeds, None with fewer than two. With two: over all pairs across.
    """
    if second is None:
        pairs = [(first[i], first[j]) for i in range(len(first)) for j in range(i)]
    else:
        pairs = [(one, other) for one in first for other in second]
    shares = [sum(a != b for a, b in zip(*pair, strict=True)) / len(pair[0]) for pair in pairs if pair[0]]
    return sum(shares) / len(shares) if shares else None


def settling(estimate: Estimate, rows: int, old_seeds: int, new_seeds: int) -> Settling:
    """Rows or seeds that would decide with WANTED_POWER if the true difference is the one seen.

    Normal approximation: the difference must be z = 1.96 + 0.84 standard errors; the error of the rows falls with their
    number, the error of the seeds with theirs, and neither replaces the other.
    """
    from scipy.stats import norm

    z = float(norm.ppf((1 + LEVEL) / 2) + norm.ppf(WANTED_POWER))
    row_variance, seed_variance = estimate.row_error**2, estimate.seed_error**2
    seed_part = seed_variance * (1 / old_seeds + 1 / new_seeds)
    allowed = (estimate.difference / z) ** 2
    return Settling(
        rows=_ceiling(rows * row_variance, allowed - seed_part, MOST_ROWS),
        seeds=_ceiling(2 * seed_variance, allowed - row_variance, MOST_SEEDS),
        smallest=z * (row_variance + seed_part) ** 0.5,
    )


def _ceiling(part: float, share: float, most: int) -> int | None:
    """`part` / `share`, rounded up, None when there is no share left or the number is beyond `most`."""
    if share <= 0 or part / share > most:
        return None
    return int(-(-part // share)) or 1


def _first(enough: Callable[[int], bool], most: int) -> int | None:
    """The smallest number up to `most` that is enough, by bisection; None when `most` is not."""
    if most < 1 or not enough(most):
        return None
    low, high = 0, 1
    while not enough(high):
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
