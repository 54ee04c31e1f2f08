"""Which checkpoint to continue from: the newest whole one.

transformers writes checkpoints in place, trainer_state.json last, so a kill leaves half of one behind. Whole means: its
state parses, its weights open, and optimizer, scheduler and random state are there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.files import sha256_file

STATE = "trainer_state.json"
_NEEDED = ("optimizer.pt", "scheduler.pt", "rng_state.pth")
_MARKER = "checkpoint-is-incomplete.txt"


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint."""

    path: Path
    step: int
    log_history: list[dict[str, Any]]
    """What the Trainer logged up to it."""


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint of a run; incomplete ones are deleted, since nothing can come of them."""
    found: list[Checkpoint] = []
    for path in folder.glob("checkpoint-*"):
        checkpoint = _read(path)
        if checkpoint is None:
            shutil.rmtree(path, ignore_errors=True)
        else:
            found.append(checkpoint)
    return max(found, key=lambda checkpoint: checkpoint.step, default=None)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a checkpoint or adapter folder, in order."""
    return sorted(folder.glob("*.safetensors"))


def weights_sha256(folder: Path) -> str:
    """One hash over the weight files: equal for equal weights."""
    digest = hashlib.sha256()
    for file in weight_files(folder):
        digest.update(sha256_file(file).encode("ascii"))
    return digest.hexdigest()


def _read(path: Path) -> Checkpoint | None:
    if (path / _MARKER).exists() or not all((path / name).is_file() for name in _NEEDED):
        return None
    try:
        state = json.loads((path / STATE).read_text(encoding="utf-8"))
        return Checkpoint(path, int(state["global_step"]), state["log_history"]) if _weights_open(path) else None
    except (OSError, ValueError, KeyError):
        return None


def _weights_open(path: Path) -> bool:
    from safetensors import SafetensorError, safe_open

    try:
        for file in weight_files(path):
            with safe_open(file, framework="pt") as tensors:
                list(tensors.keys())
    except (SafetensorError, OSError):
        return False
    return bool(weight_files(path))
