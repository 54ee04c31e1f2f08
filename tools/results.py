"""The vocabulary of evaluation results and loss histories, written by this program or read from other tools' files."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

SplitKnown = Literal["train", "valid", "test", "unknown"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClassScore(_Model):
    """Scores of one class; fractions in [0, 1]."""

    precision: float | None = None
    """None when the file gives the F1 only."""
    recall: float | None = None
    f1: float
    support: int = 0
    """Rows whose expected label it is; 0 when the file does not say."""


class Prediction(_Model):
    """One evaluated row."""

    id: str
    seed: int | None = None
    input: dict[str, str]
    expected: JsonValue
    raw: str
    """The model's output, untouched."""
    parsed: JsonValue = None
    """The answer read from it, None when it could not be parsed."""
    failure: str | None = None
    """Why it could not be parsed: a ParseFailure value of tools/scoring/answers.py."""
    correct: bool
    score: float
    """1 or 0 for classification; the document's score for extraction and generation."""
    scores: dict[str, float] | None = None
    """Label to probability, where the model gave them."""


class SplitResult(_Model):
    """One version on one split; several seeds of a version are one result (metrics are means over seeds)."""

    version: str
    split: SplitKnown
    metrics: dict[str, float]
    """Fractions: macro_f1, accuracy, parse_rate, accuracy_parsed ...; see tools/scoring/metrics.py for each task type."""
    per_class: dict[str, ClassScore] = {}
    confusion: dict[str, dict[str, int]] = {}
    """Expected label to predicted label to rows, summed over seeds; the column "" counts unparsed answers."""
    seeds: dict[str, dict[str, float]] = {}
    """Seed to its metrics."""
    rows: int
    evaluator_hash: str | None = None
    """None for results of other tools: those are never comparable by a claim."""
    predictions: str | None = None
    """Path of the predictions file (JSON lines of Prediction), relative to the task folder."""
    source: str = "iterate"
    """Which reader understood the file: iterate, sklearn, transformers, lm-eval, flat."""
    file: str | None = None
    """Where it was read from, relative to the task folder."""


class HistoryPoint(_Model):
    """One logged moment of a training."""

    seed: int | None = None
    step: int
    epoch: float | None = None
    loss: float | None = None
    """Training loss; NaN is stored as null with `bad` set."""
    eval_loss: float | None = None
    metric: float | None = None
    """The validation metric at an evaluation."""
    learning_rate: float | None = None
    grad_norm: float | None = None
    bad: bool = False
    """True when the loss was NaN or infinite."""
    method: str | None = None
    """The training method where it is not SFT: its training loss is another quantity, not to be compared with SFT's. Validation
    loss and metric mean the same for all methods."""


class History(_Model):
    """The loss history of a version, all seeds."""

    points: list[HistoryPoint]
    file: str | None = None
    train_tokens_cut: int = 0
    """Training rows whose answer or text was cut by max_length."""


class ResultFiles(_Model):
    """Everything read_results understood in a task, newest version last."""

    results: list[SplitResult]
    histories: dict[str, History] = {}
    """By version."""
    locked: list[str] = []
    """Result files of the test split or of an unknown split, relative to the task folder; their scores were not read."""
