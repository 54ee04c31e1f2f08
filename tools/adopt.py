"""Which version is in use: one small file, moved forward by an adoption and back by a rollback. Nothing is deleted.

    models/current.json  {version, adapters, at, by, previous}

The locked test set is opened before an adoption (tools/ledger.py); this file only moves the pointer and runs the task's own
deployment command.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import NotFound, Refused
from tools.files import now, write_atomic, write_model
from tools.ledger import openings
from tools.read_task import load_task
from tools.text import T, visible
from tools.versions import Restored, list_versions, restore_version

POINTER = Path("models") / "current.json"
DEPLOY_LOG = "deploy_log.txt"
_DEPLOY_SECONDS = 3600
"""Longest time that a task's deployment command may take."""


class AdoptionRecord(BaseModel):
    """models/current.json, and what became of the deployment command."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    adapters: list[str]
    """Folders of the weights, relative to the task folder; several for several seeds."""
    at: str
    by: str
    decision_id: str
    """Names the decision, so that a step that runs again after a crash adopts once."""
    previous: str | None
    """The version in use before."""
    deployed: bool | None = None
    """Whether the task's deployment command succeeded; None when it has none."""


def current(path: Path) -> AdoptionRecord | None:
    """The version in use; None before the first adoption."""
    try:
        return AdoptionRecord.model_validate_json((path / POINTER).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def adopt(path: Path, version: str, *, by: str, decision_id: str) -> AdoptionRecord:
    """Make `version` the one in use and run the task's deployment command.

    Adopting again for the same decision changes nothing. Raises Refused unless the test set was opened for this version,
    where it has one, and NotFound for a version without a result.
    """
    before = current(path)
    if before is not None and before.decision_id == decision_id:
        return before
    _require_result(path, version)
    _require_opening(path, version)
    previous = before.version if before is not None and before.version != version else None
    return _point(path, version, by=by, decision_id=decision_id, previous=previous)


def rollback(path: Path, to: str | None, *, by: str) -> tuple[AdoptionRecord, Restored]:
    """Point to an earlier version and restore its configuration; the one in use before when `to` is None.

    Raises NotFound when there is no version to go back to.
    """
    before = current(path)
    target = to or (before.previous if before else None) or _parent_of_newest(path)
    if target is None:
        raise NotFound(
            T("There is no earlier version of {task} to roll back to.", task=path.name),
            hint=T("Versions on record: {names}.", names=", ".join(one.version for one in list_versions(path)) or "-"),
            page="troubleshooting/sessions-and-locks",
        )
    restored = restore_version(path, target)
    previous = before.version if before is not None and before.version != target else None
    return _point(path, target, by=by, decision_id=f"rollback:{now()}", previous=previous), restored


def _point(path: Path, version: str, *, by: str, decision_id: str, previous: str | None) -> AdoptionRecord:
    folder = path / "models" / version
    adapters = sorted(one.relative_to(path).as_posix() for one in folder.glob("adapter*") if one.is_dir())
    record = AdoptionRecord(
        version=version, adapters=adapters, at=now(), by=by, decision_id=decision_id, previous=previous
    )
    write_model(path / POINTER, record)
    deployed = _deploy(path, version)
    if deployed is not None:
        record = record.model_copy(update={"deployed": deployed})
        write_model(path / POINTER, record)
    return record


def _deploy(path: Path, version: str) -> bool | None:
    """Run the definition's deployment command in the task folder; its output goes to models/deploy_log.txt."""
    command = load_task(path).definition.deploy_command
    if not command:
        return None
    log = path / "models" / DEPLOY_LOG
    try:
        done = subprocess.run(
            command.replace("{version}", version),
            shell=True,  # the command is the user's own line in task_definition.yaml
            cwd=path,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_DEPLOY_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        write_atomic(log, f"$ {command}\nstopped after {_DEPLOY_SECONDS} s\n")
        return False
    write_atomic(log, f"$ {command}\n{done.stdout}{done.stderr}\nexit code {done.returncode}\n")
    return done.returncode == 0


def _require_result(path: Path, version: str) -> None:
    names = [record.version for record in list_versions(path) if record.has_result]
    if version not in names:
        raise NotFound(
            T("There is no trained version {version} of {task}.", version=visible(version, 40), task=path.name),
            hint=T("Versions with results: {names}.", names=", ".join(names) or "-"),
            page="methods/comparing-versions",
        )


def _require_opening(path: Path, version: str) -> None:
    sealed = path / "iterations" / version / "sealed"
    if any(sealed.glob("*.sealed")) and not any(version in line.versions for line in openings(path)):
        raise Refused(
            T("{version} cannot be adopted before its test set was opened.", version=version),
            hint=T("Run: iterate adopt {task} {version}", task=path.name, version=version),
            page="methods/locked-test",
        )


def _parent_of_newest(path: Path) -> str | None:
    records = [record for record in list_versions(path) if record.has_result]
    return records[-1].parent if records else None
