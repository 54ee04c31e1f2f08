"""Rows of one split that are much like a given row: evidence for a person, not proof of a copy (tools/evidence/leaks.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from tools.evidence.row_keys import NearIndex, Questions, similarity
from tools.reviewing.batch import Twin
from tools.task import Row

ALIKE = 0.6
"""From this similarity on two rows are worth being read together; copies begin at 0.9 (tools/evidence/thresholds.py)."""
MOST_ROWS = 20_000
"""An index over more rows takes longer than a person waits; twins are then looked for in the first ones."""


class TwinFinder:
    """Finds similar rows among the rows it was made with."""

    def __init__(self, rows: Sequence[Row], split: Literal["train", "valid"], *, other: Sequence[Row] = ()) -> None:
        self._rows = rows[:MOST_ROWS]
        self._split: Literal["train", "valid"] = split
        self._questions = Questions(self._rows, other)
        self._asked = [self._questions.of(row) for row in self._rows]
        self._index = NearIndex(self._asked, ALIKE)

    def find(self, row: Row, most: int = 3, accept: Callable[[Row], bool] = lambda _: True) -> list[Twin]:
        """The rows most like `row`, nearest first; never the row itself."""
        question = self._questions.of(row)
        found: list[int] = []

        def collect(number: int) -> bool:
            if self._rows[number].id != row.id and accept(self._rows[number]):
                found.append(number)
            return len(found) == most

        self._index.nearest(question, collect)
        twins = [self._twin(number, similarity(question, self._asked[number])) for number in found]
        return sorted(twins, key=lambda twin: -twin.similarity)

    def _twin(self, number: int, alike: float) -> Twin:
        row = self._rows[number]
        return Twin(row=row.id, split=self._split, fields=row.fields, answer=row.answer, similarity=round(alike, 3))
