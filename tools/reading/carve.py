"""Taking a validation split out of the training rows, stratified and reproducible, when a task has none of its own."""

from __future__ import annotations

import hashlib
from collections import defaultdict

from tools.task import Row

_MADE = ("generated_by", "parent_id")
"""Metadata of rows that were made from others; they would make a validation split that looks easier than it is."""


def carve(rows: list[Row], fraction: float, seed: int, labels: list[str]) -> list[Row]:
    """About `fraction` of the rows of each of the `labels` (at least one of two, never all), in file order.

    Rows with the same question stay together. Which ones are taken depends on their content and the seed, not on their
    order, so rows added or moved elsewhere in the file change little.
    """
    strata: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if not any(mark in row.meta for mark in _MADE):
            label = row.answer if isinstance(row.answer, str) and row.answer in labels else ""
            strata[label][_place(row, seed)].append(row)
    taken = {row.id for groups in strata.values() for row in _part(groups, fraction)}
    keys = {row.key for row in rows if row.id in taken}
    return [row for row in rows if row.key in keys and not any(mark in row.meta for mark in _MADE)]


def without(rows: list[Row], carved: list[Row]) -> list[Row]:
    """The rows that do not ask what a carved row asks."""
    keys = {row.key for row in carved}
    return [row for row in rows if row.key not in keys]


def _place(row: Row, seed: int) -> str:
    said = repr((seed, row.key)).encode("utf-8", errors="surrogatepass")
    return hashlib.sha1(said, usedforsecurity=False).hexdigest()


def _part(groups: dict[str, list[Row]], fraction: float) -> list[Row]:
    """The first groups in the order of their hashes until the fraction is reached; never all of them."""
    total = sum(map(len, groups.values()))
    wanted = max(1, round(fraction * total))
    taken: list[Row] = []
    for place in sorted(groups)[:-1]:
        if len(taken) >= wanted:
            break
        taken += groups[place]
    return taken
