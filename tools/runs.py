"""A run is a directory: the vocabulary of runs/<run_id>/ and the only code that reads it.

    spec.json  status.json  heartbeat  run.lock  events.jsonl  log.txt  data/  checkpoints/  adapter/  sealed/  result.json

The worker (tools/training) is the only writer. Viewers look at the files and never at the process.
"""

from __future__ import annotations

from enum import StrEnum, auto
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from tools.config import Decoding, Launcher, Lora, Training
from tools.results import HistoryPoint
from tools.task import AnswerFormat, TaskType
from tools.text import Text


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Example(_Model):
    """One row as the worker sees it: data/train.jsonl, data/valid.jsonl and data/test.jsonl of a run."""

    id: str
    messages: list[dict[str, str]]
    """Chat turns before the answer: [{"role": "system"|"user"|"assistant", "content": ...}]."""
    completion: str
    """The answer as text, exactly as it should be generated."""
    expected: JsonValue
    """What evaluation compares with (label, object or text)."""
    input: dict[str, str]
    """The input fields, copied into predictions."""
    weight: float = 1.0
    """Weight of the row in the loss."""
    chosen: str | None = None
    rejected: str | None = None


class RateRange(_Model):
    """The learning rates of a range test, rising exponentially from step to step."""

    low: float = Field(gt=0)
    high: float = Field(gt=0, le=1)
    steps: int = Field(ge=5)


class RunSpec(_Model):
    """spec.json: what to train; written once by launch_training, never changed."""

    run_id: str
    task: str
    version: str
    seed: int
    attempt: int = 1
    task_type: TaskType
    answer: AnswerFormat
    primary_metric: str
    lora: Lora | None
    training: Training
    decoding: Decoding
    label_words: dict[str, str] = {}
    """Declared label to the word that the model writes for it (tools/scoring/label_words.py)."""
    launcher: Launcher
    config_hash: str
    data_hash: str
    evaluator_hash: str
    """Of the valid split; the test split's hash is in `test_evaluator_hash`."""
    test_evaluator_hash: str | None = None
    task_dir: str | None = None
    """Absolute path of the task folder: where relative model paths and training.command start from."""
    train: bool = True
    """False: only evaluate, the base model as it is or with the weights of `adapter_from`."""
    adapter_from: str | None = None
    """Absolute path of the trained weights to evaluate; only with `train` false."""
    start_from: str | None = None
    """Absolute path of the trained weights that the training begins with; None is the base model as it is."""
    rate_range: RateRange | None = None
    """A range test of the learning rate instead of a training (tools/training/lr_range.py)."""
    created_at: str

    @property
    def task_folder(self) -> Path | None:
        """`task_dir` as a path."""
        return Path(self.task_dir) if self.task_dir else None


class RunState(StrEnum):
    """Where a run stands."""

    queued = auto()
    running = auto()
    succeeded = auto()
    failed = auto()
    cancelled = auto()

    @property
    def ended(self) -> bool:
        """True when the worker will write nothing more."""
        return self in {RunState.succeeded, RunState.failed, RunState.cancelled}


class RunError(_Model):
    """Why a run failed."""

    kind: Literal["out_of_memory", "nan_loss", "disk_full", "bad_data", "missing_part", "command", "crash"]
    message: Text
    hint: Text | None = None
    page: str | None = None


class RunStatus(_Model):
    """status.json: replaced atomically by the worker."""

    state: RunState
    phase: str = "queued"
    """queued, loading, training, evaluating, sealing, done."""
    step: int = 0
    total_steps: int = 0
    epoch: float = 0.0
    eta_seconds: float | None = None
    pid: int | None = None
    host: str = ""
    started_at: str | None = None
    updated_at: str
    resumed_from: int | None = None
    """Step of the checkpoint that this attempt continued from."""
    error: RunError | None = None


class PhaseEvent(_Model):
    """The worker entered a phase."""

    type: Literal["phase"] = "phase"
    at: str
    phase: str
    message: Text


class StepEvent(_Model):
    """An optimizer step was logged."""

    type: Literal["step"] = "step"
    at: str
    step: int
    total_steps: int
    epoch: float
    loss: float | None
    """None when the loss was NaN or infinite."""
    learning_rate: float | None = None
    grad_norm: float | None = None
    tokens_per_second: float | None = None
    """Tokens of prompt and completion, without padding."""
    memory_mb: float | None = None
    """Resident memory of the worker."""
    eta_seconds: float | None = None


class EvalEvent(_Model):
    """The validation split was evaluated during training."""

    type: Literal["eval"] = "eval"
    at: str
    step: int
    epoch: float
    eval_loss: float | None
    metrics: dict[str, float]
    best: bool
    """True when this checkpoint is the best so far."""


class WarningEvent(_Model):
    """Something the user should know; training goes on."""

    type: Literal["warning"] = "warning"
    at: str
    message: Text
    page: str | None = None


class EndEvent(_Model):
    """The run ended."""

    type: Literal["end"] = "end"
    at: str
    state: RunState
    message: Text


RunEvent = Annotated[PhaseEvent | StepEvent | EvalEvent | WarningEvent | EndEvent, Field(discriminator="type")]
run_event_adapter: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)


class RunResult(_Model):
    """result.json: written last, atomically, with everything the version record needs."""

    run_id: str
    version: str
    seed: int
    metrics: dict[str, float]
    """Of the valid split at the best checkpoint."""
    best_step: int
    best_epoch: float
    stopped_early: bool
    predictions: str
    """Valid predictions (JSON lines of tools.results.Prediction), relative to the run directory."""
    sealed_test: str | None
    """Sealed test predictions, relative to the run directory; None without a test split."""
    sealed_sha256: str | None
    adapter: str
    """Folder of the best weights, relative to the run directory."""
    adapter_sha256: str
    """Over the weight files: equal for equal weights."""
    history: list[HistoryPoint]
    rows_truncated: int
    """Training rows cut by max_length."""
    minutes: float
    tokens_per_second: float
    peak_memory_mb: float
    precision: str
    reason_precision: str
    """Why that precision was chosen."""
    resumed: int = 0
    """How often the training was resumed after an interruption."""
    rows_at_once: int | None = None
    """Rows that went through the model together after memory had run out, the batch unchanged; None when it never did."""


class RunDir:
    """Paths and reading of one run directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    def file(self, name: str) -> Path:
        """A file or folder inside it."""
        return self.path / name

    def spec(self) -> RunSpec:
        """What is being trained."""
        return RunSpec.model_validate_json(self.file("spec.json").read_text(encoding="utf-8"))

    def status(self) -> RunStatus | None:
        """The newest status; None before the worker has written one."""
        try:
            return RunStatus.model_validate_json(self.file("status.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def result(self) -> RunResult | None:
        """The result; None until the run has succeeded."""
        try:
            return RunResult.model_validate_json(self.file("result.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def events(self, offset: int = 0) -> tuple[list[RunEvent], int]:
        """Whole events from byte `offset` on, and the offset to continue from; a line still being written is left."""
        try:
            with self.file("events.jsonl").open("rb") as stream:
                stream.seek(offset)
                chunk = stream.read()
        except FileNotFoundError:
            return [], offset
        whole = chunk[: chunk.rfind(b"\n") + 1]
        events = [event for line in whole.splitlines() if (event := _event(line)) is not None]
        return events, offset + len(whole)


def _event(line: bytes) -> RunEvent | None:
    """The event of a line; None for one that was torn when its worker was killed."""
    try:
        return run_event_adapter.validate_json(line)
    except ValidationError:
        return None
