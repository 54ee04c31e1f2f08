"""Training rows to show in a prompt: of each label the one that is most like the others of its label, and short.

Only rows of train, as the recipe leaves them, so no evaluated row is ever shown. Which rows are named is for a proposal to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tools.labelling.vectors import Vectors
from tools.reading.task import load_split
from tools.running.recipe import apply_recipe, known_labels
from tools.task import Row, Task

MOST_EXAMPLES = 6
"""Longer prompts cost time at every answer and get cut."""
_WITHOUT_LABELS = 2
"""Examples for a task without labels."""
_LOOKED_AT = 400
"""Rows of a label that are compared, which bounds the time."""


def typical_examples(task: Task) -> list[str]:
    """Ids of training rows to show, one of each label in declared order; [] when there are too many labels for a prompt."""
    rows = apply_recipe(task, load_split(task, "train").split, oversample=False).rows
    usable = [row for row in rows if row.answer is not None and set(row.fields) != {"messages"}]
    labels = known_labels(task, usable)
    if len(labels) > MOST_EXAMPLES:
        return []
    if not labels:
        return [row.id for row in _typical(usable, _WITHOUT_LABELS)]
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in usable:
        groups[str(row.answer)].append(row)
    return [row.id for label in labels for row in _typical(groups[label], 1)]


def _typical(rows: Sequence[Row], count: int) -> list[Row]:
    """Among the shorter half, the rows with the highest mean cosine to all of them."""
    by_length = sorted(rows, key=lambda row: (_length(row), row.id))
    short = by_length[: max(count, (len(rows) + 1) // 2)][:_LOOKED_AT]
    if len(short) <= count:
        return short
    means = Vectors(short).alike(0, 0).mean(axis=1)
    order = sorted(range(len(short)), key=lambda at: (-float(means[at]), short[at].id))
    return [short[at] for at in order[:count]]


def _length(row: Row) -> int:
    return sum(map(len, row.fields.values())) + len(str(row.answer))
