"""Which version is in use: models/current.json, moved by adoption and rollback, and the task's own deploy command.

Adoption needs an opening of the locked test set for a version that has sealed predictions; who may adopt is decided elsewhere
(an approver). Both actions may be repeated after a crash. Weights are never copied or deleted here.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import NotFound, Refused
from tools.files import append_line, now, write_model
from tools.reading.task import load_task
from tools.running.weights import read_weights
from tools.text import T, Text, shell_word, visible
from tools.versioning.ledger import openings
from tools.versioning.records import find_version
from tools.versions import Restored, restore_version

POINTER = "models/current.json"
DEPLOY_LOG = "models/deploy.log"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AdoptionRecord(_Model):
    """models/current.json: the version in use."""

    version: str
    adapters: list[str]
    """Folders of its weights, relative to the task folder, first seed first; empty when they are not kept here."""
    at: str
    by: str
    decision_id: str
    """What moved the pointer; the same decision moves it once."""
    previous: str | None
    """The version in use before."""
    deployed: bool | None = None
    """Whether the deploy command succeeded; None when the task has none, or while it has not ended."""
    deploy_exit: int | None = None
    """Its exit status."""


class RolledBack(_Model):
    """What a rollback did."""

    record: AdoptionRecord | None
    """The pointer now; None when no version was ever adopted."""
    restored: Restored


def current(task_path: Path) -> AdoptionRecord | None:
    """The version in use; None when none was adopted, or when the pointer is not one that this program wrote."""
    try:
        return AdoptionRecord.model_validate_json((task_path / POINTER).read_bytes())
    except (OSError, ValidationError):
        return None


def adopt(task_path: Path, version: str, *, by: str, decision_id: str) -> AdoptionRecord:
    """Make a version the one in use, then run the task's deploy command; a failed command is reported, the pointer stays.

    Raises NotFound for an unknown version, Refused when its sealed test predictions were never opened.
    """
    record = find_version(task_path, version)
    if record.sealed and not any(version in opening.scores for opening in openings(task_path)):
        raise Refused(
            T("{version} cannot be adopted before its test result was opened.", version=visible(version)),
            hint=T("Use `iterate adopt`: it opens the locked test set, shows it, and asks once more."),
            page="methods/locked-test",
        )
    return _deployed(task_path, _point_at(task_path, version, by, decision_id))


def how_to_use(task_path: Path) -> Text:
    """What an adopted version is for: the commands that use it and give it away; a row of several fields needs each of them."""
    fields = load_task(task_path).definition.input_fields
    row = " ".join(f"--field {name}=TEXT" for name in fields) if len(fields) > 1 else "--text TEXT"
    return T(
        "Use it: iterate predict {task} {row}, or --file ROWS. Give it away: iterate export {task} --to FOLDER. In the chat: "
        "/predict TEXT and /export.",
        task=shell_word(task_path.name),
        row=visible(row, 200),
    )


def rollback(task_path: Path, to: str | None = None, *, by: str, decision_id: str) -> RolledBack:
    """Go back to a version (the one in use before, by default): its configuration first, then the pointer.

    Raises NotFound when there is nothing to go back to. The pointer only moves if a version was adopted at all.
    """
    pointer = current(task_path)
    again = pointer is not None and pointer.decision_id == decision_id
    target = to or (None if pointer is None else pointer.version if again else pointer.previous)
    if target is None:
        raise NotFound(
            T("There is no earlier version to go back to."),
            hint=T(
                "Name one: `iterate rollback {task} --to v1`. `iterate history {task}` lists them.",
                task=shell_word(task_path.name),
            ),
            page="methods/comparing-versions",
        )
    restored = restore_version(task_path, target)
    if pointer is None or (pointer.version == target and not again):
        return RolledBack(record=pointer, restored=restored)
    return RolledBack(record=_deployed(task_path, _point_at(task_path, target, by, decision_id)), restored=restored)


def _point_at(task_path: Path, version: str, by: str, decision_id: str) -> AdoptionRecord:
    """Move the pointer, unless this decision already did."""
    before = current(task_path)
    if before is not None and (before.version, before.decision_id) == (version, decision_id):
        return before
    changed = before is not None and before.version != version
    record = AdoptionRecord(
        version=version,
        adapters=_adapters(task_path, version),
        at=now(),
        by=by,
        decision_id=decision_id,
        previous=before.version if before is not None and changed else before.previous if before is not None else None,
    )
    write_model(task_path / POINTER, record)
    return record


def _adapters(task_path: Path, version: str) -> list[str]:
    """The weights that are kept for a version."""
    models = task_path / "models" / version
    folders = [seed.folder for seed in read_weights(task_path, version).seeds.values()] or ["adapter"]
    return [f"models/{version}/{folder}" for folder in folders if (models / folder).is_dir()]


def _deployed(task_path: Path, record: AdoptionRecord) -> AdoptionRecord:
    """Run the deploy command of the task until it has succeeded for this record; its words go to models/deploy.log."""
    command = load_task(task_path).definition.deploy_command
    if command is None or record.deployed:
        return record
    append_line(task_path / DEPLOY_LOG, f"--- {now()} {record.version}: {command}")
    environment = os.environ | {
        "ITERATE_VERSION": record.version,
        "ITERATE_ADAPTER": str(task_path / record.adapters[0]) if record.adapters else "",
    }
    with (task_path / DEPLOY_LOG).open("ab") as log:
        # The command is the task owner's own line of shell, run where they wrote it for.
        ended = subprocess.run(
            command, shell=True, cwd=task_path, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    done = record.model_copy(update={"deployed": ended.returncode == 0, "deploy_exit": ended.returncode})
    write_model(task_path / POINTER, done)
    return done
