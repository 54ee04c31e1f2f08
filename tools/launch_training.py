"""Launching a training: write the run down, start its worker once, follow it, end it.

    plan_runs -> prepare (runs/<run_id>/, spec.json last) -> start -> wait

A tool that a person or the loop calls after an approval; it approves nothing, and it trains nothing in this process. Collecting
the outcome is tools/running/collect.py.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict

from tools.errors import InputError, Problem, RunFailed, WriteFailed
from tools.files import link_tree, now, write_atomic, write_model
from tools.launchers import launcher_for
from tools.launchers.base import Resources, RunHealth, Submission, is_alive, log_tail, state_of
from tools.reading.task import load_task
from tools.running.plan_runs import RunPlan, plan_runs
from tools.running.start_weights import start_version
from tools.running.weights import check_free, owns
from tools.runs import RunDir, RunEvent, RunState, RunStatus
from tools.text import T, visible
from tools.training.check import check_spec
from tools.versioning.records import training_of

POLL_SECONDS = 0.5
WORKER = "tools.training.worker"
"""The module that a run directory is handed to, in a process of its own."""
_NEEDED_BYTES = {"adapter": 500_000_000, "all weights": 8_000_000_000}
"""Free disk space before a start: two checkpoints with optimizer state, for an adapter of a small model and for all 32-bit
weights of one (4 numbers of 4 bytes per parameter and checkpoint, 270 M parameters)."""


class LaunchArgs(BaseModel):
    """What to train."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_dir: Path
    version: str
    """Name of the version that the configuration makes, such as v2."""
    seeds: list[int] = []
    """Empty: those of the configuration."""
    retry: bool = False
    """Make a new attempt of runs that failed or were cancelled."""
    train: bool = True
    """False: evaluate only, for a new prompt or decoding."""
    weights_from: str | None = None
    """The version whose weights are evaluated when `train` is false; None is the base model as it is."""


class LaunchedRun(BaseModel):
    """One run of the version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    seed: int
    attempt: int
    path: Path
    """The run directory."""
    health: RunHealth
    rows: dict[str, int]
    """Rows per split."""
    left_out: dict[str, int]
    """Rows per split without an answer."""


class LaunchResult(BaseModel):
    """The runs of the version, one per seed; the first that has not ended is started, the others wait their turn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runs: list[LaunchedRun]

    @property
    def paths(self) -> list[Path]:
        """The run directories in the order in which they run."""
        return [run.path for run in self.runs]


def launch_training(args: LaunchArgs) -> LaunchResult:
    """Write down the runs of a version and start the first; launching twice is launching once.

    Raises InputError, MissingPart, Refused or WriteFailed for what can be known to fail before a start.
    """
    task = load_task(args.task_dir)
    plans = plan_runs(
        task,
        args.version,
        seeds=args.seeds,
        train=args.train,
        weights_from=args.weights_from,
        start_from=start_version(task, args.version) if args.train else None,
    )
    if args.train:
        _require_same_rows(task.path, args.version, plans)
    runs = [(plan, prepare(plan, task.path, retry=args.retry)) for plan in plans]
    waiting = [path for _, path in runs if state_of(path) is not RunHealth.ended]
    if waiting:
        start(waiting[0])
    return LaunchResult(runs=[_launched(plan, path) for plan, path in runs])


def _require_same_rows(task_dir: Path, version: str, plans: Sequence[RunPlan]) -> None:
    """Raise InputError when seeds of the version were trained on other rows: means over seeds would mix the two."""
    trained = {one.data_hash for one in training_of(task_dir, version) if one.trained}
    if trained - {plan.spec.data_hash for plan in plans}:
        raise InputError(
            T("The runs of {version} differ in more than their seed.", version=visible(version)),
            hint=T("Give the changed configuration or data a version of its own."),
            page="methods/comparing-versions",
        )


def prepare(plan: RunPlan, task_dir: Path, *, retry: bool = False) -> Path:
    """The run directory of a plan, written if it is not there; with `retry` a new one after a failure or cancellation.

    Raises what is known to fail: a missing model, weights that are already kept, a full disk.
    """
    runs = task_dir / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    with FileLock(runs / ".lock"):
        attempt, before = _attempt(runs, plan.spec.run_id, retry)
        path = runs / _attempt_id(plan.spec.run_id, attempt)
        if path.joinpath("spec.json").exists():
            return path
        check_spec(plan.spec)
        names = {_attempt_id(plan.spec.run_id, number) for number in range(1, attempt + 1)}
        if not owns(task_dir, plan.spec.version, plan.spec.adapter_from):
            check_free(task_dir, plan.spec.version, plan.spec.seed, names)
        _check_disk(runs, plan)
        _write(plan, path, attempt, before)
    return path


def start(run_dir: Path) -> bool:
    """Start or resume the run's worker; False when it is alive or the run has ended."""
    spec = RunDir(run_dir).spec()
    # -P keeps the run directory, the worker's working folder, off the import path.
    argv = [sys.executable, "-P", "-m", WORKER, str(run_dir.resolve())]
    work = Submission(run_id=run_dir.name, argv=argv, resources=Resources(threads=spec.launcher.threads))
    return launcher_for(spec.launcher.kind).submit(run_dir, work)


def wait(
    run_dir: Path,
    on_event: Callable[[RunEvent], None],
    *,
    poll_seconds: float = POLL_SECONDS,
    should_stop: Callable[[], bool] = lambda: False,
    offset: int = 0,
) -> RunStatus | None:
    """Follow a started run to its end; `offset` is the byte of events.jsonl to begin at.

    Returns the end state (succeeded or cancelled), or where the run stands when `should_stop` says so: the run goes on then.
    Raises RunFailed for a failure, a worker that never began, and one that was interrupted (starting again resumes it).
    """
    run = RunDir(run_dir)
    place = launcher_for(run.spec().launcher.kind)
    while True:
        health = place.status(run_dir)  # before the events, so that the last ones are read after the end
        events, offset = place.events(run_dir, offset)
        for event in events:
            on_event(event)
        if health is RunHealth.ended:
            return _ended(run)
        if health is RunHealth.stalled:
            raise _interrupted(run)
        if should_stop():
            return run.status()
        time.sleep(poll_seconds)


def run_all(
    run_dirs: Sequence[Path],
    on_event: Callable[[Path, RunEvent], None],
    *,
    poll_seconds: float = POLL_SECONDS,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Run prepared runs one after another, resuming what was interrupted; True when all have succeeded.

    False when one was cancelled or `should_stop` said so. Raises RunFailed as `wait` does.
    """
    for run_dir in run_dirs:
        start(run_dir)
        tell = partial(on_event, run_dir)
        status = wait(run_dir, tell, poll_seconds=poll_seconds, should_stop=should_stop)
        if status is None or status.state is not RunState.succeeded:
            return False
    return True


def cancel(run_dir: Path, grace_seconds: float = 10.0) -> None:
    """End a run as cancelled, waiting or alive; its newest checkpoint is kept. Raises Busy when it does not stop."""
    launcher_for(RunDir(run_dir).spec().launcher.kind).cancel(run_dir, grace_seconds)


def list_runs(task_dir: Path, version: str | None = None) -> list[Path]:
    """The run directories of a task, oldest first; a folder without spec.json is not a run."""
    found: list[tuple[str, Path]] = []
    for file in (task_dir / "runs").glob("*/spec.json"):
        spec = RunDir(file.parent).spec()
        if version is None or spec.version == version:
            found.append((spec.created_at, file.parent))
    return [path for _, path in sorted(found)]


def active_runs(task_dir: Path) -> list[Path]:
    """The runs whose worker is alive."""
    return [path for path in list_runs(task_dir) if is_alive(path)]


def _launched(plan: RunPlan, path: Path) -> LaunchedRun:
    spec = RunDir(path).spec()
    return LaunchedRun(
        run_id=spec.run_id,
        seed=spec.seed,
        attempt=spec.attempt,
        path=path,
        health=state_of(path),
        rows=dict(plan.rows),
        left_out=dict(plan.left_out),
    )


def _attempt_id(run_id: str, attempt: int) -> str:
    return run_id if attempt == 1 else f"{run_id}-a{attempt}"


def _attempt(runs: Path, run_id: str, retry: bool) -> tuple[int, Path | None]:
    """The attempt that is wanted, and the directory of the one before it."""
    attempt, before = 1, None
    while (path := runs / _attempt_id(run_id, attempt)).joinpath("spec.json").exists():
        status = RunDir(path).status()
        is_lost = status is not None and (status.state in {RunState.failed, RunState.cancelled} or _is_pruned(path))
        has_next = runs.joinpath(_attempt_id(run_id, attempt + 1), "spec.json").exists()
        if not has_next and not (is_lost and retry):
            break
        attempt, before = attempt + 1, path
    return attempt, before


def _is_pruned(path: Path) -> bool:
    """True for a training whose weights were removed after it succeeded."""
    run = RunDir(path)
    result = run.result()
    return result is not None and run.spec().train and not run.file(result.adapter).is_dir()


def _write(plan: RunPlan, path: Path, attempt: int, before: Path | None) -> None:
    """Everything the worker needs; spec.json last, since it makes the folder a run."""
    for name, content in plan.data.items():
        write_atomic(path / "data" / name, content)
    if before is not None:
        _carry_over(before, path)
    update = {"run_id": path.name, "attempt": attempt, "created_at": now()}
    write_model(path / "spec.json", plan.spec.model_copy(update=update))


def _carry_over(before: Path, path: Path) -> None:
    """Let a new attempt continue from the checkpoints of the one before it, unless those have gone bad with the loss."""
    run = RunDir(before)
    status = run.status()
    if status is None or (status.error is not None and status.error.kind == "nan_loss"):
        return
    if run.file("checkpoints").is_dir() and not path.joinpath("checkpoints").exists():
        link_tree(run.file("checkpoints"), path / "checkpoints")
    if run.file("worker.json").exists():
        write_atomic(path / "worker.json", run.file("worker.json").read_bytes())
    events, _ = run.events()
    kept = [event.model_dump_json() for event in events if event.type != "end"]
    write_atomic(path / "events.jsonl", "".join(line + "\n" for line in kept))


def _check_disk(runs: Path, plan: RunPlan) -> None:
    """Raise WriteFailed when the training would probably fill the disk."""
    weights = _NEEDED_BYTES["adapter" if plan.spec.lora is not None else "all weights"] if plan.spec.train else 0
    needed = weights + 10 * sum(map(len, plan.data.values()))
    free = shutil.disk_usage(runs).free
    if free < needed:
        raise WriteFailed(
            T(
                "There is too little disk space to train: {free:.1f} GB are free and about {needed:.1f} GB are needed.",
                free=free / 1e9,
                needed=needed / 1e9,
            ),
            hint=T("Free space on the disk of {folder}, such as runs of versions that are recorded.", folder=str(runs)),
            page="troubleshooting/installation",
        )


def _ended(run: RunDir) -> RunStatus | None:
    status = run.status()
    if status is not None and status.state is RunState.failed:
        error = status.error
        reason = error.message if error is not None else T("it does not say why")
        raise RunFailed(
            T("The run {run} failed: {reason}", run=visible(run.run_id), reason=reason),
            hint=error.hint if error is not None else None,
            page=error.page if error is not None else None,
            problems=_log_problem(run),
        )
    return status


def _interrupted(run: RunDir) -> RunFailed:
    if run.status() is None:
        return RunFailed(
            T("The training process of {run} ended before it could begin.", run=visible(run.run_id)),
            hint=T("Its last words are below. Check the installation with `iterate doctor`."),
            page="troubleshooting/installation",
            problems=_log_problem(run),
        )
    return RunFailed(
        T("The training process of {run} is gone without a word: it was killed.", run=visible(run.run_id)),
        hint=T(
            "Start the same training again: it continues from its newest checkpoint. If it happens again, memory is short."
        ),
        page="troubleshooting/sessions-and-locks",
        problems=_log_problem(run),
    )


def _log_problem(run: RunDir) -> list[Problem]:
    tail = visible(log_tail(run.path), 2000)
    return [Problem(message=T("{tail}", tail=tail), path=f"runs/{run.run_id}/log.txt")] if tail else []
