"""The nearest valid name, for messages about a name that is not valid."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(value: str, choices: Iterable[str]) -> str | None:
    """The choice that looks most like `value`; None when none is alike (rapidfuzz ratio below 50 of 100)."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(value, list(choices), scorer=fuzz.ratio, score_cutoff=50)
    return str(found[0]) if found else None
