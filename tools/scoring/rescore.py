"""Scoring stored outputs again, under the evaluator and the expected answers of today.

For when the parser, a metric, the declared format or an expected answer was mended: the models' outputs stay as they are, no
model is loaded, and results become comparable again. Sealed test predictions are not touched.
"""

from __future__ import annotations

from tools.errors import InputError
from tools.reading.task import load_split
from tools.results import Prediction, SplitResult
from tools.scoring.answers import expected_answer
from tools.scoring.evaluator import evaluator_hash, rejudge
from tools.scoring.label_words import Words
from tools.scoring.metrics import split_result
from tools.scoring.stored_results import own_predictions, predictions_file, store
from tools.task import Row, Task
from tools.text import T, visible


def rescore(task: Task, version: str, words: Words | None = None) -> SplitResult:
    """The valid result of a version from its stored outputs; the former result is kept in benchmarks/replaced/.

    `words` are those that the version writes for labels (prompt.label_words of its snapshot). Rows that are no longer in valid
    are left out. Raises NotFound without stored outputs, InputError when valid has rows that the version never answered.
    """
    rows = {row.id: row for row in load_split(task, "valid").split.rows if row.answer is not None}
    by_seed: dict[int, list[Prediction]] = {}
    for prediction in own_predictions(task.path, version):
        row = rows.get(prediction.id)
        if row is not None:
            seed = prediction.seed if prediction.seed is not None else task.config.values.training.all_seeds[0]
            by_seed.setdefault(seed, []).append(_judged(task, prediction, row, words or {}))
    _check_complete(version, rows, by_seed)
    answer = task.definition.answer
    expected = ((row.id, expected_answer(answer, row.answer)) for row in rows.values())
    digest = evaluator_hash(task.definition.task_type, answer, expected)
    result = split_result(task.definition, version, "valid", by_seed, digest, predictions_file(version))
    store(task.path, result, by_seed)
    return result


def _judged(task: Task, prediction: Prediction, row: Row, words: Words) -> Prediction:
    return rejudge(task.definition, prediction.model_copy(update={"expected": row.answer}), words)


def _check_complete(version: str, rows: dict[str, Row], by_seed: dict[int, list[Prediction]]) -> None:
    """Raise InputError when a seed lacks answers to rows of today."""
    answered = [{row.id for row in predictions} for predictions in by_seed.values()]
    missing = [row for row in rows if not answered or any(row not in ids for ids in answered)]
    if missing:
        raise InputError(
            T(
                "{version} never answered {count} of {rows} validation rows, such as {id}.",
                version=visible(version),
                count=len(missing),
                rows=len(rows),
                id=visible(missing[0]),
            ),
            hint=T("Evaluate the version again with `iterate evaluate --version {version}`.", version=visible(version)),
            page="methods/comparing-versions",
        )
