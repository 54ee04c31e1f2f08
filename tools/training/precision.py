"""Which number format training computes in, and why: asked of the machine once, remembered in the cache.

Worker side. bf16 halves the memory of the weights; whether it is also faster depends on the processor.
"""

from __future__ import annotations

import json
import platform
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tools.files import write_atomic
from tools.text import T, Text
from tools.training.base_models import cache_dir

FAST_ENOUGH = 1.3
"""bf16 must multiply matrices this much faster than fp32 to be worth its coarser sums."""
_SHAPE = (768, 640, 2048)
"""Rows, inner and outer size of the probed product: a batch of short texts through an MLP of a 270M model."""
_TRIES = 7


class Precision(BaseModel):
    """A choice with its reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["fp32", "bf16"]
    reason: Text


def choose_precision(wanted: Literal["auto", "fp32", "bf16"]) -> Precision:
    """The configured precision, else the faster one of this machine."""
    import torch

    if wanted != "auto":
        return Precision(name=wanted, reason=T("set by training.precision"))
    if torch.cuda.is_available():
        supported = torch.cuda.is_bf16_supported()
        reason = T("the accelerator supports bf16") if supported else T("the accelerator does not support bf16")
        return Precision(name="bf16" if supported else "fp32", reason=reason)
    ratio = _remembered_ratio(torch)
    shown = T("bf16 matrix products run at {ratio:.1f} times the speed of fp32 on this processor", ratio=ratio)
    return Precision(name="bf16" if ratio >= FAST_ENOUGH else "fp32", reason=shown)


def _remembered_ratio(torch: Any) -> float:
    """Speed of bf16 over fp32, measured once per processor, thread number and torch version."""
    path = cache_dir() / "precision.json"
    key = f"{_processor()} | {torch.get_num_threads()} threads | torch {torch.__version__}"
    try:
        known: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    if key not in known:
        known[key] = round(_measure(torch, torch.float32) / _measure(torch, torch.bfloat16), 2)
        write_atomic(path, json.dumps(known, ensure_ascii=False, indent=1) + "\n")
    return known[key]


def _measure(torch: Any, dtype: Any) -> float:
    """Seconds of the fastest of several products: the minimum is what other programs disturb least."""
    rows, inner, outer = _SHAPE
    left = torch.ones(rows, inner, dtype=dtype)
    right = torch.ones(inner, outer, dtype=dtype)
    times = []
    for _ in range(_TRIES):
        start = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - start)
    return min(times)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            return next(line.split(":", 1)[1].strip() for line in stream if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
