"""What every launcher promises, as tests that a launcher's own test file inherits; see tools/launchers/base.py.

A test file for a place brings a class of its own and two fixtures:

    class TestHere(Conformance):
        @pytest.fixture
        def place(self): ...            the launcher
        @pytest.fixture
        def kill(self): ...             a function that ends the worker of a run directory at once, as a power cut does

The worker is a small script instead of a training; it speaks to its run directory as the real one does.
"""

from __future__ import annotations

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

from tools.errors import RunFailed
from tools.files import append_line, now
from tools.launchers.base import Launcher, Resources, RunHealth, Submission, log_tail, state_of
from tools.runs import RunDir, RunState, WarningEvent
from tools.text import T

WORKER = textwrap.dedent(
    """
    import json, os, signal, subprocess, sys, time
    from pathlib import Path
    from filelock import FileLock
    from tools.files import append_line, now, write_atomic, write_model
    from tools.runs import EndEvent, RunState, RunStatus
    from tools.text import T

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
    append_line(run / "events.jsonl", EndEvent(at=now(), state="succeeded", message=T("Over.")).model_dump_json())
    status(RunState.succeeded)
    """
)

SUBMIT = """
import sys, time
from pathlib import Path
{reset}
from {module} import launcher
from tools.launchers.base import Submission
print(launcher.submit(Path(sys.argv[2]), Submission(run_id=Path(sys.argv[2]).name, argv=sys.argv[3:])), flush=True)
time.sleep(float(sys.argv[1]))
"""
RESET = "import signal; [signal.signal(n, signal.SIG_DFL) for n in (signal.SIGHUP, signal.SIGINT)]"
"""A program started in the background ignores these; one in a terminal dies of them, and that is the case to ask about."""


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


def submit(place, run_dir, mode="normal", **resources):
    work = Submission(
        run_id=run_dir.name, argv=command(run_dir, mode), env={"EXTRA": "yes"}, resources=Resources(**resources)
    )
    return place.submit(run_dir, work)


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


def submit_elsewhere(place, run_dir, *, stay=0):
    """The same submission by another program, which then stays for so many seconds."""
    code = SUBMIT.format(reset=RESET, module=type(place).__module__)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(stay), str(run_dir), *command(run_dir)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )


class Conformance:
    """The promises, one test each."""

    @pytest.fixture
    def place(self) -> Launcher:
        raise NotImplementedError

    @pytest.fixture
    def kill(self):
        raise NotImplementedError

    def test_a_run_goes_from_queued_over_running_to_ended(self, place, run_dir):
        assert place.status(run_dir) is RunHealth.queued
        assert not place.reattach(run_dir)
        assert submit(place, run_dir, threads=2)
        until(running(run_dir))
        assert place.reattach(run_dir)
        assert "working at 0 2 yes" in log_tail(run_dir)
        (run_dir / "finish").touch()
        until(lambda: place.status(run_dir) is RunHealth.ended)
        assert not submit(place, run_dir), "a run that has ended is not started again"
        assert len(starts(run_dir)) == 1

    def test_asking_where_a_run_stands_starts_and_changes_nothing(self, place, run_dir):
        for _ in range(2):
            assert place.status(run_dir) is RunHealth.queued
            assert place.events(run_dir) == ([], 0)
            assert not place.reattach(run_dir)
        assert list(run_dir.iterdir()) == []

    def test_a_worker_that_is_still_importing_is_queued_and_not_started_twice(self, place, run_dir):
        assert submit(place, run_dir, "slow start")
        assert place.status(run_dir) is RunHealth.queued
        assert not submit(place, run_dir)
        until(lambda: starts(run_dir))
        assert place.status(run_dir) is RunHealth.queued
        assert not submit(place, run_dir)
        assert len(starts(run_dir)) == 1

    def test_submitting_from_many_threads_at_once_is_submitting_once(self, place, run_dir):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(submit(place, run_dir))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [False] * 5 + [True]
        until(running(run_dir))
        assert len(starts(run_dir)) == 1

    def test_submitting_from_two_programs_at_once_is_submitting_once(self, place, run_dir):
        both = [submit_elsewhere(place, run_dir) for _ in range(2)]
        assert sorted(process.communicate()[0].strip() for process in both) == ["False", "True"]
        until(running(run_dir))
        assert len(starts(run_dir)) == 1

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGINT])
    def test_the_worker_outlives_the_death_of_the_program_and_its_terminal(self, place, run_dir, number):
        program = submit_elsewhere(place, run_dir, stay=60)
        assert program.stdout.readline().strip() == "True"
        until(running(run_dir))
        os.killpg(program.pid, number)
        program.communicate(timeout=30)
        assert program.returncode != 0, "it died of the signal"
        before = step_of(run_dir)
        until(lambda: step_of(run_dir) > before)
        assert place.status(run_dir) is RunHealth.running
        assert place.reattach(run_dir), "another program takes it up"
        assert not submit(place, run_dir)

    def test_a_killed_worker_is_stalled_and_submitting_again_continues_where_it_was(self, place, run_dir, kill):
        submit(place, run_dir)
        until(lambda: step_of(run_dir) > 3)
        kill(run_dir)
        until(lambda: place.status(run_dir) is RunHealth.stalled)
        assert not place.reattach(run_dir)
        assert RunDir(run_dir).status().state is RunState.running, "nobody writes a status in the name of the dead"
        reached = int((run_dir / "checkpoint").read_text())
        assert submit(place, run_dir)
        until(lambda: f"working at {reached} " in log_tail(run_dir))
        assert len(starts(run_dir)) == 2

    def test_a_worker_that_dies_before_it_says_anything_is_stalled_with_its_words_in_the_log(self, place, run_dir):
        submit(place, run_dir, "import error")
        until(lambda: place.status(run_dir) is RunHealth.stalled)
        assert "a_module_that_is_not_there" in log_tail(run_dir)
        assert submit(place, run_dir), "once mended it can be started"
        until(running(run_dir))

    def test_a_missing_program_is_an_error_at_once_and_leaves_the_run_waiting(self, place, run_dir):
        with pytest.raises(RunFailed, match="no-such-python"):
            place.submit(run_dir, Submission(run_id=run_dir.name, argv=["/no-such-python", "x"]))
        assert place.status(run_dir) is RunHealth.queued
        assert submit(place, run_dir)
        until(running(run_dir))  # only a worker that has begun is found and ended after the test

    def test_events_are_told_once_and_whole_from_where_one_left_off(self, place, run_dir):
        def event(number):
            return WarningEvent(at=now(), message=T("number {number}", number=number))

        append_line(run_dir / "events.jsonl", event(1).model_dump_json())
        first, offset = place.events(run_dir)
        with (run_dir / "events.jsonl").open("a", encoding="utf-8") as half:
            half.write(event(2).model_dump_json()[:20])
        assert place.events(run_dir, offset) == ([], offset), "a line that is being written is left"
        append_line(run_dir / "events.jsonl", event(3).model_dump_json())
        rest, _ = place.events(run_dir, offset)
        assert [str(one.message) for one in (*first, *rest)] == ["number 1", "number 3"]

    def test_a_run_that_was_never_started_can_be_cancelled(self, place, run_dir):
        place.cancel(run_dir)
        assert RunDir(run_dir).status().state is RunState.cancelled
        assert not submit(place, run_dir)
        assert place.events(run_dir)[0][-1].state is RunState.cancelled

    def test_a_running_worker_is_cancelled(self, place, run_dir):
        submit(place, run_dir)
        until(running(run_dir))
        place.cancel(run_dir)
        status = RunDir(run_dir).status()
        assert (status.state, status.step > 0) == (RunState.cancelled, True)
        assert not place.reattach(run_dir)

    def test_a_worker_that_does_not_listen_is_killed_with_its_children(self, place, run_dir):
        submit(place, run_dir, "deaf")
        until(running(run_dir))
        child = int((run_dir / "child").read_text())
        place.cancel(run_dir, grace_seconds=0.3)
        assert RunDir(run_dir).status().state is RunState.cancelled
        until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)

    def test_an_interrupted_run_can_be_cancelled_and_keeps_its_step(self, place, run_dir, kill):
        submit(place, run_dir)
        until(running(run_dir))
        kill(run_dir)
        until(lambda: place.status(run_dir) is RunHealth.stalled)
        place.cancel(run_dir)
        assert RunDir(run_dir).status().state is RunState.cancelled
        assert step_of(run_dir) > 0

    def test_cancelling_what_has_succeeded_changes_nothing(self, place, run_dir):
        (run_dir / "finish").touch()
        submit(place, run_dir)
        until(lambda: place.status(run_dir) is RunHealth.ended)
        place.cancel(run_dir)
        place.cancel(run_dir)
        assert RunDir(run_dir).status().state is RunState.succeeded

    def test_it_says_what_one_worker_can_have(self, place):
        there = place.resources()
        assert there.threads is None or there.threads >= 1
        assert there.memory_gb is None or there.memory_gb > 0


def kill_newest(run_dir: Path) -> None:
    """Kill the newest worker of a run on this machine."""
    os.kill(int(starts(run_dir)[-1]), signal.SIGKILL)
