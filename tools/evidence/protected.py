"""Protected slices: parts of the rows that may not get clearly worse while the whole gets better.

Slices are the values of the fields that the task declares, the `source` of the rows, and their length. Classes are judged
with the same rule from their F1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.evidence.paired import SideBySide
from tools.evidence.statistics import Estimate, Pair
from tools.task import Row

MARGIN = 0.05
"""A slice may fall by this much without blocking (5 points; a convention of this program)."""
SURE = 0.20
"""A fall beyond the margin blocks from this two-sided p-value on: the 80 % interval lies below zero. A false alarm costs a
closer look, a missed one a worse product, so the level is loose."""
SMALLEST_SLICE = 10
"""Slices with fewer rows are not judged: one row would move them by more than the margin."""
LENGTHS = ("short", "medium", "long")
"""Thirds of the rows by characters of input."""


@dataclass(frozen=True)
class Slice:
    """The rows that share a value."""

    by: str
    value: str
    ids: frozenset[str]

    @property
    def name(self) -> str:
        """Key of the slice among measures."""
        return f"slice[{self.by}={self.value}]"


def blocks(estimate: Estimate) -> bool:
    """True when a class or slice fell beyond the margin and the fall is probably no chance."""
    return estimate.difference < -MARGIN and estimate.p < SURE


def slices(rows: SideBySide, declared: Sequence[str], known: Mapping[str, Row]) -> list[Slice]:
    """The slices that are large enough to judge; `known` gives the metadata of the rows by id, as far as there are any."""
    found: list[Slice] = []
    for field in dict.fromkeys([*declared, "source"]):
        groups: dict[str, set[str]] = {}
        for row in rows.old[0]:
            value = _value(field, row.input, known.get(row.id))
            if value is not None:
                groups.setdefault(value, set()).add(row.id)
        if len(groups) > 1:
            found += [Slice(by=field, value=value, ids=frozenset(ids)) for value, ids in sorted(groups.items())]
    return [part for part in (*found, *_by_length(rows)) if len(part.ids) >= SMALLEST_SLICE]


def slice_measure(rows: SideBySide, part: Slice) -> Pair:
    """The mean row score inside a slice."""
    return rows.ratio(lambda row: row.score * (row.id in part.ids), lambda row: float(row.id in part.ids))


def _value(field: str, fields: Mapping[str, str], row: Row | None) -> str | None:
    if field in fields:
        return fields[field]
    value = row.meta.get(field, row.fields.get(field)) if row is not None else None
    return None if value is None else str(value)


def _by_length(rows: SideBySide) -> list[Slice]:
    """Thirds by input length; rows of one length are never split, so thirds may differ in size."""
    lengths = {row.id: sum(map(len, row.input.values())) for row in rows.old[0]}
    ordered = sorted(lengths.values())
    limits = [ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3]]
    groups: list[set[str]] = [set(), set(), set()]
    for row_id, length in lengths.items():
        groups[sum(length >= limit for limit in limits)].add(row_id)
    if min(map(len, groups)) == 0:
        return []
    return [Slice("length", name, frozenset(ids)) for name, ids in zip(LENGTHS, groups, strict=True)]
