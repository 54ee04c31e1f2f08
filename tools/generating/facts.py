"""What a task's training rows show: lengths, script, line breaks, whether a name stands in the text. New rows are held to it.

Only train is described. Validation and test rows are kept for the leak guard (tools/generating/guard.py), which compares them
and shows none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from tools.errors import InputError
from tools.generating.script import chinese_share, simplified_in, traditional_in
from tools.making.first_rows import require_rows
from tools.reading.task import load_split
from tools.reviewing.row_forms import is_chat
from tools.running.recipe import apply_recipe, known_labels
from tools.task import Row, Task
from tools.text import T, Text, visible

MARKUP = re.compile(r"<[^\s<>]|```|\[/?INST\]|\{\{|\*\*|https?://|^#{1,6} ", re.MULTILINE)
"""Tags, chat tokens, code fences, Markdown, links."""
_SLACK = 1.5
"""A field other than the text may be so much longer than in train: names differ more than texts do."""
_NEARLY_ALL = 0.95
_STRAY = 0.02
"""Share of training rows up to which something counts as not being done in train."""
LEAST_ROWS = 5
"""Fewer training rows show nothing that new ones could be held to."""


@dataclass(frozen=True)
class Facts:
    """The rows of a task, and what follows from those of train."""

    task: Task
    train: list[Row]
    """As the recipe leaves them, labelled, without repetitions."""
    all_train: list[Row]
    """As they stand in the files."""
    labels: list[str]

    @cached_property
    def valid(self) -> list[Row]:
        """For the leak guard only."""
        return load_split(self.task, "valid").split.rows

    @cached_property
    def test(self) -> list[Row]:
        """For the leak guard only; never shown."""
        return load_split(self.task, "test").split.rows

    @property
    def fields(self) -> list[str]:
        """The input fields in the order of the template."""
        return self.task.definition.input_fields

    @cached_property
    def text_field(self) -> str:
        """The field that holds the text: the one that is longest in train."""
        return max(self.fields, key=lambda name: median(len(row.fields[name]) for row in self.train))

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """The other fields with their different values in train."""
        others = [name for name in self.fields if name != self.text_field]
        return {name: list(dict.fromkeys(row.fields[name] for row in self.train)) for name in others}

    @cached_property
    def lengths(self) -> dict[str, tuple[int, int]]:
        """Field to the shortest and longest that is accepted."""
        found = {}
        for name in self.fields:
            sizes = [len(row.fields[name]) for row in self.train]
            low, high = min(sizes), max(sizes)
            found[name] = (low, high) if name == self.text_field else (1, round(high * _SLACK))
        return found

    def length_at(self, share: float) -> int:
        """The length of the text below which this share of the training rows lies."""
        sizes = sorted(len(row.fields[self.text_field]) for row in self.train)
        return sizes[min(len(sizes) - 1, int(share * len(sizes)))]

    @cached_property
    def chinese(self) -> tuple[float, float]:
        """The least and the largest share of Chinese characters that is accepted in a text."""
        shares = sorted(chinese_share(text) for text in self._texts)
        typical = median(shares)
        if typical < 0.05:
            return 0.0, max(0.2, shares[-1])
        return (min(shares[0], typical / 2), 1.0) if typical >= 0.3 else (0.0, 1.0)

    @cached_property
    def foreign_script(self) -> str | None:
        """The script that train does not use: simplified, traditional, or None where it mixes them or has neither."""
        simplified = sum(bool(simplified_in(text)) for text in self._texts) / len(self._texts)
        traditional = sum(bool(traditional_in(text)) for text in self._texts) / len(self._texts)
        if simplified <= _STRAY < traditional:
            return "simplified"
        return "traditional" if traditional <= _STRAY < simplified else None

    @cached_property
    def has_breaks(self) -> bool:
        """Whether texts of train have line breaks."""
        return self._share("\n") > _STRAY

    @cached_property
    def has_markup(self) -> bool:
        """Whether texts of train have tags, links and the like."""
        return sum(bool(MARKUP.search(text)) for text in self._texts) / len(self._texts) > _STRAY

    @cached_property
    def quoted(self) -> list[str]:
        """Fields whose value stands in the text in nearly every training row."""
        return [name for name in self.names if self._quoted_share(name) >= _NEARLY_ALL]

    @property
    def _texts(self) -> list[str]:
        return [row.fields[self.text_field] for row in self.train]

    def _share(self, part: str) -> float:
        return sum(part in text for text in self._texts) / len(self._texts)

    def _quoted_share(self, name: str) -> float:
        return sum(row.fields[name] in row.fields[self.text_field] for row in self.train) / len(self.train)


def read_facts(task: Task) -> Facts:
    """The facts of a task; raises InputError for a task whose rows cannot be written here."""
    require_rows(task)
    split = load_split(task, "train").split
    rows = [row for row in apply_recipe(task, split, oversample=False).rows if isinstance(row.answer, str)]
    if task.definition.task_type != "classification":
        raise _not_here(T("New rows can be written for tasks with labels; this one is {kind}.", kind=_kind(task)))
    if any(
        is_chat(task.definition, row.fields) or set(row.fields) != set(task.definition.input_fields) for row in rows
    ):
        raise _not_here(T("The training rows are whole chats or prompts, so there are no fields to write."))
    if len(rows) < LEAST_ROWS:
        raise _not_here(T("Train has {count} labelled rows, too few to hold new ones to.", count=len(rows)))
    return Facts(task, rows, split.rows, known_labels(task, rows))


def _kind(task: Task) -> str:
    return visible(task.definition.task_type)


def _not_here(message: Text) -> InputError:
    return InputError(
        message,
        hint=T("Rows written elsewhere go into a file of their own under data/, named in data.train."),
        page="methods/data-generation",
    )


def texts_of(rows: Sequence[Row], field: str) -> list[str]:
    """One field of many rows."""
    return [row.fields[field] for row in rows]
