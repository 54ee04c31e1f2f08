"""Which seeds of two versions answered with the very same weights: a change of prompt or decoding trains nothing.

It reads the records only; what follows for a comparison is tools/comparing/paired_comparison.py.
"""

from __future__ import annotations

from pathlib import Path

from tools.running.collect import SeedOutcome
from tools.versioning.records import training_of


def same_weights(task_path: Path, base: str, new: str) -> frozenset[int]:
    """The seeds of both versions between whose answers no training lies; empty unless that holds for a whole version.

    A version with such seeds and others beside them was trained in part, and is compared like any that was trained.
    """
    old, now = ({one.seed: one for one in training_of(task_path, version)} for version in (base, new))
    shared = frozenset(seed for seed in old.keys() & now.keys() if _no_training_between(old[seed], now[seed]))
    return shared if shared and shared in (old.keys(), now.keys()) else frozenset()


def _no_training_between(old: SeedOutcome, new: SeedOutcome) -> bool:
    """The same weight files, or base models as they come, which no seed has touched."""
    if old.adapter_sha256 or new.adapter_sha256:
        return old.adapter_sha256 == new.adapter_sha256
    return not (old.trained or new.trained)
