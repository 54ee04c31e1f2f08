"""Collecting problems of one reading: the first few of each sort are kept in full, the rest are counted."""

from __future__ import annotations

from collections.abc import Callable

from tools.errors import Problem
from tools.text import T

SHOWN_PER_SORT = 5
"""A file with a million wrong labels needs a handful of examples and a number, not a million lines."""


class ProblemLog:
    """Problems of one file, capped per sort."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._kept: dict[str, list[Problem]] = {}
        self._counts: dict[str, int] = {}

    def add(self, sort: str, make: Callable[[], Problem]) -> None:
        """Count a problem of that sort; it is only built while it is among the first."""
        self._counts[sort] = self._counts.get(sort, 0) + 1
        kept = self._kept.setdefault(sort, [])
        if len(kept) < SHOWN_PER_SORT:
            kept.append(make())

    def problems(self) -> list[Problem]:
        """All kept problems, each sort closed by the number of those not shown."""
        listed: list[Problem] = []
        for sort, kept in self._kept.items():
            listed.extend(kept)
            if more := self._counts[sort] - len(kept):
                listed.append(self._more(kept[-1], more))
        return listed

    def _more(self, example: Problem, more: int) -> Problem:
        return Problem(
            message=T("And {more} more problems of the same sort in {path}.", more=more, path=self._path),
            path=self._path,
            page=example.page,
            kind=example.kind,
            about={**example.about, "more": more},
        )
