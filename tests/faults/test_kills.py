"""The loop and its worker, killed with -9 before one write after another, against a twin that nobody disturbed.

What is trained is a script, so that a whole session takes seconds; tests/benchmarks/kill_storm.py does the same by the hundred
with real trainings.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path

KILLED = -signal.SIGKILL
SWITCH = Path(__file__).parents[1] / "support" / "kill_switch"


def test_the_loop_killed_before_one_write_after_another_ends_like_its_twin(twin, place):
    draw = random.Random(5)
    kills = 0
    while (status := place.life(at=draw.randint(4, 14))) == KILLED:
        kills += 1
        assert kills < 60
    assert status == 0, place.tail()
    assert kills >= 5
    place.assert_like(twin)
    assert place.workers() == twin.workers(), "no training was started twice"


def test_an_approval_by_rule_that_was_killed_before_it_was_filed_counts_for_the_limit_of_trainings(twin, place):
    names = ",".join(["journal.jsonl"] * 8)
    assert [place.life(at=names) for _ in range(8)] == [KILLED] * 8
    assert place.life() == 0, place.tail()
    place.assert_like(twin)


def test_an_adoption_killed_at_its_weakest_moments_opens_once_and_moves_the_pointer_once(twin, place):
    """Before the line in the ledger, then before what it showed, then before the published result, then before the pointer."""
    names = "test_ledger.jsonl,test_openings.jsonl,v2_test.json,current.json"
    assert [place.life(at=names) for _ in range(4)] == [KILLED] * 4
    assert place.life() == 0, place.tail()
    place.assert_like(twin)


def test_workers_killed_before_they_can_say_what_they_found_are_taken_up_by_themselves(twin, tmp_path, place):
    moments = tmp_path / "worker.moments"
    env = {"KILL_ROLE": "tools.training.worker", "KILL_ROOT": str(place.task), "KILL_LOG": str(moments)}
    path = os.pathsep.join([str(SWITCH), str(Path.cwd())])
    names = "status.json,result.json,predictions_valid.jsonl"
    assert place.life(0, **env, KILL_AT=names, PYTHONPATH=path) == 0, place.tail()
    assert Path(f"{moments}.killed").read_text() == "xxx"
    place.assert_like(twin)


def test_a_machine_that_restarts_in_the_middle_loses_nothing(twin, nursery, place):
    """Everything is gone at once, and the number of the worker belongs to somebody else now."""
    life = nursery.begin(place.words(), place.out, env={"TRAIN_SECONDS": "30"})
    deadline = time.monotonic() + 60
    while not (found := list(place.task.glob("runs/v1-*/launch.json"))) or not (place.task / "trained.log").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    worker = json.loads(found[0].read_bytes())
    os.killpg(life.pid, signal.SIGKILL)
    os.killpg(worker["pid"], signal.SIGKILL)
    assert life.end() == KILLED
    found[0].write_text(json.dumps({**worker, "pid": os.getpid()}))
    assert place.life() == 0, place.tail()
    place.assert_like(twin)
    assert place.workers() == ["v1", "v1", "v2"], "what was interrupted is taken up, once"


def test_a_loop_that_is_told_to_end_says_the_way_back_and_its_training_goes_on(twin, nursery, place):
    """By SIGTERM while v1 is trained, by a terminal that closes while v2 is."""
    for number, trained in ((signal.SIGTERM, ["v1"]), (signal.SIGHUP, ["v1", "v2"])):
        life = nursery.begin(place.words(), place.out, env={"TRAIN_SECONDS": "2"})
        deadline = time.monotonic() + 60
        while not (place.task / "trained.log").exists() or place.workers() != trained:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(life.pid, number)
        assert life.end() == 130
        place.worker_gone()
    assert place.out.read_text().count(f"Continue with: iterate --workspace {place.root} run mood") == 2, place.tail()
    assert place.life() == 0, place.tail()
    place.assert_like(twin)
    assert place.workers() == ["v1", "v2"]


def test_a_clock_set_back_and_a_workspace_put_back_from_a_copy_hide_no_open_session(twin, tmp_path, place):
    ended = {"id": "20991231t235959-aaaa", "task": "mood", "started_at": "2099-12-31T23:59:59+00:00"}
    ended |= {"ended_at": "2099-12-31T23:59:59+00:00", "reason": "done"}
    (place.task / ".iterate" / "sessions").mkdir(parents=True)
    (place.task / ".iterate" / "sessions" / f"{ended['id']}.json").write_text(json.dumps(ended))
    assert place.life(at=len(twin.moments()) // 2) == KILLED
    place.worker_gone()
    shutil.copytree(place.root, tmp_path / "copy")
    shutil.rmtree(place.root)
    (tmp_path / "copy").rename(place.root)
    assert place.life() == 0, place.tail()
    assert "taken up again" in place.out.read_text()
    place.assert_like(twin)
