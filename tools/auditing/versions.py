"""The records of versions: manifest, snapshot, results and weights, against each other and against the runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.auditing.keeping import Keeper
from tools.auditing.trouble import Trouble
from tools.files import sha256_bytes, sha256_file
from tools.launch_training import list_runs
from tools.launchers.base import RunHealth, state_of
from tools.reading.config import CONFIG_NAMES
from tools.running.weights import read_weights
from tools.runs import RunDir, RunState
from tools.scoring.stored_results import own_result, predictions_file
from tools.text import T, shell_word, visible
from tools.training.checkpoints import weights_sha256
from tools.versioning.pruned import pruned_note
from tools.versioning.records import SNAPSHOT, Manifest, VersionRecord, drift, list_versions, training_of
from tools.versions import HAND_EDITS

_PAGE = "methods/comparing-versions"


def versions(task: Path) -> Iterator[Trouble]:
    """Everything about each record."""
    records = list_versions(task)
    names = {record.version for record in records}
    for record in records:
        yield from _record(task, record, names)
        yield from _weights(task, record.version)
    yield from _hand_edit(task, records)


def _record(task: Path, record: VersionRecord, names: set[str]) -> Iterator[Trouble]:
    manifest = record.manifest
    if manifest is None:
        yield from _no_manifest(record)
        return
    yield from _snapshot(task, record, manifest)
    if manifest.parent is not None and manifest.parent not in names:
        yield Trouble(
            kind="version",
            place=record.path,
            what=T("It started from {parent}, of which there is no record.", parent=visible(manifest.parent)),
            matters=T("It cannot be compared with what it came from, and rolling back to that is impossible."),
            hint=T("Put the folder iterations/{parent} back if you have it.", parent=visible(manifest.parent)),
        )
    yield from _result(task, record)
    for problem in drift(task, record.version):
        if not (problem.path or "").endswith(SNAPSHOT):
            yield Trouble(
                kind="data",
                place=task / (problem.path or ""),
                what=problem.message,
                matters=T("Training {version} again would give another model.", version=visible(record.version)),
                hint=T("Nothing, if the data was changed on purpose: the next version is made of it."),
                is_problem=False,
            )


def _no_manifest(record: VersionRecord) -> Iterator[Trouble]:
    if record.problems:
        yield Trouble(
            kind="version",
            place=record.path / "manifest.json",
            what=record.problems[0].message,
            matters=T("What the version is made of and what it came from cannot be known."),
            hint=T("Put the file back from a copy; snapshot and results are read as far as they go."),
        )
    elif record.snapshot is not None and (record.path / "notes.md").is_file() and not record.has_result:
        yield Trouble(
            kind="version",
            place=record.path,
            what=T("A record that was begun and has no manifest."),
            matters=T("Its writer died before the last file of it; nothing was trained under this name."),
            hint=T("Take the session up again: it writes the rest. Otherwise the folder stands in nobody's way."),
        )


def _snapshot(task: Path, record: VersionRecord, manifest: Manifest) -> Iterator[Trouble]:
    path = record.path / SNAPSHOT
    if path.is_file() and sha256_file(path) == manifest.config_sha256:
        return
    found = next((text for text in _configurations(task) if sha256_bytes(text) == manifest.config_sha256), None)
    why = T("It is not the configuration that the version was made of.")

    def repair(keeper: Keeper) -> None:
        assert found is not None
        keeper.put_back(path, found, why)

    is_there = path.is_file()
    yield Trouble(
        kind="version",
        place=path,
        what=T("The configuration snapshot was changed after it was taken.")
        if is_there
        else T("The configuration snapshot is missing."),
        matters=T("The version cannot be reproduced, and rolling back to it would restore something else or nothing."),
        hint=T("Put the file back from a copy; its SHA-256 stands in manifest.json."),
        mend=None if found is None else T("The same content was found in the task folder and is put in its place."),
        repair=None if found is None else repair,
        page=_PAGE,
    )


def _configurations(task: Path) -> Iterator[bytes]:
    """Every configuration that the task folder holds."""
    places = [*(task / name for name in CONFIG_NAMES), *sorted((task / HAND_EDITS).glob("*.yaml"))]
    places += sorted((task / "iterations").glob(f"*/{SNAPSHOT}"))
    for path in places:
        if path.is_file():
            yield path.read_bytes()


def _result(task: Path, record: VersionRecord) -> Iterator[Trouble]:
    version = visible(record.version)
    again = T(
        "iterate train {task} --version {version} collects it again.", task=shell_word(task.name), version=version
    )
    own = own_result(task, record.version)
    if own is not None and not (task / predictions_file(record.version)).is_file():
        yield Trouble(
            kind="result",
            place=task / predictions_file(record.version),
            what=T("The predictions behind the result of {version} are missing.", version=version),
            matters=T("The version cannot be compared row by row, so no verdict about it is possible."),
            hint=T("iterate evaluate {task} --version {version}", task=shell_word(task.name), version=version),
            page="troubleshooting/results-files",
        )
    if record.has_result and own is not None and not training_of(task, record.version):
        yield Trouble(
            kind="result",
            place=record.path / "results.json",
            what=T("The record of how {version} was trained is missing or cannot be read.", version=version),
            matters=T("Its weights and sealed test predictions cannot be checked against it."),
            hint=again,
        )
    if not record.has_result and not _explained(task, record.version):
        yield Trouble(
            kind="result",
            place=record.path,
            what=T("{version} was begun and has no result.", version=version),
            matters=T("Its training was never started, or has ended and was not collected."),
            hint=T(
                "iterate run {task} goes on where the loop was; iterate train {task} --version {version} alone.",
                task=shell_word(task.name),
                version=version,
            ),
            page="troubleshooting/sessions-and-locks",
        )


def _explained(task: Path, version: str) -> bool:
    """True when a run of a version without a result is on its way, or failed, or was told to stop: that is said elsewhere."""
    for path in list_runs(task, version):
        status = RunDir(path).status()
        ended = status is not None and status.state in {RunState.failed, RunState.cancelled}
        if ended or state_of(path) in {RunHealth.running, RunHealth.stalled}:
            return True
    return False


def _weights(task: Path, version: str) -> Iterator[Trouble]:
    note = pruned_note(task, version)
    pruned = set(note.folders) if note is not None else set()
    hint = T(
        "Train {version} again if you need them; until then it can be compared, not used.", version=visible(version)
    )
    for seed in read_weights(task, version).seeds.values():
        folder = task / "models" / version / seed.folder
        if folder.is_dir() and weights_sha256(folder) == seed.sha256:
            continue
        if not folder.is_dir() and f"models/{version}/{seed.folder}" in pruned:
            continue
        yield Trouble(
            kind="weights",
            place=folder,
            what=T("The recorded weights are not the ones that were trained.")
            if folder.is_dir()
            else T("Recorded weights are missing."),
            matters=T("The version cannot be used, exported or trained on."),
            hint=hint,
            page="troubleshooting/results-files",
        )


def _hand_edit(task: Path, records: list[VersionRecord]) -> Iterator[Trouble]:
    path = next((task / name for name in CONFIG_NAMES if (task / name).is_file()), None)
    snapshots = [record.snapshot.read_bytes() for record in records if record.snapshot is not None]
    if path is None or not snapshots or path.read_bytes() in snapshots:
        return
    yield Trouble(
        kind="configuration",
        place=path,
        what=T("The configuration is that of no version: it was edited by hand, or a change was never trained."),
        matters=T(
            "Nothing is wrong: the next training makes a version of it, and rolling back keeps a copy of it first."
        ),
        hint=T("iterate train {task} makes a version of it.", task=shell_word(task.name)),
        is_problem=False,
    )
