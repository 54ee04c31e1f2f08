"""Detached workers with real processes, real locks and real signals; the worker is a small script instead of a training."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from tools.errors import Busy, RunFailed
from tools.files import write_model
from tools.launchers import launcher_for
from tools.launchers.base import Resources, RunHealth, is_alive, log_tail, state_of
from tools.launchers.local import LaunchRecord
from tools.runs import RunDir, RunState, RunStatus

LOCAL = launcher_for("local")

WORKER = textwrap.dedent(
    """
    import json, os, signal, subprocess, sys, time
    from pathlib import Path
    from filelock import FileLock
    from tools.files import append_line, now, write_atomic, write_model
    from tools.runs import RunState, RunStatus

    run, mode = Path(sys.argv[1]), sys.argv[2]
    if mode == "import error":
        import a_module_that_is_not_there
    lock = FileLock(run / "run.lock")
    lock.acquire(timeout=5)
    append_line(run / "starts", str(os.getpid()))
    if mode == "slow start":
        time.sleep(60)
    if mode == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        write_atomic(run / "child", str(child.pid))
    step = int((run / "checkpoint").read_text()) if (run / "checkpoint").exists() else 0

    def status(state):
        write_model(run / "status.json", RunStatus(state=state, step=step, pid=os.getpid(), updated_at=now()))

    status(RunState.running)
    print("working at", step, os.environ.get("OMP_NUM_THREADS"), os.environ.get("EXTRA"), flush=True)
    while not (run / "finish").exists():
        step += 1
        write_atomic(run / "checkpoint", str(step))
        status(RunState.running)
        time.sleep(0.02)
    status(RunState.succeeded)
    """
)


@pytest.fixture
def run_dir(tmp_path):
    """A run directory; whatever still lives in it afterwards is killed."""
    path = tmp_path / "v2-s42-01234567"
    path.mkdir()
    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")
    yield path
    for line in starts(path):
        with_pid(int(line), psutil.Process.kill)


def with_pid(pid, act):
    try:
        act(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return


def starts(run_dir):
    file = run_dir / "starts"
    return file.read_text().split() if file.exists() else []


def command(run_dir, mode="normal"):
    return [sys.executable, str(run_dir.parent / "worker.py"), str(run_dir), mode]


def submit(run_dir, mode="normal", **resources):
    return LOCAL.submit(run_dir, command(run_dir, mode), {"EXTRA": "yes"}, Resources(**resources))


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def step_of(run_dir):
    status = RunDir(run_dir).status()
    return 0 if status is None else status.step


def running(run_dir):
    return lambda: state_of(run_dir) is RunHealth.running and step_of(run_dir) > 0


def kill(run_dir):
    os.kill(int(starts(run_dir)[-1]), signal.SIGKILL)
    until(lambda: not is_alive(run_dir))


def test_a_run_goes_from_queued_over_running_to_ended(run_dir):
    assert LOCAL.status(run_dir) is RunHealth.queued
    assert not LOCAL.reattach(run_dir)
    assert submit(run_dir, threads=2)
    until(running(run_dir))
    assert LOCAL.reattach(run_dir)
    assert "working at 0 2 yes" in log_tail(run_dir)
    (run_dir / "finish").touch()
    until(lambda: state_of(run_dir) is RunHealth.ended)
    assert not submit(run_dir), "a run that has ended is not started again"
    assert len(starts(run_dir)) == 1


def test_a_worker_that_is_still_importing_is_queued_and_not_started_twice(run_dir):
    assert submit(run_dir, "slow start")
    assert state_of(run_dir) is RunHealth.queued
    assert not submit(run_dir)
    until(lambda: starts(run_dir))
    assert state_of(run_dir) is RunHealth.queued
    assert not submit(run_dir)
    assert len(starts(run_dir)) == 1


def test_launching_from_many_threads_at_once_is_launching_once(run_dir):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(submit(run_dir))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 5 + [True]
    until(running(run_dir))
    assert len(starts(run_dir)) == 1


LAUNCH = "import sys; from pathlib import Path; from tools.launchers import launcher_for as f; from tools.launchers.base import Resources as R; print(f('local').submit(Path(sys.argv[1]), sys.argv[2:], {}, R()), flush=True); import time; time.sleep(float(__import__('os').environ.get('STAY', '0')))"  # noqa: E501


def launch_elsewhere(run_dir, **env):
    return subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(run_dir), *command(run_dir)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
        start_new_session=True,
    )


def test_launching_from_two_programs_at_once_is_launching_once(run_dir):
    both = [launch_elsewhere(run_dir) for _ in range(2)]
    assert sorted(process.communicate()[0].strip() for process in both) == ["False", "True"]
    until(running(run_dir))
    assert len(starts(run_dir)) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGINT])
def test_the_worker_outlives_the_death_of_the_program_and_its_terminal(run_dir, number):
    program = launch_elsewhere(run_dir, STAY="60")
    assert program.stdout.readline().strip() == "True"
    until(running(run_dir))
    os.killpg(program.pid, number)
    program.communicate()
    before = step_of(run_dir)
    until(lambda: step_of(run_dir) > before)
    assert state_of(run_dir) is RunHealth.running
    assert not submit(run_dir)


def test_a_killed_worker_is_stalled_and_starting_again_continues_where_it_was(run_dir):
    submit(run_dir)
    until(lambda: step_of(run_dir) > 3)
    kill(run_dir)
    assert state_of(run_dir) is RunHealth.stalled
    assert RunDir(run_dir).status().state is RunState.running, "nobody writes a status in the name of the dead"
    reached = int((run_dir / "checkpoint").read_text())
    assert submit(run_dir)
    until(lambda: f"working at {reached} " in log_tail(run_dir))
    assert len(starts(run_dir)) == 2


def test_a_worker_started_by_hand_counts_as_alive(run_dir):
    write_model(run_dir / "status.json", RunStatus(state=RunState.running, updated_at="now"))
    with FileLock(run_dir / "run.lock"):
        assert state_of(run_dir) is RunHealth.running
        assert not submit(run_dir)
    assert state_of(run_dir) is RunHealth.stalled


def test_a_worker_that_dies_before_it_says_anything_is_stalled_with_its_words_in_the_log(run_dir):
    submit(run_dir, "import error")
    until(lambda: state_of(run_dir) is RunHealth.stalled)
    assert "a_module_that_is_not_there" in log_tail(run_dir)
    assert submit(run_dir), "once mended it can be started"
    until(running(run_dir))


def test_a_missing_program_is_an_error_at_once_and_leaves_the_run_waiting(run_dir):
    with pytest.raises(RunFailed, match="no-such-python"):
        LOCAL.submit(run_dir, ["/no-such-python", "x"], {}, Resources())
    assert state_of(run_dir) is RunHealth.queued
    assert submit(run_dir)


def test_a_run_that_was_never_started_can_be_cancelled(run_dir):
    LOCAL.cancel(run_dir)
    assert RunDir(run_dir).status().state is RunState.cancelled
    assert not submit(run_dir)
    assert RunDir(run_dir).events()[0][-1].state is RunState.cancelled


def test_a_running_worker_is_cancelled_by_signal(run_dir):
    submit(run_dir)
    until(running(run_dir))
    LOCAL.cancel(run_dir)
    status = RunDir(run_dir).status()
    assert (status.state, status.step > 0) == (RunState.cancelled, True)
    assert not is_alive(run_dir)


def test_a_worker_that_does_not_listen_is_killed_with_its_children(run_dir):
    submit(run_dir, "deaf")
    until(running(run_dir))
    child = int((run_dir / "child").read_text())
    LOCAL.cancel(run_dir, grace_seconds=0.3)
    assert RunDir(run_dir).status().state is RunState.cancelled
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def test_an_interrupted_run_can_be_cancelled_and_keeps_its_step(run_dir):
    submit(run_dir)
    until(running(run_dir))
    kill(run_dir)
    LOCAL.cancel(run_dir)
    assert RunDir(run_dir).status().state is RunState.cancelled
    assert step_of(run_dir) > 0


def test_cancelling_what_has_succeeded_changes_nothing(run_dir):
    (run_dir / "finish").touch()
    submit(run_dir)
    until(lambda: state_of(run_dir) is RunHealth.ended)
    LOCAL.cancel(run_dir)
    assert RunDir(run_dir).status().state is RunState.succeeded
    assert not (run_dir / "cancel").exists()


def other_record(run_dir, **changes):
    record = LaunchRecord.model_validate_json((run_dir / "launch.json").read_bytes())
    write_model(run_dir / "launch.json", record.model_copy(update=changes))


@pytest.mark.parametrize("changes", [{"host": "another-machine"}, {"created": 1.0}])
def test_a_process_that_only_has_the_same_number_is_never_signalled(run_dir, changes):
    submit(run_dir)
    until(running(run_dir))
    other_record(run_dir, **changes)
    with pytest.raises(Busy):
        LOCAL.cancel(run_dir, grace_seconds=0.1)
    assert state_of(run_dir) is RunHealth.running
    assert (run_dir / "cancel").exists(), "the wish is left for a worker that looks for it"


def test_the_record_of_the_launch_names_the_worker(run_dir):
    submit(run_dir)
    until(lambda: starts(run_dir))
    record = json.loads((run_dir / "launch.json").read_text())
    assert [str(record["pid"])] == starts(run_dir)
    assert record["argv"] == command(run_dir)
    assert Path(record["argv"][2]) == run_dir
