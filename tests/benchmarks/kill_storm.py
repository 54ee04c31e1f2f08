"""Hundreds of kills of a real loop with real trainings of a tiny random-weight model, by hand:

    nice -n 15 .venv/bin/python -m tests.benchmarks.kill_storm --minutes 10 --write table.md

Each round copies one workspace, kills its victim with -9 again and again until the work is done, and compares what is left with
a twin that nobody disturbed: decisions, configuration, versions, results, ledger, forecasts, version in use, and the hashes of
the trained weights. It ends with 1 when any round differs, lost an approval, trained something twice or left something for
`iterate fsck` to find.

    loop     the process of `iterate run`, before a random write, or at a random moment
    worker   the training process, at a random moment
    machine  both at once
    screen   the full-screen chat, started on the task, at a random moment; a loop finishes
    plain    the same in the chat of plain lines
    night    `iterate overnight`, taken up with --resume
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pexpect

from tests.support.killing import KILLED, Place, faults, ground, is_alive, kill, must_run, surroundings
from tests.support.nursery import Nursery
from tests.support.scripted_task import environment
from tests.support.terminal import Screen
from tests.support.tiny_model import build_tiny_model

LABELS = ("支持", "反對", "中立")
POLICY = """approve:
  - kinds: [recipe, config, prompt]
max_trainings: 2
decide: {better: adopt, undecided: continue, worse: rollback}
adopt: if_not_worse
"""
TRAINING = (
    "  epochs: 4\n  batch_size: 6\n  precision: fp32\n  seeds: [42]\n  evals_per_epoch: 1\n  early_stopping: null\n"
)
NIGHT = ("overnight", "small", "--max-runs", "4", "--max-hours", "2", "--seed", "7", "--allow", "config,recipe")
MOST_LIVES = 150
WORKER_KILLS = 2
"""A loop starts a killed worker again three times and then gives up, as it should; a storm stays below that."""


@dataclass
class Round:
    """What one round saw."""

    victim: str
    kills: int = 0
    at_a_write: int = 0
    lives: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Small(Place):
    """A workspace with one task."""

    @property
    def loop(self) -> tuple[str, ...]:
        return ("run", "small", "--yes-policy", str(self.root / "policy.yaml"))


# --- the victims: each kills until the work is done, and returns the exit code of the life that did it


def loop(place: Small, seen: Round) -> int:
    return _program(place, seen, place.loop)


def night(place: Small, seen: Round) -> int:
    while True:
        words = NIGHT if not list(place.root.glob(".iterate/nights/*/plan.json")) else ("overnight", "--resume")
        status = _program(place, seen, words, once=True)
        if status != KILLED:
            return status
        assert seen.lives < MOST_LIVES, place.tail()


def _program(place: Small, seen: Round, words: tuple[str, ...], *, once: bool = False) -> int:
    """Lives of the program, each ended before a random write or after a random time, until one ends by itself."""
    while True:
        seen.lives += 1
        at_a_write = place.draw.random() < 0.6
        life = place.begin(*words, at=place.draw.randint(2, 9) if at_a_write else None)
        if not at_a_write:
            time.sleep(place.draw.uniform(0.1, 5.0))
            kill(life.pid)
        status = life.end()
        seen.kills += status == KILLED
        seen.at_a_write += at_a_write and status == KILLED
        if status != KILLED or once:
            return status
        assert seen.lives < MOST_LIVES, place.tail()


def worker(place: Small, seen: Round) -> int:
    return _with_workers_killed(place, seen, too=False)


def machine(place: Small, seen: Round) -> int:
    return _with_workers_killed(place, seen, too=True)


def _with_workers_killed(place: Small, seen: Round, *, too: bool) -> int:
    """Kill the worker at random moments, and the loop at the same moment where `too` says so."""
    for _ in range(WORKER_KILLS * (3 if too else 1)):
        seen.lives += 1
        life = place.begin(*place.loop)
        limit = time.monotonic() + 90
        while place.worker() is None and is_alive(life.pid) and time.monotonic() < limit:
            time.sleep(0.05)
        time.sleep(place.draw.uniform(0.0, 7.0))
        seen.kills += kill(place.worker())
        if not too:
            return life.end()
        seen.kills += kill(life.pid)
        status = life.end()
        if status != KILLED:
            return status
    return _finish(place, seen)


def screen(place: Small, seen: Round) -> int:
    for _ in range(3):
        terminal = Screen(place.root.with_suffix(f".tmux{seen.lives}"), {**environment(place.root), **place.env})
        try:
            terminal.start([sys.executable, "-m", "agent.cli", *place.words("chat", "small")])
            terminal.wait_for("small", seconds=90)
            terminal.type("improve small")
            terminal.press("Enter")
            time.sleep(place.draw.uniform(0.3, 8.0))
            seen.kills += _kill_program(place)
        finally:
            terminal.end()
        seen.lives += 1
    return _finish(place, seen)


def plain(place: Small, seen: Round) -> int:
    for _ in range(3):
        program = pexpect.spawn(
            sys.executable,
            ["-m", "agent.cli", *place.words("chat", "small", "--plain")],
            env={**environment(place.root), **place.env},
            encoding="utf-8",
            timeout=90,
        )
        program.expect("small>")
        program.sendline("improve small")
        with suppress(pexpect.TIMEOUT):
            program.expect("never said", timeout=place.draw.uniform(0.3, 8.0))
        seen.kills += _kill_program(place)
        program.close(force=True)
        seen.lives += 1
    return _finish(place, seen)


def _kill_program(place: Small) -> bool:
    """Kill the program that works on this place, found by its command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (folder / "cmdline").read_bytes().split(b"\0")
            if b"agent.cli" in line and str(place.root).encode() in line:
                os.kill(int(folder.name), signal.SIGKILL)
                return True
    return False


def _finish(place: Small, seen: Round) -> int:
    seen.lives += 1
    return int(place.begin(*place.loop).end())


VICTIMS: dict[str, Callable[[Small, Round], int]] = {
    "loop": loop,
    "worker": worker,
    "machine": machine,
    "screen": screen,
    "plain": plain,
    "night": night,
}


# --- the twin, and the comparison


def judge(place: Small, twin: Small, seen: Round, status: int) -> None:
    """Write down what is wrong."""
    if status != 0:
        seen.wrong.append(f"ended with {status}: {place.tail()[-300:]}")
    seen.wrong += faults(place, twin)


def make_base(root: Path, nursery: Nursery) -> Path:
    """A workspace whose task has a first version of the tiny model."""
    model = build_tiny_model(root / "model")
    base = root / "base"
    base.mkdir()
    (base / "tasks").mkdir()
    (base / "policy.yaml").write_text(POLICY, encoding="utf-8")
    table = root / "opinions.csv"
    words = random.Random(0)
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "target", "label"])
        for number in range(72):
            label = LABELS[0] if number % 6 == 0 else LABELS[number % 2 + 1]
            text = "".join(chr(words.randrange(0x4E00, 0x9000)) for _ in range(20 + number % 9))
            writer.writerow([f"{text}{label}", f"提案{number % 4}", label])
    place = ["--lang", "en", "--workspace", str(base)]
    init = ["init", str(table), "--name", "small", "--text", "text", "--label", "label", "--target", "target"]
    rows = ["--train-rows", "36", "--valid-rows", "18", "--test-rows", "18", "--base-model", str(model)]
    env = surroundings(base)
    must_run(nursery, [*place, *init, *rows], root, env)
    config = base / "tasks/small/configs/training_config.yaml"
    lines = config.read_text("utf-8").splitlines(keepends=True)
    keys = {line.split(":")[0] for line in TRAINING.splitlines()}
    lines = [line for line in lines if line.split(":")[0] not in keys]
    lines.insert(lines.index("training:\n") + 1, TRAINING)
    config.write_text("".join(lines), encoding="utf-8")
    must_run(nursery, [*place, "train", "small", "--version", "v1"], root, env)
    return base


def table(rounds: list[Round], seconds: float, seed: int) -> str:
    """The Markdown table."""
    lines = [
        "| victim | rounds | kills | before a write | lives | rounds with a fault |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for victim in [*VICTIMS, "all"]:
        own = [one for one in rounds if victim in {one.victim, "all"}]
        if own:
            kills, writes, lives = (sum(getattr(one, name) for one in own) for name in ("kills", "at_a_write", "lives"))
            lines.append(
                f"| {victim} | {len(own)} | {kills} | {writes} | {lives} | {sum(bool(one.wrong) for one in own)} |"
            )
    lines += ["", f"{seconds / 60:.1f} minutes, seed {seed}; every kill is signal 9."]
    lines += [f"- {one.victim}: {wrong}" for one in rounds for wrong in one.wrong]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the storm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--victims", default=",".join(VICTIMS))
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    began, rounds = time.monotonic(), []
    with ground("kill-storm") as (root, nursery):
        base = make_base(root, nursery)
        names = given.victims.split(",")
        twins = {}
        for kind in {"night" if name == "night" else "loop" for name in names}:
            twin = Small(root / f"twin-{kind}", base, nursery, random.Random(0))
            status = twin.begin(*(NIGHT if kind == "night" else twin.loop)).end()
            print(f"twin {kind}: {status}, {time.monotonic() - began:.0f} s", flush=True)
            assert status in {0, 3}, twin.tail()
            twins[kind] = twin
        for number, name in enumerate(itertools.cycle(names)):
            if time.monotonic() - began > 60 * given.minutes:
                break
            place = Small(root / f"round{number}", base, nursery, random.Random(1000 * given.seed + number))
            seen, start = Round(name), time.monotonic()
            twin = twins["night" if name == "night" else "loop"]
            status = VICTIMS[name](place, seen)
            judge(place, twin, seen, 0 if status in {0, 3} else status)
            seen.seconds = time.monotonic() - start
            rounds.append(seen)
            print(
                f"{number} {name}: {seen.kills} kills, {seen.lives} lives, {seen.seconds:.0f} s, {seen.wrong or 'fine'}",
                flush=True,
            )
            if given.write:
                given.write.write_text(table(rounds, time.monotonic() - began, given.seed), encoding="utf-8")
            if not seen.wrong:
                shutil.rmtree(place.root)
            else:
                shutil.copytree(
                    place.root, Path(tempfile.gettempdir()) / f"kill-storm-fault-{number}", dirs_exist_ok=True
                )
    print(table(rounds, time.monotonic() - began, given.seed))
    return 1 if any(one.wrong for one in rounds) else 0


if __name__ == "__main__":
    sys.exit(main())
