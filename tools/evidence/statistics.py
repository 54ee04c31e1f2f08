"""Paired statistics of two versions on the same rows: exact McNemar, a two-level bootstrap, Holm's correction.

Every metric here is a mean of ratios of sums over rows (accuracy, F1, macro-F1, mean document score, parse rate), so one
resampling of row weights serves all of them. It decides nothing: verdicts are made in tools/compare.py.

Rows are drawn with replacement, the same rows for both versions. Seeds are the second level: the differences between
seeds that the choice of rows does not explain get a variance of their own, and each resample draws new seeds with it. Two or
three seeds hardly tell a variance, so it is moderated as in Smyth 2004 (doi:10.2202/1544-6115.1027): averaged with
ASSUMED_SPREAD squared, which weighs ASSUMED_WORTH degrees of freedom, and drawn from Student's t. Simulated on 100 to 1000 rows
with a true spread of 0 to 2 points, a change that does nothing was then called better in 0 to 4 % of comparisons
(2.5 % is nominal); drawing whole seeds instead was far too strict (0 to 1 %). Where both versions answered with the same
weights, only rows are drawn: simulated on 240 rows, nothing was then called better in 3.6 % of 900 comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

LEVEL = 0.95
"""Confidence of every interval; 1 - LEVEL is the alpha of every verdict (convention)."""
RESAMPLES = 2000
"""Bootstrap resamples: the Monte-Carlo error of a p-value of .05 is then about half a point."""
ASSUMED_SPREAD = 0.015
"""Standard deviation of a score over seeds that is assumed as long as nothing is measured: repeated fine-tunings of one
configuration on small tasks usually spread by 1 to 3 points (Dodge et al. 2020, arXiv:2002.06305)."""
ASSUMED_WORTH = 3
"""Degrees of freedom that the assumption weighs against the measured ones."""
_CELLS = 4_000_000
"""Row weights held in memory at once (about 32 MB)."""
UNPARSED = -1
"""Code of an answer that could not be parsed: it is never right, and it is nobody's false positive."""


class McNemar(BaseModel):
    """The exact McNemar test on the rows where exactly one of two versions is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fixed: int
    """Rows that only the new version answers correctly."""
    broken: int
    """Rows that only the old version answers correctly."""
    p: float
    """Two-sided exact p-value; 1.0 without discordant rows."""


class Estimate(BaseModel):
    """A difference between two versions with what is known about its error; all in fractions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old: float
    new: float
    low: float
    high: float
    """Interval of the difference at LEVEL."""
    p: float
    """Two-sided bootstrap p-value of "no difference"."""
    row_error: float
    """Standard error that comes from the choice of rows."""
    seed_error: float
    """Standard deviation of one training's score over seeds, beyond what the rows explain (moderated by the assumption); 0
    where no training lies between the two sides."""

    @property
    def difference(self) -> float:
        """New minus old."""
        return self.new - self.old


@dataclass(frozen=True)
class Measure:
    """A metric of one version as sums over rows: the mean over parts of sum(hits) / sum(totals).

    `hits` and `totals` are (seed, part, row). A part counts in a resample only if rows of `support` (part, row) are in it.
    """

    hits: Array
    totals: Array
    support: Array

    def values(self, weights: Array) -> Array:
        """The metric per seed and weighting, (seed, weighting), for row weights of shape (weighting, row)."""
        import numpy as np

        top, bottom = self.hits @ weights.T, self.totals @ weights.T
        ratios = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
        present = self.support @ weights.T > 0
        return np.asarray((ratios * present).sum(axis=1) / np.maximum(present.sum(axis=0), 1))

    def now(self) -> list[float]:
        """The metric per seed on the rows as they are."""
        import numpy as np

        return [float(value) for value in self.values(np.ones((1, self.hits.shape[2])))[:, 0]]


Pair = tuple[Measure, Measure]
"""The same metric of the old and the new version."""


def mean_measure(values: Sequence[Sequence[float]]) -> Measure:
    """The mean over rows of one number per seed and row: accuracy, document score, parse rate."""
    return ratio_measure(values, [[1.0] * len(values[0])] * len(values))


def ratio_measure(hits: Sequence[Sequence[float]], totals: Sequence[Sequence[float]]) -> Measure:
    """A ratio of sums, such as the score among parsed rows; one list of rows per seed."""
    import numpy as np

    top, bottom = (np.asarray(part, dtype=np.float64)[:, None, :] for part in (hits, totals))
    return Measure(hits=top, totals=bottom, support=np.ones((1, top.shape[2])))


def f1_measure(expected: Sequence[int], predicted: Sequence[Sequence[int]], classes: Sequence[int]) -> Measure:
    """The unweighted mean of the F1 of `classes` over those that are expected in a resample (one class: its F1).

    F1 = 2 TP / (support + predicted), as in tools/scoring/metrics.py; `predicted` is one list of class codes per seed.
    """
    import numpy as np

    truth = np.asarray(expected)[None, :] == np.asarray(classes)[:, None]
    answer = np.asarray(predicted)[:, None, :] == np.asarray(classes)[None, :, None]
    return Measure(
        hits=2.0 * (answer & truth), totals=answer.astype(np.float64) + truth, support=truth.astype(np.float64)
    )


def mcnemar(fixed: int, broken: int) -> McNemar:
    """Exact two-sided McNemar test: a binomial test of the discordant rows against one half (McNemar 1947)."""
    from scipy.stats import binomtest

    p = float(binomtest(min(fixed, broken), fixed + broken).pvalue) if fixed + broken else 1.0
    return McNemar(fixed=fixed, broken=broken, p=p)


def paired_bootstrap(
    pairs: dict[str, Pair], *, trained: bool = True, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """Estimate new minus old for each named metric; all share the same resampled rows (see the module's text).

    `trained` false: both sides answered with the same weights, so the seeds are not drawn anew and only the rows are; the
    interval is then about these weights.
    """
    import numpy as np

    if not pairs:
        return {}
    rng = np.random.default_rng(seed)
    rows = next(iter(pairs.values()))[0].hits.shape[2]
    drawn: dict[str, list[tuple[Array, Array]]] = {name: [] for name in pairs}
    for weights in _row_weights(rows, resamples, rng):
        for name, (old, new) in pairs.items():
            drawn[name].append((old.values(weights), new.values(weights)))
    return {name: _estimate(pairs[name], drawn[name], rng, trained=trained) for name in pairs}


def _row_weights(rows: int, resamples: int, rng: Any) -> Iterator[Array]:
    """How often each row is drawn, in chunks of shape (some resamples, rows)."""
    import numpy as np

    chunk = max(1, min(resamples, _CELLS // max(rows, 1)))
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        yield rng.multinomial(rows, np.full(rows, 1 / rows), size=size).astype(np.float64)


def _estimate(pair: Pair, drawn: list[tuple[Array, Array]], rng: Any, *, trained: bool) -> Estimate:
    """Turn resampled per-seed scores of one metric, each (seed, resample), into an interval and a p-value."""
    import numpy as np

    old, new = (np.concatenate([part[side] for part in drawn], axis=1) for side in (0, 1))
    rows_only = new.mean(axis=0) - old.mean(axis=0)
    degrees = len(old) + len(new) - 2 + ASSUMED_WORTH
    spread = _moderated_spread([old, new], degrees) if trained else 0.0
    seeds = rng.standard_t(degrees, len(rows_only)) * spread * (1 / len(old) + 1 / len(new)) ** 0.5
    draws = rows_only + seeds
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(
        old=float(np.mean(pair[0].now())),
        new=float(np.mean(pair[1].now())),
        low=float(low),
        high=float(high),
        p=_two_sided(draws),
        row_error=float(rows_only.std()),
        seed_error=spread,
    )


def _moderated_spread(sides: list[Array], degrees: int) -> float:
    """Standard deviation over seeds beyond row noise, averaged with the assumed one by degrees of freedom."""
    measured = 0.0
    for side in (side for side in sides if len(side) > 1):
        deviations = side - side.mean(axis=0)
        measured += float((deviations.mean(axis=1) ** 2).sum() - deviations.var(axis=1).sum())
    return float(((ASSUMED_WORTH * ASSUMED_SPREAD**2 + max(measured, 0.0)) / degrees) ** 0.5)


def _two_sided(draws: Array) -> float:
    """Twice the smaller tail beyond zero, with one draw added so that it is never 0; a constant zero gives 1."""
    below, above = int((draws <= 0).sum()), int((draws >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (len(draws) + 1))


def seed_spread(groups: Sequence[Sequence[float]]) -> float | None:
    """Pooled standard deviation of scores over seeds within each version; None when no version has two seeds."""
    squares = [(value - sum(group) / len(group)) ** 2 for group in groups if group for value in group]
    degrees = sum(len(group) - 1 for group in groups if group)
    return float((sum(squares) / degrees) ** 0.5) if degrees > 0 else None


def noise_floor(baseline: Sequence[float], old_seeds: int, new_seeds: int) -> float | None:
    """Standard deviation of the difference of two versions that do not differ, from the baseline's seeds.

    `old_seeds` and `new_seeds` are the numbers of trainings whose means are compared. None with fewer than two seeds.
    """
    spread = seed_spread([baseline])
    return None if spread is None else spread * float((1 / old_seeds + 1 / new_seeds) ** 0.5)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values in the given order (Holm 1979): family-wise error under any dependence."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, worst = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        worst = max(worst, (len(p_values) - rank) * p_values[index])
        adjusted[index] = min(1.0, worst)
    return adjusted
