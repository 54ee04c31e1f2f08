"""Workers on this machine, with real processes, real locks and real signals: the promises of every launcher, and its own."""

from __future__ import annotations

import json
import time
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from tests.tools.launchers.conformance import (
    Conformance,
    command,
    kill_newest,
    run_dir,
    running,
    starts,
    submit,
    until,
)
from tools.errors import Busy
from tools.files import write_model
from tools.launchers import launcher_for
from tools.launchers.base import RunHealth, state_of
from tools.launchers.local import LaunchRecord
from tools.runs import RunState, RunStatus

__all__ = ["run_dir"]

LOCAL = launcher_for("local")


class TestLocal(Conformance):
    """Processes of this machine."""

    @pytest.fixture
    def place(self):
        return LOCAL

    @pytest.fixture
    def kill(self):
        return kill_newest


def test_a_worker_started_by_hand_counts_as_alive(run_dir):
    write_model(run_dir / "status.json", RunStatus(state=RunState.running, updated_at="now"))
    with FileLock(run_dir / "run.lock"):
        assert state_of(run_dir) is RunHealth.running
        assert not submit(LOCAL, run_dir)
    assert state_of(run_dir) is RunHealth.stalled


def other_record(run_dir, **changes):
    record = LaunchRecord.model_validate_json((run_dir / "launch.json").read_bytes())
    write_model(run_dir / "launch.json", record.model_copy(update=changes))


@pytest.mark.parametrize("changes", [{"host": "another-machine"}, {"created": 1.0}])
def test_a_process_that_only_has_the_same_number_is_never_signalled(run_dir, changes):
    submit(LOCAL, run_dir)
    until(running(run_dir))
    other_record(run_dir, **changes)
    with pytest.raises(Busy):
        LOCAL.cancel(run_dir, grace_seconds=0.1)
    assert state_of(run_dir) is RunHealth.running
    assert (run_dir / "cancel").exists(), "the wish is left for a worker that looks for it"


def test_cancelling_what_has_ended_leaves_no_wish_behind(run_dir):
    (run_dir / "finish").touch()
    submit(LOCAL, run_dir)
    until(lambda: state_of(run_dir) is RunHealth.ended)
    LOCAL.cancel(run_dir)
    assert not (run_dir / "cancel").exists()


def test_the_record_of_the_launch_names_the_worker(run_dir):
    submit(LOCAL, run_dir)
    until(lambda: starts(run_dir))
    record = json.loads((run_dir / "launch.json").read_text())
    assert [str(record["pid"])] == starts(run_dir)
    assert record["argv"] == command(run_dir)
    assert Path(record["argv"][2]) == run_dir


def test_a_clock_that_is_set_does_not_hide_the_worker(run_dir, monkeypatch):
    """The time of day at which a process began moves with the clock; what is compared does not."""
    submit(LOCAL, run_dir)
    until(running(run_dir))
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 1.0)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    LOCAL.cancel(run_dir)
    assert state_of(run_dir) is RunHealth.ended
