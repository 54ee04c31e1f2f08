"""What a launcher does, and how anyone sees whether a run is alive.

A launcher only decides where the worker process runs. The run directory is the only truth about the run: everything below is
read from its files and locks, so that any viewer on any machine that sees the directory comes to the same answer. Progress is
read with tools.runs.RunDir.events, never asked of a launcher.

    launch.lock  held by whoever starts the worker, then by the worker for its whole life (the local launcher hands it over)
    run.lock     held by the worker while it works
    cancel       asks the worker to stop
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum, auto
from pathlib import Path
from typing import Protocol

from filelock import lock_descriptor
from pydantic import BaseModel, ConfigDict, PositiveInt

from tools.runs import RunDir

LAUNCH_LOCK = "launch.lock"
RUN_LOCK = "run.lock"
LAUNCH_RECORD = "launch.json"
"""Written when a worker has been started, by the launcher and for it alone."""
CANCEL_REQUEST = "cancel"
"""A wish to stop: a file that the worker looks for."""

_PATIENCE_SECONDS = 0.5
"""A viewer holds a lock for microseconds while it looks; a worker holds it for minutes."""


class Resources(BaseModel):
    """What a worker may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: PositiveInt | None = None
    """Processor threads; None leaves it to the libraries."""


class RunHealth(StrEnum):
    """Whether anything is happening in a run directory."""

    queued = auto()
    """Nothing has started yet, or the worker is just starting."""
    running = auto()
    """A live process holds the run and has said so in its status."""
    stalled = auto()
    """A worker was started and is gone without an end state: interrupted, and can be resumed by submitting again."""
    ended = auto()
    """Succeeded, failed or cancelled."""


class Launcher(Protocol):
    """A place where workers run. Every method may be called at any time, by any process, any number of times."""

    def submit(self, run_dir: Path, argv: Sequence[str], env: Mapping[str, str], resources: Resources) -> bool:
        """Start the worker unless one is alive or the run has ended; True when this call started it.

        `env` is added to the environment. A stalled run continues from its newest checkpoint. Raises RunFailed when the
        worker cannot be started at all.
        """

    def status(self, run_dir: Path) -> RunHealth:
        """Whether the run is waiting, alive, interrupted or over."""

    def cancel(self, run_dir: Path, grace_seconds: float = 10.0) -> None:
        """End the run as cancelled, by force after the grace; a run that has ended is left as it is."""

    def reattach(self, run_dir: Path) -> bool:
        """Take up a run that another process submitted; True when its worker is alive."""


def state_of(run_dir: Path) -> RunHealth:
    """Where a run stands, from its status file and its locks alone."""
    run = RunDir(run_dir)
    if _has_ended(run):
        return RunHealth.ended
    if is_alive(run_dir):
        return RunHealth.queued if run.status() is None else RunHealth.running
    # The worker may have finished between the two looks; its status is written before its locks are released.
    if _has_ended(run):
        return RunHealth.ended
    was_started = run.status() is not None or run.file(LAUNCH_RECORD).exists()
    return RunHealth.stalled if was_started else RunHealth.queued


def is_alive(run_dir: Path) -> bool:
    """True while a worker, or someone about to start one, holds the run.

    The launch lock is looked at first: while it is held, nobody disturbs a worker that is just taking its run lock.
    """
    return is_held(run_dir / LAUNCH_LOCK) or is_held(run_dir / RUN_LOCK)


def is_held(lock_file: Path) -> bool:
    """True when a live process holds the lock; the system frees the locks of a process that dies.

    Looking takes the lock for microseconds, so whoever wants the lock itself must be patient (`take`).
    """
    try:
        handle = os.open(lock_file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not lock_descriptor(handle, blocking=False)
    finally:
        os.close(handle)


def take(handle: int) -> bool:
    """Lock an open file, with patience for viewers who are looking at it; False when a worker holds it."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not lock_descriptor(handle, blocking=False):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def log_tail(run_dir: Path, lines: int = 15) -> str:
    """The last lines of the worker's log, "" when there is none."""
    try:
        with (run_dir / "log.txt").open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - 16_384))
            text = stream.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _has_ended(run: RunDir) -> bool:
    status = run.status()
    return status is not None and status.state.ended
