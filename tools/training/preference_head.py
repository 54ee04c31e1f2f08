"""TRL's fused head on answer tokens only, for the losses of TRL that ask a model for log-probabilities.

Worker side. Without a GPU the fused head scores every position of a batch, prompts included, although the positions without a
label count for nothing; with a vocabulary of 262 144 words that is most of the work of a step. The numbers are the same.
"""

from __future__ import annotations

import functools
from dataclasses import fields, replace
from typing import Any

import torch

from tools.training.hidden_states import head_sees


def score_answers_only(model: Any) -> None:
    """From now on `model(..., labels=..., fused_lm_head=True)` computes the head for labelled positions alone.

    `model` has TRL's fused head (trl.trainer.utils.add_fused_lm_head), and no LoRA wrapper around it.
    """
    fused = model.forward

    @functools.wraps(fused)
    def forward(*arguments: Any, labels: Any = None, fused_lm_head: bool = False, **keywords: Any) -> Any:
        if not fused_lm_head or labels is None:
            given = {} if labels is None else {"labels": labels}
            return fused(*arguments, **given, fused_lm_head=fused_lm_head, **keywords)
        wanted = labels[:, 1:] != -100
        with head_sees(model, lambda states: states[:, :-1][wanted][None]):
            found = fused(*arguments, shift_labels=labels[:, 1:][wanted][None], fused_lm_head=True, **keywords)
        return _spread(found, wanted)

    model.forward = forward


def _spread(found: Any, wanted: torch.Tensor) -> Any:
    """The outputs with their values where the labels stand and zero elsewhere, as the loss of TRL expects them."""
    count = int(wanted.sum())
    changes = {}
    for field in fields(found):
        value = getattr(found, field.name)
        if torch.is_tensor(value) and value.shape == (1, count):
            changes[field.name] = value.new_zeros(wanted.shape).masked_scatter(wanted, value[0])
    return replace(found, **changes)
