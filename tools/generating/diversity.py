"""How different rows are from each other: distinct-n and the mean similarity to the nearest other row.

Both depend on the number of rows, so they are shown beside the same number of real rows, never alone. Distinct-n: Li et al.
(2016), A Diversity-Promoting Objective Function for Neural Conversation Models.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from rapidfuzz import fuzz, process

from tools.evidence.row_keys import plain
from tools.generating.script import chinese_share

MOST_ROWS = 1_000
"""More rows are measured by the first of them: every pair is compared."""


class Diversity(BaseModel):
    """Measured on `rows` texts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    distinct_2: float
    """Different pairs among all pairs of neighbouring words (characters in Chinese texts)."""
    distinct_3: float
    nearest: float
    """Mean similarity of a text to the one most like it, 0 to 1."""


def diversity(texts: Sequence[str]) -> Diversity | None:
    """The measures of some texts; None for fewer than two."""
    texts = texts[:MOST_ROWS]
    if len(texts) < 2:
        return None
    near = nearest_within(texts)
    return Diversity(
        rows=len(texts), distinct_2=_distinct(texts, 2), distinct_3=_distinct(texts, 3), nearest=sum(near) / len(near)
    )


def nearest_within(texts: Sequence[str]) -> list[float]:
    """For each text how alike the most similar other one is."""
    folded = [plain(text) for text in texts]
    return [
        max((fuzz.ratio(one, other) for at, other in enumerate(folded) if at != number), default=0.0) / 100
        for number, one in enumerate(folded)
    ]


def nearest_among(text: str, others: Sequence[str]) -> float:
    """How alike the most similar of other texts (already `plain`) is."""
    found = process.extractOne(plain(text), others, scorer=fuzz.ratio)
    return float(found[1]) / 100 if found else 0.0


def _distinct(texts: Sequence[str], size: int) -> float:
    grams = [gram for text in texts for gram in _grams(_units(text), size)]
    return len(set(grams)) / len(grams) if grams else 0.0


def _units(text: str) -> Sequence[str]:
    """Characters of a Chinese text, words of any other."""
    return plain(text) if chinese_share(text) >= 0.3 else text.casefold().split()


def _grams(units: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(units[at : at + size]) for at in range(len(units) - size + 1)]
