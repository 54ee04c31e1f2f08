"""One session on one task: the lock, the checkpoints, and the loop that carries questions to an approver.

The graph is resumed by one rule: look at the checkpoint first, then decide. A pending question is asked again exactly as it
was; a step that was interrupted runs again; a finished session starts anew. Nothing here approves anything. Wishes of the
person wait here until a list of proposals is under review, and are put on it then; when the session is left before, they
wait in its record.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read at import: only plain JSON values may be checkpointed

from filelock import FileLock, Timeout
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command, StateSnapshot

from agent.approval import ANSWER_TYPES, Answer, Approver, Question, ReviewQuestion, Wish, question_adapter, user_name
from agent.context import Left, never
from agent.events import Emit, SessionEnded, SessionStarted, event_adapter
from agent.graph import build_graph
from agent.model.client import ChatModel
from agent.records import EndReason, SessionRecord, session_records
from agent.state import State
from tools.change import Decision, Proposal
from tools.errors import Busy, Refused, WriteFailed, write_failed
from tools.files import now, write_atomic, write_model
from tools.text import Speaker, T, Text, visible

EXIT_CODES: dict[EndReason, int] = {"done": 0, "nothing_to_do": 0, "waiting": 4, "failed": 1, "interrupted": 130}

MOST_STEPS = 2_000
"""Graph steps in one session; a review of a proposal takes two, a version about eight."""


class Session:
    """Runs the loop on one task until it ends, waits for a person, or is interrupted."""

    def __init__(  # noqa: PLR0913 - the parts that a face chooses, each by its name
        self,
        task_path: Path,
        *,
        approver: Approver,
        watch: Emit,
        say: Speaker,
        resume_command: str,
        model: ChatModel | None = None,
        leaving: Callable[[], bool] = never,
    ) -> None:
        self._task = task_path
        self._approver = approver
        self._watch = watch
        self._say = say
        self._resume_command = resume_command
        self._model = model
        self._is_left = leaving
        self._interrupted = False
        self._wishes: deque[Proposal] = deque()
        self._folder = task_path / ".iterate"

    def run(self, *, fresh: bool = False, wishes: Sequence[Proposal] = ()) -> EndReason:
        """Take up the open session of this task, or start one (always with `fresh`); wishes come first in its list.

        Once `leaving` says so, it ends as "interrupted" at the next step, or "waiting" where a question is open; a training
        that runs goes on. Raises Busy when another process works on the task, and whatever a step raises; in every case the
        session can be taken up again.
        """
        self.wish(*wishes)
        with task_lock(self._task):
            record = None if fresh else self._taken_up()
            resumed = record is not None
            record = record or self._new_record()
            self._watch(SessionStarted(session=record.id, task=self._task.name, resumed=resumed))
            try:
                with _told_of_interrupts(self._interrupt):
                    reason = self._drive(record)
            except (KeyboardInterrupt, Left):
                reason = "interrupted"
            except sqlite3.DatabaseError as trouble:
                raise _not_stored(self._folder, trouble) from trouble
            self._close(record, reason)
        return reason

    def wish(self, *proposals: Proposal) -> None:
        """Put proposals of the person on the list before the next question about it; may be called from any thread."""
        self._wishes.extend(proposals)

    def _interrupt(self) -> None:
        self._interrupted = True

    def _leaving(self) -> bool:
        return self._interrupted or self._is_left()

    def _drive(self, record: SessionRecord) -> EndReason:
        with closing(_connect(self._folder / "sessions.sqlite")) as connection:
            graph = build_graph(
                SqliteSaver(connection), session=record.id, say=self._say, model=self._model, leaving=self._leaving
            )
            config: Any = {"configurable": {"thread_id": record.id}, "recursion_limit": MOST_STEPS}
            snapshot = graph.get_state(config)
            feed: Any = None
            if not _is_open(snapshot):
                # Killed behind its end, it only lacks the record of it; one that ended is begun anew.
                at_its_end = record.reason is None and bool(snapshot.values)
                feed = self._more() if at_its_end else self._start(record)
                if feed is None:
                    return _reason(snapshot.values)
            while True:
                if snapshot.interrupts:
                    feed = self._resume_with(snapshot)
                    if feed is None:
                        return "waiting"
                for part in graph.stream(feed, config, stream_mode=["custom"], version="v2", durability="sync"):
                    self._watch(event_adapter.validate_python(part["data"]))
                snapshot = graph.get_state(config)
                feed = None if _is_open(snapshot) else self._more()
                if feed is None and not _is_open(snapshot):
                    return _reason(snapshot.values)

    def _more(self) -> State | None:
        """What a session that came to its end goes on with; None without wishes that came meanwhile."""
        return State(wishes=self._take_wishes(), ended="") if self._wishes else None

    def _start(self, record: SessionRecord) -> State:
        return {
            "task": str(self._task),
            "session": record.id,
            "iteration": 0,
            "wishes": self._take_wishes(),
            "grants": [],
            "decisions": [],
            "queue": [],
            "ended": "",
        }

    def _take_wishes(self) -> list[dict[str, Any]]:
        return [self._wishes.popleft().model_dump(mode="json") for _ in range(len(self._wishes))]

    def _resume_with(self, snapshot: StateSnapshot) -> Command[Any] | None:
        """The answer to the pending question, addressed to its id; None when nobody answers now."""
        pending = snapshot.interrupts[0]
        answer = self._ask(question_adapter.validate_python(pending.value))
        return None if answer is None else Command(resume={pending.id: answer.model_dump(mode="json")})

    def _ask(self, question: Question) -> Answer | None:
        if isinstance(question, ReviewQuestion) and self._wishes:
            return Wish(proposals=[Proposal.model_validate(one) for one in self._take_wishes()])
        answer = None if self._leaving() else self._approver.answer(question)
        if answer is not None and not _answers(question, answer):
            raise Refused(
                T("The answer that came was meant for another question; nothing was decided."),
                hint=T("Take the session up again: the same question is asked."),
                page="troubleshooting/sessions-and-locks",
            )
        return answer

    def _open_record(self) -> SessionRecord | None:
        newest = session_records(self._task)[-1:]
        return next((record for record in newest if record.reason in {None, "waiting", "interrupted"}), None)

    def _taken_up(self) -> SessionRecord | None:
        """The open session, its waiting wishes taken out of the record: from here on they are filed once."""
        record = self._open_record()
        if record is None or not record.wishes:
            return record
        self._wishes.extendleft(reversed(record.wishes))
        record = record.model_copy(update={"wishes": []})
        self._write(record)
        return record

    def _new_record(self) -> SessionRecord:
        record = SessionRecord(id=_new_id(session_records(self._task)), task=self._task.name, started_at=now())
        self._write(record)
        return record

    def _write(self, record: SessionRecord) -> None:
        write_model(self._folder / "sessions" / f"{record.id}.json", record)

    def _close(self, record: SessionRecord, reason: EndReason) -> None:
        self._write(record.model_copy(update={"ended_at": now(), "reason": reason, "wishes": [*self._wishes]}))
        resume = self._resume_command if reason in {"waiting", "failed", "interrupted"} else None
        self._watch(SessionEnded(reason=reason, message=_END_MESSAGES[reason], resume=resume))


def _new_id(known: Sequence[SessionRecord]) -> str:
    """An id that sorts after those there are, also where the clock was set back or two begin within a second.

    The last in order is the one that can be taken up.
    """
    moment = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with suppress(IndexError, ValueError):
        moment = max(moment, datetime.strptime(known[-1].id[:15], _STAMP) + timedelta(seconds=1))
    return f"{moment.strftime(_STAMP)}-{secrets.token_hex(2)}"


def _is_open(snapshot: StateSnapshot) -> bool:
    """True when there is something to go on with.

    A step that has ended, and whose process died before what follows was stored, is not among the next ones; its task is there.
    """
    return bool(snapshot.next or snapshot.tasks)


@contextmanager
def _told_of_interrupts(tell: Callable[[], None]) -> Iterator[None]:
    """Have `tell` called at Ctrl-C or a request to end, before it is raised.

    Steps run in a thread that LangGraph waits for, so that one which waits itself has to be told. Only the main thread hears
    of signals; a session in another one is left through `leaving`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = (name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
    before = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}

    def hear(number: int, frame: FrameType | None) -> None:
        tell()
        handler = before[number]
        if callable(handler):
            handler(number, frame)

    heard = [number for number, handler in before.items() if callable(handler)]
    for number in heard:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def _not_stored(folder: Path, reason: sqlite3.DatabaseError) -> WriteFailed:
    return WriteFailed(
        T(
            "The session could not be stored in {folder}: {reason}.",
            folder=str(folder),
            reason=visible(str(reason), 200),
        ),
        hint=T(
            "Free disk space or make the folder writable, then run the same command again; `iterate fsck` checks the file. "
            "Decisions that were written to the journal stand."
        ),
        page="troubleshooting/repair-workspace",
    )


_STAMP = "%Y%m%dt%H%M%S"
_END_MESSAGES: dict[EndReason, Text] = {
    "done": T(
        "The session is finished. Ask for an improvement again to look for the next change, or for the status to see where "
        "the task stands."
    ),
    "nothing_to_do": T("There is nothing to decide."),
    "waiting": T("A decision is waiting for a person; nothing was approved in its place."),
    "failed": T("No new version came of the training; the configuration before it was restored."),
    "interrupted": T("You left the session. A training that is running goes on; nothing is lost."),
}


@contextmanager
def task_lock(task_path: Path) -> Iterator[None]:
    """Hold the task's lock; raises Busy with who holds it. The system frees it when the holder is killed."""
    folder = task_path / ".iterate"
    lock = FileLock(folder / "lock", timeout=0)
    owner = folder / "lock.owner"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        holder = visible(owner.read_text(encoding="utf-8").strip(), 200) if owner.exists() else "?"
        raise Busy(
            T("Another session is working on task {task} ({holder}).", task=task_path.name, holder=holder),
            hint=T(
                "Wait until it has finished, or leave that session (its training goes on) and run this command again."
            ),
            page="troubleshooting/sessions-and-locks",
        ) from None
    except OSError as reason:
        raise write_failed(folder / "lock", reason) from reason
    try:
        write_atomic(owner, f"{user_name()}, pid {os.getpid()} on {socket.gethostname()} since {now()}\n")
        yield
    finally:
        lock.release()


def _answers(question: Question, answer: Answer) -> bool:
    """True when the answer is one to this question, and a decision one about this proposal."""
    if isinstance(question, ReviewQuestion) and isinstance(answer, Decision):
        return answer.proposal_id == question.proposal.id
    return isinstance(answer, ANSWER_TYPES[question.kind])


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()  # with the permissions of any new file; the database would take some of its own
    return sqlite3.connect(path, check_same_thread=False, timeout=30)


def _reason(values: dict[str, Any]) -> EndReason:
    if values.get("ended") == "failed":
        return "failed"
    if values.get("iteration") or values.get("ended"):
        return "done"
    decisions = values.get("decisions", [])
    if any(one["decision"] == "defer" and one["by"] != "person" for one in decisions):
        return "waiting"
    return "done" if decisions else "nothing_to_do"
