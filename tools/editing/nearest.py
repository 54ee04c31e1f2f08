"""The nearest valid name, for messages about a name that is not valid."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(value: str, choices: Iterable[str], least: float = 50) -> str | None:
    """The choice that looks most like `value`; None when none reaches `least` of 100 (rapidfuzz ratio)."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(value, list(choices), scorer=fuzz.ratio, score_cutoff=least)
    return str(found[0]) if found else None
