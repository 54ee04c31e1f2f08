"""A workspace that can be killed, filled up and shut, and its twin that nobody disturbs; shared by the tests of this folder."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.support import scripted_task
from tests.support.nursery import Nursery
from tests.support.outcome import lost_approvals, outcome, repeated, trained_twice


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


@pytest.fixture(scope="session")
def nursery(tmp_path_factory):
    root = tmp_path_factory.mktemp("nursery")
    (root / "settings.yaml").write_text("")
    with Nursery(scripted_task.environment(root)) as found:
        yield found


@pytest.fixture(scope="session")
def twin(tmp_path_factory, nursery):
    """The session that nobody disturbed: it trains a baseline and a change, opens the test set and adopts."""
    place = Place(tmp_path_factory.mktemp("twin") / "w", nursery)
    assert place.life() == 0, place.tail()
    assert outcome(place.task)["in_use"]["version"] == "v2"
    assert len(outcome(place.task)["ledger"]) == 1
    return place


@pytest.fixture
def place(tmp_path, nursery):
    """A workspace that nothing has happened in."""
    return Place(tmp_path / "w", nursery)
