"""Reading predictions of single rows: this program's files and the usual shapes of others. Test predictions stay closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from tools.editing.problem_log import ProblemLog
from tools.editing.text_lines import read_lines
from tools.errors import NotFound, Problem, Refused
from tools.outcomes.result_origins import split_of_name
from tools.results import Prediction
from tools.text import T, visible

_PAGE = "troubleshooting/results-files"
_EXPECTED = ("expected", "label", "gold", "answer", "reference", "target_label", "y_true", "true")
_GIVEN = ("parsed", "prediction", "predicted", "pred", "predicted_label", "y_pred", "output")
_RAW = ("raw", "raw_output", "response", "generated", "output", "prediction", "predicted", "pred")


class PredictionsRead(NamedTuple):
    """The predictions that could be read, and the lines that could not."""

    predictions: list[Prediction]
    problems: list[Problem]


def read_predictions(path: Path, *, opened: bool = False) -> list[Prediction]:
    """The predictions in a file, odd lines left out; raises NotFound without the file, Refused for the test split."""
    return read_prediction_file(path, opened=opened).predictions


def read_prediction_file(path: Path, *, opened: bool = False) -> PredictionsRead:
    """The same with what is wrong with the odd lines."""
    if split_of_name(path.name) == "test" and not opened:
        raise Refused(
            T("{file} holds predictions on the test split, which stays closed.", file=visible(path.name)),
            hint=T("The test split is opened when a version is adopted."),
            page="methods/locked-test",
        )
    if not path.is_file():
        raise NotFound(
            T("There is no predictions file {file}.", file=visible(str(path))),
            hint=T("Evaluate the version again with: iterate evaluate"),
            page=_PAGE,
        )
    log = ProblemLog(path.name)
    predictions: list[Prediction] = []
    for line in read_lines(path):
        found = _prediction(line.text, line.number)
        if found is not None:
            predictions.append(found)
        elif line.text is None or line.text.strip():
            log.add("prediction", lambda number=line.number: _odd(path.name, number))  # type: ignore[misc]
    return PredictionsRead(predictions, log.problems())


def predictions_beside(task_dir: Path, result_file: str) -> str | None:
    """The predictions file that lies beside a result file, relative to the task folder; None when there is none."""
    result = Path(result_file)
    for name in (f"{result.stem}.predictions.jsonl", f"{result.stem}_predictions.jsonl"):
        if (task_dir / result.parent / name).is_file():
            return (result.parent / name).as_posix()
    return None


def _prediction(text: str | None, line: int) -> Prediction | None:
    if text is None or not text.strip():
        return None
    try:
        data = json.loads(text)
        return _own(data) or _foreign(data, line) if isinstance(data, dict) else None
    except (ValueError, RecursionError):
        return None


def _own(data: dict[str, Any]) -> Prediction | None:
    try:
        return Prediction.model_validate(data)
    except ValidationError:
        return None


def _foreign(data: Mapping[str, Any], line: int) -> Prediction | None:
    """A row with the expected and the given answer under any of the usual names; raises ValidationError (a ValueError)."""
    expected_key = next((key for key in _EXPECTED if data.get(key) is not None), None)
    given_key = next((key for key in _GIVEN if key in data), None)
    if expected_key is None or given_key is None:
        return None
    raw = next((data[key] for key in _RAW if isinstance(data.get(key), str)), None)
    given, expected = data[given_key], data[expected_key]
    said = data.get("correct")
    correct = said if isinstance(said, bool) else given == expected
    used = {expected_key, given_key, *_RAW, "id", "correct", "score"}
    return Prediction(
        id=str(data.get("id", f"line-{line}")),
        input={str(key): value for key, value in data.items() if key not in used and isinstance(value, str)},
        expected=expected,
        raw=raw if raw is not None else json.dumps(given, ensure_ascii=False),
        parsed=given,
        correct=correct,
        score=float(correct),
    )


def _odd(name: str, line: int) -> Problem:
    return Problem(
        message=T("Line {line} of {file} is no prediction; it was left out.", line=line, file=visible(name)),
        path=name,
        line=line,
        page=_PAGE,
        kind="unreadable_file",
    )
