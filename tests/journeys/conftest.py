"""A task of a tiny random-weight model, and the program as a user starts it: a process of its own, on a terminal or a pipe."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

LABELS = ["支持", "反對", "中立"]
ITERATE = [sys.executable, "-m", "agent.cli"]


class Place:
    """A workspace with one task called `small`, ready to be improved."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.root = root
        self.task = root / "tasks" / "small"
        self.environment = environment

    def run(self, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """The program with its output in pipes: no terminal."""
        done = subprocess.run(
            [*ITERATE, "--lang", "en", "--workspace", str(self.root), *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def terminal(self, *words: str) -> pexpect.spawn:
        """The program on a pseudo-terminal, as a person has it."""
        words = (*ITERATE[1:], "--lang", "en", "--workspace", str(self.root), *words)
        return pexpect.spawn(
            ITERATE[0], list(words), env=self.environment, encoding="utf-8", timeout=60, dimensions=(40, 110)
        )

    def config(self, **training: object) -> None:
        """Set training values in the configuration by hand, as a user would."""
        path = self.task / "configs" / "training_config.yaml"
        lines = path.read_text(encoding="utf-8").splitlines()
        for key, value in training.items():
            at = next((n for n, line in enumerate(lines) if line.strip().startswith(f"{key}:")), None)
            if at is None:
                lines.insert(lines.index("training:") + 1, f"  {key}: {value}")
            else:
                lines[at] = f"  {key}: {value}"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def journal(self) -> list[dict]:
        """Every entry of the task's journal."""
        path = self.task / "iterations" / "journal.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def runs(self) -> list[str]:
        """The run directories of the task."""
        return sorted(path.parent.name for path in (self.task / "runs").glob("*/spec.json"))


def usual_environment(root: Path) -> dict[str, str]:
    """The environment of a person without settings or endpoint, on a terminal that can show a full screen."""
    # As in an activated environment: `python` is the interpreter that has the program.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "ITERATE_CACHE": str(root / "cache"), "PYTHONPATH": str(Path.cwd())}
    environment |= {"TERM": "xterm-256color", "ITERATE_SETTINGS": str(root / "settings.yaml"), "LANG": "C.UTF-8"}
    (root / "settings.yaml").write_text("", encoding="utf-8")
    for name in ("ITERATE_WORKSPACE", "ITERATE_LANGUAGE", "ITERATE_PLAIN", "ITERATE_MODEL", "LC_ALL"):
        environment.pop(name, None)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        environment.pop(name, None)
    return environment


@pytest.fixture
def bundled(tmp_path: Path) -> Place:
    """A workspace with a copy of the bundled stance task, whose v1 was really trained."""
    (tmp_path / "tasks").mkdir()
    source = Path(__file__).resolve().parents[2] / "tasks" / "stance"
    shutil.copytree(source, tmp_path / "tasks" / "stance", ignore=shutil.ignore_patterns("runs", "models", ".iterate"))
    place = Place(tmp_path, usual_environment(tmp_path))
    place.task = tmp_path / "tasks" / "stance"
    return place


def copy_of(made: Place, root: Path) -> Place:
    """The workspace as it stands, somewhere else."""
    shutil.copytree(made.root, root, dirs_exist_ok=True)
    return Place(root, usual_environment(root))


@pytest.fixture(scope="session")
def new_place(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Place:
    """Made once and copied; nobody works in it."""
    root = tmp_path_factory.mktemp("new_place")
    (root / "tasks").mkdir()
    made = Place(root, usual_environment(root))
    table = root / "opinions.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "target", "label"])
        words = random.Random(0)
        for number in range(72):
            label = LABELS[0] if number % 6 == 0 else LABELS[number % 2 + 1]
            text = "".join(chr(words.randrange(0x4E00, 0x9000)) for _ in range(20 + number % 9))
            writer.writerow([f"{text}{label}", f"提案{number % 4}", label])
    words = ["--name", "small", "--text", "text", "--label", "label", "--target", "target"]
    rows = ["--train-rows", "36", "--valid-rows", "18", "--test-rows", "18"]
    made.run("init", str(table), *words, *rows, "--base-model", str(tiny_model), check=True)
    made.config(epochs=1, batch_size=12)
    return made


@pytest.fixture(scope="session")
def trained_place(tmp_path_factory: pytest.TempPathFactory, new_place: Place) -> Place:
    """The same with a trained v1, made once and copied."""
    made = copy_of(new_place, tmp_path_factory.mktemp("trained_place"))
    made.run("train", "small", "--version", "v1", check=True)
    return made


@pytest.fixture
def place(tmp_path: Path, new_place: Place) -> Place:
    """A new workspace; the task has 36 training rows and no version yet."""
    return copy_of(new_place, tmp_path)


@pytest.fixture
def trained(tmp_path: Path, trained_place: Place) -> Place:
    """The same workspace with a trained v1."""
    return copy_of(trained_place, tmp_path)


Wait = Callable[[Callable[[], bool]], None]
