"""What changes usually bring, before anything is known about this task: the matrix of the specification as numbers.

The matrix states what a change brings when it is the right one. How often it is the right one is written beside it, so that a
forecast from this table is honest about doing nothing: in practice many changes do not move a score at all.
"""

from __future__ import annotations

from typing import NamedTuple


class Prior(NamedTuple):
    """One row: the promised gain of the metric as fractions, and how often the promise holds."""

    low: float
    high: float
    """80 % of the gains lie between, when the change is the right one."""
    works: float
    """Share of the cases in which it is, given a finding of the matching kind."""
    from_matrix: bool
    """True for numbers of the specification; False for careful guesses of this program where it gives none."""


# The share that works is this program's guess everywhere; learned outcomes replace it (tools/versioning/forecasts.py).
PRIORS: dict[str, Prior] = {
    "class_weights": Prior(0.03, 0.08, 0.5, True),  # imbalance: oversampling or weighted loss, +3-8 %
    "oversampling": Prior(0.03, 0.08, 0.5, True),
    "weak_class_weight": Prior(0.03, 0.08, 0.35, True),  # the same means for a class that is weak but not scarce
    "new_rows": Prior(0.05, 0.10, 0.4, True),  # a weak class: 200 more rows, +5-10 %
    "rank": Prior(0.02, 0.05, 0.4, True),  # overall low: LoRA rank to 64, +2-5 %
    "base_model": Prior(0.03, 0.05, 0.6, True),  # Qwen3-4B to Qwen3-8B, +3-5 %
    "mixture": Prior(0.05, 0.10, 0.4, True),  # dense to mixture of experts, +5-10 %
    "method": Prior(0.0, 0.02, 0.25, False),  # SFT to ORPO and the like: the specification gives no number
    "epochs_up": Prior(0.01, 0.08, 0.6, False),
    "learning_rate_up": Prior(0.01, 0.08, 0.5, False),
    "epochs_down": Prior(0.0, 0.02, 0.4, False),  # overfitting: the matrix promises stability, not points
    "dropout_up": Prior(0.0, 0.02, 0.4, False),
    "learning_rate_down": Prior(0.01, 0.05, 0.5, False),
    "warmup_up": Prior(0.0, 0.03, 0.4, False),
    "max_length_up": Prior(0.0, 0.03, 0.5, False),
    "deduplicate": Prior(0.0, 0.02, 0.3, False),
    "exclude_contradictions": Prior(0.0, 0.03, 0.4, False),
    "format": Prior(0.01, 0.05, 0.6, False),
    "mended_value": Prior(0.0, 0.03, 0.4, False),
    "other": Prior(0.0, 0.02, 0.2, False),  # a change that somebody wishes and no rule knows
}

NOISE = 0.02
"""Standard deviation of the difference of two equal trainings: at 10 % disagreement on 250 rows, sqrt(0.1 / 250)."""
