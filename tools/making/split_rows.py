"""Dividing rows into train, valid and test: stratified by label, with everything that belongs together in one split."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tools.task import SplitName

ORDER: tuple[SplitName, ...] = ("valid", "test", "train")


class Group(NamedTuple):
    """Rows that must stay together."""

    rows: list[int]
    """Their places in the list of all rows."""
    labels: Counter[str]
    train_only: bool = False
    """True when their answers contradict each other, so that nothing can be judged by them."""

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.rows)


def divide(groups: Sequence[Group], sizes: dict[SplitName, int], seed: int) -> dict[SplitName, list[int]]:
    """Places of the rows of each split, in file order; rows that no split has room for are in none.

    Sizes are met exactly when single rows are left to fill them; labels keep their shares as far as groups allow. Larger
    groups are placed first, and groups of equal size in an order that depends only on the seed.
    """
    shuffled = list(groups)
    random.Random(seed).shuffle(shuffled)
    shuffled.sort(key=lambda group: group.size, reverse=True)
    room = dict(sizes)
    wanted = _shares(groups, sizes)
    placed: dict[SplitName, list[int]] = defaultdict(list)
    left = []
    for group in shuffled:
        split = _best(group, room, wanted)
        if split is None:
            left.append(group)
            continue
        _place(group, split, placed, room, wanted)
    for group in left:
        split = next((name for name in _allowed(group) if room[name] >= group.size), None)
        if split is not None:
            _place(group, split, placed, room, wanted)
    return {split: sorted(placed[split]) for split in ORDER}


def _shares(groups: Sequence[Group], sizes: dict[SplitName, int]) -> dict[SplitName, Counter[str]]:
    """Rows wanted of each label in each split, rounded so that they add up to the size (largest remainders)."""
    totals: Counter[str] = Counter()
    for group in groups:
        totals.update(group.labels)
    whole = sum(totals.values())
    return {
        split: _rounded({label: count * size / whole for label, count in totals.items()}, size)
        for split, size in sizes.items()
    }


def _rounded(exact: dict[str, float], size: int) -> Counter[str]:
    counts = Counter({label: int(value) for label, value in exact.items()})
    by_remainder = sorted(exact, key=lambda label: (int(exact[label]) - exact[label], label))
    for label in by_remainder[: size - sum(counts.values())]:
        counts[label] += 1
    return counts


def _allowed(group: Group) -> tuple[SplitName, ...]:
    return ("train",) if group.train_only else ORDER


def _best(group: Group, room: dict[SplitName, int], wanted: dict[SplitName, Counter[str]]) -> SplitName | None:
    """The split with room that lacks most of the group's labels, in relation to what it still lacks altogether."""
    best, most = None, 0.0
    for split in _allowed(group):
        fitting = sum(min(count, max(0, wanted[split][label])) for label, count in group.labels.items())
        need = fitting / group.size * room[split] if room[split] >= group.size else 0
        if need > most:
            best, most = split, need
    return best


def _place(
    group: Group,
    split: SplitName,
    placed: dict[SplitName, list[int]],
    room: dict[SplitName, int],
    wanted: dict[SplitName, Counter[str]],
) -> None:
    placed[split] += group.rows
    room[split] -= group.size
    wanted[split].subtract(group.labels)
