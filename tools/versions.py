"""iterations/: one immutable record per version, opened before its training and completed by what came of it.

    iterations/vN/  config_snapshot.yaml  changes.md  notes.md  manifest.json  results.json  history.jsonl  sealed/

A record is found again by its snapshot, so opening it twice is opening it once, and no version is ever overwritten. Words for
the notes are in tools/version_notes.py; which version is in use is tools/adopt.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.change import Approved
from tools.collect import VersionOutcome
from tools.errors import InputError, NotFound
from tools.files import now, sha256_bytes, sha256_file, write_atomic, write_model
from tools.read_task import load_task
from tools.text import Speaker, T, Text, english, visible
from tools.version_notes import changes_text, choice_section, failure_section, notes_text, results_section, with_section

CONFIG = "configs/training_config.yaml"
SNAPSHOT = "config_snapshot.yaml"
HAND_EDITS = "hand_edits"
_NAME = re.compile(r"v(\d+)")


class Manifest(BaseModel):
    """manifest.json: what the version was made from."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    version: str
    parent: str | None = None
    created_at: str
    config_sha256: str
    data: dict[str, str] = {}
    """Data file, relative to the task folder, to the SHA-256 of its bytes."""
    evaluator_hash: str | None = None
    """Known once there is a result."""
    failed: str | None = None
    """Why its training failed, if it did."""


class VersionRecord(BaseModel):
    """A version as found on disk; folders of the user's own may lack any part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    path: Path
    snapshot: Path | None
    """The configuration it was trained with; None when the folder has none."""
    parent: str | None
    has_result: bool
    """True when it was evaluated on valid."""
    created_at: str | None
    failed: str | None


class Restored(BaseModel):
    """What restoring a version's configuration did."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    hand_edits: Path | None
    """Where a configuration that no version has was kept before it was replaced."""


def list_versions(path: Path) -> list[VersionRecord]:
    """Every version of the task in order of its number, from its record or its result file."""
    names = {folder.name for folder in (path / "iterations").glob("v*") if folder.is_dir()}
    names |= {file.name.removesuffix("_valid.json") for file in (path / "benchmarks" / "results").glob("v*_valid.json")}
    return [_record(path, name) for name in sorted((name for name in names if _NAME.fullmatch(name)), key=_number)]


def next_version(path: Path) -> str:
    """The name after the highest one in use, records and results and runs alike."""
    used = [_number(record.version) for record in list_versions(path)]
    used += [int(match[1]) for run in (path / "runs").glob("v*") if (match := _NAME.match(run.name))]
    return f"v{max(used, default=0) + 1}"


def begin_version(
    path: Path,
    version: str,
    *,
    parent: str | None,
    config_text: str,
    approved: Approved | None = None,
    say: Speaker = english,
) -> VersionRecord:
    """Open the record of a version; the same content again changes nothing.

    Raises InputError for a name that is no version and for a version that was recorded with another configuration.
    """
    if not _NAME.fullmatch(version):
        raise InputError(
            T("{version} is not a version name.", version=visible(version, 40)),
            hint=T("Versions are named v1, v2 and so on; the next one here is {next}.", next=next_version(path)),
        )
    content = config_text.encode("utf-8")
    folder = path / "iterations" / version
    snapshot = folder / SNAPSHOT
    if snapshot.exists():
        if snapshot.read_bytes() != content:
            raise _other_configuration(path, version)
        return _record(path, version)
    before = _snapshot_text(path, parent)
    write_atomic(folder / "changes.md", changes_text(parent, (before, config_text), approved, say))
    write_atomic(folder / "notes.md", notes_text(version, approved, say))
    manifest = Manifest(
        version=version,
        parent=parent,
        created_at=now(),
        config_sha256=sha256_bytes(content),
        data=data_hashes(path),
    )
    write_model(folder / "manifest.json", manifest)
    write_atomic(snapshot, content)  # last: with it the record is open
    return _record(path, version)


def record_results(path: Path, version: str, outcome: VersionOutcome, *, say: Speaker = english) -> None:
    """Write results.json (the valid result and the training summary) and the results in the notes; repeatable."""
    folder = path / "iterations" / version
    training = [seed.model_dump(mode="json") for seed in outcome.seeds]
    document = {**outcome.result.model_dump(mode="json"), "training": _merged(folder / "results.json", training)}
    _update_manifest(folder, evaluator_hash=outcome.evaluator_hash, failed=None)
    _update_notes(folder, "results", results_section(outcome.result, outcome.minutes, say))
    write_atomic(folder / "results.json", json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def record_failure(path: Path, version: str, reason: Text, *, say: Speaker = english) -> None:
    """Keep in the record why the training of a version failed."""
    folder = path / "iterations" / version
    _update_manifest(folder, failed=str(reason))
    _update_notes(folder, "failure", failure_section(reason, say))


def record_choice(path: Path, version: str, choice: str, *, by: str, reason: str, say: Speaker = english) -> None:
    """Keep the decision on a version, and by whom, in its notes."""
    _update_notes(path / "iterations" / version, "decision", choice_section(choice, by, reason, say))


def restore_version(path: Path, version: str) -> Restored:
    """Write a version's snapshot back as the configuration; one that no version has is kept in iterations/hand_edits/ first."""
    record = next((one for one in list_versions(path) if one.version == version), None)
    if record is None or record.snapshot is None:
        names = ", ".join(one.version for one in list_versions(path) if one.snapshot) or "-"
        raise NotFound(
            T(
                "There is no configuration snapshot of {version} in {task}.",
                version=visible(version, 40),
                task=path.name,
            ),
            hint=T("Versions that can be restored: {names}.", names=names),
            page="troubleshooting/sessions-and-locks",
        )
    wanted = record.snapshot.read_bytes()
    config = path / CONFIG
    present = config.read_bytes() if config.exists() else None
    kept = None
    if present is not None and present != wanted:
        kept = _keep_hand_edits(path, present)
    if present != wanted:
        write_atomic(config, wanted)
    return Restored(version=version, hand_edits=kept)


def data_hashes(path: Path) -> dict[str, str]:
    """SHA-256 of every file that the recipe names and that exists."""
    recipe = load_task(path).config.values.data
    names = [*recipe.train, *(name for name in (recipe.valid, recipe.test) if name)]
    return {name: sha256_file(path / name) for name in names if (path / name).is_file()}


def drifted_files(path: Path, version: str) -> list[str]:
    """Data files whose content is no longer what the version was made from."""
    manifest = read_manifest(path, version)
    present = data_hashes(path)
    return [name for name, digest in (manifest.data if manifest else {}).items() if present.get(name) != digest]


def read_manifest(path: Path, version: str) -> Manifest | None:
    """The manifest of a version; None when it has none that can be read."""
    try:
        return Manifest.model_validate_json((path / "iterations" / version / "manifest.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _record(path: Path, version: str) -> VersionRecord:
    folder = path / "iterations" / version
    manifest = read_manifest(path, version)
    snapshot = folder / SNAPSHOT
    result = path / "benchmarks" / "results" / f"{version}_valid.json"
    return VersionRecord(
        version=version,
        path=folder,
        snapshot=snapshot if snapshot.is_file() else None,
        parent=manifest.parent if manifest else None,
        has_result=result.is_file() or (folder / "results.json").is_file(),
        created_at=manifest.created_at if manifest else None,
        failed=manifest.failed if manifest else None,
    )


def _number(version: str) -> int:
    match = _NAME.fullmatch(version)
    return int(match[1]) if match else 0


def _snapshot_text(path: Path, version: str | None) -> str:
    file = path / "iterations" / (version or "") / SNAPSHOT
    return file.read_bytes().decode("utf-8", "replace") if version and file.is_file() else ""


def _merged(file: Path, training: list[dict[str, object]]) -> list[dict[str, object]]:
    """The training summaries of all seeds; a seed trained again replaces its former one."""
    try:
        before = json.loads(file.read_bytes()).get("training", [])
    except (OSError, ValueError, AttributeError):
        before = []
    seeds = {one["seed"] for one in training}
    kept = [one for one in before if isinstance(one, dict) and one.get("seed") not in seeds]
    return sorted([*kept, *training], key=lambda one: str(one.get("seed")))


def _update_manifest(folder: Path, **fields: str | None) -> None:
    manifest = read_manifest(folder.parent.parent, folder.name)
    if manifest is not None:
        write_model(folder / "manifest.json", manifest.model_copy(update=fields))


def _update_notes(folder: Path, name: str, section: list[str]) -> None:
    file = folder / "notes.md"
    text = file.read_text(encoding="utf-8") if file.exists() else f"# {folder.name}\n"
    write_atomic(file, with_section(text, name, section))


def _keep_hand_edits(path: Path, content: bytes) -> Path | None:
    """Keep a configuration that equals no snapshot under its hash, so that keeping it twice is keeping it once."""
    if any(record.snapshot and record.snapshot.read_bytes() == content for record in list_versions(path)):
        return None
    file = path / "iterations" / HAND_EDITS / f"{sha256_bytes(content)[:12]}.yaml"
    if not file.exists():
        write_atomic(file, content)
    return file


def _other_configuration(path: Path, version: str) -> InputError:
    return InputError(
        T("{version} is already recorded with another configuration, and a version never changes.", version=version),
        hint=T("Train the new configuration as {next}.", next=next_version(path)),
        page="methods/comparing-versions",
    )
