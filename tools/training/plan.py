"""How many steps of which size a training takes, and after which of them it is evaluated. Free of torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tools.config import Training

MICRO_TOKENS = 1024
"""Padded tokens of one forward and backward pass when micro_batch_size is not set; bounds the memory of activations."""


@dataclass(frozen=True)
class Plan:
    """How many steps of which size a training takes."""

    micro: int
    accumulation: int
    steps_per_epoch: int
    total_steps: int
    warmup_steps: int
    eval_steps: frozenset[int]
    """Steps after which the validation split is evaluated; always contains the last."""

    @classmethod
    def make(cls, training: Training, lengths: list[int], least_micro: int = 1) -> Plan:
        """The plan for rows of these lengths in tokens; `least_micro` rows at least go through the model together."""
        micro = training.micro_batch_size or _auto_micro(training.batch_size, max(lengths), least_micro)
        per_epoch = math.ceil(len(lengths) / training.batch_size)
        total = max(1, math.ceil(per_epoch * training.epochs))
        warmup = training.warmup if training.warmup >= 1 else training.warmup * total
        every = per_epoch / training.evals_per_epoch
        evals = {max(1, round(every * number)) for number in range(1, math.ceil(total / every) + 1)}
        return cls(
            micro=micro,
            accumulation=training.batch_size // micro,
            steps_per_epoch=per_epoch,
            total_steps=total,
            warmup_steps=min(total, math.ceil(warmup)),
            eval_steps=frozenset(step for step in evals if step < total) | {total},
        )

    def with_fewer_rows(self) -> Plan | None:
        """The same steps of the same rows with at most half as many in one pass; None at one row."""
        batch = self.micro * self.accumulation
        fewer = [number for number in range(1, self.micro // 2 + 1) if batch % number == 0]
        return replace(self, micro=fewer[-1], accumulation=batch // fewer[-1]) if fewer else None


def _auto_micro(batch_size: int, longest: int, least: int) -> int:
    """The largest divisor of the batch whose padded tokens stay within the bound, else the smallest that is allowed."""
    divisors = [number for number in range(1, batch_size + 1) if batch_size % number == 0 and number >= least]
    return max((number for number in divisors if number * longest <= MICRO_TOKENS), default=min(divisors))
