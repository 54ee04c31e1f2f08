"""A task whose versions have stand-ins for weights, and the worker that would load them played; the files are real."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.journal import Journal
from tests.support.mood_task import MoodTask
from tools.files import write_model
from tools.running.weights import SeedWeights, Weights
from tools.training.errands import AnswerErrand, AnswersSaid, Asked, ExportDone, ExportErrand, RawAnswer
from tools.versions import begin_version

CONFIG = "lora: {{r: 4}}\ntraining:\n  base_model: {model}\n  epochs: 1\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a base model from outside."""
    fields = {
        "model_type": "llama",
        "num_hidden_layers": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "vocab_size": 99,
    }
    fields |= {"num_attention_heads": 4, "max_position_embeddings": 512}
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(fields))
    (folder / "model.safetensors").write_bytes(b"")
    return folder


@pytest.fixture
def mood(tmp_path: Path, model: Path) -> MoodTask:
    """v1 with a result, and v2 that was rolled back; both have stand-ins for weights."""
    task = MoodTask(tmp_path, rows=30)
    task.write("configs/training_config.yaml", CONFIG.format(model=model))
    text = task.config.read_text(encoding="utf-8")
    for version, parent, config in (("v1", None, text), ("v2", "v1", text.replace("epochs: 1", "epochs: 2"))):
        begin_version(task.path, version, parent=parent, config_text=config)
        task.version(version, [1, 2])
        task.write(f"models/{version}/adapter/adapter_config.json", "{}")
        task.write(f"models/{version}/adapter/adapter_model.safetensors", "x" * 2_000_000)
        entry = SeedWeights(folder="adapter", sha256="abc", run_id="r")
        write_model(task.path / "models" / version / "weights.json", Weights(seeds={"42": entry}))
    Journal(task.path).note("s", "choice", "v2", version="v2", choice={"choice": "rollback"})
    return task


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> list[AnswerErrand | ExportErrand]:
    """Answers every row with its first label, but for one that it cannot."""
    seen: list[AnswerErrand | ExportErrand] = []

    def answer(errand: AnswerErrand, stop: threading.Event | None = None) -> Iterator[AnswersSaid]:
        seen.append(errand)
        rows = [json.loads(line) for line in errand.rows.read_text(encoding="utf-8").splitlines()]
        raw = ["我想是\x1b[31m正面" if "odd" in row["input"]["text"] else "正面" for row in rows]
        scores = {"正面": 0.8, "負面": 0.15, "中立": 0.05}
        yield AnswersSaid(
            answers=[RawAnswer(id=row["id"], raw=one, scores=scores) for row, one in zip(rows, raw, strict=True)]
        )

    def export(errand: ExportErrand, stop: threading.Event | None = None) -> Iterator[ExportDone]:
        seen.append(errand)
        asked = Asked(before="", after="\n", start_token="", stop=["<eos>"], max_new_tokens=8, context=512)
        yield ExportDone(asked=asked)

    monkeypatch.setattr("tools.exporting.predict.run_errand", answer)
    monkeypatch.setattr("tools.exporting.export.run_errand", export)
    return seen
