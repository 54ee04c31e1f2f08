"""The score on settled labels: validation answers held against what a person decided about the labels in doubt.

It stands beside the raw score and never in its place. Targets, verdicts and the evaluator keep to the labels as they stand;
data is not touched. Rows are asked about because a model answered them otherwise, so the settled score leans towards models,
which is said wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, JsonValue

from tools.errors import InputError
from tools.reading.task import load_split
from tools.results import Prediction
from tools.reviewing.batch import Item, list_batches, load_batch
from tools.scoring.answers import expected_answer
from tools.scoring.metrics import same_value, score_row, split_result
from tools.task import Row, Task


class SettledScore(BaseModel):
    """The primary metric of a version on labels that a person settled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    raw: float
    """On the labels as they stand."""
    value: float
    changed: int
    """Validation rows whose label the person replaced."""
    confirmed: int
    """Doubted rows whose label stands."""
    left_out: int
    """Rows that the person found to be of no use."""


@dataclass
class Settled:
    """What a person decided about validation rows, the newest decision of each row."""

    answers: dict[str, JsonValue] = field(default_factory=dict)
    """Row to its settled answer, also where that is the one it has."""
    left_out: set[str] = field(default_factory=set)


def settled_labels(task: Task) -> Settled | None:
    """The decisions about validation rows that still fit them; None without any."""
    doubted = list(_decided(task))
    if not doubted:
        return None
    rows = {row.id: row for row in load_split(task, "valid").split.rows}
    found = Settled()
    for item in sorted(doubted, key=lambda one: one.decision.at if one.decision else ""):
        row = rows.get(item.candidate.row or "")
        if row is not None and _is_about(task, item, row):
            found.answers.pop(row.id, None)
            found.left_out.discard(row.id)
            if item.state == "rejected":
                found.left_out.add(row.id)
            else:
                found.answers[row.id] = expected_answer(task.definition.answer, item.answer)
    return found if found.answers or found.left_out else None


def settled_score(task: Task, version: str, predictions: Iterable[Prediction]) -> SettledScore | None:
    """The score of a version's answers on settled labels; None where nothing was settled, or nothing can be scored."""
    settled = settled_labels(task)
    if settled is None:
        return None
    seeds: dict[int, list[Prediction]] = {}
    for one in predictions:
        seeds.setdefault(one.seed or 0, []).append(one)
    held = {seed: [_held_against(task, one, settled) for one in rows] for seed, rows in seeds.items()}
    kept = {seed: [one for one in rows if one.id not in settled.left_out] for seed, rows in held.items()}
    metric = task.definition.primary_metric
    try:
        raw, new = (split_result(task.definition, version, "valid", side, None, None) for side in (seeds, kept))
    except InputError:  # no rows are left, or none were stored
        return None
    if metric not in raw.metrics or metric not in new.metrics:
        return None
    stand = {one.id: expected_answer(task.definition.answer, one.expected) for rows in seeds.values() for one in rows}
    known = {row: answer for row, answer in settled.answers.items() if row in stand}
    confirmed = sum(same_value(stand[row], answer) for row, answer in known.items())
    return SettledScore(
        metric=metric,
        raw=raw.metrics[metric],
        value=new.metrics[metric],
        changed=len(known) - confirmed,
        confirmed=confirmed,
        left_out=len(settled.left_out & set(stand)),
    )


def _decided(task: Task) -> Iterable[Item]:
    for name in list_batches(task.path):
        for item in load_batch(task.path, name).items:
            if item.candidate.origin == "valid" and item.decision is not None:
                yield item


def _is_about(task: Task, item: Item, row: Row) -> bool:
    """True while the row says what it said when the person was asked."""
    form = task.definition.answer
    return same_value(expected_answer(form, row.answer), expected_answer(form, item.candidate.answer))


def _held_against(task: Task, prediction: Prediction, settled: Settled) -> Prediction:
    if prediction.id not in settled.answers:
        return prediction
    expected = settled.answers[prediction.id]
    form = task.definition
    correct, score = score_row(form.task_type, form.answer, expected, prediction.parsed)
    return prediction.model_copy(update={"expected": expected, "correct": correct, "score": score})
