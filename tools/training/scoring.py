"""One output of a model as a scored prediction. Free of torch."""

from __future__ import annotations

from tools.results import Prediction
from tools.runs import Example, RunSpec
from tools.scoring.answers import expected_answer
from tools.scoring.label_words import parse_spoken
from tools.scoring.metrics import score_row


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
