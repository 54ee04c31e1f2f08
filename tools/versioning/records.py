"""Reading the records of a task's versions: what there is, what each is made of, and whether its data is still the same.

Folders that a person made, with parts missing, are read as far as they go. Writing records is tools/versions.py.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from tools.change import Goal
from tools.config import DataRecipe
from tools.editing.yaml_read import Refusal, parse, plain
from tools.errors import NotFound, Problem
from tools.files import sha256_file
from tools.outcomes.result_origins import version_number
from tools.read_results import ReadResultsArgs, read_results
from tools.reading.task import inside
from tools.running.collect import SeedOutcome
from tools.running.plan_runs import check_version
from tools.text import T, Text, visible
from tools.versioning.changes import changes_in_words

SNAPSHOT = "config_snapshot.yaml"
_SNAPSHOTS = (SNAPSHOT, "config_snapshot.yml")
_PARTS = frozenset({*_SNAPSHOTS, "results.json", "notes.md", "changes.md", "manifest.json"})
_NUMBERED = re.compile(r"v(\d{1,6})(?![0-9])")
_PAGE = "methods/comparing-versions"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Manifest(_Model):
    """manifest.json: what a version is made of."""

    version: str
    parent: str | None
    """The version it started from; None for a baseline."""
    created_at: str
    program: str
    """Version of this program."""
    config_sha256: str
    """Of config_snapshot.yaml."""
    data: dict[str, str | None]
    """Data file of the recipe, relative to the task folder, to its SHA-256; None for a file that was not there."""
    proposal_id: str | None = None
    goal: Goal | None = None
    changes: list[Text] = []
    """Against the parent, in words."""


class VersionRecord(_Model):
    """One version as far as the task folder tells of it."""

    version: str
    path: Path
    """iterations/<version>, which need not exist for versions known only by their results."""
    snapshot: Path | None = None
    manifest: Manifest | None = None
    """None for versions that this program did not make."""
    has_result: bool = False
    """True when there is a result on valid."""
    sealed: bool = False
    """True when test predictions lie sealed in the record."""
    problems: list[Problem] = []


def list_versions(task_path: Path) -> list[VersionRecord]:
    """Every version with a record or a valid result, oldest first; nothing is raised for what a folder holds."""
    iterations = task_path / "iterations"
    folders = [path for path in iterations.iterdir() if _is_record(path)] if iterations.is_dir() else []
    results = read_results(ReadResultsArgs(task_dir=task_path)).results
    measured = {result.version for result in results if result.split == "valid"}
    names = {path.name for path in folders} | measured
    return [_record(iterations / name, name in measured) for name in sorted(names, key=version_number)]


def find_version(task_path: Path, version: str) -> VersionRecord:
    """The record of a version; raises NotFound with the versions that there are."""
    check_version(version)
    records = {record.version: record for record in list_versions(task_path)}
    if version not in records:
        raise NotFound(
            T("There is no version {version}.", version=visible(version)),
            hint=T("Versions of this task: {versions}.", versions=", ".join(records) or "-"),
            page=_PAGE,
        )
    return records[version]


def next_version(task_path: Path) -> str:
    """The name after the highest number in use anywhere: records, results (opened or not) or weights."""
    names = [
        path.name
        for folder in ("iterations", "models", "benchmarks/results")
        if (task_path / folder).is_dir()
        for path in (task_path / folder).iterdir()
    ]
    numbers = [int(found.group(1)) for name in names if (found := _NUMBERED.match(name))]
    return f"v{max(numbers, default=0) + 1}"


def training_of(task_path: Path, version: str) -> list[SeedOutcome]:
    """How each seed of a version was trained, from its record; empty when this program did not train it."""
    training = _results_json(task_path, version).get("training")
    try:
        return TypeAdapter(list[SeedOutcome]).validate_python(training)
    except ValidationError:
        return []


def locked_evaluator_hash(task_path: Path, version: str) -> str | None:
    """The evaluator hash of the sealed test predictions of a version, from its record."""
    locked = _results_json(task_path, version).get("locked")
    found = locked.get("evaluator_hash") if isinstance(locked, dict) else None
    return found if isinstance(found, str) else None


def _results_json(task_path: Path, version: str) -> dict[str, JsonValue]:
    check_version(version)
    try:
        content = (task_path / "iterations" / version / "results.json").read_bytes()
        return TypeAdapter(dict[str, JsonValue]).validate_json(content)
    except (OSError, ValidationError):
        return {}


def drift(task_path: Path, version: str) -> list[Problem]:
    """What is no longer as it was when a version began: its data files, or its snapshot."""
    folder = task_path / "iterations" / version
    manifest = read_manifest(folder)
    if manifest is None:
        return []
    problems = [
        Problem(
            message=T("{file} changed since {version} was made.", file=visible(file), version=version),
            path=file,
            hint=T("Training {version} again would not give the same model.", version=version),
            page=_PAGE,
        )
        for file, digest in manifest.data.items()
        if _hash(task_path, file) != digest
    ]
    snapshot = folder / SNAPSHOT
    if snapshot.is_file() and sha256_file(snapshot) != manifest.config_sha256:
        message = T("The configuration snapshot of {version} was changed after it was taken.", version=version)
        problems.append(Problem(message=message, path=f"iterations/{version}/{SNAPSHOT}", page=_PAGE))
    return problems


def changes_between(task_path: Path, base: str, new: str) -> list[Text]:
    """What was changed from one version to another, in words: as recorded where one began from the other, else by snapshot."""
    manifest = read_manifest(task_path / "iterations" / new)
    if manifest is not None and manifest.parent == base:
        return [*manifest.changes, *_changed_data(task_path, base, manifest)]
    texts = [snapshot_text(task_path, version) for version in (base, new)]
    if texts[0] is None or texts[1] is None:
        return [T("Not recorded: one of the versions has no configuration snapshot.")]
    words = changes_in_words(texts[0], texts[1])
    return words if manifest is None else [*words, *_changed_data(task_path, base, manifest)]


def _changed_data(task_path: Path, base: str, manifest: Manifest) -> list[Text]:
    """Data files whose content is another than for the base version; new files are in the configuration's changes."""
    before = read_manifest(task_path / "iterations" / base)
    if before is None:
        return []
    changed = [file for file, digest in manifest.data.items() if before.data.get(file, digest) != digest]
    return [T("The content of {file} changed.", file=visible(file)) for file in changed]


def data_hashes(task_path: Path, config_text: str) -> dict[str, str | None]:
    """SHA-256 of each data file that a configuration names; None for those that are not there."""
    recipe, given = DataRecipe(), _section(config_text, "data")
    files = [*_names(given.get("train", list(recipe.train))), *_names(given.get("valid", recipe.valid))]
    files += _names(given.get("test", recipe.test))
    files += _names(given.get("preference", list(recipe.preference)))
    return {file: _hash(task_path, file) for file in dict.fromkeys(files)}


def script_hashes(task_path: Path, config_text: str) -> dict[str, str | None]:
    """SHA-256 of each file of the task that the training command of a configuration names."""
    command = _section(config_text, "training").get("command")
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:  # a quote that is not closed: it runs nothing then
        words = []
    found = {word: _hash(task_path, word) for word in words}
    return {word: digest for word, digest in found.items() if digest is not None}


def _section(config_text: str, name: str) -> dict[str, JsonValue]:
    """A section of a configuration as it is written; empty where there is none to read."""
    try:
        config = plain(parse(config_text))
    except Refusal:
        return {}
    section = config.get(name) if isinstance(config, dict) else None
    return section if isinstance(section, dict) else {}


def _names(value: JsonValue | Sequence[str]) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _hash(task_path: Path, file: str) -> str | None:
    path = inside(task_path, file)
    return sha256_file(path) if path is not None and path.is_file() else None


def snapshot_text(task_path: Path, version: str | None) -> str | None:
    """The configuration of a version as recorded; None when it is not."""
    if version is None:
        return None
    snapshot = _snapshot(task_path / "iterations" / version)
    return None if snapshot is None else snapshot.read_text(encoding="utf-8", errors="replace")


def _snapshot(folder: Path) -> Path | None:
    return next((folder / name for name in _SNAPSHOTS if (folder / name).is_file()), None)


def _is_record(path: Path) -> bool:
    """A folder that is named like a version or holds a part of a record."""
    if not path.is_dir() or path.name.startswith("."):
        return False
    return _NUMBERED.fullmatch(path.name) is not None or any((path / name).is_file() for name in _PARTS)


def _record(folder: Path, has_result: bool) -> VersionRecord:
    manifest = read_manifest(folder)
    broken = manifest is None and (folder / "manifest.json").is_file()
    message = T("The manifest of {version} cannot be read.", version=visible(folder.name))
    return VersionRecord(
        version=folder.name,
        path=folder,
        snapshot=_snapshot(folder),
        manifest=manifest,
        has_result=has_result,
        sealed=any((folder / "sealed").glob("*.sealed")),
        problems=[Problem(message=message, path=f"iterations/{folder.name}/manifest.json", page=_PAGE)]
        if broken
        else [],
    )


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in a record's folder; None when there is none that this program understands."""
    try:
        return Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    except (OSError, ValidationError):
        return None


def program_version() -> str:
    """The installed version of this program."""
    try:
        return package_version("iterate-mode")
    except PackageNotFoundError:
        return "unknown"
