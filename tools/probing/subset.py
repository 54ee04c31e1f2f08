"""A part of the rows that stands for all: stratified by answer, the same for a configuration and for a change of it.

Which rows are in follows from their ids alone, so rows that both configurations have are in both parts or in neither, and rows
that a change adds come in at the same share. Repetitions of a row come and go with it.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import JsonValue

from tools.files import sha256_bytes
from tools.runs import Example

K = TypeVar("K")
_COPY = re.compile(r"(.+)#\d+")
_LEAST = 2
"""Rows of a stratum that stay however small the share."""


def part_of(rows: Sequence[Example], share: float, base: Sequence[Example] | None = None) -> list[Example]:
    """About `share` of each label's rows, in their order; `base` are the rows of the configuration that it is compared with."""
    ids = {row.id for row in rows}
    first = part_ids(base, share) if base is not None else frozenset[str]()
    base_ids = {row.id for row in base or ()}
    known = {_source(row.id, base_ids) for row in base or ()}
    new = [row for row in rows if _source(row.id, ids) not in known]
    kept = first | part_ids(new, share)
    return [row for row in rows if _source(row.id, ids) in kept]


def part_ids(rows: Sequence[Example], share: float) -> frozenset[str]:
    """Ids of the rows in the part, repetitions left aside."""
    ids = {row.id for row in rows}
    sources = [row for row in rows if _source(row.id, ids) == row.id]
    return frozenset(row.id for row in _drawn(sources, lambda count: math.ceil(count * share)))


def at_most(rows: Sequence[Example], most: int) -> list[Example]:
    """At most about so many rows, stratified, the same ones every time; at least two of each answer that occurs twice."""
    if len(rows) <= most:
        return list(rows)
    kept = {row.id for row in _drawn(rows, lambda count: round(count * most / len(rows)))}
    return [row for row in rows if row.id in kept]


def _drawn(rows: Sequence[Example], wanted: Callable[[int], int]) -> list[Example]:
    strata: dict[str, list[Example]] = defaultdict(list)
    for row in rows:
        strata[_stratum(row.expected)].append(row)
    found: list[Example] = []
    for members in strata.values():
        members.sort(key=lambda row: sha256_bytes(row.id.encode("utf-8", "surrogatepass")))
        found += members[: max(wanted(len(members)), min(_LEAST, len(members)))]
    return found


def _stratum(expected: JsonValue) -> str:
    """The label; objects and free texts, of which hardly two are alike, are one stratum."""
    return json.dumps(expected, ensure_ascii=False) if isinstance(expected, str) and len(expected) <= 60 else ""


def _source(row_id: str, ids: set[str]) -> str:
    """The row that a repetition made by the recipe repeats."""
    found = _COPY.fullmatch(row_id)
    return found.group(1) if found is not None and found.group(1) in ids else row_id
