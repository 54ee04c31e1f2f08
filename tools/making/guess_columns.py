"""Which column of a table is the text, which the label, which a further input such as an entity: guesses with reasons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.errors import Problem
from tools.making.table import Table, read_table
from tools.task import TaskType
from tools.text import T, Text

_TEXT_NAMES = (
    *("text", "sentence", "content", "headline", "title", "review", "utterance", "document", "input"),
    *("文本", "內容", "句子"),
)
_LABEL_NAMES = (
    *("label", "sentiment", "class", "category", "intent", "stance", "polarity", "output"),
    *("標籤", "類別", "情感", "立場"),
)
_TARGET_NAMES = ("entity", "target", "aspect", "topic", "實體", "對象", "目標")
_ID_NAMES = ("id", "index", "uid", "idx", "unnamed: 0", "編號")
_SAMPLE = 5000
MOST_LABELS = 200
"""More distinct values than this are no classes."""


class ColumnGuess(BaseModel):
    """What the columns of a table seem to be; None where nothing fits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: list[str]
    text_column: str | None
    label_column: str | None
    target_columns: list[str]
    """Further input columns, such as the entity that a sentiment is about."""
    task_type: TaskType
    rows: int
    reasons: dict[str, Text]
    """Why, by "text", "label", "target" and "task_type"."""
    problems: list[Problem] = []


def guess_columns(source: Path) -> ColumnGuess:
    """Guess the columns of a file; raises InputError when it holds no table."""
    return guess_in(read_table(source))


def guess_in(table: Table) -> ColumnGuess:
    """Guess the columns of a table that has been read."""
    sample = table.rows[:_SAMPLE]
    free = [name for name in table.columns if name.lower() not in _ID_NAMES]
    reasons: dict[str, Text] = {}
    longest = max(free, key=lambda name: _mean_length(sample, name), default=None)
    quoted = {name for name in free if longest and _stands_in(sample, name, longest)}
    likely = {name: 0.0 if name in quoted else _class_like(sample, name) for name in free}
    label = _pick(free, _LABEL_NAMES, likely.__getitem__, "label", reasons)
    rest = [name for name in free if name != label]
    text = _pick(rest, _TEXT_NAMES, lambda name: _mean_length(sample, name), "text", reasons)
    targets = [name for name in rest if name != text and _is_target(sample, name, text, reasons)]
    task_type = _task_type(sample, label, reasons)
    return ColumnGuess(
        columns=table.columns,
        text_column=text,
        label_column=label,
        target_columns=targets,
        task_type=task_type,
        rows=len(table.rows),
        reasons=reasons,
        problems=table.problems,
    )


def value_text(value: Any) -> str:
    """A cell as text without surrounding space; "" for an empty one."""
    return "" if value is None else str(value).strip()


def _pick(
    names: list[str], usual: tuple[str, ...], score: Callable[[str], float], role: str, reasons: dict[str, Text]
) -> str | None:
    """The column with a usual name, else the one with the highest score above 0."""
    for wanted in usual:
        for name in names:
            if name.lower() == wanted:
                reasons[role] = T("the column is called {name}", name=name)
                return name
    best = max(names, key=score, default=None)
    if best is None or score(best) <= 0:
        return None
    why = {
        "label": T("{name} has few different short values", name=best),
        "text": T("{name} has the longest texts", name=best),
    }
    reasons[role] = why[role]
    return best


def _class_like(sample: list[dict[str, Any]], name: str) -> float:
    """0 for a column that cannot be a label, else higher for fewer different values."""
    values = [value_text(row.get(name)) for row in sample]
    filled = [value for value in values if value]
    different = set(filled)
    few = 2 <= len(different) <= min(MOST_LABELS, max(2, len(filled) // 5))
    return 1 / len(different) if few and max(map(len, different)) <= 60 else 0


def _mean_length(sample: list[dict[str, Any]], name: str) -> float:
    return sum(len(value_text(row.get(name))) for row in sample) / max(1, len(sample))


def _is_target(sample: list[dict[str, Any]], name: str, text: str | None, reasons: dict[str, Text]) -> bool:
    """A further input has a usual name, or holds short values that mostly stand in the text."""
    if name.lower() in _TARGET_NAMES:
        reasons["target"] = T("the column is called {name}", name=name)
        return True
    if text is None or not _stands_in(sample, name, text):
        return False
    reasons["target"] = T("the values of {name} stand in the text", name=name)
    return True


def _stands_in(sample: list[dict[str, Any]], name: str, text: str) -> bool:
    """True when the values of a column are short and mostly stand in the text of the same row."""
    pairs = [(value_text(row.get(name)).lower(), value_text(row.get(text)).lower()) for row in sample]
    inside = sum(len(value) < 60 and value in whole for value, whole in pairs if value)
    return name != text and inside >= 0.7 * len(pairs) and _mean_length(sample, name) >= 2


def _task_type(sample: list[dict[str, Any]], label: str | None, reasons: dict[str, Text]) -> TaskType:
    values = [row.get(label) for row in sample] if label else []
    texts = [value_text(value) for value in values]
    if texts and all(
        isinstance(value, dict) or text.startswith("{") for value, text in zip(values, texts, strict=True)
    ):
        reasons["task_type"] = T("the answers are objects")
        return "extraction"
    if label and _class_like(sample, label) > 0:
        reasons["task_type"] = T("the answers are {count} different labels", count=len(set(texts)))
        return "classification"
    reasons["task_type"] = T("the answers are neither labels nor objects")
    return "generation"
