"""Memory that a base model needs to be trained with an adapter and to answer, computed from its shape.

    training = libraries + weights + adapter with its optimizer + activations of one pass + answering
    answering = libraries + weights + keys and values of the tokens that are read at once

The parts follow what a backward pass has to keep (Korthikanti et al. 2022, Reducing Activation Recomputation in Large
Transformer Models, arXiv:2205.05198, section 4), counted anew for frozen base weights, attention that keeps no table of scores
(SDPA), and weights in bf16: a frozen layer keeps nothing of its own, an adapter keeps its input. Nothing here is measured on
the machine at hand. Free of torch.
"""

from __future__ import annotations

from collections.abc import Sequence

from tools.catalogue.entries import Shape
from tools.config import Lora
from tools.training.plan import MICRO_TOKENS

LIBRARIES_GB = 1.0
"""torch, transformers, trl, peft and datasets in a worker; measured here without a model."""
_WEIGHT_BYTES = 2
"""A base rests in bf16."""
_ADAPTER_BYTES = 16
"""fp32 weights, gradients and the two moments of Adam."""
_VOCABULARY_KB = 1.0
"""A tokenizer in memory, kilobytes for each word."""
ANSWERED_TOKENS = 2048
"""Tokens that are read at once (tools/training/generation.py)."""
_ANSWERED_ROWS = 32
_LOGIT_BYTES = 12
"""The scores of every word for each row answered at once: fp32, their logarithms, and a copy."""


def training_gb(shape: Shape, lora: Lora, tokens: int = MICRO_TOKENS) -> float:
    """Gigabytes for training an adapter with `tokens` padded tokens in one pass, without recomputation of activations.

    Checked against peaks measured on two cores in bf16 at rank 16, computed ones in brackets: Gemma 3 270M with 1024 tokens in
    a pass 2.7 to 2.8 GB (2.9), with 16 x 256 tokens 5.6 (5.8); SmolLM2 135M 2.2 (2.4) and 5.8 (5.3).
    """
    targets = adapter_layers(shape, lora.target_modules)
    sizes = shape.linear_layers()
    adapter = shape.layers * lora.r * sum(sum(sizes[name]) for name in targets) * _ADAPTER_BYTES
    activations = shape.layers * tokens * activation_bytes(shape, targets)
    return _rounded(_fixed(shape) + adapter + activations)


def answering_gb(shape: Shape, tokens: int = ANSWERED_TOKENS) -> float:
    """Gigabytes for answering with `tokens` tokens in memory at once."""
    keys_and_values = 2 * shape.layers * shape.kv_heads * shape.head_dim * _WEIGHT_BYTES
    return _rounded(_fixed(shape) + keys_and_values * tokens)


def adapter_layers(shape: Shape, wanted: str | Sequence[str]) -> list[str]:
    """The linear layers of a block that get an adapter; those that the shape does not have are left out."""
    names = list(shape.linear_layers())
    return names if isinstance(wanted, str) else [name for name in names if name in wanted]


def activation_bytes(shape: Shape, targets: Sequence[str]) -> int:
    """Bytes that the backward pass keeps of one token in one block.

    Each norm keeps its input in fp32, those of heads too; attention keeps queries, keys, values and its
    output, groups spread out (8 queries); the gated part keeps gate, its activation, the other half and their product (8
    intermediate) for every expert used; each adapter keeps its input in bf16.
    """
    queries = shape.heads * shape.head_dim
    used = shape.experts_used or 1
    gathered = 2 * shape.hidden * used if shape.experts else 0
    inputs = sum(_WEIGHT_BYTES * size for name, (size, _) in shape.linear_layers().items() if name in targets)
    normed = 4 * shape.norms * shape.hidden
    if shape.head_norms:
        normed += 4 * (queries + shape.kv_heads * shape.head_dim)
    return normed + 8 * queries + 8 * shape.intermediate * used + gathered + inputs


def _fixed(shape: Shape) -> float:
    """Libraries, tokenizer, weights, and the scores of the rows that are answered at once, in bytes."""
    tokenizer = shape.vocabulary * _VOCABULARY_KB * 1e3
    scores = _ANSWERED_ROWS * shape.vocabulary * _LOGIT_BYTES
    return LIBRARIES_GB * 1e9 + tokenizer + shape.parameters * 1e6 * _WEIGHT_BYTES + scores


def _rounded(count: float) -> float:
    return round(count / 1e9, 1)
