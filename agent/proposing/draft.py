"""What a rule returns: a change with its reasons, before it is checked, priced and shown as a diff."""

from __future__ import annotations

from dataclasses import dataclass

from agent.proposing.forecast import Gain
from tools.change import Change, Difficulty, Tier
from tools.finding import Finding
from tools.text import Text


@dataclass(frozen=True)
class Draft:
    """One variable to change, or a declared bundle of repairs."""

    title: Text
    findings: list[Finding]
    """What it answers, strongest first."""
    changes: list[Change]
    metric: str
    """The metric it is meant to move."""
    gain: Gain
    basis: Text
    """Where the forecast comes from."""
    page: str
    key: str
    """Its row in the matrix, by which outcomes are learned."""
    source: str = "prior"
    wanted: float | None = None
    """The score hoped for; by default what the middle of the forecast would give."""
    tier: Tier = Tier.quick
    difficulty: Difficulty = Difficulty.low
    caution: Text | None = None
    first: bool = False
    """True for repairs that come before any training change: format, decoding, leaks, configuration keys."""
