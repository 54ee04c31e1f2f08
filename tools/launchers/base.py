"""What a launcher does, and how anyone sees whether a run is alive.

A launcher only decides where the worker process runs. The run directory is the only truth about the run: everything below is
read from its files and locks, so that any viewer on any machine that sees the directory comes to the same answer.

    launch.lock  held by whoever starts the worker, then by the worker for its whole life (the local launcher hands it over)
    run.lock     held by the worker while it works
    cancel       asks the worker to stop

Another place to run, such as a cluster, is one file beside this one with a `launcher` that keeps the promises of Launcher, one
more word in tools.config.Launcher.kind, and one class in its test that inherits tests/tools/launchers/conformance.py. What it
has to bring: a job that is named by the run id, so that its engine refuses the second one; a run directory that is the same
after `reattach` as if the worker had written it here; and, where locks do not reach across machines, an answer to `status` from
the engine together with status.json.
"""

from __future__ import annotations

import os
import time
from enum import StrEnum, auto
from pathlib import Path
from typing import Protocol

from filelock import lock_descriptor
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from tools.runs import RunDir, RunEvent

LAUNCH_LOCK = "launch.lock"
RUN_LOCK = "run.lock"
LAUNCH_RECORD = "launch.json"
"""Written when a worker has been started, by the launcher and for it alone."""
CANCEL_REQUEST = "cancel"
"""A wish to stop: a file that the worker looks for."""

_PATIENCE_SECONDS = 0.5
"""A viewer holds a lock for microseconds while it looks; a worker holds it for minutes."""


class Resources(BaseModel):
    """What a worker may use, or what a place can give to one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: PositiveInt | None = None
    """Processor threads; None leaves it to the libraries."""
    memory_gb: PositiveFloat | None = None
    """Gigabytes (10^9 bytes) for model and training, of the accelerator where there is one; None is not known."""


class Submission(BaseModel):
    """What is to be run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    """Name of the run directory and of the job: whoever submits the same id twice gets one worker."""
    argv: list[str]
    """The worker's command line."""
    env: dict[str, str] = {}
    """Added to the environment."""
    resources: Resources = Resources()


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

    def submit(self, run_dir: Path, work: Submission) -> bool:
        """Start the worker unless one is alive or the run has ended; True when this call started it.

        A stalled run continues from its newest checkpoint. Raises RunFailed when the worker cannot be started at all, and
        leaves the run as it was then.
        """

    def status(self, run_dir: Path) -> RunHealth:
        """Whether the run is waiting, alive, interrupted or over; never starts or changes anything."""

    def events(self, run_dir: Path, offset: int = 0) -> tuple[list[RunEvent], int]:
        """Whole events from byte `offset` of events.jsonl on, and the offset to ask from next; each event once, in order."""

    def cancel(self, run_dir: Path, grace_seconds: float = 10.0) -> None:
        """End the run as cancelled, by force after the grace; a run that has ended is left as it is. Raises Busy."""

    def reattach(self, run_dir: Path) -> bool:
        """Take up a run that another process submitted, after which its directory is up to date; True when it is alive."""

    def resources(self) -> Resources:
        """What one worker can have here at most."""


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
