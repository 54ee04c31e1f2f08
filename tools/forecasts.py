"""Forecasts that get scored: what each proposal promised, what came of it, and what that teaches the next promise.

`iterations/forecasts.jsonl` holds two kinds of lines, the forecast when a version begins and the outcome when it was compared.
Coverage is the share of outcomes inside their intervals; the Brier score is the mean of (p_better - improved)^2 (Brier 1950,
"Verification of forecasts expressed in terms of probability"): 0 is perfect, 0.25 is a coin.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.change import Proposal
from tools.files import append_line, now

FILE = Path("iterations") / "forecasts.jsonl"
PRIOR_OUTCOMES = 4.0
"""A prior weighs as much as this many observed outcomes (convention: one observation moves it by a fifth)."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    at: str


class Forecast(_Line):
    """What a version promised."""

    kind: Literal["forecast"] = "forecast"
    proposal_id: str
    changes: str
    """Dotted keys of the edits, sorted and joined: what is comparable between tasks."""
    metric: str
    low: float
    high: float
    level: float
    p_better: float
    source: str


class Outcome(_Line):
    """What came of it on valid."""

    kind: Literal["outcome"] = "outcome"
    observed: float
    """Change of the metric, in fractions."""


class Scored(BaseModel):
    """How forecasts did against outcomes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    forecasts: int
    """Forecasts with an outcome."""
    covered: int
    """Outcomes inside their interval."""
    expected: float
    """Outcomes that should be inside, from the intervals' levels."""
    brier: float | None
    """None without outcomes."""
    pairs: list[tuple[Forecast, Outcome]]


class Learned(NamedTuple):
    """A prior mean shrunk towards outcomes."""

    middle: float
    outcomes: int


def record_forecast(path: Path, version: str, proposal: Proposal) -> None:
    """Keep what a version promises, once."""
    if any(isinstance(line, Forecast) and line.version == version for line in _lines(path)):
        return
    effect = proposal.effect
    line = Forecast(
        version=version,
        at=now(),
        proposal_id=proposal.id,
        changes=changed_keys(proposal),
        metric=effect.metric,
        low=effect.low,
        high=effect.high,
        level=effect.level,
        p_better=effect.p_better,
        source=effect.source,
    )
    append_line(path / FILE, line.model_dump_json())


def record_outcome(path: Path, version: str, observed: float) -> None:
    """Keep what came of a version, once; a version without a forecast has no outcome to score."""
    lines = _lines(path)
    promised = any(isinstance(line, Forecast) and line.version == version for line in lines)
    if promised and not any(isinstance(line, Outcome) and line.version == version for line in lines):
        append_line(path / FILE, Outcome(version=version, at=now(), observed=observed).model_dump_json())


def forecast_of(path: Path, version: str) -> Forecast | None:
    """What a version promised; None when nothing was kept."""
    return next((line for line in _lines(path) if isinstance(line, Forecast) and line.version == version), None)


def changed_keys(proposal: Proposal) -> str:
    """The keys that a proposal edits, sorted and joined."""
    return " ".join(sorted({edit.dotted for change in proposal.changes for edit in change.edits}))


def scored(paths: Iterable[Path]) -> Scored:
    """Coverage and Brier score over the tasks given."""
    pairs = [pair for path in paths for pair in _pairs(path)]
    inside = [forecast.low <= outcome.observed <= forecast.high for forecast, outcome in pairs]
    errors = [(forecast.p_better - float(outcome.observed > 0)) ** 2 for forecast, outcome in pairs]
    return Scored(
        forecasts=len(pairs),
        covered=sum(inside),
        expected=sum(forecast.level for forecast, _ in pairs),
        brier=sum(errors) / len(errors) if errors else None,
        pairs=pairs,
    )


def learned_middle(paths: Iterable[Path], changes: str, prior: float) -> Learned:
    """The prior's middle shrunk towards the mean outcome of the same keys: (k prior + n mean) / (k + n), k = PRIOR_OUTCOMES.

    The posterior mean of a normal mean whose prior is worth k observations (conjugate normal model).
    """
    seen = [outcome.observed for path in paths for forecast, outcome in _pairs(path) if forecast.changes == changes]
    weight = PRIOR_OUTCOMES + len(seen)
    return Learned((PRIOR_OUTCOMES * prior + sum(seen)) / weight, len(seen))


def _pairs(path: Path) -> list[tuple[Forecast, Outcome]]:
    lines = _lines(path)
    outcomes = {line.version: line for line in lines if isinstance(line, Outcome)}
    return [(line, outcomes[line.version]) for line in lines if isinstance(line, Forecast) and line.version in outcomes]


def _lines(path: Path) -> list[Forecast | Outcome]:
    """Every readable line; a torn last line of a crash is left out."""
    try:
        raw = (path / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [line for text in raw if (line := _parse(text)) is not None]


def _parse(text: str) -> Forecast | Outcome | None:
    for model in (Forecast, Outcome):
        try:
            return model.model_validate_json(text)
        except ValidationError:
            continue
    return None
