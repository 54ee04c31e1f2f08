"""What the records of a task say about a trial: its session, how it ended, why it crashed; and ending one that will not end.

Everything is read from the task's own journal and runs, so that a night that was killed comes to the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from agent.journal import Entry, Journal
from agent.overnight.context import Night
from agent.overnight.hand_edits import edited_in
from agent.overnight.records import Chosen
from agent.overnight.watchman import RUN_FOLDERS, kept_seal, kept_start
from agent.records import session_records
from agent.session import task_lock
from tools.files import now, write_model
from tools.launch_training import cancel, list_runs
from tools.launchers.base import is_alive
from tools.runs import RunDir, RunError, RunState
from tools.text import T, Text, Words, sayable
from tools.versions import record_failure, restore_version

ABANDONED = "abandoned"
"""Event in the journal of a task: a night ended a trial that had not come to its end."""
_words: TypeAdapter[Words] = TypeAdapter(Words)
_GUARDS = {"out_of_memory": "memory", "nan_loss": "nan_loss", "disk_full": "disk", "crash": "kill"}
"""Kind of a run's error to the guard that the morning report names."""


@dataclass(frozen=True)
class Past:
    """A session that approved a trial's change."""

    session: str
    open: bool
    """True when it was cut off and can be taken up, also behind its choice: what follows from that is the session's to do."""
    version: str | None = None
    choice: str | None = None
    """continue or rollback, once it was decided."""
    failed: Words | None = None
    """Why its training ended without a version."""
    settled: bool = False
    """True when nothing is left to find out about its version: it was decided, it failed, or it is a baseline and trained."""


@dataclass(frozen=True)
class Crash:
    """Why a training ended without a result."""

    reason: Text
    guard: str | None = None
    page: str | None = None


def session_of(night: Night, path: Path, chosen: Chosen) -> Past | None:
    """The newest session that the night's rules approved this change in; None before there is one."""
    entries, start = Journal(path).entries(), kept_start(night.folder, path.name)
    left = {entry.session for entry in entries if entry.event == ABANDONED}
    left |= set(start.sessions) if start is not None else set()  # rules may have approved it in an earlier one too
    mine = [entry.session for entry in entries if entry.session not in left and _approves(entry, chosen.proposal.id)]
    if not mine:
        return None
    session = mine[-1]
    own = [entry for entry in entries if entry.session == session]
    version = next((str(one.data["version"]) for one in own if _begins(one, chosen)), None)
    of_version = {one.event: one for one in own if one.data.get("version") == version}
    choice = of_version["choice"].data["choice"] if "choice" in of_version else None
    failed = _words.validate_python(of_version["failed"].data.get("reason", "")) if "failed" in of_version else None
    newest = session_records(path)[-1:]
    return Past(
        session=session,
        open=any(one.id == session and one.reason in {None, "waiting", "interrupted"} for one in newest),
        version=version,
        choice=str(choice["choice"]) if isinstance(choice, dict) else None,
        failed=failed,
        settled=choice is not None or failed is not None or (not chosen.proposal.changes and "trained" in of_version),
    )


def _approves(entry: Entry, proposal_id: str) -> bool:
    decision = entry.data.get("decision")
    return (
        entry.event == "decision"
        and isinstance(decision, dict)
        and decision.get("by") == "policy"
        and decision.get("decision") == "approve"
        and decision.get("proposal_id") == proposal_id
    )


def _begins(entry: Entry, chosen: Chosen) -> bool:
    return entry.event == "version_begun" and entry.data.get("proposal_id") == chosen.proposal.id


def unfinished_work(path: Path) -> str | None:
    """The session of a person that holds approved work which is not done; None when a new one would lose nothing."""
    newest = session_records(path)[-1:]
    if not newest or newest[0].reason not in {None, "waiting", "interrupted"}:
        return None
    own = [entry for entry in Journal(path).entries() if entry.session == newest[0].id]
    if any(entry.event == ABANDONED for entry in own):
        return None
    approved = [entry for entry in own if entry.event == "decision" and _verb(entry) in {"approve", "edit"}]
    settled = [entry for entry in own if entry.event in {"choice", "failed", "repaired"}]
    baselines = [entry for entry in approved if not _changes(entry)]
    trained = [entry for entry in own if entry.event == "trained"]
    done = len(settled) + min(len(baselines), len(trained))
    return newest[0].id if len(approved) > done else None


def _verb(entry: Entry) -> str:
    decision = entry.data.get("decision")
    return str(decision.get("decision")) if isinstance(decision, dict) else ""


def _changes(entry: Entry) -> bool:
    proposal = entry.data.get("proposal")
    return isinstance(proposal, dict) and bool(proposal.get("changes"))


def crash_of(path: Path, version: str, said: Words) -> Crash:
    """Why the training of a version failed, as its newest run says."""
    errors = [error for run in list_runs(path, version) if (error := _error(run)) is not None]
    if not errors:
        return Crash(T("{reason}", reason=sayable(said, 400)))
    return Crash(errors[-1].message, _GUARDS.get(errors[-1].kind), errors[-1].page)


def _error(run: Path) -> RunError | None:
    status = RunDir(run).status()
    return status.error if status is not None and status.state is RunState.failed else None


def abandon(night: Night, chosen: Chosen, path: Path, reason: Text) -> str | None:
    """End what is left of a trial: stop its runs, put the version before back, close its session; returns its version.

    Nothing is deleted. A task that was changed by hand meanwhile keeps its configuration.
    """
    cancel_runs(path)
    past = session_of(night, path, chosen)
    if past is None or past.settled:
        return past.version if past is not None else version_of(abandoned(night, path, chosen))
    with task_lock(path):
        if past.version is not None:
            record_failure(path, past.version, reason, say=night.say)
        is_watched = kept_seal(night.folder, chosen.task) is not None
        if chosen.base and is_watched and not edited_in(night, chosen, path, past.version):
            restore_version(path, chosen.base)
        for record in session_records(path):
            if record.id == past.session:
                closed = record.model_copy(update={"ended_at": now(), "reason": "failed"})
                write_model(path / ".iterate" / "sessions" / f"{record.id}.json", closed)
        said = {"reason": reason.model_dump(mode="json"), "version": past.version}
        Journal(path).note(past.session, ABANDONED, chosen.proposal.id, by="policy", **said)
    return past.version


def abandoned(night: Night, path: Path, chosen: Chosen) -> Entry | None:
    """What says that a trial was ended before; None for one that was not. It is the last that ending one writes."""
    start = kept_start(night.folder, path.name)
    before = start.sessions if start is not None else []
    key = f"{ABANDONED}:{chosen.proposal.id}"
    return next((one for one in Journal(path).entries() if one.key == key and one.session not in before), None)


def version_of(left: Entry | None) -> str | None:
    """The version of a trial that was ended before, if it had come to one."""
    version = left.data.get("version") if left is not None else None
    return str(version) if version is not None else None


def reason_of(left: Entry) -> Text:
    """Why a trial was ended before."""
    return T("{reason}", reason=sayable(_words.validate_python(left.data.get("reason") or ""), 400))


def cancel_runs(path: Path) -> None:
    """Cancel whatever runs on a task; checkpoints are kept."""
    for folder in RUN_FOLDERS:
        for file in sorted((path / folder).glob("*/spec.json")):
            if is_alive(file.parent):
                cancel(file.parent)
