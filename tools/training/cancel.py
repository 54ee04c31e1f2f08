"""Stopping a run on request: the file `cancel` in its directory, or SIGTERM to its process."""

from __future__ import annotations

import signal
from types import FrameType

from tools.runs import RunDir


class Cancelled(Exception):
    """The run was asked to stop."""


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
        """Raise Cancelled when asked to stop."""
        if self.requested:
            raise Cancelled

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True
