"""The sessions on record: one small file each, read without the machine that runs them (agent/session.py writes them)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.change import Proposal
from tools.errors import InputError, NotFound
from tools.text import T, shell_word, visible

EndReason = Literal["done", "nothing_to_do", "waiting", "failed", "interrupted"]


class SessionRecord(BaseModel):
    """<task>/.iterate/sessions/<id>.json: written before the first checkpoint, so that a crash leaves a trace."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    task: str
    started_at: str
    ended_at: str | None = None
    reason: EndReason | None = None
    wishes: list[Proposal] = []
    """Of the person, that came while something else went on: they are put on the list when the session is taken up."""


@dataclass(frozen=True)
class PastSession:
    """A session of the workspace, with the folder of its task."""

    task: Path
    record: SessionRecord
    newest: bool
    """The newest of its task: the only one that can be taken up."""

    @property
    def open(self) -> bool:
        """True when it can be taken up: it waits, was left, or was cut off."""
        return self.newest and self.record.reason in {None, "waiting", "interrupted"}


def session_records(task_path: Path) -> list[SessionRecord]:
    """Every session of the task, oldest first; a file that cannot be read is left out."""
    files = sorted((task_path / ".iterate" / "sessions").glob("*.json"))
    return [record for file in files if (record := _read(file)) is not None]


def past_sessions(tasks: Sequence[Path]) -> list[PastSession]:
    """Every session of these tasks, newest first."""
    found = []
    for task in tasks:
        records = session_records(task)
        found += [PastSession(task, record, newest=record is records[-1]) for record in records]
    return sorted(found, key=lambda one: one.record.started_at, reverse=True)


def newest_open(tasks: Sequence[Path]) -> PastSession | None:
    """The session to go on with, None when every one of them has ended."""
    return next((one for one in past_sessions(tasks) if one.open), None)


def find_session(tasks: Sequence[Path], name: str) -> PastSession:
    """The open session of that id, or of the task of that name; raises NotFound, or InputError when it has ended."""
    sessions = past_sessions(tasks)
    named = [one for one in sessions if name in {one.record.id, one.task.name}]
    found = next((one for one in named if one.open), None)
    if found is not None:
        return found
    if named:
        raise InputError(
            T("The session {id} on task {task} has ended.", id=named[0].record.id, task=visible(named[0].task.name)),
            hint=T("Start a new one: iterate run {task}", task=shell_word(named[0].task.name)),
            page="troubleshooting/sessions-and-locks",
        )
    waiting = ", ".join(f"{one.record.id} ({visible(one.task.name)})" for one in sessions if one.open)
    raise NotFound(
        T("There is no session {name} in this workspace.", name=repr(visible(name, 60))),
        hint=T("Sessions that can be taken up: {sessions}.", sessions=waiting or "-"),
        page="troubleshooting/sessions-and-locks",
    )


def _read(file: Path) -> SessionRecord | None:
    try:
        return SessionRecord.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None
