"""What a run tells the world: status, heartbeat and events, written so that a viewer never sees half of one.

It decides nothing. The heartbeat is a thread of its own, so a long step does not look like a dead worker.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from typing import Any

import psutil

from tools.errors import WriteFailed
from tools.files import append_line, now, write_atomic, write_model
from tools.runs import (
    EndEvent,
    EvalEvent,
    PhaseEvent,
    RunDir,
    RunError,
    RunEvent,
    RunState,
    RunStatus,
    StepEvent,
    WarningEvent,
)
from tools.text import Text

HEARTBEAT_SECONDS = 3.0
RESERVE = "reserve"
"""A file that only holds room, so that the last words of a run fit on a disk that the run has filled. Its bytes are random,
since a file system that compresses gives zeros none."""
_RESERVE_BYTES = 64 << 10
_STATUS_SECONDS = 0.5
"""At most this often does a step replace status.json; phases and ends always do."""


class Recorder:
    """The only writer of status.json, heartbeat and events.jsonl."""

    def __init__(self, run: RunDir) -> None:
        self._run = run
        self._stopped = threading.Event()
        self._process = psutil.Process()
        self._written = 0.0
        self.peak_memory_mb = 0.0
        self._status = RunStatus(
            state=RunState.running,
            phase="loading",
            pid=os.getpid(),
            host=socket.gethostname(),
            started_at=now(),
            updated_at=now(),
        )

    def start(self) -> None:
        """Say that the run is running, and keep saying that it is alive."""
        write_atomic(self._run.file(RESERVE), os.urandom(_RESERVE_BYTES))
        self._write()
        self._beat()
        threading.Thread(target=self._beat_on, daemon=True, name="heartbeat").start()

    def phase(self, phase: str, message: Text) -> None:
        """The worker entered a phase: loading, training, evaluating, sealing, done."""
        self._update(force=True, phase=phase, eta_seconds=None)
        self._append(PhaseEvent(at=now(), phase=phase, message=message))

    def resumed(self, step: int, total_steps: int) -> None:
        """Training continues from a checkpoint."""
        self._update(force=True, resumed_from=step, step=step, total_steps=total_steps)

    def at_step(self, step: int, epoch: float) -> None:
        """An optimizer step was taken, whether or not it is logged."""
        self._update(step=step, epoch=epoch)

    def step(self, event: StepEvent) -> None:
        """An optimizer step was taken."""
        self._update(step=event.step, total_steps=event.total_steps, epoch=event.epoch, eta_seconds=event.eta_seconds)
        self._append(event)

    def evaluated(self, event: EvalEvent) -> None:
        """The validation split was evaluated."""
        self._update(force=True)
        self._append(event)

    def progress(self, eta_seconds: float | None) -> None:
        """Time left of the phase, while no event is due."""
        self._update(eta_seconds=eta_seconds)

    def warn(self, message: Text, page: str | None = None) -> None:
        """Something the user should know; the run goes on."""
        self._append(WarningEvent(at=now(), message=message, page=page))

    def end(self, state: RunState, message: Text, error: RunError | None = None) -> None:
        """The last words: event first, then the status, then silence."""
        self._stopped.set()
        self._run.file(RESERVE).unlink(missing_ok=True)
        self._append(EndEvent(at=now(), state=state, message=message))
        phase = "done" if state is RunState.succeeded else self._status.phase
        self._update(force=True, state=state, phase=phase, eta_seconds=None, error=error)

    def leave(self, message: Text) -> None:
        """The process ends and the run does not: said, and no end state is written, so that it can be continued."""
        self._stopped.set()
        self.warn(message)
        self._update(force=True, eta_seconds=None)

    def memory_mb(self) -> float:
        """Resident memory now; the peak is remembered."""
        current = float(self._process.memory_info().rss) / 1e6
        self.peak_memory_mb = max(self.peak_memory_mb, current, _peak_of_process())
        return round(current, 1)

    def _update(self, *, force: bool = False, **fields: Any) -> None:
        self._status = self._status.model_copy(update={**fields, "updated_at": now()})
        if force or time.monotonic() - self._written >= _STATUS_SECONDS:
            self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        write_model(self._run.file("status.json"), self._status)

    def _append(self, event: RunEvent) -> None:
        append_line(self._run.file("events.jsonl"), event.model_dump_json())

    def _beat(self) -> None:
        write_atomic(self._run.file("heartbeat"), now() + "\n")
        self.memory_mb()

    def _beat_on(self) -> None:
        while not self._stopped.wait(HEARTBEAT_SECONDS):
            try:
                self._beat()
            except WriteFailed:
                continue  # a full disk is reported by the training itself


def finite(value: float | None) -> float | None:
    """The number, or None for NaN and infinity, which JSON does not know."""
    return value if value is not None and math.isfinite(value) else None


def _peak_of_process() -> float:
    """Peak resident memory in MB as the system counted it; 0 where it does not."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if os.uname().sysname == "Darwin" else 1e3)
