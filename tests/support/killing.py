"""A workspace that the benchmarks by hand kill with -9, on its way, and what is wrong with it in the end."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.nursery import Life, Nursery
from tests.support.outcome import (
    half_written,
    lost_approvals,
    night_lines,
    night_reports,
    outcome,
    repeated,
    trained_twice,
)
from tests.support.scripted_task import environment

KILLED = -signal.SIGKILL


class Place:
    """A copy of a workspace, and the ways to work on it."""

    def __init__(self, root: Path, base: Path, nursery: Nursery, draw: random.Random) -> None:
        shutil.copytree(base, root)
        self.root = root
        self.out = root.with_suffix(".out")
        self.log = root.with_suffix(".moments")
        self.nursery = nursery
        self.draw = draw
        self.env = surroundings(root)

    @property
    def tasks(self) -> list[Path]:
        return sorted((self.root / "tasks").iterdir())

    def words(self, *words: str) -> list[str]:
        return ["--lang", "en", "--workspace", str(self.root), *words]

    def begin(self, *words: str, at: int | Path | None = None) -> Life:
        """A life of the program; `at` is the moment before which it dies, or where it is ordered to (kill_switch)."""
        switch = [] if at is None else [str(self.root), str(at), str(self.log)]
        return self.nursery.begin(self.words(*words), self.out, env=self.env, switch=switch)

    def worker(self) -> int | None:
        """The process of a training that is at work."""
        for path in self.root.glob("tasks/*/runs/**/status.json"):
            with suppress(ValueError, OSError):
                status = json.loads(path.read_bytes())
                if status["state"] == "running" and is_alive(status["pid"]):
                    return int(status["pid"])
        return None

    def settle(self) -> None:
        """Wait until no worker is at work."""
        while self.worker() is not None:
            time.sleep(0.1)

    def tail(self) -> str:
        return self.out.read_text("utf-8", errors="replace")[-1500:] if self.out.exists() else ""


def surroundings(root: Path) -> dict[str, str]:
    """A cache of its own, and one thread: the same sums in the same order."""
    return {"ITERATE_CACHE": str(root / "cache"), "OMP_NUM_THREADS": "1"}


def is_alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(pid: int | None) -> bool:
    """Kill a process with all that it started in its group; False when it is gone."""
    if pid is None:
        return False
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def faults(place: Place, twin: Place) -> list[str]:
    """What is wrong with a workspace that was killed on its way, beside its twin that nobody disturbed."""
    place.settle()
    found = []
    for task, other in zip(place.tasks, twin.tasks, strict=True):
        found += [f"lost approval {task.name} {one}" for one in lost_approvals(task)]
        found += [f"trained twice {task.name} {one}" for one in trained_twice(task)]
        found += [f"written twice {task.name} {one}" for one in repeated(task)]
        mine, theirs = outcome(task), outcome(other)
        found += [f"differs from the twin: {task.name} {part}" for part in theirs if mine[part] != theirs[part]]
    found += [f"half written {one}" for one in half_written(place.root)]
    if night_lines(place.root) != night_lines(twin.root):
        found.append("differs from the twin: lines of the night")
    if night_reports(place.root) != night_reports(twin.root):
        found.append("differs from the twin: report of the night")
    _age(place.root)
    if place.begin("fsck", "--mend").end() != 0 or place.begin("fsck").end() != 0:
        found.append("fsck: " + place.tail()[-400:])
    return found


def _age(root: Path) -> None:
    """Let what was left behind look as old as it will be when somebody comes to look."""
    for path in root.rglob(".*"):
        with suppress(OSError):
            os.utime(path, (time.time() - 3600,) * 2)


def must_run(nursery: Nursery, words: list[str], root: Path, env: Mapping[str, str]) -> None:
    """A command that prepares something."""
    out = root / "base.out"
    assert nursery.run(words, out, env=env) == 0, out.read_text("utf-8")


@contextmanager
def ground(name: str) -> Iterator[tuple[Path, Nursery]]:
    """A folder for workspaces, removed in the end, and the process that their programs are forked from."""
    root = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    (root / "settings.yaml").write_text("")
    try:
        with Nursery(environment(root)) as nursery:
            yield root, nursery
    finally:
        shutil.rmtree(root, ignore_errors=True)
