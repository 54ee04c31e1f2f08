"""Telling a process from another one that was given the same number later, also when the clock was set in between."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil


def began(pid: int) -> float | None:
    """When a process began; None when there is none.

    On Linux in seconds since the machine started (proc(5), stat, starttime): the time of day that psutil makes of it moves
    whenever somebody sets the clock.
    """
    try:
        if sys.platform == "linux":
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            return int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return float(psutil.Process(pid).create_time())
    except (OSError, psutil.NoSuchProcess):
        return None


def is_same(pid: int, start: float) -> bool:
    """True while the process of that number is the one that began at `start`."""
    now = began(pid)
    return now is not None and abs(now - start) < 0.5
