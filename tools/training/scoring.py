"""Outputs of a model as scored predictions. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass

from tools.results import Prediction
from tools.runs import Example, RunSpec
from tools.scoring.answers import expected_answer
from tools.scoring.label_words import parse_spoken
from tools.scoring.metrics import score_row, summarise

Said = tuple[str, dict[str, float] | None]
"""A raw output, with the label probabilities where they are known."""


@dataclass(frozen=True)
class Evaluation:
    """A split's predictions with what they amount to."""

    predictions: list[Prediction]
    metrics: dict[str, float]
    loss: float | None
    """Mean negative log-likelihood of the expected answers' tokens."""
    seconds: float
    tokens: int
    """Read, and each written one counted as WRITTEN_AS_READ."""


def evaluation(
    spec: RunSpec, examples: list[Example], said: list[Said], *, loss: float | None, seconds: float, tokens: int
) -> Evaluation:
    """What was said to the examples, scored; how long it took is handed through."""
    predictions = [predict(spec, example, *one) for example, one in zip(examples, said, strict=True)]
    metrics = summarise(spec.task_type, spec.answer, predictions).metrics if predictions else {}
    return Evaluation(predictions, metrics, loss, seconds, tokens)


def predict(spec: RunSpec, example: Example, raw: str, scores: dict[str, float] | None = None) -> Prediction:
    """The output parsed strictly and scored against what was expected; `scores` are label probabilities, where known."""
    parsed = parse_spoken(spec.answer, spec.label_words, raw)
    expected = expected_answer(spec.answer, example.expected)
    correct, score = score_row(spec.task_type, spec.answer, expected, parsed.value)
    return Prediction(
        id=example.id,
        seed=spec.seed,
        input=example.input,
        expected=expected,
        raw=raw,
        parsed=parsed.value,
        failure=None if parsed.failure is None else str(parsed.failure),
        correct=correct,
        score=score,
        scores=scores,
    )
