"""What a rule returns: a change with its reasons, before it is checked, priced and shown as a diff."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from agent.proposing.forecast import Gain, Source
from tools.change import Change, Difficulty, Tier
from tools.finding import Finding
from tools.text import Text


class Urgency(IntEnum):
    """What comes first within a tier (cheap repairs are listed before any training change)."""

    trust = 0
    """Scores or settings are not what they seem until this is mended."""
    repairs = 1
    """Something is broken: format, decoding, length."""
    improves = 2
    """Nothing is broken; the score may rise."""


@dataclass(frozen=True)
class Draft:
    """One variable to change, or a declared bundle of repairs."""

    title: Text
    findings: list[Finding]
    """What it answers, strongest first; empty for the wish of a person or a model."""
    changes: list[Change]
    metric: str
    """The metric it is meant to move."""
    gain: Gain
    basis: Text
    """Where the forecast comes from."""
    page: str
    source: Source = "prior"
    wanted: float | None = None
    """The score hoped for; by default what the middle of the forecast would give."""
    tier: Tier = Tier.quick
    difficulty: Difficulty = Difficulty.low
    caution: Text | None = None
    urgency: Urgency = Urgency.improves
    problem: Text | None = None
    """What it is meant to mend; by default what the first finding says."""
