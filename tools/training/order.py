"""In which order training rows come: random, but with rows of like length in one batch.

The order depends only on seed and epoch, never on a random generator that other code also draws from. A run that was
killed and resumed therefore sees the same batches as one that was not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

_GROUP = 8
"""Batches whose rows are sorted together: enough for little padding, few enough to keep the mixture random."""


def batches_of_epoch(lengths: list[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Row indices in batches; the incomplete batch comes last, since the loader counts rows in sequence."""
    random_of_epoch = random.Random(f"{seed}/{epoch}")
    order = list(range(len(lengths)))
    random_of_epoch.shuffle(order)
    size = batch_size * _GROUP
    groups = [sorted(order[start : start + size], key=lambda row: lengths[row]) for start in range(0, len(order), size)]
    flat = [row for group in groups for row in group]
    batches = [flat[start : start + batch_size] for start in range(0, len(flat), batch_size)]
    rest = [batches.pop()] if len(flat) % batch_size else []
    random_of_epoch.shuffle(batches)
    return batches + rest


class LengthGroupedSampler:
    """Row indices of one epoch; `epoch` is asked at the start of each pass."""

    def __init__(self, lengths: list[int], batch_size: int, seed: int, epoch: Callable[[], int]) -> None:
        self._lengths = lengths
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[Any]:
        for batch in batches_of_epoch(self._lengths, self._batch_size, self._seed, self._epoch()):
            yield from batch
