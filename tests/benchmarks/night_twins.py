"""A night of real trainings over all bundled tasks, killed ten times, beside its twin that nobody disturbed; by hand:

    nice -n 10 .venv/bin/python -m tests.benchmarks.night_twins --kills 10 --write table.md

The tasks are as bundled, trained with a tiny random-weight model in fp32, so that a training takes half a minute; each has a
first version that the program trained. `stance` has two seeds of it, as a task in use has; the nights begin with a second seed
of the others, which is a training of their own kind to be killed in. Both twins start from one copy. The killed one is taken up
with `--resume` each time, and has to end with the same choices, decisions, versions, predictions, weights, openings, version in
use, morning list and report (tests/support/killing.py `faults`). It ends with 1 when it does not.

    waits     what a night may do when nothing is said; adopting waits for a person
    adopts    a policy file that covers decoding too, and adopts what the locked test does not call worse

A night chooses by gain a minute, and minutes come from speeds that each training measures anew: two nights that nobody disturbs
may choose differently when the machine was busy in one of them. So the speeds that were measured for the first versions stay as
they are while the twins run (kill_switch KEEP_FILE), as on a machine whose cache cannot be written. `--measure` leaves them
free, to see what timing alone does.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.killing import KILLED, Place, faults, ground, is_alive, kill, must_run, surroundings
from tests.support.nursery import Life, Nursery
from tests.support.tiny_model import build_tiny_model

TASKS = ("stance", "entity-sentiment", "official-doc")
POLICY = """approve:
  - kinds: [config, recipe, prompt, decoding]
adopt: if_not_worse
night: {seeds: 2}
"""
TRAINING = {
    "stance": {"epochs": "2", "learning_rate": "2.0e-2"},
    "entity-sentiment": {"epochs": "2", "learning_rate": "1.0e-2"},
    "official-doc": {"epochs": "1", "learning_rate": "2.0e-2"},
}
"""Such that random weights learn something: at the bundled rates no answer can be read, and all versions are the same."""
ALWAYS = "  precision: fp32\n  evals_per_epoch: 1\n  early_stopping: null\n"
SWITCH = Path(__file__).parents[1] / "support" / "kill_switch"
PATIENCE_SECONDS = 120.0
"""For a moment that was ordered; then the kill is done at once."""
WAYS = [(victim, how) for how in ("write", "moment") for victim in ("night", "worker", "both")]


@dataclass
class Kill:
    """One kill, as it is meant and as it was done."""

    victim: str
    how: str
    line: int
    """Line of the records from which on it may come."""
    number: int
    """The write before which it dies."""
    seconds: float
    """After that line, at a moment."""
    done: str = ""
    """What was going on."""


@dataclass
class Pair:
    """What came of one pair of twins."""

    name: str
    kills: list[Kill] = field(default_factory=list)
    lives: int = 0
    minutes: tuple[float, float] = (0.0, 0.0)
    saw: str = ""
    wrong: list[str] = field(default_factory=list)


# --- where both begin


def make_base(root: Path, nursery: Nursery) -> Path:
    """The bundled tasks, each with a first version of the tiny model."""
    base = root / "base"
    (root / "policy.yaml").write_text(POLICY, encoding="utf-8")
    model = build_tiny_model(root / "model", texts=_texts(), tokens=2048)
    made = shutil.ignore_patterns("runs", "models", "iterations", "benchmarks", ".iterate")
    env, place = surroundings(base), ["--lang", "en", "--workspace", str(base)]
    for name in TASKS:
        shutil.copytree(Path("tasks") / name, base / "tasks" / name, ignore=made)
        config = base / "tasks" / name / "configs/training_config.yaml"
        config.write_text(_config(config.read_text("utf-8"), model, name), encoding="utf-8")
        must_run(nursery, [*place, "train", name, "--version", "v1"], root, env)
    must_run(nursery, [*place, "train", TASKS[0], "--version", "v1", "--seeds", "43"], root, env)
    return base


def _texts() -> list[str]:
    rows = [
        json.loads(line) for name in TASKS for line in Path(f"tasks/{name}/data/train.jsonl").read_bytes().splitlines()
    ]
    values = (value for row in rows for value in row.values())
    return [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]


def _config(text: str, model: Path, name: str) -> str:
    for key, value in {"base_model": str(model), **TRAINING[name]}.items():
        text = re.sub(rf"(?m)^  {key}: .*$", f"  {key}: {value}", text)
    if name == "entity-sentiment":  # one of them trains all weights
        text = re.sub(r"(?ms)^lora:\n.*?\n\n", "lora: null\n\n", text)
    return text.replace("training:\n", "training:\n" + ALWAYS)


class Night(Place):
    """A copy of it, and its night."""

    def __init__(self, root: Path, base: Path, nursery: Nursery, draw: random.Random, *, keep: bool) -> None:
        super().__init__(root, base, nursery, draw)
        self.orders = {victim: root.with_suffix(f".{victim}") for victim in ("night", "worker")}
        self.logs = {"night": self.log, "worker": root.with_suffix(".worker-moments")}
        self.env |= {"KILL_ROLE": "tools.training.worker", "KILL_ROOT": str(root)}
        self.env |= {"KILL_AT": str(self.orders["worker"]), "KILL_LOG": str(self.logs["worker"])}
        self.env["PYTHONPATH"] = os.pathsep.join([str(SWITCH), str(Path.cwd())])
        if keep:
            self.env["KEEP_FILE"] = str(root / "cache/speeds.json")

    def lines(self) -> int:
        """How far it is: lines of its record and of the journals, without those that only a life of its own writes."""
        files = [*self.root.glob("tasks/*/iterations/journal.jsonl"), *self.root.glob(".iterate/nights/*/lines.jsonl")]
        found = (line for file in files for line in file.read_bytes().splitlines())
        return sum(not re.search(rb'"type":"(spent|taken_up)"', line) for line in found)

    def now(self) -> str:
        """What was written last, for the table."""
        with suppress(OSError, IndexError, ValueError):
            lines = [
                json.loads(one)
                for one in next(self.root.glob(".iterate/nights/*/lines.jsonl")).read_bytes().splitlines()
            ]
            last = [one for one in lines if one["type"] not in {"spent", "taken_up"}][-1]
            running = [json.loads(path.read_bytes()) for path in self.root.glob("tasks/*/runs/*/status.json")]
            phases = [one["phase"] for one in running if one["state"] == "running"]
            return f"after {last['key'][:40]}" + (f", training: {phases[0]}" if phases else "")
        return "at its beginning"

    def killed(self) -> int:
        """How many were killed before a write."""
        marks = (Path(f"{log}.killed") for log in self.logs.values())
        return sum(mark.stat().st_size for mark in marks if mark.exists())


# --- the kills


def draw_kills(draw: random.Random, count: int, lines: int, first: int) -> list[Kill]:
    """One kill in each part of the night, of every victim and way in turn; the last in the end of it, before a write.

    There the test is opened and the version in use moves, within seconds, and no training is left to be killed.
    """
    ways = [*itertools.islice(itertools.cycle(WAYS), count)]
    draw.shuffle(ways)
    kills = []
    for number, (victim, how) in enumerate(ways):
        line = first + int((lines - first) * (number + draw.random()) / count)
        if number == count - 1:
            victim, how = "night", "write"
        write = draw.randint(1, 9 if victim == "night" else 60)
        kills.append(Kill(victim, how, line, write, draw.uniform(0, 15)))
    return kills


def live_through(night: Night, words: tuple[str, ...], kills: list[Kill], seen: Pair) -> int:
    """Lives of a night until one ends by itself; its exit code."""
    waiting = deque(kills)
    while True:
        seen.lives += 1
        begun = list(night.root.glob(".iterate/nights/*/plan.json"))
        life = night.begin(*(("overnight", "--resume") if begun else words), at=night.orders["night"])
        while is_alive(life.pid):
            if waiting and night.lines() >= waiting[0].line:
                carry_out(night, life, waiting[0])
                seen.kills += [waiting.popleft()] if waiting[0].done else []
            time.sleep(0.1)
        status = life.end()
        if status != KILLED:
            return status


def carry_out(night: Night, life: Life, meant: Kill) -> None:
    """Kill; what could not be done, since the life ended before, stays to be done in the next."""
    end = time.monotonic() + PATIENCE_SECONDS
    if meant.victim != "night":
        while night.worker() is None and is_alive(life.pid) and time.monotonic() < end:
            time.sleep(0.1)
    if meant.how == "write" and _before_a_write(night, life, meant, end):
        return
    if meant.how == "moment":
        time.sleep(meant.seconds)
    at, pid = night.now(), night.worker()
    worker = meant.victim != "night" and kill(pid)
    if (meant.victim != "worker" or not worker) and is_alive(life.pid):
        worker = kill(life.pid) and worker
        meant.victim = "both" if worker else "night"
        meant.done = at
    meant.done = meant.done or (at if worker else "")
    if meant.done and meant.how == "write":
        meant.how = "moment"


def _before_a_write(night: Night, life: Life, meant: Kill, end: float) -> bool:
    """Order a kill and wait for it; False when its moment did not come."""
    victim, before = "night" if meant.victim == "night" else "worker", night.killed()
    order = night.orders[victim]
    order.with_suffix(".aside").write_text(str(meant.number))
    order.with_suffix(".aside").replace(order)
    while night.killed() == before and is_alive(life.pid) and time.monotonic() < end:
        time.sleep(0.02)
    order.unlink(missing_ok=True)
    if night.killed() == before:
        return not is_alive(life.pid)
    write = night.logs[victim].read_text().splitlines()[-1].split(" ", 1)[1]
    meant.done = f"{night.now()}, before {write}"
    if meant.victim == "both" and not kill(life.pid):
        meant.victim = "worker"
    return True


# --- the pairs


def words_of(root: Path, name: str, seed: int, runs: int) -> tuple[str, ...]:
    """The command of a night."""
    rules = ("--allow", "config,recipe,prompt") if name == "waits" else ("--policy", str(root / "policy.yaml"))
    return ("overnight", *TASKS, "--max-runs", str(runs), "--max-hours", "12", "--seed", str(seed), *rules)


def compare(ground_of: tuple[Path, Nursery], base: Path, name: str, given: argparse.Namespace) -> Pair:
    """A night that nobody disturbs and its twin."""
    (root, nursery), seen = ground_of, Pair(name)
    words, draw = words_of(root, name, given.seed, given.max_runs), random.Random(given.kill_seed)
    start = time.monotonic()
    twin, place = (
        Night(root / f"{name}-{kind}", base, nursery, draw, keep=not given.measure) for kind in ("twin", "killed")
    )
    first = twin.lines()
    status = twin.begin(*words, at=twin.orders["night"]).end()
    assert status in {0, 3, 4}, twin.tail()
    middle, seen.saw = time.monotonic(), _told(twin)
    print(f"{name}: undisturbed twin ended with {status} after {(middle - start) / 60:.1f} min, {seen.saw}", flush=True)
    kills = draw_kills(draw, given.kills, twin.lines(), first)
    ended = live_through(place, words, kills, seen)
    seen.minutes = ((middle - start) / 60, (time.monotonic() - middle) / 60)
    if ended != status:
        seen.wrong.append(f"ended with {ended} instead of {status}: {place.tail()[-300:]}")
    if len(seen.kills) < given.kills:
        seen.wrong.append(f"only {len(seen.kills)} kills were done")
    seen.wrong += faults(place, twin)
    print(f"{name}: {seen.lives} lives, {len(seen.kills)} kills, {seen.wrong or 'fine'}", flush=True)
    if seen.wrong:
        for one in (twin, place):
            shutil.copytree(one.root, Path(tempfile.gettempdir()) / f"night-twins-{one.root.name}", dirs_exist_ok=True)
    return seen


def _told(night: Night) -> str:
    """What a night did, counted."""
    lines = [
        json.loads(line)
        for path in night.root.glob(".iterate/nights/*/lines.jsonl")
        for line in path.read_bytes().splitlines()
    ]
    kinds = Counter(line["type"] if line["type"] != "tried" else line["outcome"] for line in lines)
    runs = next(line["runs"] for line in reversed(lines) if line["type"] == "spent")
    names = ("kept", "discarded", "dead_end", "crashed", "measured", "test_opened", "adopted", "waiting")
    return f"{runs} trainings: " + ", ".join(f"{kinds[one]} {one}" for one in names if kinds[one])


def table(pairs: list[Pair], given: argparse.Namespace) -> str:
    """The Markdown table."""
    lines = [
        "| night | what the undisturbed one did | its minutes | of the killed one | lives | kills | differences |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for one in pairs:
        minutes = " | ".join(f"{each:.1f}" for each in one.minutes)
        wrong = "; ".join(one.wrong) or "none"
        lines.append(f"| {one.name} | {one.saw} | {minutes} | {one.lives} | {len(one.kills)} | {wrong} |")
    lines += ["", "| night | kill | victim | when |", "|---|---:|---|---|"]
    lines += [
        f"| {one.name} | {number} | {each.victim} | {each.done} |"
        for one in pairs
        for number, each in enumerate(one.kills, 1)
    ]
    speeds = "measured anew by each training" if given.measure else "as measured for the first versions"
    lines += ["", f"Seed of the nights {given.seed}, of the kills {given.kill_seed}; speeds {speeds}; signal 9."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--nights", default="waits,adopts")
    parser.add_argument("--max-runs", type=int, default=9)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--kill-seed", type=int, default=1)
    parser.add_argument("--measure", action="store_true", help="let each training measure the speed anew")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    pairs: list[Pair] = []
    with ground("night-twins") as made:
        base = make_base(*made)
        for name in given.nights.split(","):
            pairs.append(compare(made, base, name, given))
            if given.write:
                given.write.write_text(table(pairs, given), encoding="utf-8")
    print(table(pairs, given))
    return 1 if any(one.wrong for one in pairs) else 0


if __name__ == "__main__":
    sys.exit(main())
