"""Workers on this machine: detached processes that outlive the program that started them. Linux and macOS.

The worker runs in a session of its own (no hangup, no Ctrl-C from the terminal), reads nothing, and writes to log.txt. The
launch lock is taken before the process exists and inherited by it, so that there is no moment at which a second launch could
slip in, and none at which a dead worker looks alive.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from socket import gethostname

import psutil
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict

from tools.errors import Busy, RunFailed
from tools.files import append_line, now, write_atomic, write_model
from tools.launchers.base import (
    CANCEL_REQUEST,
    LAUNCH_LOCK,
    LAUNCH_RECORD,
    RUN_LOCK,
    Resources,
    RunHealth,
    Submission,
    is_alive,
    is_held,
    state_of,
    take,
)
from tools.launchers.processes import began, is_same
from tools.runs import EndEvent, RunDir, RunEvent, RunState, RunStatus
from tools.text import T, visible

_ASKING_SECONDS = 8
"""How long a program that tells of accelerators may take."""
_IMPORT_ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds this `tools` package: the worker imports the same code as the program that starts it."""


class LaunchRecord(BaseModel):
    """launch.json: which process the launcher started last."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pid: int
    created: float
    """When the process began (tools/launchers/processes.py): a pid alone may belong to another process by now."""
    host: str
    at: str
    argv: list[str]


class LocalLauncher:
    """Detached processes on this machine; see tools.launchers.base.Launcher for what each method promises."""

    def submit(self, run_dir: Path, work: Submission) -> bool:
        """Start the worker unless one is alive or the run has ended; True when this call started it."""
        assert work.run_id == run_dir.name
        handle = os.open(run_dir / LAUNCH_LOCK, os.O_RDWR | os.O_CREAT, 0o666)  # less what the umask takes
        try:
            if not take(handle) or is_held(run_dir / RUN_LOCK):
                return False
            status = RunDir(run_dir).status()
            if status is not None and status.state.ended:
                return False
            _start(run_dir, work.argv, _environment(work), handle)
            return True
        finally:
            # Closing leaves the lock with the worker, which inherited it; unlocking would take it away.
            os.close(handle)

    def status(self, run_dir: Path) -> RunHealth:
        """Whether the run is waiting, alive, interrupted or over."""
        return state_of(run_dir)

    def events(self, run_dir: Path, offset: int = 0) -> tuple[list[RunEvent], int]:
        """Whole events from byte `offset` on, and the offset to ask from next."""
        return RunDir(run_dir).events(offset)

    def resources(self) -> Resources:
        """The processors this program may use, and the memory of the largest accelerator, else of this machine."""
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return Resources(threads=threads, memory_gb=_accelerator_gb() or psutil.virtual_memory().total / 1e9)

    def reattach(self, run_dir: Path) -> bool:
        """True when the worker is alive; there is nothing to take up, since the run directory says everything."""
        return is_alive(run_dir)

    def cancel(self, run_dir: Path, grace_seconds: float = 10.0) -> None:
        """Ask the worker to stop, kill it after the grace, and see to it that the run ends as cancelled.

        Raises Busy when the worker does not stop and was not started on this machine.
        """
        if state_of(run_dir) is RunHealth.ended:
            return
        # The worker looks for this file at every step, wherever it runs; the signal only wakes it sooner.
        write_atomic(run_dir / CANCEL_REQUEST, now() + "\n")
        worker = _worker(run_dir) if is_alive(run_dir) else None
        if worker is not None:
            _send(worker, signal.SIGTERM)
        if not _wait_until_gone(run_dir, grace_seconds) and worker is not None:
            _kill_session(worker)
            _wait_until_gone(run_dir, grace_seconds)
        _end_as_cancelled(run_dir)


launcher = LocalLauncher()


def _environment(work: Submission) -> dict[str, str]:
    paths = [str(_IMPORT_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = {"OMP_NUM_THREADS": str(work.resources.threads)} if work.resources.threads else {}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", **threads, **work.env}


def _start(run_dir: Path, argv: Sequence[str], env: dict[str, str], lock_handle: int) -> None:
    log = run_dir / "log.txt"
    append_line(log, f"--- {now()} {gethostname()}: {' '.join(argv)}")
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                argv,
                cwd=run_dir,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(lock_handle,),
            )
    except OSError as reason:
        raise RunFailed(
            T(
                "The training process could not be started: {program}: {reason}.",
                program=visible(argv[0]),
                reason=reason.strerror or str(reason),
            ),
            hint=T("Check the installation with `iterate doctor`."),
            page="troubleshooting/installation",
        ) from reason
    # Somebody must collect the exit of a child, or it stays a zombie for as long as this program runs.
    threading.Thread(target=process.wait, name=f"reap {run_dir.name}", daemon=True).start()
    record = LaunchRecord(
        pid=process.pid, created=began(process.pid) or 0.0, host=gethostname(), at=now(), argv=list(argv)
    )
    write_model(run_dir / LAUNCH_RECORD, record)


def _worker(run_dir: Path) -> psutil.Process | None:
    """The live process of the launch record; None when it is not on this machine or not that process any more."""
    try:
        record = LaunchRecord.model_validate_json((run_dir / LAUNCH_RECORD).read_bytes())
        if record.host != gethostname():
            return None
        return psutil.Process(record.pid) if is_same(record.pid, record.created) else None
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None


def _wait_until_gone(run_dir: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(run_dir):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _send(worker: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        worker.send_signal(number)


def _kill_session(worker: psutil.Process) -> None:
    """Kill the worker with everything it started; it leads its own process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)


def _end_as_cancelled(run_dir: Path) -> None:
    """Write the end state in the place of a worker that is gone, unless it ended by itself meanwhile."""
    try:
        with FileLock(run_dir / LAUNCH_LOCK, timeout=1), FileLock(run_dir / RUN_LOCK, timeout=1):
            run = RunDir(run_dir)
            status = run.status() or RunStatus(state=RunState.queued, updated_at=now())
            if status.state.ended:
                return
            ended = status.model_copy(update={"state": RunState.cancelled, "updated_at": now(), "eta_seconds": None})
            event = EndEvent(at=now(), state=RunState.cancelled, message=T("The run was cancelled."))
            append_line(run.file("events.jsonl"), event.model_dump_json())
            write_model(run.file("status.json"), ended)
    except Timeout as busy:
        raise Busy(
            T("The run {run} was asked to stop and is still held by its worker.", run=visible(run_dir.name)),
            hint=T("It stops at its next step. If it runs on another machine, look at it there."),
            page="troubleshooting/sessions-and-locks",
        ) from busy


def _accelerator_gb() -> float:
    """Gigabytes of the largest accelerator; 0 without one."""
    program = shutil.which("nvidia-smi")
    if program is None or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return 0.0
    query = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=False, timeout=_ASKING_SECONDS).stdout
        return max((float(line) for line in said.split()), default=0.0) * 2**20 / 1e9
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0.0
