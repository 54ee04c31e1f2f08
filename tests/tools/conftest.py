"""A small task folder on disk whose versions have predictions of any quality, for tests of versions and claims."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tools.reading.task import load_task
from tools.results import Prediction
from tools.running.collect import SeedOutcome
from tools.scoring.evaluator import evaluator_hash
from tools.scoring.metrics import split_result
from tools.scoring.stored_results import predictions_file, store
from tools.task import AnswerFormat
from tools.versioning.sealing import seal

CLAIM_LABELS = ["正面", "負面", "中立"]
CONFIG = "# mine\nlora:\n  r: 16\ntraining:\n  epochs: 3  # short\n"
DEFINITION = """task_name: mood
task_type: classification
language: zh-TW
input_format: {template: "文本：{text}"}
output_format: {type: label, labels: [正面, 負面, 中立]}
success_criteria: {primary_metric: macro_f1, threshold: 0.80}
"""


class ClaimTask:
    """A task of `rows` validation and test rows, labels in turn; versions are given by which rows they get wrong."""

    def __init__(self, path: Path, rows: int) -> None:
        self.path = path
        self.rows = rows
        for folder in ("configs", "data"):
            (path / folder).mkdir(parents=True)
        self.write("task_definition.yaml", DEFINITION)
        self.write("configs/training_config.yaml", CONFIG)
        for split in ("train", "valid", "test"):
            lines = [
                json.dumps({"id": f"{split}{n}", "text": f"{split} 第{n}句" + "。" * (n % 7), "label": self.label(n)})
                for n in range(rows)
            ]
            self.write(f"data/{split}.jsonl", "\n".join(lines) + "\n")

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text, encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    @property
    def config(self) -> Path:
        return self.path / "configs" / "training_config.yaml"

    @staticmethod
    def label(n: int) -> str:
        return CLAIM_LABELS[n % 3]

    def predictions(
        self, split: str, seed: int, wrong: Sequence[int], unparsed: Sequence[int] = ()
    ) -> list[Prediction]:
        def answer(n: int) -> str | None:
            if n in unparsed:
                return None
            return self.label(n + 1) if n in wrong else self.label(n)

        return [
            Prediction(
                id=f"{split}{n}",
                seed=seed,
                input={"text": f"{split} 第{n}句" + "。" * (n % 7)},
                expected=self.label(n),
                raw=answer(n) or "?",
                parsed=answer(n),
                failure=None if answer(n) else "no_label",
                correct=answer(n) == self.label(n),
                score=float(answer(n) == self.label(n)),
            )
            for n in range(self.rows)
        ]

    def version(
        self,
        version: str,
        wrong: Mapping[int, Sequence[int]],
        *,
        unparsed: Sequence[int] = (),
        digest: str | None = None,
    ) -> None:
        """Store a valid result: seed to the numbers of the rows it gets wrong."""
        by_seed = {seed: self.predictions("valid", seed, rows, unparsed) for seed, rows in wrong.items()}
        answer = AnswerFormat(type="label", labels=CLAIM_LABELS)
        usual = evaluator_hash("classification", answer, ((f"valid{n}", self.label(n)) for n in range(self.rows)))
        definition = load_task(self.path).definition
        result = split_result(definition, version, "valid", by_seed, digest or usual, predictions_file(version))
        store(self.path, result, by_seed)

    def trained(self, version: str, weights: Mapping[int, str], *, trained: bool = True) -> None:
        """Write down which weights each seed of a version answered with, by their hash."""
        usual: dict[str, object] = dict.fromkeys(("rows_truncated", "resumed", "best_step"), 0)
        usual |= dict.fromkeys(("minutes", "tokens_per_second", "peak_memory_mb", "best_epoch"), 0.0)
        usual |= dict.fromkeys(("config_hash", "data_hash", "precision", "reason_precision"), "")
        usual |= dict.fromkeys(("weights", "sealed", "sealed_sha256"))
        training = [
            SeedOutcome.model_validate(
                {**usual, "run_id": f"{version}-{seed}", "seed": seed, "trained": trained, "stopped_early": False}
                | {"adapter_sha256": sha256}
            ).model_dump()
            for seed, sha256 in weights.items()
        ]
        self.write(f"iterations/{version}/results.json", json.dumps({"training": training}))

    def sealed(self, version: str, wrong: Mapping[int, Sequence[int]]) -> None:
        """Seal test predictions of a version."""
        for seed, rows in wrong.items():
            target = self.path / "iterations" / version / "sealed" / f"test_seed{seed}.sealed"
            seal(self.predictions("test", seed, rows), target)


@pytest.fixture
def claim_task(tmp_path: Path) -> Callable[..., ClaimTask]:
    """Makes a ClaimTask; `rows` is the size of each split."""

    def make(rows: int = 90, name: str = "mood") -> ClaimTask:
        return ClaimTask(tmp_path / name, rows)

    return make
