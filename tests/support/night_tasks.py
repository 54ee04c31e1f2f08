"""Small tasks whose training is a command of their own: a real worker, real runs, answers within a second.

The command answers a row rightly by its number, more often when the training rows were oversampled or weighted, so that a night
has something to find. It can be slowed down, made to fail, or made to find nothing, through a file `mood` in the task folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from agent.overnight.records import NightLine, NightRecord, nights_folder
from tools.reading.task import load_task
from tools.results import Prediction
from tools.scoring.evaluator import evaluator_hash
from tools.scoring.metrics import split_result
from tools.scoring.stored_results import predictions_file, store
from tools.task import AnswerFormat
from tools.versioning.sealing import seal
from tools.versions import begin_version

LABELS = ["支持", "反對", "中立"]
SCRIPT = """
import hashlib, json, os, sys, time
from pathlib import Path
run, seed = Path(os.environ["ITERATE_RUN_DIR"]), os.environ["ITERATE_SEED"]
mood = Path("mood").read_text().split() if Path("mood").exists() else []
rows = {split: [json.loads(line) for line in (run / "data" / f"{split}.jsonl").read_text().splitlines()]
        for split in ("train", "valid", "test") if (run / "data" / f"{split}.jsonl").exists()}
changed = len(rows["train"]) > TRAIN or any(row["weight"] != 1.0 for row in rows["train"])
if "slow" in mood:
    time.sleep(2)
if "endless" in mood:
    time.sleep(600)
if "fails" in mood and changed:
    sys.exit(3)
gain = 0.0 if "flat" in mood else 0.25
labels = sorted({row["completion"] for row in rows["train"]})
def draw(*parts):
    return int(hashlib.sha256(":".join(parts).encode()).hexdigest()[:8], 16) / 16**8
for split in ("valid", "test"):
    with (run / f"predictions_{split}.jsonl").open("w") as out:
        for row in rows.get(split, []):
            level = 0.55 + (gain if changed else 0.0) + 0.04 * draw(seed, row["id"])
            wrong = labels[(labels.index(row["completion"]) + 1) % len(labels)]
            right = draw(row["id"]) < level
            out.write(json.dumps({"id": row["id"], "raw": row["completion"] if right else wrong}) + "\\n")
"""
DEFINITION = """task_name: {name}
task_type: classification
language: zh-TW
input_format: {{template: "文本：{{text}}"}}
output_format: {{type: label, labels: [支持, 反對, 中立]}}
success_criteria: {{primary_metric: macro_f1, threshold: 0.99}}
"""


def make_task(folder: Path, *, train: int = 60, rows: int = 120) -> Path:
    """A task folder; the first label is scarce, so that there is something to propose."""
    name = folder.name
    write(folder / "task_definition.yaml", DEFINITION.format(name=name))
    write(folder / "train.py", SCRIPT.replace("TRAIN", str(train)))
    command = f"{sys.executable} train.py"
    write(
        folder / "configs/training_config.yaml", f"# mine\ntraining:\n  command: {command}\n  epochs: 2\n  seed: 42\n"
    )
    for split, count in (("train", train), ("valid", rows), ("test", rows)):
        lines = [json.dumps(_row(name, split, number), ensure_ascii=False) for number in range(count)]
        write(folder / f"data/{split}.jsonl", "\n".join(lines) + "\n")
    return folder


def give_version(task: Path, name: str = "v1", *, level: float = 0.55) -> None:
    """A version of the configuration as it stands, answered as the command would, without a training."""
    begin_version(task, name, parent=None, config_text=load_task(task).config.text)
    answers = {
        split: [_prediction(json.loads(line), level) for line in _lines(task, split)] for split in ("valid", "test")
    }
    digest = evaluator_hash(
        "classification",
        AnswerFormat(type="label", labels=LABELS),
        ((one.id, one.expected) for one in answers["valid"]),
    )
    definition = load_task(task).definition
    result = split_result(definition, name, "valid", {42: answers["valid"]}, digest, predictions_file(name))
    store(task, result, {42: answers["valid"]})
    seal(answers["test"], task / "iterations" / name / "sealed" / "test_seed42.sealed")


def _lines(task: Path, split: str) -> list[str]:
    return (task / f"data/{split}.jsonl").read_text(encoding="utf-8").splitlines()


def _prediction(row: dict[str, str], level: float) -> Prediction:
    right = _draw(row["id"]) < level + 0.04 * _draw("42", row["id"])
    labels = sorted(LABELS)
    wrong = labels[(labels.index(row["label"]) + 1) % len(labels)]
    given = row["label"] if right else wrong
    return Prediction(
        id=row["id"],
        seed=42,
        input={"text": row["text"]},
        expected=row["label"],
        raw=given,
        parsed=given,
        correct=right,
        score=float(right),
    )


def _draw(*parts: str) -> float:
    return int(hashlib.sha256(":".join(parts).encode()).hexdigest()[:8], 16) / 16**8


class Place:
    """A workspace of such tasks, and the program on it as a process of its own."""

    def __init__(self, root: Path, *, trained: tuple[str, ...] = (), untrained: tuple[str, ...] = ()) -> None:
        self.root = root
        for name in (*trained, *untrained):
            make_task(root / "tasks" / name)
        for name in trained:
            give_version(self.task(name))
        write(root / "settings.yaml", "")
        self.environment = {
            **os.environ,
            "ITERATE_CACHE": str(root / "cache"),
            "ITERATE_SETTINGS": str(root / "settings.yaml"),
            "PYTHONPATH": str(Path.cwd()),
        }
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ITERATE_WORKSPACE", "ITERATE_LANGUAGE"):
            self.environment.pop(name, None)

    def task(self, name: str) -> Path:
        return self.root / "tasks" / name

    @property
    def tasks(self) -> list[Path]:
        return sorted((self.root / "tasks").iterdir())

    @property
    def nights(self) -> list[NightRecord]:
        return [NightRecord(file.parent) for file in sorted(nights_folder(self.root).glob("*/plan.json"))]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`iterate overnight`, its input a terminal that nobody is at: reading from it would wait for ever."""
        return subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "--lang", "en", "--workspace", str(self.root), "overnight", *words],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A suite under nohup hands on that hangups are ignored, which a night heeds.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )

    def configs(self) -> dict[str, str]:
        return {task.name: (task / "configs/training_config.yaml").read_text(encoding="utf-8") for task in self.tasks}


def of(lines: list[NightLine], kind: type) -> list:
    """The lines of one kind."""
    return [line for line in lines if isinstance(line, kind)]


def journal(task: Path) -> list[dict]:
    """Every entry of a task's journal."""
    path = task / "iterations/journal.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def write(path: Path, text: str) -> None:
    """A file with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _row(name: str, split: str, number: int) -> dict[str, str]:
    label = LABELS[0] if number % 8 == 0 else LABELS[1 + number % 2]
    return {
        "id": f"{split}{number}",
        "text": f"{name} {split} {number * 7919 % 9973} 的意見" + "。" * (number % 7),
        "label": label,
    }
