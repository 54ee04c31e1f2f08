"""Which rows of a pool a person should label next: uncertain between the confused labels, unlike each other, some at random.

    quotas      labels that are confused most get most of the rows (counted in the version's validation errors)
    uncertainty smallest margin between the two likeliest labels first (Scheffer, Decomain, Wrobel 2001)
    diversity   among the most uncertain ones, the row least like all chosen so far: greedy max-min, the farthest-first
                traversal of Gonzalez (1985); shortlisting by uncertainty and then spreading out follows Zhdanov (2019),
                arXiv:1901.05954
    chance      three rows in ten are drawn at random, so that what is counted on them holds for the whole pool

Without scores of the version's own model all rows are drawn at random, near copies avoided. A cheaper guess at uncertainty,
from the nearest training rows, was measured and left out: on the bundled tasks it chose worse than chance
(tests/benchmarks/labelling_gain.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tools.files import sha256_bytes
from tools.labelling.vectors import Vectors
from tools.task import Row

BREADTH = 3
"""Uncertain rows on the shortlist for each row wanted."""
RANDOM_SHARE = 0.3
"""Of the rows wanted: enough to count agreement on, few enough to leave most of the work where the model is unsure."""
NEAR_COPY = 0.8
"""Cosine from which a row is passed over for looking like one that was taken."""

LabelPair = frozenset[str]
Scores = Mapping[str, Mapping[str, float]]
"""Row id to label to probability."""


@dataclass(frozen=True)
class Choice:
    """A row worth labelling."""

    row: Row
    margin: float | None = None
    """Probability of the likeliest label minus that of the second; None when the row has no scores."""
    pair: LabelPair | None = None
    """The two likeliest labels."""
    at_random: bool = False
    """True when chance chose it."""


def confused_pairs(confusion: Mapping[str, Mapping[str, int]]) -> dict[LabelPair, int]:
    """Errors per pair of labels, in either direction; unreadable answers are no confusion of labels."""
    found: Counter[LabelPair] = Counter()
    for expected, answered in confusion.items():
        for given, count in answered.items():
            if given != expected and given in confusion and count:
                found[frozenset((expected, given))] += count
    return dict(found)


def choose(
    rows: Sequence[Row],
    scores: Scores,
    count: int,
    *,
    confused: Mapping[LabelPair, int] | None = None,
    draw: int = 0,
) -> list[Choice]:
    """Up to `count` rows, the same ones for the same pool and `draw`; those chosen for their uncertainty first."""
    wanted = min(count, len(rows))
    candidates = [_choice(row, scores.get(row.id, {})) for row in rows]
    spread = _Spread(rows)
    scored = [at for at, one in enumerate(candidates) if one.margin is not None]
    sought = min(len(scored), wanted - round(wanted * RANDOM_SHARE))
    _take_uncertain(spread, candidates, scored, sought, confused or {})
    chosen = [candidates[at] for at in spread.taken]
    spread.take_apart(_shuffled(rows, set(spread.taken), draw), wanted - len(chosen))
    return [*chosen, *(replace(candidates[at], at_random=True) for at in spread.taken[len(chosen) :])]


def _take_uncertain(
    spread: _Spread, candidates: Sequence[Choice], scored: Sequence[int], count: int, confused: Mapping[LabelPair, int]
) -> None:
    """Quotas of the confused pairs first, then whatever is most uncertain."""
    order = sorted(scored, key=lambda at: (_margin(candidates[at]), at))
    for pair, quota in _quotas(confused, count).items():
        mine = [at for at in order if candidates[at].pair == pair]
        spread.take(mine, quota)
    left = count - len(spread.taken)
    rest = [at for at in order if at not in set(spread.taken)]
    spread.take(rest, left)


def _shuffled(rows: Sequence[Row], without: set[int], draw: int) -> list[int]:
    """The other rows in an order that depends on what they say, and on the number of the draw, alone."""
    said = {at: sha256_bytes(repr((draw, row.key)).encode("utf-8", "surrogatepass")) for at, row in enumerate(rows)}
    return sorted((at for at in said if at not in without), key=lambda at: said[at])


def _choice(row: Row, scores: Mapping[str, float]) -> Choice:
    if len(scores) < 2:
        return Choice(row)
    (first, high), (second, low) = sorted(scores.items(), key=lambda item: -item[1])[:2]
    return Choice(row, margin=high - low, pair=frozenset((first, second)))


def _margin(choice: Choice) -> float:
    return 1.0 if choice.margin is None else choice.margin


def _quotas(confused: Mapping[LabelPair, int], count: int) -> dict[LabelPair, int]:
    """Rows per pair in proportion to its errors, by largest remainder; most confused pair first."""
    total = sum(confused.values())
    if not total:
        return {}
    exact = {pair: count * errors / total for pair, errors in confused.items()}
    quotas = {pair: int(share) for pair, share in exact.items()}
    by_remainder = sorted(exact, key=lambda pair: (quotas[pair] - exact[pair], sorted(pair)))
    for pair in by_remainder[: count - sum(quotas.values())]:
        quotas[pair] += 1
    return {
        pair: quotas[pair] for pair in sorted(quotas, key=lambda pair: (-quotas[pair], sorted(pair))) if quotas[pair]
    }


class _Spread:
    """Takes rows one after another, each the least like all taken before; the first is the most uncertain one."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._vectors = Vectors(rows) if rows else None
        self._rows = len(rows)
        self._nearest: list[float] = [0.0] * len(rows)
        """Of each row, the largest cosine with a row that was taken."""
        self.taken: list[int] = []

    def take(self, order: Sequence[int], count: int) -> None:
        """Take `count` rows from the beginning of an order of preference."""
        waiting = self._shortlist(order, BREADTH * count)
        for _ in range(min(count, len(waiting))):
            best = min(waiting, key=lambda at: self._nearest[at])
            waiting.remove(best)
            self._add(best)

    def _shortlist(self, order: Sequence[int], size: int) -> list[int]:
        """The first rows of the order that do not look like an earlier one; where there are too few, the others behind them."""
        kept: list[int] = []
        passed_over: list[int] = []
        nearest = list(self._nearest)
        for at in order:
            if len(kept) == size:
                return kept
            if nearest[at] >= NEAR_COPY:
                passed_over.append(at)
                continue
            kept.append(at)
            nearest = [max(old, new) for old, new in zip(nearest, self._cosines(at), strict=True)]
        return [*kept, *passed_over[: size - len(kept)]]

    def take_apart(self, order: Sequence[int], count: int) -> None:
        """Take `count` rows in this order, those that look like a taken one only when no other is left."""
        passed_over: list[int] = []
        end = len(self.taken) + count
        for at in order:
            if len(self.taken) == end:
                return
            if self._nearest[at] >= NEAR_COPY:
                passed_over.append(at)
            else:
                self._add(at)
        for at in passed_over[: end - len(self.taken)]:
            self._add(at)

    def _add(self, at: int) -> None:
        self._nearest = [max(old, new) for old, new in zip(self._nearest, self._cosines(at), strict=True)]
        self.taken.append(at)

    def _cosines(self, at: int) -> list[float]:
        assert self._vectors is not None
        found: list[float] = self._vectors.alike(0, 0, slice(at, at + 1))[0].tolist()
        return found
