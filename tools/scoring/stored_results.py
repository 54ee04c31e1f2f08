"""Where the valid result of a version is kept with its predictions, and how a former one is set aside.

Writing only; understanding result files of every origin is tools/read_results.py.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from tools.errors import InputError, NotFound
from tools.files import sha256_file, write_atomic, write_model
from tools.results import Prediction, SplitResult
from tools.text import T, visible

_SET_ASIDE = "benchmarks/replaced"


def result_file(version: str) -> str:
    """The valid result of a version, relative to the task folder."""
    return f"benchmarks/results/{version}_valid.json"


def predictions_file(version: str) -> str:
    """The valid predictions of a version, relative to the task folder."""
    return f"benchmarks/results/{version}_valid.predictions.jsonl"


def own_result(task_dir: Path, version: str) -> SplitResult | None:
    """The result this program wrote for a version; None when there is none, or one in another shape."""
    try:
        return SplitResult.model_validate_json((task_dir / result_file(version)).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def own_predictions(task_dir: Path, version: str) -> list[Prediction]:
    """The predictions behind the result of a version; raises NotFound, or InputError with the broken line."""
    name = predictions_file(version)
    try:
        lines = (task_dir / name).read_bytes().splitlines()
    except FileNotFoundError as missing:
        raise NotFound(
            T("{file} is not there: the outputs of {version} were not kept.", file=name, version=visible(version)),
            hint=T("Evaluate the version again with `iterate evaluate`."),
            page="troubleshooting/results-files",
        ) from missing
    return [_prediction(name, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def read_lines(path: Path) -> list[Prediction]:
    """The predictions of a run; raises InputError with the broken line."""
    lines = path.read_bytes().splitlines()
    return [_prediction(path.name, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def store(task_dir: Path, result: SplitResult, by_seed: dict[int, list[Prediction]]) -> None:
    """Write predictions, then the result that names them; what that would lose is kept in benchmarks/replaced/."""
    content = "".join(
        row.model_copy(update={"seed": seed}).model_dump_json() + "\n"
        for seed in sorted(by_seed)
        for row in by_seed[seed]
    )
    if not _is_contained(task_dir, result, content):
        set_aside(task_dir, result.version)
    write_atomic(task_dir / predictions_file(result.version), content)
    write_model(task_dir / result_file(result.version), result)


def _is_contained(task_dir: Path, result: SplitResult, content: str) -> bool:
    """True when nothing of the present result would be lost: the new one has its evaluator and all its predictions."""
    before = own_result(task_dir, result.version)
    if before is None or before.evaluator_hash != result.evaluator_hash:
        return False
    try:
        present = (task_dir / predictions_file(result.version)).read_bytes()
    except FileNotFoundError:
        return True
    return set(present.splitlines()) <= set(content.encode("utf-8").splitlines())


def set_aside(task_dir: Path, version: str) -> None:
    """Copy the present result and predictions of a version to benchmarks/replaced/, named by their content."""
    source = task_dir / result_file(version)
    if not source.exists():
        return
    mark = sha256_file(source)[:8]
    for name in (predictions_file(version), result_file(version)):
        kept = task_dir / name
        if kept.exists():
            target = task_dir / _SET_ASIDE / kept.name.replace(f"{version}_valid", f"{version}_valid-{mark}", 1)
            write_atomic(target, kept.read_bytes())


def _prediction(name: str, number: int, line: bytes) -> Prediction:
    try:
        return Prediction.model_validate_json(line)
    except ValidationError as reason:
        raise InputError(
            T(
                "Line {number} of {file} is not a prediction: {reason}.",
                number=number,
                file=visible(name),
                reason=visible(reason.errors()[0]["msg"], 200),
            ),
            hint=T("Evaluate the version again with `iterate evaluate`."),
            page="troubleshooting/results-files",
        ) from reason
