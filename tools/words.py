"""The few fixed words of the tools that stand inside sentences, so that each language can say them: splits and run states."""

from __future__ import annotations

from tools.text import T, Text, visible

_SPLITS: dict[str, Text] = {"train": T("train"), "valid": T("valid"), "test": T("test")}
_STATES: dict[str, Text] = {
    "queued": T("queued"),
    "running": T("running"),
    "succeeded": T("succeeded"),
    "failed": T("failed"),
    "cancelled": T("cancelled"),
}


def split_name(split: str) -> Text:
    """A split as people call it."""
    return _SPLITS.get(split, T("{name}", name=visible(split, 40)))


def state_name(state: str) -> Text:
    """The state of a run as people call it."""
    return _STATES.get(state, T("{name}", name=visible(state, 40)))
