"""Who watches over a task's inputs at night: what only the night itself may change is compared before every step.

    <night>/start/<task>.json   TaskStart: how the task stood when the night began
    <night>/seals/<task>.json   Seal: how the night left it after its latest step

A hand edit (of the definition, the configuration, a data file, the version in use, the record of a version, its results, the
task's own training script) is noticed and named; nothing is put back. A further seed of a version changes the version's
results: whoever trains it seals them anew.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.files import sha256_file, write_atomic, write_model
from tools.reading.config import CONFIG_NAMES, DEFINITION_NAMES
from tools.runs import RunDir
from tools.scoring.stored_results import predictions_file, result_file
from tools.versioning.adopt import POINTER
from tools.versioning.records import SNAPSHOT, data_hashes, script_hashes

RUN_FOLDERS = ("runs", "runs/quick")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seal(_Model):
    """Hashes of what a task is made of; "" for a file that is not there."""

    config: str
    rest: dict[str, str]
    """Definition, pointer to the version in use, data files of the recipe, records and results of versions and the training
    script of the task, relative to its folder."""


class TaskStart(_Model):
    """How a task stood when the night began."""

    config: str | None
    """Text of its configuration; None when it has no file of its own."""
    runs: list[str]
    """Run directories that were there already, relative to the task folder."""
    sessions: list[str] = []
    """Sessions that were there already."""


def seal(task_path: Path) -> Seal:
    """The task as it stands; raises OSError for files that cannot be read."""
    config = _config_file(task_path)
    text = config.read_text(encoding="utf-8", errors="replace") if config.is_file() else ""
    files = [*DEFINITION_NAMES, POINTER, *_records(task_path), *_results(task_path)]
    rest = {name: _hash(task_path / name) for name in files if (task_path / name).is_file()}
    rest |= {POINTER: _hash(task_path / POINTER)}
    named = data_hashes(task_path, text) | script_hashes(task_path, text)
    rest |= {file: digest or "" for file, digest in named.items()}
    return Seal(config=_hash(config), rest=rest)


def _records(task_path: Path) -> list[str]:
    """What is written once for a version and never again."""
    found = (file for name in (SNAPSHOT, "manifest.json") for file in (task_path / "iterations").glob(f"*/{name}"))
    return sorted(file.relative_to(task_path).as_posix() for file in found)


def _results(task_path: Path) -> list[str]:
    """Scores and predictions of versions, of whatever program."""
    found = (file for file in (task_path / "benchmarks/results").rglob("*.json*") if file.is_file())
    return sorted(file.relative_to(task_path).as_posix() for file in found)


def changed_by_hand(task_path: Path, sealed: Seal, versions: Collection[str] = ()) -> list[str]:
    """Files that are not as they were sealed, by name; the configurations of `versions` are the night's own as well."""
    found = [name for name, digest in sealed.rest.items() if _hash(task_path / name) != digest]
    config = _config_file(task_path)
    own = {sealed.config, *(_hash(task_path / "iterations" / version / SNAPSHOT) for version in versions)}
    return [*found, *([] if _hash(config) in own else [config.relative_to(task_path).as_posix()])]


def keep_seal(night: Path, task_path: Path) -> None:
    """Write down how the night leaves the task."""
    write_model(_seal_file(night, task_path.name), seal(task_path))


def seal_results(night: Path, task_path: Path, version: str) -> None:
    """Write down the results of a version that the night itself has trained once more; the rest stays sealed as it was."""
    sealed = kept_seal(night, task_path.name)
    if sealed is None:
        return
    own = {name: _hash(task_path / name) for name in (result_file(version), predictions_file(version))}
    rest = sealed.rest | {name: digest for name, digest in own.items() if digest}
    write_model(_seal_file(night, task_path.name), sealed.model_copy(update={"rest": rest}))


def kept_seal(night: Path, task: str) -> Seal | None:
    """How the night left the task; None before its first step there."""
    return _read(_seal_file(night, task), Seal)


def _seal_file(night: Path, task: str) -> Path:
    return night / "seals" / f"{task}.json"


def keep_start(night: Path, task_path: Path) -> None:
    """Write down, once, how the task stands before the night touches it."""
    file = night / "start" / f"{task_path.name}.json"
    if not file.exists():
        config = _config_file(task_path)
        text = config.read_bytes().decode("utf-8", errors="surrogateescape") if config.is_file() else None
        sessions = sorted(path.stem for path in (task_path / ".iterate" / "sessions").glob("*.json"))
        write_model(file, TaskStart(config=text, runs=runs_on_disk(task_path), sessions=sessions))


def kept_start(night: Path, task: str) -> TaskStart | None:
    """How the task stood when the night began."""
    return _read(night / "start" / f"{task}.json", TaskStart)


def runs_on_disk(task_path: Path) -> list[str]:
    """The run directories of a task whose worker began, quick checks included."""
    found = [file.parent for folder in RUN_FOLDERS for file in (task_path / folder).glob("*/spec.json")]
    return sorted(path.relative_to(task_path).as_posix() for path in found if RunDir(path).status() is not None)


def runs_since(night: Path, task_path: Path) -> list[str]:
    """The runs that began on a task since the night did; read off the disk, so that no crash and no clock can lose one."""
    start = kept_start(night, task_path.name)
    before = set(start.runs) if start is not None else set()
    return [run.rpartition("/")[2] for run in runs_on_disk(task_path) if run not in before]


def restore_start(night: Path, task_path: Path) -> bool:
    """Put back the configuration that was in force when the night began; False when it is there already."""
    start = kept_start(night, task_path.name)
    config = _config_file(task_path)
    if start is None or start.config is None:
        return False
    wanted = start.config.encode("utf-8", errors="surrogateescape")
    if config.is_file() and config.read_bytes() == wanted:
        return False
    write_atomic(config, wanted)
    return True


def _config_file(task_path: Path) -> Path:
    return next(
        (task_path / name for name in CONFIG_NAMES if (task_path / name).is_file()), task_path / CONFIG_NAMES[0]
    )


def _hash(path: Path) -> str:
    return sha256_file(path) if path.is_file() else ""


Model = TypeVar("Model", bound=BaseModel)


def _read(file: Path, model: type[Model]) -> Model | None:
    try:
        return model.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
