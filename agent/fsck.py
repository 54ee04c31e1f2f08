"""Checking and mending a whole workspace: its tasks, and what only the agent writes (journal, sessions, conversation, nights).

The checks of a task folder itself are tools/auditing. Mending a task holds its lock; a task that somebody works on is looked
at and left alone.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from agent.journal import Entry, Journal
from agent.overnight.records import NightPlan, NightRecord, nights_folder
from agent.paths import Workspace
from agent.records import SessionRecord, session_records
from agent.session import task_lock
from tools.auditing.access import locks_hold, room
from tools.auditing.audit import audit_task, guarded
from tools.auditing.keeping import Keeper
from tools.auditing.lines import torn_in
from tools.auditing.trouble import Trouble
from tools.errors import Busy, IterateError
from tools.launchers.base import is_held
from tools.text import T, Text, shell_word, visible
from tools.versioning.adopt import POINTER, current
from tools.versioning.records import list_versions

_DATABASES = ("sessions.sqlite", "chat.sqlite")
_SESSIONS_PAGE = "troubleshooting/sessions-and-locks"


@dataclass(frozen=True)
class Part:
    """A task, or the workspace around its tasks, with what is wrong with it."""

    name: str
    """Of the task; "" for the workspace."""
    folder: Path
    troubles: list[Trouble]

    @property
    def problems(self) -> list[Trouble]:
        """Those that are faults."""
        return [one for one in self.troubles if one.is_problem]


@dataclass(frozen=True)
class Mended:
    """What mending did."""

    done: list[Trouble]
    failed: list[tuple[Trouble, Text]]
    """With the reason."""
    kept: list[Path]
    """Folders that hold what was taken away."""


def audit(workspace: Workspace, tasks: Sequence[Path]) -> list[Part]:
    """Look at these tasks, and at the workspace around them."""
    found = [Part("", workspace.root, _workspace(workspace.root))]
    return found + [Part(task.name, task, [*audit_task(task), *_task(task)]) for task in tasks]


def mend(parts: Sequence[Part]) -> Mended:
    """Mend everything that can be mended; what is taken away is kept."""
    mended = Mended([], [], [])
    for part in parts:
        wanted = [one for one in part.troubles if one.repair is not None]
        if wanted:
            _mend_part(part, wanted, mended)
    return mended


def _mend_part(part: Part, wanted: Sequence[Trouble], mended: Mended) -> None:
    keeper = Keeper(part.folder)
    try:
        if part.name:
            with task_lock(part.folder):
                _repair(wanted, keeper, mended)
        else:
            _repair(wanted, keeper, mended)
    except Busy as busy:
        mended.failed.extend((one, busy.message) for one in wanted)
    if keeper.folder.is_dir():
        mended.kept.append(keeper.folder)


def _repair(wanted: Sequence[Trouble], keeper: Keeper, mended: Mended) -> None:
    for trouble in wanted:
        assert trouble.repair is not None
        try:
            trouble.repair(keeper)
            mended.done.append(trouble)
        except IterateError as reason:
            mended.failed.append((trouble, reason.message))
        except OSError as reason:
            mended.failed.append((trouble, T("{reason}", reason=visible(str(reason), 300))))


def _task(task: Path) -> Iterator[Trouble]:
    for check in (_journal, _sessions, _database, _lock):
        yield from guarded(check, task)


def _workspace(root: Path) -> list[Trouble]:
    checks = (room, locks_hold, _chat, _nights)
    return [trouble for check in checks for trouble in guarded(check, root)]


def _lock(task: Path) -> Iterator[Trouble]:
    folder = task / ".iterate"
    if is_held(folder / "lock"):
        owner = folder / "lock.owner"
        holder = visible(owner.read_text(encoding="utf-8").strip(), 200) if owner.is_file() else "?"
        yield Trouble(
            kind="lock",
            place=folder / "lock",
            what=T("Somebody works on this task now: {holder}.", holder=holder),
            matters=T("What is being written may look unfinished, and nothing here is mended meanwhile."),
            hint=T("Check again when that session has ended."),
            is_problem=False,
            page=_SESSIONS_PAGE,
        )


def _journal(task: Path) -> Iterator[Trouble]:
    """The journal against the records and the version in use."""
    entries = Journal(task).entries()
    names = {record.version for record in list_versions(task)}
    begun = {version: one for one in entries if one.event == "version_begun" and (version := _version(one))}
    for version in sorted(set(begun) - names):
        yield Trouble(
            kind="journal",
            place=task / "iterations" / version,
            what=T(
                "The journal says that {version} was begun, and there is no record of it.", version=visible(version)
            ),
            matters=T("A decision led to it; without the record nobody can see what was trained."),
            hint=T("Put the folder back if you have it."),
        )
    yield from _moved(task, entries)


def _moved(task: Path, entries: Sequence[Entry]) -> Iterator[Trouble]:
    moves = [one for one in entries if one.event in {"adopted", "rolled_back"}]
    pointer = current(task)
    said = _version(moves[-1]) if moves else ""
    if not said or (pointer is not None and pointer.version == said):
        return
    if pointer is None and moves[-1].event == "rolled_back":
        return  # where nothing was ever adopted, a rollback only restores a configuration
    yield Trouble(
        kind="in_use",
        place=task / POINTER,
        what=T(
            "The journal's last word is {said}, and the version in use is {version}.",
            said=visible(said),
            version=visible(pointer.version) if pointer is not None else "-",
        ),
        matters=T("A decision about the version in use was cut off, or the file was changed by hand."),
        hint=T("Take the session up again, or adopt the version that you want."),
    )


def _version(entry: Entry) -> str:
    version = entry.data.get("version")
    return version if isinstance(version, str) else ""


def _sessions(task: Path) -> Iterator[Trouble]:
    folder = task / ".iterate" / "sessions"
    for path in sorted(folder.glob("*.json")):
        if not _is_session(path):
            yield _unreadable(path, T("A session's record cannot be read."))
    newest = session_records(task)[-1:]
    if newest and newest[0].reason is None and not is_held(task / ".iterate" / "lock"):
        yield Trouble(
            kind="session",
            place=folder / f"{newest[0].id}.json",
            what=T("A session was cut off."),
            matters=T("Its decisions are kept, and it can be taken up where it was."),
            hint=T("iterate run {task}", task=shell_word(task.name)),
            page=_SESSIONS_PAGE,
        )


def _is_session(path: Path) -> bool:
    try:
        SessionRecord.model_validate_json(path.read_bytes())
    except ValidationError:
        return False
    return True


def _database(task: Path) -> Iterator[Trouble]:
    if not is_held(task / ".iterate" / "lock"):
        yield from _databases(task / ".iterate")


def _databases(folder: Path) -> Iterator[Trouble]:
    """Whether the files of sessions and of the conversation can be read."""
    for name in _DATABASES:
        path = folder / name
        if path.is_file() and path.stat().st_size and not _is_sound(path):
            what = T("The file of open sessions cannot be read.") if name == _DATABASES[0] else _CONVERSATION
            yield _unreadable(path, what)


_CONVERSATION = T("The file of the running turn of the conversation cannot be read.")


def _is_sound(path: Path) -> bool:
    """Whether a database can be read; a copy is asked, since opening one may write to it or remove its log."""
    with TemporaryDirectory() as scratch:
        for one in _with_logs(path):
            shutil.copy2(one, scratch)
        try:
            with closing(sqlite3.connect(Path(scratch) / path.name)) as connection:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except sqlite3.DatabaseError:
            return False


def _with_logs(path: Path) -> list[Path]:
    files = (path, *(path.with_name(path.name + end) for end in ("-wal", "-journal")))
    return [file for file in files if file.exists()]


def _unreadable(path: Path, what: Text) -> Trouble:
    def repair(keeper: Keeper) -> None:
        for one in _with_logs(path):
            keeper.move(one, what)
        path.with_name(path.name + "-shm").unlink(missing_ok=True)  # an index that is made anew from the log

    return Trouble(
        kind="session",
        place=path,
        what=what,
        matters=T("An open session cannot be taken up. Decisions stand in the journal, and versions in their records."),
        hint=T("Start a new session: `iterate run TASK --new`. It proposes from the versions that there are."),
        mend=T("It is moved away, so that a new session can begin."),
        repair=repair,
        page=_SESSIONS_PAGE,
    )


def _chat(root: Path) -> Iterator[Trouble]:
    transcript = root / ".iterate" / "chat.jsonl"
    if transcript.is_file():
        yield from torn_in(transcript)
    yield from _databases(root / ".iterate")


def _nights(root: Path) -> Iterator[Trouble]:
    folder = nights_folder(root)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and not path.name.startswith("."):
            yield from _night(NightRecord(path))


def _night(record: NightRecord) -> Iterator[Trouble]:
    if record.is_worked_on:
        return
    if (record.folder / "lines.jsonl").is_file():
        yield from torn_in(record.folder / "lines.jsonl")
    plan = _plan(record)
    if plan is None:
        why = T("A night without a plan that can be read.")
        yield Trouble(
            kind="night",
            place=record.folder,
            what=why,
            matters=T("It can be neither taken up nor reported. What it trained is in the records of the tasks."),
            hint=T("Start another night; it learns from the records of the tasks."),
            mend=T("It is moved away."),
            repair=lambda keeper: keeper.move(record.folder, why),
        )
    elif not record.is_over:
        yield Trouble(
            kind="night",
            place=record.folder,
            what=T("A night was cut off."),
            matters=T("Everything up to its last line is kept, and it can be taken up where it was."),
            hint=T("{command}", command=visible(plan.resume, 300)),
            page=_SESSIONS_PAGE,
        )


def _plan(record: NightRecord) -> NightPlan | None:
    try:
        return record.plan()
    except (OSError, ValidationError):
        return None
