"""Run directories for the training worker, small enough to train in a second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.config import Decoding, Launcher, Lora, Training
from tools.files import now
from tools.runs import Example, RunDir, RunSpec
from tools.task import AnswerFormat

ROOT = Path(__file__).parents[3]
LABELS = ["支持", "反對", "中立"]
LORA = Lora(r=4, alpha=8)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Speeds and probes of a test stay in the test."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("ITERATE_CACHE", str(cache))
    return cache


@pytest.fixture(autouse=True)
def keep_signal_handlers() -> Iterator[None]:
    """A worker that runs in the test's own process listens to SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def make_example(number: int, label: str | None = None, text: str = "", weight: float = 1.0) -> Example:
    """One row of the stance kind; its text tells its label, so that even a tiny model can learn it."""
    label = label or LABELS[number % 3]
    text = text or f"這個提案{number}，{label}。" + "好" * (number % 7)
    return Example(
        id=f"r{number}",
        messages=[{"role": "user", "content": f"文本：{text}"}],
        completion=label,
        expected=label,
        input={"text": text},
        weight=weight,
    )


def write_rows(path: Path, examples: list[Example]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(example.model_dump_json() + "\n" for example in examples), encoding="utf-8")


MakeRun = Callable[..., RunDir]


@pytest.fixture
def make_run(tmp_path: Path, tiny_model: Path) -> MakeRun:
    """Build a run directory: `training` holds values of the training section, `fields` of the spec."""

    def make(
        name: str = "run", rows: int = 24, valid: int = 6, test: int = 6, training: dict | None = None, **fields: object
    ) -> RunDir:
        run = RunDir(tmp_path / name)
        write_rows(run.file("data") / "train.jsonl", [make_example(number) for number in range(rows)])
        write_rows(run.file("data") / "valid.jsonl", [make_example(number + 100) for number in range(valid)])
        write_rows(run.file("data") / "test.jsonl", [make_example(number + 200) for number in range(test)])
        values = {"base_model": str(tiny_model), "epochs": 2, "batch_size": 8, "precision": "fp32", **(training or {})}
        given = {
            "run_id": name,
            "task": "stance",
            "version": "v1",
            "seed": 7,
            "task_type": "classification",
            "answer": AnswerFormat(type="label", labels=LABELS),
            "primary_metric": "macro_f1",
            "lora": LORA,
            "training": Training.model_validate(values),
            "decoding": Decoding(),
            "launcher": Launcher(),
            "config_hash": "c",
            "data_hash": "d",
            "evaluator_hash": "e",
            "created_at": now(),
            **fields,
        }
        run.file("spec.json").write_text(RunSpec.model_validate(given).model_dump_json(), encoding="utf-8")
        return run

    return make


@pytest.fixture
def start_worker() -> Callable[..., subprocess.Popen]:
    """Start a real worker process on a run directory; what it prints goes to its log.txt."""
    started: list[subprocess.Popen] = []

    def start(run: RunDir, **env: str) -> subprocess.Popen:
        with run.file("log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tools.training.worker", str(run.path)],
                cwd=ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1", **env},
                stdout=log,
                stderr=log,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Wait until a condition holds; fails after two minutes."""

    def wait(condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < end, f"never happened: {what}"
            time.sleep(0.01)

    return wait
