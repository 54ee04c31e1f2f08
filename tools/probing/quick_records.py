"""How far quick checks can be trusted here: what each said, beside what the full training of the same change then brought.

    iterations/quick_checks.jsonl   one QuickRecord a line; the outcome of the full training is in iterations/forecasts.jsonl

Nothing is known at first, and the report says so; from three pairs on it shows how often the direction was right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.files import append_line
from tools.text import T, Text
from tools.versioning.forecasts import scored_forecasts

FILE = "iterations/quick_checks.jsonl"
LEAST_PAIRS = 3
"""Below this many pairs nothing can be said about agreement."""


class QuickRecord(BaseModel):
    """One quick check that was carried out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str
    change_id: str
    """Proposal.id of the change, which finds the full training of it."""
    kinds: list[str]
    """What was changed, as tools.versioning.forecasts.change_key names it."""
    metric: str
    difference: float
    """Changed minus base, as a fraction."""
    low: float
    high: float
    share: float
    """Of the training rows."""
    valid_rows: int
    seeds: int
    config_sha256: str = ""
    """Hash of the configuration that the change was tried on; "" in a record that does not say."""


class Trust(BaseModel):
    """Quick checks beside full trainings of the same changes, on this task and the others of the workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pairs: int
    same_direction: int = 0
    """Pairs in which quick check and full training moved the metric the same way."""
    correlation: float | None = None
    """Pearson's, of the differences; None below LEAST_PAIRS or without any spread."""
    mean_error: float | None = None
    """Mean absolute difference between the two, as a fraction."""

    @property
    def text(self) -> Text:
        """In one sentence."""
        if self.pairs < LEAST_PAIRS:
            return T(
                "How well quick checks foretell full trainings here is not known: {pairs} of at least {needed} changes have "
                "been tried both ways. Fewer rows and steps favour changes that learn faster.",
                pairs=self.pairs,
                needed=LEAST_PAIRS,
            )
        told = T(
            "Of {pairs} changes tried both ways the quick check had the direction right in {same}; it was off by "
            "{error:.1f} points on average.",
            pairs=self.pairs,
            same=self.same_direction,
            error=100 * (self.mean_error or 0.0),
        )
        if self.correlation is None:
            return told
        return T("{told} Correlation {correlation:+.2f}.", told=told, correlation=self.correlation)


def record_quick(task_path: Path, record: QuickRecord) -> None:
    """Write a quick check down; the newest one of a change counts."""
    append_line(task_path / FILE, record.model_dump_json())


def quick_outcome(task_path: Path, change_id: str, config_sha256: str) -> QuickRecord | None:
    """The newest quick check of a change of this configuration; None when it was not tried on it."""
    found = [one for one in read_quick(task_path) if one.change_id == change_id]
    return next((one for one in reversed(found) if one.config_sha256 in {"", config_sha256}), None)


def trust_in_quick(task_paths: Iterable[Path]) -> Trust:
    """What is known about quick checks over these tasks."""
    pairs: list[tuple[float, float]] = []
    for path in task_paths:
        quick = {one.change_id: one for one in read_quick(path)}
        for scored in scored_forecasts([path]):
            known = quick.get(scored.forecast.proposal_id)
            if known is not None and known.metric == scored.outcome.metric and known.at <= scored.forecast.at:
                pairs.append((known.difference, scored.outcome.observed))
    if not pairs:
        return Trust(pairs=0)
    return Trust(
        pairs=len(pairs),
        same_direction=sum((quick > 0) == (full > 0) for quick, full in pairs),
        correlation=_correlation(pairs),
        mean_error=sum(abs(quick - full) for quick, full in pairs) / len(pairs),
    )


def read_quick(task_path: Path) -> list[QuickRecord]:
    """Every quick check of a task, oldest first; a torn line is passed over."""
    path = task_path / FILE
    found: list[QuickRecord] = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            found.append(QuickRecord.model_validate_json(line))
        except ValidationError:
            continue
    return found


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len(pairs) < LEAST_PAIRS:
        return None
    means = [sum(pair[side] for pair in pairs) / len(pairs) for side in (0, 1)]
    products = sum((quick - means[0]) * (full - means[1]) for quick, full in pairs)
    spreads = [sum((pair[side] - means[side]) ** 2 for pair in pairs) for side in (0, 1)]
    return products / math.sqrt(spreads[0] * spreads[1]) if min(spreads) > 0 else None
