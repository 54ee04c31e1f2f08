"""Rows as vectors of character n-grams: what is alike without a model, a tokenizer or a language.

TF-IDF over hashed n-grams of 1 to 3 characters of every field, of length 1, so that a product is a cosine. It knows spelling,
not meaning.
"""

from __future__ import annotations

import binascii
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from tools.evidence.row_keys import Questions
from tools.task import Row

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

LONGEST_GRAM = 3
"""Characters: a Chinese word has two or three, an English stem is caught by its overlapping trigrams."""
_BUCKETS = 2**18
_MOST_CHARACTERS = 4000
"""Of a field; a longer text is known by its beginning."""


class Vectors:
    """Vectors of several lists of rows, weighted by how rare an n-gram is in all of them together."""

    def __init__(self, *lists: Sequence[Row]) -> None:
        import numpy as np
        from scipy.sparse import csr_matrix

        questions = Questions(*lists)
        counts = [_grams(questions, row) for rows in lists for row in rows]
        starts = np.cumsum([0, *map(len, counts)])
        columns = np.fromiter((gram for one in counts for gram in one), dtype=np.int64, count=int(starts[-1]))
        values = np.fromiter((n for one in counts for n in one.values()), dtype=np.float64, count=int(starts[-1]))
        seen = np.bincount(columns, minlength=_BUCKETS)
        rarity = np.log((1 + len(counts)) / (1 + seen)) + 1
        weights = (1 + np.log(values)) * rarity[columns]
        owners = np.repeat(np.arange(len(counts)), np.diff(starts))
        lengths = np.sqrt(np.bincount(owners, weights=weights**2, minlength=len(counts)))
        weights = weights / np.maximum(lengths[owners], 1e-12)
        matrix = csr_matrix((weights, columns, starts), shape=(len(counts), _BUCKETS))
        ends = [0, *accumulate(map(len, lists))]
        self._parts = [matrix[start:end] for start, end in pairwise(ends)]

    def alike(self, first: int, second: int, rows: slice = slice(None)) -> Array:
        """Cosines of the rows of list `first` (or some of them) with all rows of list `second`, dense."""
        product: Array = (self._parts[first][rows] @ self._parts[second].T).toarray()
        return product


def _grams(questions: Questions, row: Row) -> Counter[int]:
    """N-grams by bucket; the field's name is part of each, so that a target is not taken for a word of the text."""
    found: Counter[int] = Counter()
    for name, text in questions.of(row):
        short = text[:_MOST_CHARACTERS]
        for size in range(1, LONGEST_GRAM + 1):
            for start in range(len(short) - size + 1):
                gram = f"{name}\0{short[start : start + size]}"
                found[binascii.crc32(gram.encode("utf-8", errors="surrogatepass")) % _BUCKETS] += 1
    return found
