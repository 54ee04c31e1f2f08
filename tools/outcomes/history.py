"""Reading loss histories: this program's history.jsonl and the trainer_state.json of Transformers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tools.outcomes.metric_names import metric_name, without_split
from tools.results import History, HistoryPoint

_PREFERRED = ("macro_f1", "accuracy", "field_score", "rouge_l", "weighted_f1", "f1")
"""Which evaluation metric a point shows when several were logged."""


def read_history_lines(text: str, file: str) -> tuple[History, list[int]]:
    """The points of a history.jsonl, and the numbers of the lines that are none (a last line may still be written)."""
    points: list[HistoryPoint] = []
    bad: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            points.append(HistoryPoint.model_validate_json(line))
        except ValidationError:
            bad.append(number)
    return History(points=points, file=file), bad


def trainer_history(data: Mapping[str, Any], file: str) -> History | None:
    """The history in a trainer_state.json; None when it logs nothing."""
    log = data.get("log_history")
    entries = [entry for entry in log if isinstance(entry, dict)] if isinstance(log, list) else []
    points = [point for entry in entries if (point := _point(entry)) is not None]
    return History(points=points, file=file) if points else None


def _point(entry: Mapping[str, Any]) -> HistoryPoint | None:
    """One logged moment; None for the closing summary and for entries without a step."""
    step = entry.get("step")
    if isinstance(step, bool) or not isinstance(step, int) or not any(key in entry for key in ("loss", "eval_loss")):
        return None
    losses = [entry.get(key) for key in ("loss", "eval_loss") if key in entry]
    return HistoryPoint(
        step=step,
        epoch=_finite(entry.get("epoch")),
        loss=_finite(entry.get("loss")),
        eval_loss=_finite(entry.get("eval_loss")),
        metric=_metric(entry),
        learning_rate=_finite(entry.get("learning_rate")),
        grad_norm=_finite(entry.get("grad_norm")),
        bad=any(_finite(loss) is None for loss in losses),
    )


def _metric(entry: Mapping[str, Any]) -> float | None:
    logged = {
        metric_name(without_split(str(key))): value for key, value in entry.items() if str(key).startswith("eval_")
    }
    return next((value for name in _PREFERRED if (value := _finite(logged.get(name))) is not None), None)


def _finite(value: Any) -> float | None:
    """A finite number, also one that was logged as text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
