"""A small workspace with one task, "mood", whose first version has stored predictions on validation and a sealed test split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.paths import Workspace
from tools.reading.task import load_task
from tools.results import Prediction
from tools.scoring.evaluator import evaluator_hash
from tools.scoring.metrics import split_result
from tools.scoring.stored_results import predictions_file, store
from tools.task import AnswerFormat
from tools.text import T
from tools.versioning.sealing import seal

LABELS = ["正面", "負面", "中立"]
CONFIG = "# mine\nlora:\n  r: 16\ntraining:\n  epochs: 3  # short\n  learning_rate: 0.0002\n"
DEFINITION = """task_name: mood
task_type: classification
language: zh-TW
input_format: {template: "文本：{text}"}
output_format: {type: label, labels: [正面, 負面, 中立]}
success_criteria: {primary_metric: macro_f1, threshold: 0.80}
"""
TEST_TEXT = "a locked sentence"
"""Stands in every test row and in no other."""


class MoodTask:
    """The task folder; rows have labels in turn."""

    def __init__(self, root: Path, rows: int = 60) -> None:
        self.root = root
        self.path = root / "tasks" / "mood"
        self.rows = rows
        self.write("task_definition.yaml", DEFINITION)
        self.write("configs/training_config.yaml", CONFIG)
        for split in ("train", "valid", "test"):
            lines = [json.dumps(self.row(split, n), ensure_ascii=False) for n in range(rows)]
            self.write(f"data/{split}.jsonl", "\n".join(lines) + "\n")

    @property
    def workspace(self) -> Workspace:
        return Workspace(root=self.root, tasks_dir=self.path.parent, origin=T("for a test"))

    @property
    def config(self) -> Path:
        return self.path / "configs" / "training_config.yaml"

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text, encoding="utf-8")

    def label(self, n: int) -> str:
        return LABELS[n % 3]

    def row(self, split: str, n: int) -> dict[str, str]:
        words = TEST_TEXT if split == "test" else f"{split} sentence"
        return {"id": f"{split}{n}", "text": f"{words} {n}" + "。" * (n % 7), "label": self.label(n)}

    def version(self, name: str, wrong: Sequence[int], texts: Mapping[int, str] | None = None) -> None:
        """A version that answers the rows `wrong` with the next label; `texts` replaces what its rows say."""
        predictions = [self._prediction("valid", n, wrong, (texts or {}).get(n)) for n in range(self.rows)]
        answer = AnswerFormat(type="label", labels=LABELS)
        digest = evaluator_hash("classification", answer, ((f"valid{n}", self.label(n)) for n in range(self.rows)))
        definition = load_task(self.path).definition
        store(
            self.path,
            split_result(definition, name, "valid", {42: predictions}, digest, predictions_file(name)),
            {42: predictions},
        )
        sealed = [self._prediction("test", n, wrong) for n in range(self.rows)]
        seal(sealed, self.path / "iterations" / name / "sealed" / "test_seed42.sealed")

    def _prediction(self, split: str, n: int, wrong: Sequence[int], text: str | None = None) -> Prediction:
        given = self.label(n + 1) if n in wrong else self.label(n)
        return Prediction(
            id=f"{split}{n}",
            seed=42,
            input={"text": text or self.row(split, n)["text"]},
            expected=self.label(n),
            raw=given,
            parsed=given,
            correct=given == self.label(n),
            score=float(given == self.label(n)),
        )

    def files(self) -> dict[str, bytes]:
        """Every file of the task with its content, to prove that nothing was changed."""
        return {
            str(path.relative_to(self.path)): path.read_bytes()
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and ".iterate" not in path.parts
        }
