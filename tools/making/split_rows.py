"""Dividing rows into train, valid and test: stratified by label, with everything that belongs together in one split."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from tools.errors import InputError
from tools.task import SplitName
from tools.text import T

ORDER: tuple[SplitName, ...] = ("valid", "test", "train")

VALID_FRACTION = 0.15
TEST_FRACTION = 0.20
LEAST_ROWS = 10
"""Labelled rows that a task needs before they can be divided."""


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


def sizes_of(
    total: int, train: int | None, valid: int | None, test: int | None, kept: Collection[SplitName] = ()
) -> dict[SplitName, int]:
    """Rows per split, none for the splits that are kept as they are; raises InputError when the wishes exceed the rows."""
    wished_valid = max(1, round(VALID_FRACTION * total)) if valid is None else valid
    wished_test = max(1, round(TEST_FRACTION * total)) if test is None else test
    wished_valid, wished_test = (0 if "valid" in kept else wished_valid), (0 if "test" in kept else wished_test)
    wished_train = total - wished_valid - wished_test if train is None else train
    sizes: dict[SplitName, int] = {"train": wished_train, "valid": wished_valid, "test": wished_test}
    if min(size for split, size in sizes.items() if split not in kept) < 1 or sum(sizes.values()) > total:
        raise InputError(
            T(
                "{train} rows for train, {valid} for valid and {test} for test do not fit the {total} usable rows.",
                train=wished_train,
                valid=wished_valid,
                test=wished_test,
                total=total,
            ),
            hint=T("Each split needs at least one row, and together they need no more than there are."),
        )
    return sizes


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
