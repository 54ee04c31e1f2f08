"""Handing only chosen positions to a model's head.

Worker side. With a vocabulary of 262 144 words the head costs more than all layers below it, so nobody should compute it for
positions that nothing asks about. A hook on the layers below the head works for every architecture and leaves the head's own
scaling and capping in place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

Choose = Callable[[torch.Tensor], torch.Tensor]
"""From hidden states (rows, positions, size) to those that the head should see, in the same three dimensions."""


@contextlib.contextmanager
def head_sees(model: Any, choose: Choose) -> Iterator[None]:
    """Within the block, the head of `model` (inside a LoRA wrapper or not) sees only what `choose` returns."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model

    def hook(_module: Any, _arguments: Any, outputs: Any) -> Any:
        outputs.last_hidden_state = choose(outputs.last_hidden_state)
        return outputs

    handle = inner.base_model.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def last_position(states: torch.Tensor) -> torch.Tensor:
    """The last position of each row, copied together: a strided view would make torch copy the head's weights per row."""
    return states[:, -1:].contiguous()
