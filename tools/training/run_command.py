"""A run that executes the task's own training script instead of this program's trainer.

The contract. `training.command` is split like a shell would and run, without a shell, in the task folder, with

    ITERATE_RUN_DIR   the run directory; data/train.jsonl, data/valid.jsonl and data/test.jsonl are in it
    ITERATE_VERSION   the version that is trained
    ITERATE_SEED      the seed

Exit code 0 means success. Then $ITERATE_RUN_DIR/predictions_valid.jsonl must hold one line {"id": ..., "raw": ...} for each
valid row: the model's untouched output, which is parsed and scored here by the same rules as everywhere.
predictions_test.jsonl of the same form is sealed and removed, and $ITERATE_RUN_DIR/adapter may hold the weights. What the
script prints goes to log.txt. Lock, heartbeat and cancelling work as for any run.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import InputError, MissingPart
from tools.files import write_model
from tools.launchers.processes import began, is_same
from tools.results import Prediction
from tools.runs import RunResult
from tools.scoring.metrics import summarise
from tools.text import T, visible
from tools.training.cancel import Cancelled
from tools.training.checkpoints import weights_sha256
from tools.training.examples import read_examples
from tools.training.failures import CommandFailed
from tools.training.job import PREDICTIONS, Job
from tools.training.scoring import predict

_POLL_SECONDS = 0.5
_GRACE_SECONDS = 15.0
"""Between asking a cancelled script to stop and ending it."""
_TEST_PREDICTIONS = "predictions_test.jsonl"
_CHILD = "command.json"
_PAGE = "troubleshooting/configuration"


class _Output(BaseModel):
    """One line that the script writes."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    raw: str


class _Child(BaseModel):
    """command.json: the script's process, so that a restarted worker can end one that was left over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pid: int
    created: float


def run_command(job: Job) -> RunResult:
    """Run the script to its end and score what it wrote; raises CommandFailed, InputError, MissingPart or Cancelled."""
    command = job.spec.training.command or ""
    job.recorder.phase(
        "training", T("Running the task's own training command: {command}", command=visible(command, 200))
    )
    _end_leftover(job)
    _wait(job, _start(job, command), command)
    job.recorder.phase("evaluating", T("Scoring the predictions that the command wrote."))
    predictions = _predictions(job, PREDICTIONS, "valid")
    if predictions is None:
        raise InputError(
            T("The training command wrote no {file} into the run directory.", file=PREDICTIONS),
            hint=T(
                'Write one line {{"id": ..., "raw": ...}} per valid row to $ITERATE_RUN_DIR/{file}.', file=PREDICTIONS
            ),
            page=_PAGE,
        )
    written = job.write_predictions(predictions)
    test = _predictions(job, _TEST_PREDICTIONS, "test")
    sealed: tuple[str | None, str | None] = (None, None)
    if test is not None:
        job.recorder.phase("sealing", T("Sealing the test predictions that the command wrote."))
        sealed = job.seal_test(test)
        job.run.file(_TEST_PREDICTIONS).unlink()
    return _result(job, predictions, written, sealed)


def _result(job: Job, predictions: list[Prediction], written: str, sealed: tuple[str | None, str | None]) -> RunResult:
    spec, adapter = job.spec, job.run.file("adapter")
    return RunResult(
        run_id=spec.run_id,
        version=spec.version,
        seed=spec.seed,
        metrics=summarise(spec.task_type, spec.answer, predictions).metrics,
        best_step=0,
        best_epoch=0.0,
        stopped_early=False,
        predictions=written,
        sealed_test=sealed[0],
        sealed_sha256=sealed[1],
        adapter="adapter" if adapter.is_dir() else "",
        adapter_sha256=weights_sha256(adapter) if adapter.is_dir() else "",
        history=[],
        rows_truncated=0,
        minutes=round(job.seconds / 60, 2),
        tokens_per_second=0.0,
        peak_memory_mb=round(job.recorder.peak_memory_mb, 1),
        precision="",
        reason_precision="decided by the training command",
        resumed=job.memory.attempts,
    )


def _start(job: Job, command: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "ITERATE_RUN_DIR": str(job.run.path.resolve()),
        "ITERATE_VERSION": job.spec.version,
        "ITERATE_SEED": str(job.spec.seed),
    }
    try:
        child = subprocess.Popen(
            shlex.split(command),
            cwd=job.spec.task_folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as reason:
        raise MissingPart(
            T(
                "The training command {command} cannot be started: {reason}",
                command=visible(command),
                reason=str(reason),
            ),
            hint=T("Check training.command and that the program it names is installed."),
            page=_PAGE,
        ) from reason
    write_model(job.run.file(_CHILD), _Child(pid=child.pid, created=began(child.pid) or 0.0))
    return child


def _wait(job: Job, child: subprocess.Popen[bytes], command: str) -> None:
    try:
        while child.poll() is None:
            job.cancel.check()
            time.sleep(_POLL_SECONDS)
    except Cancelled:
        _end_group(child.pid)
        raise
    if child.returncode != 0:
        raise CommandFailed(command, child.returncode)


def _end_leftover(job: Job) -> None:
    """End the script of a worker that was killed, so that it does not train a second time beside this one."""
    path = job.run.file(_CHILD)
    if not path.is_file():
        return
    child = _Child.model_validate_json(path.read_text(encoding="utf-8"))
    if is_same(child.pid, child.created):
        _end_group(child.pid)


def _end_group(pid: int) -> None:
    """Ask the script and its children to stop, then end those that did not."""
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:  # it has just ended by itself
        return
    for process in processes:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=_GRACE_SECONDS)
    for process in alive:
        _signal(process, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _predictions(job: Job, name: str, split: str) -> list[Prediction] | None:
    """The script's outputs for a split, scored in the order of its rows; None when it wrote none."""
    path = job.run.file(name)
    if not path.is_file():
        return None
    raw = _outputs(path)
    examples = read_examples(job.data(split))
    missing = [example.id for example in examples if example.id not in raw]
    if missing:
        raise InputError(
            T(
                "{file} has no output for {count} of {rows} rows, among them {ids}.",
                file=name,
                count=len(missing),
                rows=len(examples),
                ids=visible(", ".join(missing[:5]), 120),
            ),
            hint=T('Write one line {{"id": ..., "raw": ...}} for each row of data/{split}.jsonl.', split=split),
            page=_PAGE,
        )
    return [predict(job.spec, example, raw[example.id]) for example in examples]


def _outputs(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            output = _Output.model_validate_json(line)
        except ValidationError as reason:
            raise InputError(
                T(
                    "Line {line} of {file} is not an object with the texts id and raw: {what}",
                    line=number,
                    file=path.name,
                    what=visible(reason.errors()[0]["msg"], 120),
                ),
                page=_PAGE,
            ) from reason
        found[output.id] = output.raw
    return found
