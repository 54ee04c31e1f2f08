"""Forecasts that get scored: iterations/forecasts.jsonl holds what was expected of each change and what came of it.

Coverage (how often the outcome fell inside the interval) and Brier score (mean squared error of the probability of improving)
say how far forecasts can be trusted; `learned_effect` moves a prior towards what was observed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.change import Change, Edit, Effect, Proposal
from tools.comparison import Comparison
from tools.files import append_line, now
from tools.text import T

FILE = "iterations/forecasts.jsonl"
_SMALLEST_SPREAD = 0.005
"""No forecast is trusted to within half a point (standard deviation)."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Forecast(_Model):
    """One line: what was expected of a version before its training."""

    type: Literal["forecast"] = "forecast"
    at: str
    version: str
    proposal_id: str
    kinds: list[str]
    """What was changed, as `change_key` names it."""
    effect: Effect


class Outcome(_Model):
    """One line: what came of it, on valid."""

    type: Literal["outcome"] = "outcome"
    at: str
    version: str
    base: str
    metric: str
    observed: float
    """Change of the metric, as a fraction."""
    error: float | None
    """Standard error of it; None when it was not tested."""


class Scored(_Model):
    """A forecast whose outcome is known."""

    forecast: Forecast
    outcome: Outcome

    @property
    def inside(self) -> bool:
        """True when the outcome fell inside the interval."""
        return self.forecast.effect.low <= self.outcome.observed <= self.forecast.effect.high


class KindScore(_Model):
    """How forecasts about one kind of change did."""

    kind: str
    count: int
    inside: int
    mean_expected: float
    """Mean of the middles of the intervals."""
    mean_observed: float


class ForecastScore(_Model):
    """How forecasts did over all iterations."""

    count: int
    level: float | None
    """Probability that the intervals promised, on average; None without forecasts."""
    coverage: float | None
    """Share of outcomes inside their interval."""
    brier: float | None
    """0 is perfect, 0.25 is a coin, 1 is always wrong and sure."""
    kinds: list[KindScore] = []


def change_key(change: Change) -> str:
    """The kind of a change for learning: what it touches without the class or value, such as recipe:data.oversample.

    A number that rises is another kind than one that falls: what fewer epochs did says nothing of more.
    """
    first = change.edits[0]
    return f"{change.kind.value}:{'.'.join(first.path[:2])}{_way(first)}"


def _way(edit: Edit) -> str:
    old, new = edit.old, edit.new
    if len(edit.path) > 2 or not isinstance(old, int | float) or not isinstance(new, int | float) or old == new:
        return ""
    return ":up" if new > old else ":down"


def record_forecast(task_path: Path, version: str, proposal: Proposal) -> None:
    """Write down what is expected of a version, once; a baseline changes nothing and forecasts nothing."""
    if not proposal.changes or any(one.version == version for one in _forecasts(task_path)):
        return
    line = Forecast(
        at=now(),
        version=version,
        proposal_id=proposal.id,
        kinds=sorted({change_key(change) for change in proposal.changes}),
        effect=proposal.effect,
    )
    append_line(task_path / FILE, line.model_dump_json())


def record_outcome(task_path: Path, version: str, comparison: Comparison) -> None:
    """Write down what the forecast metric of a version did on valid; nothing without a forecast or a common measure.

    The newest outcome of a version counts, so comparing again after more seeds improves the record.
    """
    forecast = next((one for one in _forecasts(task_path) if one.version == version), None)
    if forecast is None or comparison.split != "valid" or comparison.verdict == "not_comparable":
        return
    lines = {line.metric: line for line in (*comparison.classes, *comparison.metrics)}
    line = lines.get(forecast.effect.metric)
    if line is None:
        return
    error = (line.range.high - line.range.low) / (2 * 1.96) if line.range is not None else None
    outcome = Outcome(
        at=now(),
        version=version,
        base=comparison.base,
        metric=line.metric,
        observed=line.difference,
        error=error,
    )
    known = [one for one in _outcomes(task_path) if one.version == version]
    if not known or known[-1].model_copy(update={"at": outcome.at}) != outcome:
        append_line(task_path / FILE, outcome.model_dump_json())


def scored_forecasts(task_paths: Iterable[Path]) -> list[Scored]:
    """Every forecast of these tasks whose outcome is known, oldest first within a task."""
    found = []
    for path in task_paths:
        newest = {outcome.version: outcome for outcome in _outcomes(path)}
        forecasts = [one for one in _forecasts(path) if one.version in newest]
        found += [Scored(forecast=one, outcome=newest[one.version]) for one in forecasts]
    return found


def scored(task_paths: Iterable[Path]) -> ForecastScore:
    """Coverage and Brier score over tasks, and per kind of change."""
    return score_of(scored_forecasts(task_paths))


def score_of(found: Sequence[Scored]) -> ForecastScore:
    """The same for these forecasts only."""
    kinds = sorted({kind for one in found for kind in one.forecast.kinds})
    return ForecastScore(
        count=len(found),
        level=_mean([one.forecast.effect.level for one in found]),
        coverage=_mean([float(one.inside) for one in found]),
        brier=_mean([(one.forecast.effect.p_better - float(one.outcome.observed > 0)) ** 2 for one in found]),
        kinds=[_kind_score(kind, [one for one in found if kind in one.forecast.kinds]) for kind in kinds],
    )


def _kind_score(kind: str, found: Sequence[Scored]) -> KindScore:
    return KindScore(
        kind=kind,
        count=len(found),
        inside=sum(one.inside for one in found),
        mean_expected=sum(_middle(one.forecast.effect) for one in found) / len(found),
        mean_observed=sum(one.outcome.observed for one in found) / len(found),
    )


def _middle(effect: Effect) -> float:
    return (effect.low + effect.high) / 2


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def normal_of(effect: Effect) -> tuple[float, float]:
    """Middle and standard deviation of the normal distribution with the interval of a forecast."""
    z = NormalDist().inv_cdf((1 + effect.level) / 2)
    return _middle(effect), max((effect.high - effect.low) / (2 * z), _SMALLEST_SPREAD)


def moved_by(middle: float, spread: float, observed: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Middle and standard deviation of the next effect of a kind of change, after differences that were seen with their errors.

    Normal-normal shrinkage (Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.5): the prior N(middle, spread) of an
    effect is split evenly into what is unknown about the kind of change and what varies from task to task; each outcome has
    the latter variance plus its own squared standard error.
    """
    unknown = between = spread**2 / 2
    weights = [1 / (between + error**2) for _, error in observed]
    precision = 1 / unknown + sum(weights)
    drawn = sum(weight * seen for weight, (seen, _) in zip(weights, observed, strict=True))
    return (middle / unknown + drawn) / precision, math.sqrt(1 / precision + between)


def learned_effect(prior: Effect, outcomes: Sequence[Outcome]) -> Effect:
    """Move a forecast towards the outcomes of the same kind of change and metric (`moved_by`); without any it stays as it is.

    The interval is that of the next outcome.
    """
    outcomes = [one for one in outcomes if one.metric == prior.metric]
    if not outcomes:
        return prior
    z = NormalDist().inv_cdf((1 + prior.level) / 2)
    middle, wide = moved_by(*normal_of(prior), [(one.observed, one.error or 0.0) for one in outcomes])
    basis = T(
        "{basis} {count} earlier outcome(s) of this kind of change, {mean:+.1f} points on average, moved it.",
        basis=prior.basis,
        count=len(outcomes),
        mean=100 * sum(one.observed for one in outcomes) / len(outcomes),
    )
    return prior.model_copy(
        update={
            "low": middle - z * wide,
            "high": middle + z * wide,
            "p_better": 0.5 * (1 + math.erf(middle / wide / math.sqrt(2))),
            "source": "learned",
            "basis": basis,
        }
    )


def outcomes_of(kind: str, task_paths: Iterable[Path]) -> list[Outcome]:
    """Outcomes of versions that changed this kind of thing and nothing else; bundles teach nothing about their parts."""
    return [one.outcome for one in scored_forecasts(task_paths) if one.forecast.kinds == [kind]]


def forecast_versions(task_path: Path) -> list[str]:
    """The versions of which something was forecast, oldest first."""
    return [one.version for one in _forecasts(task_path)]


def _forecasts(task_path: Path) -> list[Forecast]:
    return [line for line in _lines(task_path) if isinstance(line, Forecast)]


def _outcomes(task_path: Path) -> list[Outcome]:
    return [line for line in _lines(task_path) if isinstance(line, Outcome)]


def _lines(task_path: Path) -> list[Forecast | Outcome]:
    """All lines of the file that can be read; the torn line of a crash is left out."""
    try:
        lines = (task_path / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [line for text in lines if (line := _line(text)) is not None]


def _line(text: bytes) -> Forecast | Outcome | None:
    for model in (Forecast, Outcome):
        try:
            return model.model_validate_json(text)
        except ValidationError:
            continue
    return None
