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

import pytest

from tests.support import scripted_task
from tests.support.nursery import Nursery
from tests.support.outcome import lost_approvals, outcome, repeated, trained_twice

KILLED = -signal.SIGKILL
SWITCH = Path(__file__).parents[1] / "support" / "kill_switch"


class Place:
    """A workspace, and how its loop is started."""

    def __init__(self, root: Path, nursery: Nursery) -> None:
        root.mkdir()
        self.root = root
        self.task = scripted_task.make_workspace(root)
        self.nursery = nursery
        self.log = root.parent / f"{root.name}.moments"
        self.out = root.parent / f"{root.name}.out"

    def words(self, *words):
        words = words or ("run", "mood", "--yes-policy", str(self.root / "policy.yaml"))
        return ["--lang", "en", "--workspace", str(self.root), *words]

    def life(self, at=0, *words, **env):
        """The loop until it dies before that moment, or ends; its exit status."""
        env |= {"ITERATE_CACHE": str(self.root / "cache")}
        return self.nursery.run(self.words(*words), self.out, env=env, switch=[str(self.task), at, str(self.log)])

    def moments(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def tail(self):
        return self.out.read_text()[-1500:]

    def worker_gone(self):
        """Wait until no worker is at work."""
        deadline = time.monotonic() + 60
        while any(self.status(path) == "running" for path in self.task.glob("runs/*/status.json")):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def status(self, path):
        return json.loads(path.read_bytes())["state"]

    def workers(self):
        return (self.task / "trained.log").read_text().split()

    def assert_like(self, twin):
        assert (lost_approvals(self.task), trained_twice(self.task), repeated(self.task)) == ([], [], [])
        mine, other = outcome(self.task), outcome(twin.task)
        for part in other:
            assert mine[part] == other[part], part
        assert self.life(0, "fsck") == 0, self.tail()


@pytest.fixture(scope="module")
def nursery(tmp_path_factory):
    root = tmp_path_factory.mktemp("nursery")
    (root / "settings.yaml").write_text("")
    with Nursery(scripted_task.environment(root)) as found:
        yield found


@pytest.fixture(scope="module")
def twin(tmp_path_factory, nursery):
    """The session that nobody disturbed: it trains a baseline and a change, opens the test set and adopts."""
    place = Place(tmp_path_factory.mktemp("twin") / "w", nursery)
    assert place.life() == 0, place.tail()
    assert outcome(place.task)["in_use"]["version"] == "v2"
    assert len(outcome(place.task)["ledger"]) == 1
    return place


def test_the_loop_killed_before_one_write_after_another_ends_like_its_twin(twin, tmp_path, nursery):
    place = Place(tmp_path / "w", nursery)
    draw = random.Random(5)
    kills = 0
    while (status := place.life(at=draw.randint(4, 14))) == KILLED:
        kills += 1
        assert kills < 60
    assert status == 0, place.tail()
    assert kills >= 5
    place.assert_like(twin)
    assert place.workers() == twin.workers(), "no training was started twice"


def test_an_adoption_killed_at_its_weakest_moments_opens_once_and_moves_the_pointer_once(twin, tmp_path, nursery):
    """Before the line in the ledger, then before what it showed, then before the published result, then before the pointer."""
    place = Place(tmp_path / "w", nursery)
    names = "test_ledger.jsonl,test_openings.jsonl,v2_test.json,current.json"
    assert [place.life(at=names) for _ in range(4)] == [KILLED] * 4
    assert place.life() == 0, place.tail()
    place.assert_like(twin)


def test_workers_killed_before_they_can_say_what_they_found_are_taken_up_by_themselves(twin, tmp_path, nursery):
    place = Place(tmp_path / "w", nursery)
    moments = tmp_path / "worker.moments"
    env = {"KILL_ROLE": "tools.training.worker", "KILL_ROOT": str(place.task), "KILL_LOG": str(moments)}
    path = os.pathsep.join([str(SWITCH), str(Path.cwd())])
    names = "status.json,result.json,predictions_valid.jsonl"
    assert place.life(0, **env, KILL_AT=names, PYTHONPATH=path) == 0, place.tail()
    assert Path(f"{moments}.killed").read_text() == "xxx"
    place.assert_like(twin)


def test_a_machine_that_restarts_in_the_middle_loses_nothing(twin, tmp_path, nursery):
    """Everything is gone at once, and the number of the worker belongs to somebody else now."""
    place = Place(tmp_path / "w", nursery)
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_loop_that_is_told_to_end_says_the_way_back_and_its_training_goes_on(twin, tmp_path, nursery, number):
    place = Place(tmp_path / "w", nursery)
    life = nursery.begin(place.words(), place.out, env={"TRAIN_SECONDS": "3"})
    deadline = time.monotonic() + 60
    while not (place.task / "trained.log").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(life.pid, number)
    assert life.end() == 130
    assert "iterate run mood" in place.out.read_text()
    place.worker_gone()
    assert place.life() == 0, place.tail()
    place.assert_like(twin)
    assert place.workers() == ["v1", "v2"]


def test_a_clock_set_back_and_a_workspace_put_back_from_a_copy_hide_no_open_session(twin, tmp_path, nursery):
    place = Place(tmp_path / "w", nursery)
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
