"""Stopping a run: for good by the file `cancel` in its directory, for now by SIGTERM to its process.

A machine that goes down sends SIGTERM to everybody, so the signal alone decides nothing about the run: it leaves a checkpoint
and no end state, and is taken up when it is started again. Whoever cancels writes the file first (tools/launchers).
"""

from __future__ import annotations

import signal
from types import FrameType

from tools.runs import RunDir


class Cancelled(Exception):
    """The run was asked to stop."""


class Interrupted(Cancelled):
    """The process was asked to end, and nobody said anything about the run."""


class CancelToken:
    """Asked at every step and between batches of an evaluation."""

    def __init__(self, run: RunDir) -> None:
        self._file = run.file("cancel")
        self._signalled = False

    def listen(self) -> None:
        """Take SIGTERM as a wish to stop at the next step, and a terminal that closes as no wish at all."""
        signal.signal(signal.SIGTERM, self._on_signal)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    @property
    def requested(self) -> bool:
        """True from the first request on."""
        return self._signalled or self._file.exists()

    def check(self) -> None:
        """Raise Cancelled, or Interrupted, when asked to stop."""
        if self._file.exists():
            raise Cancelled
        if self._signalled:
            raise Interrupted

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True
