"""The loss over completions only, weighted per row, without computing logits that nothing asks for.

Worker side. TRL's fused head scores every position of a batch when no GPU is there; for a short answer after a long prompt
and a vocabulary of 262 144 words that is most of the work of a step. Here the head sees only the positions that
predict answer tokens.
"""

from __future__ import annotations

from typing import Any

import torch

from tools.training.hidden_states import head_sees

_MOST_LOGITS = 2**26
"""Logits computed at once: 256 MB in fp32, which is 256 answer tokens for a vocabulary of 262 144 words."""


def completion_log_probs(model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probability of each answer token of a batch, and the row each belongs to.

    Few answer tokens go through the model's own head at once. Many would need gigabytes for their logits: they go through
    TRL's fused head in tiles, which `model` must have (trl.trainer.utils.add_fused_lm_head). `inputs` holds input_ids,
    attention_mask and labels.
    """
    labels = inputs["labels"][:, 1:]
    wanted = labels != -100
    targets = labels[wanted]
    with head_sees(model, lambda states: states[:, :-1][wanted][None]):
        return _log_probs(model, inputs, targets), wanted.nonzero()[:, 0]


def _log_probs(model: Any, inputs: dict[str, Any], targets: torch.Tensor) -> torch.Tensor:
    tokens = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "use_cache": False}
    if targets.numel() * model.config.get_text_config().vocab_size > _MOST_LOGITS:
        tiled: torch.Tensor = model(**tokens, shift_labels=targets[None], fused_lm_head=True).log_probs[0]
        return tiled
    logits = model(**tokens).logits[0].float()
    return logits.log_softmax(dim=-1).gather(1, targets[:, None])[:, 0]


def weighted_loss(
    log_probs: torch.Tensor, rows: torch.Tensor, weights: torch.Tensor, tokens: torch.Tensor | int | None
) -> torch.Tensor:
    """Negative log-likelihood, each token times its row's weight, over the number of answer tokens.

    `tokens` counts those of the whole optimizer step; None means those of this batch. With weights of 1 this is the
    stock loss. The divisor does not contain the weights, so a class of weight 2 pulls twice as hard.
    """
    return -(log_probs * weights[rows]).sum() / (log_probs.numel() if tokens is None else tokens)
