"""Builders of evidence by hand: `case(...)` is a healthy sentiment task whose parts a test replaces."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tools.config import TrainingConfig
from tools.evidence.case import Case
from tools.evidence.thresholds import Thresholds
from tools.results import ClassScore, History, HistoryPoint, Prediction, SplitResult
from tools.task import AnswerFormat, ConfigFile, Row, Split, SplitName, Target, Task, TaskDefinition

LABELS = ["pos", "neg", "neu"]
HEALTHY = {"pos": 0.85, "neg": 0.84, "neu": 0.83}
WORDS = tuple(f"{first}{second}" for first in ("am", "bi", "ce", "do", "fu", "gri") for second in ("ber", "rch", "dar"))


def make_rows(counts: dict[str, int], split: str) -> list[Row]:
    """Rows with texts that no other row has, in this split or another."""
    labels = itertools.chain.from_iterable([label] * count for label, count in counts.items())
    return [make_row(f"{split}{n}", _text(f"{split}{n}"), label) for n, label in enumerate(labels)]


def _text(seed: str) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=12))


def make_row(row_id: str, text: str, label: Any, file: str = "", **fields: str) -> Row:
    split = {"t": "train", "v": "valid", "x": "test"}.get(row_id[:1], "train")
    return Row(id=row_id, fields={"text": text, **fields}, answer=label, file=file or f"data/{split}.jsonl", line=1)


def make_split(name: SplitName, rows: Sequence[Row]) -> Split:
    return Split(name=name, files=[f"data/{name}.jsonl"], rows=list(rows))


def make_task(**given: Any) -> Task:
    labels = given.pop("labels", LABELS)
    definition = TaskDefinition(
        task_name="mood",
        task_type=given.pop("task_type", "classification"),
        template="Mood of: {text}",
        input_fields=["text"],
        answer=given.pop("answer", AnswerFormat(type="label", labels=labels)),
        targets=given.pop("targets", [Target(metric="macro_f1", threshold=0.80)]),
        thresholds=given.pop("thresholds", {}),
    )
    config = TrainingConfig.model_validate(given.pop("config", {"lora": {"r": 32, "alpha": 64}}))
    assert not given, given
    return Task(path=Path("mood"), name="mood", definition=definition, config=ConfigFile(path=None, values=config))


def make_result(class_f1: dict[str, float], **metrics: float) -> SplitResult:
    mean = sum(class_f1.values()) / len(class_f1) if class_f1 else 0.0
    return SplitResult(
        version="v1",
        split="valid",
        metrics={"macro_f1": mean, "accuracy": mean, "parse_rate": 1.0, **metrics},
        per_class={label: ClassScore(f1=f1, support=70) for label, f1 in class_f1.items()},
        rows=70 * len(class_f1),
        file="benchmarks/results/v1_valid.json",
    )


def make_predictions(pairs: dict[tuple[str, str | None], int], failure: str = "not_json") -> list[Prediction]:
    """Predictions from (expected, predicted) to their number; None is an answer that did not parse."""
    flat = [pair for pair, count in pairs.items() for _ in range(count)]
    return [
        Prediction(
            id=f"v{n}",
            seed=42,
            input={"text": f"text {n}"},
            expected=want,
            raw=got if got is not None else "garbage",
            parsed=got,
            failure=failure if got is None else None,
            correct=want == got,
            score=float(want == got),
        )
        for n, (want, got) in enumerate(flat)
    ]


@pytest.fixture
def case() -> Callable[..., Case]:
    """A case of a healthy task; keywords replace its parts."""

    def build(**given: Any) -> Case:
        task_keys = ("labels", "task_type", "answer", "targets", "thresholds", "config")
        task = make_task(**{key: given.pop(key) for key in task_keys if key in given})
        train = given.pop("train", {"pos": 200, "neg": 200, "neu": 200})
        valid = given.pop("valid", {"pos": 70, "neg": 70, "neu": 70})
        test = given.pop("test", {"pos": 20})
        class_f1 = given.pop("class_f1", HEALTHY)
        result = given.pop("result", make_result(class_f1) if class_f1 else None)
        return Case(
            task=task,
            train=make_split("train", make_rows(train, "t") if isinstance(train, dict) else train),
            valid=make_split("valid", make_rows(valid, "v") if isinstance(valid, dict) else valid),
            test=make_split("test", make_rows(test, "x") if isinstance(test, dict) else test),
            result=result,
            limits=given.pop("limits", Thresholds(**task.definition.thresholds)),
            **given,
        )

    return build


@pytest.fixture
def rows() -> Callable[[dict[str, int], str], list[Row]]:
    """Rows by label and number."""
    return make_rows


@pytest.fixture
def row() -> Callable[..., Row]:
    """One row."""
    return make_row


@pytest.fixture
def result() -> Callable[..., SplitResult]:
    """A validation result with these class scores."""
    return make_result


@pytest.fixture
def predictions() -> Callable[..., list[Prediction]]:
    """Predictions by (expected, predicted)."""
    return make_predictions


@pytest.fixture
def history() -> Callable[..., History]:
    """A history from training losses (one a step) and (step, eval loss, metric) evaluations."""

    def build(
        losses: Sequence[float | None],
        evals: Sequence[tuple[int, float | None, float | None]] = (),
        *,
        seed: int | None = 42,
        decay: bool = True,
        **more: Any,
    ) -> History:
        total = len(losses)
        points = [
            HistoryPoint(
                seed=seed,
                step=n + 1,
                loss=loss,
                bad=loss is None,
                learning_rate=1e-4 * (1 - n / total) if decay else None,
            )
            for n, loss in enumerate(losses)
        ]
        points += [HistoryPoint(seed=seed, step=step, eval_loss=loss, metric=score) for step, loss, score in evals]
        return History(points=points, **more)

    return build
