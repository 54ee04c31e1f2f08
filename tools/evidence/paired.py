"""Two versions' predictions brought side by side, row by row and seed by seed, as measures for the bootstrap.

It computes; what the numbers mean is decided in tools/comparing/paired_comparison.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from tools.evidence.statistics import UNPARSED, Measure, Pair, f1_measure, mean_measure, ratio_measure
from tools.results import Prediction
from tools.scoring.metrics import field_scores
from tools.task import AnswerFormat, TaskType

RowsOfSeeds = list[list[Prediction]]
"""One list per seed, all in the same order of rows."""

ROW_METRIC: dict[TaskType, str] = {"classification": "accuracy", "extraction": "field_score", "generation": "rouge_l"}
"""The mean row score of each task type."""
_EXACT = {"extraction": "exact_object", "generation": "exact"}


@dataclass(frozen=True)
class SideBySide:
    """Predictions of two versions on the same rows."""

    ids: list[str]
    old: RowsOfSeeds
    new: RowsOfSeeds

    def pair(self, value: Callable[[Prediction], float]) -> Pair:
        """The mean of a number per row, for both versions."""
        return mean_measure(_table(self.old, value)), mean_measure(_table(self.new, value))

    def ratio(self, value: Callable[[Prediction], float], counts: Callable[[Prediction], float]) -> Pair:
        """The sum of a number over the sum of another, for both versions."""
        old, new = (ratio_measure(_table(side, value), _table(side, counts)) for side in (self.old, self.new))
        return old, new

    def correct(self, side: RowsOfSeeds) -> list[list[bool]]:
        """Which rows are answered correctly, per seed."""
        return [[row.correct for row in seed] for seed in side]

    def usually(self, side: RowsOfSeeds) -> list[bool]:
        """Which rows are answered correctly by more than half of the seeds."""
        return [2 * sum(seed[index].correct for seed in side) > len(side) for index in range(len(self.ids))]

    def fixed_and_broken(self) -> tuple[list[str], list[str]]:
        """Ids of rows that only the new version gets right, and that only the old one does."""
        pairs = list(zip(self.ids, self.usually(self.old), self.usually(self.new), strict=True))
        fixed = [row_id for row_id, before, after in pairs if after and not before]
        return fixed, [row_id for row_id, before, after in pairs if before and not after]


def side_by_side(old: Sequence[Prediction], new: Sequence[Prediction]) -> SideBySide | None:
    """Line up two versions by row id; None unless every seed of both has each row once with the same expected answer."""
    sides = [_by_seed(predictions) for predictions in (old, new)]
    first = next(iter(sides[0].values()), {})
    expected = {row_id: row.expected for row_id, row in first.items()}
    seeds = [rows for side in sides for rows in side.values()]
    if not expected or any({row_id: row.expected for row_id, row in rows.items()} != expected for rows in seeds):
        return None
    if len(old) + len(new) != len(seeds) * len(expected):
        return None
    ids = list(expected)
    lined_up = [[[rows[row_id] for row_id in ids] for rows in side.values()] for side in sides]
    return SideBySide(ids=ids, old=lined_up[0], new=lined_up[1])


def _by_seed(predictions: Sequence[Prediction]) -> dict[int | None, dict[str, Prediction]]:
    seeds: dict[int | None, dict[str, Prediction]] = {}
    for row in predictions:
        seeds.setdefault(row.seed, {})[row.id] = row
    return seeds


def measures(task_type: TaskType, answer: AnswerFormat, rows: SideBySide) -> dict[str, Pair]:
    """Every metric of the task type that is a mean of ratios over rows, under the names of tools/scoring/metrics.py."""
    name = ROW_METRIC[task_type]
    found = {
        name: rows.pair(lambda row: row.score),
        "parse_rate": rows.pair(_parsed),
        f"{name}_parsed": rows.ratio(lambda row: row.score * _parsed(row), _parsed),
    }
    if task_type == "classification":
        return {**_class_measures(answer, rows), **found}
    exact = _EXACT[task_type]
    found[exact] = rows.pair(lambda row: float(row.correct))
    found[f"{exact}_parsed"] = rows.ratio(lambda row: float(row.correct), _parsed)
    if task_type == "generation":
        found["format_correct"] = found["parse_rate"]
    return found | (_field_measures(answer, rows) if task_type == "extraction" else {})


def _class_measures(answer: AnswerFormat, rows: SideBySide) -> dict[str, Pair]:
    """macro_f1 and f1[label] over the labels that are expected somewhere."""
    seen = {_name(row.expected) for row in rows.old[0]}
    labels = [label for label in dict.fromkeys(answer.labels) if label in seen] + sorted(seen.difference(answer.labels))
    codes = {label: code for code, label in enumerate(dict.fromkeys([*labels, *answer.labels]))}
    expected = [codes[_name(row.expected)] for row in rows.old[0]]

    def code(row: Prediction) -> int:
        return UNPARSED if row.parsed is None else codes.get(_name(row.parsed), len(codes))

    def f1(side: RowsOfSeeds, classes: Sequence[int]) -> Measure:
        return f1_measure(expected, [[code(row) for row in seed] for seed in side], classes)

    found = {"macro_f1": (f1(rows.old, range(len(labels))), f1(rows.new, range(len(labels))))}
    for label in labels:
        found[f"f1[{label}]"] = (f1(rows.old, [codes[label]]), f1(rows.new, [codes[label]]))
    return found


def _name(label: JsonValue) -> str:
    """A label as text; labels that are numbers stay as they are written."""
    return label if isinstance(label, str) else json.dumps(label, ensure_ascii=False)


def _field_measures(answer: AnswerFormat, rows: SideBySide) -> dict[str, Pair]:
    """field[name] for each field, over the documents that have it."""
    fields = answer.fields or sorted({name for row in rows.old[0] for name in _object(row.expected)})

    def score(row: Prediction, field: str) -> float:
        return field_scores(answer, row.expected, row.parsed).get(field, 0.0)

    def has(row: Prediction, field: str) -> float:
        return float(field in field_scores(answer, row.expected, row.parsed))

    return {f"field[{name}]": rows.ratio(_of(score, name), _of(has, name)) for name in fields}


def _of(function: Callable[[Prediction, str], float], field: str) -> Callable[[Prediction], float]:
    return lambda row: function(row, field)


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _parsed(row: Prediction) -> float:
    return float(row.parsed is not None)


def _table(side: RowsOfSeeds, value: Callable[[Prediction], float]) -> list[list[float]]:
    return [[value(row) for row in seed] for seed in side]
