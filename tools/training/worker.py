"""The detached worker of one run: `python -m tools.training.worker RUN_DIR`.

It holds run.lock for its whole life, so one directory never has two workers, and it ends in exactly one of the states
succeeded, failed, cancelled, or, killed or asked by the system to end, in none: then it is continued by the next worker. Exit
codes: 0 succeeded, 1 failed, 75 another worker holds the run, 130 cancelled, 143 interrupted.
Everything that is slow to import is imported after the lock is held and the status is written.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from pathlib import Path

from filelock import FileLock, Timeout

from tools.errors import Busy
from tools.files import write_model
from tools.runs import RunDir, RunError, RunResult, RunSpec, RunState
from tools.text import T
from tools.training.cancel import Cancelled, CancelToken, Interrupted
from tools.training.check import check_spec
from tools.training.failures import describe
from tools.training.job import Job
from tools.training.memory import keep_memory_low
from tools.training.recorder import Recorder

EXIT_FAILED = 1
EXIT_BUSY = Busy.exit_code
EXIT_CANCELLED = 130
EXIT_INTERRUPTED = 143
ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""Nothing is reported to anyone, no bar is drawn into the log, and threads that wait do so asleep: where other programs want
the same cores, spinning makes a step three times as long."""


def main(path: Path) -> int:
    """Run the directory's spec to its end; returns the exit code."""
    run = RunDir(path)
    lock = FileLock(run.file("run.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        sys.stderr.write(f"{path}: another worker holds this run\n")
        return EXIT_BUSY
    try:
        return _work(run)
    finally:
        lock.release()


def _work(run: RunDir) -> int:
    status = run.status()
    if status is not None and status.state is RunState.succeeded and run.result() is not None:
        return 0
    recorder = Recorder(run)
    recorder.start()
    try:
        result = _run(run, recorder)
        write_model(run.file("result.json"), result)
        recorder.end(RunState.succeeded, T("The run is complete."))
        return 0
    except Interrupted:
        recorder.leave(T("The system asked the training to end. It continues from here when it is started again."))
        return EXIT_INTERRUPTED
    except Cancelled:
        recorder.end(RunState.cancelled, T("The run was cancelled; its newest checkpoint is kept."))
        return EXIT_CANCELLED
    except BaseException as error:  # whatever happened, the run directory must say so
        traceback.print_exc()
        return _fail(run, recorder, describe(error, run.path))


def _fail(run: RunDir, recorder: Recorder, error: RunError) -> int:
    if error.kind == "disk_full":
        from tools.training.checkpoints import newest_checkpoint

        newest_checkpoint(run.file("checkpoints"))  # throws away the half of one that filled the disk
    recorder.end(RunState.failed, error.message, error)
    return EXIT_FAILED


def _run(run: RunDir, recorder: Recorder) -> RunResult:
    spec = run.spec()
    cancel = CancelToken(run)
    cancel.listen()
    cancel.check()
    check_spec(spec)
    job = Job(run, spec, recorder, cancel)
    job.recall()
    job.remember()
    _set_environment(spec)
    keep_memory_low()
    if spec.training.command is not None:
        from tools.training.run_command import run_command

        return run_command(job)
    if spec.rate_range is not None:
        from tools.training.lr_range import find_range

        return find_range(job, spec.rate_range)
    if not spec.train:
        from tools.training.evaluate import evaluate

        return evaluate(job)
    from tools.training.short_memory import train_with_the_memory_there_is
    from tools.training.train_job import train

    return train_with_the_memory_there_is(job, train)


def _set_environment(spec: RunSpec) -> None:
    """Before torch is imported: no telemetry, the number of threads, and a log of what concerns the user.

    The libraries warn of each other's renamed options; no user can do anything about that.
    """
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|trl|peft|accelerate)\b")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if spec.launcher.threads is not None:
        os.environ["OMP_NUM_THREADS"] = str(spec.launcher.threads)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
