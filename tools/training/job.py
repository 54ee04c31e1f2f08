"""What every kind of run shares: its directory, its voice, its memory across restarts, and the files it leaves.

Worker side, but free of torch: a run that executes the task's own script uses it too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.files import write_atomic, write_model
from tools.results import HistoryPoint, Prediction
from tools.runs import EvalEvent, RunDir, RunSpec, StepEvent
from tools.training.cancel import CancelToken
from tools.training.recorder import Recorder
from tools.versioning.sealing import seal

PREDICTIONS = "predictions_valid.jsonl"
"""Predictions of the valid split, in the run directory."""
_MEMORY = "worker.json"


class Memory(BaseModel):
    """worker.json: what a restarted worker must know of the ones before it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts: int = 0
    """Workers started on this directory before this one."""
    seconds: float = 0.0
    """Time they spent, up to their last checkpoint."""
    precision: str | None = None
    """Kept, so that a resumed training computes as it began."""
    reason_precision: str = ""
    tokens_per_second: float = 0.0
    shrinks: int = 0
    """How often memory ran out, so that fewer rows go through the model at once (tools/training/short_memory.py)."""
    memory_kills: str | None = None
    """The system's count of processes killed for memory when the newest worker began."""


@dataclass
class Job:
    """A run in progress."""

    run: RunDir
    spec: RunSpec
    recorder: Recorder
    cancel: CancelToken
    memory: Memory = field(default_factory=Memory)
    rows_at_once: int | None = None
    """Rows that go through the model together since memory ran out; None while it has not."""
    can_shrink: bool = False
    """True where the same training is possible with fewer rows at once."""
    _started: float = field(default_factory=time.monotonic)

    def recall(self) -> None:
        """Read what earlier workers on this directory left."""
        path = self.run.file(_MEMORY)
        if path.is_file():
            before = Memory.model_validate_json(path.read_text(encoding="utf-8"))
            self.memory = before.model_copy(update={"attempts": before.attempts + 1})

    def remember(self, **fields: str | float | None) -> None:
        """Keep facts, and the time spent so far, for a worker that may follow."""
        self.memory = self.memory.model_copy(update=fields)
        write_model(self.run.file(_MEMORY), self.memory.model_copy(update={"seconds": self.seconds}))

    @property
    def seconds(self) -> float:
        """Time spent on this run by this worker and those before it."""
        return round(self.memory.seconds + time.monotonic() - self._started, 1)

    def data(self, split: str) -> Path:
        """The rows of a split."""
        return self.run.file("data") / f"{split}.jsonl"

    def watch(self, total: int) -> Callable[[int], None]:
        """A function to call with the number of rows done: stops when cancelled, says how long the rest takes."""
        start = time.monotonic()

        def between(done: int) -> None:
            self.cancel.check()
            self.recorder.progress(round((total - done) * (time.monotonic() - start) / done, 1))

        return between

    def write_predictions(self, predictions: list[Prediction]) -> str:
        """Write the valid predictions; returns their path relative to the run directory."""
        write_atomic(self.run.file(PREDICTIONS), "".join(row.model_dump_json() + "\n" for row in predictions))
        return PREDICTIONS

    def seal_test(self, predictions: list[Prediction]) -> tuple[str, str]:
        """Seal the test predictions; returns path relative to the run directory, and hash."""
        relative = f"sealed/test_seed{self.spec.seed}.sealed"
        return relative, seal(predictions, self.run.file(relative))

    def history(self) -> list[HistoryPoint]:
        """One point per step out of the events; a step that was taken again after a restart counts once, as taken last."""
        events, _ = self.run.events()
        points: dict[tuple[str, int], HistoryPoint] = {}
        for event in events:
            if isinstance(event, StepEvent | EvalEvent):
                points[event.type, event.step] = _point(event, self.spec)
        return sorted(points.values(), key=lambda point: (point.step, point.eval_loss is not None))


def _point(event: StepEvent | EvalEvent, spec: RunSpec) -> HistoryPoint:
    method = None if spec.training.method == "sft" else spec.training.method
    if isinstance(event, EvalEvent):
        return HistoryPoint(
            seed=spec.seed,
            step=event.step,
            epoch=event.epoch,
            eval_loss=event.eval_loss,
            metric=primary(spec, event.metrics),
            method=method,
        )
    return HistoryPoint(
        seed=spec.seed,
        step=event.step,
        epoch=event.epoch,
        loss=event.loss,
        learning_rate=event.learning_rate,
        grad_norm=event.grad_norm,
        bad=event.loss is None,
        method=method,
    )


def primary(spec: RunSpec, metrics: dict[str, float]) -> float | None:
    """The metric that decides; the first of the task type's own when the configured name is not measured here."""
    return metrics.get(spec.primary_metric, next(iter(metrics.values()), None))
