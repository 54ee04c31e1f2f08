"""What a night leaves on disk: its plan, and one line for each thing that happened. Reading and appending, no decisions.

    <workspace>/.iterate/nights/<night>/
      plan.json     NightPlan, written once before the first line
      lines.jsonl   one NightLine a line, append-only; a line is on disk before its effect is relied on
      lock          held by the process that works on the night, freed by the system when it dies
      report.md  report.html

The loop writes, the report and every viewer read. A trial is one change tried on one task; its lines carry its number, and a
line that is there already (same `key`) is not written again, so that a night that was killed and taken up ends with the same
lines as one that was not.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tools.change import Proposal
from tools.comparison import Comparison, Verdict
from tools.files import append_line, write_model
from tools.launchers.base import is_held
from tools.text import Text
from tools.versioning.ledger import OpenedTest

LOCK = "lock"
"""File in the folder of a night; whoever works on the night holds it, patiently, since viewers look at it."""

_COMPARED = 200
"""Bytes in front of a place in a file that tell whether it is still the file that was read up to there."""

StopReason = Literal["until", "hours", "runs", "cost", "nothing_worth_it", "all_paused", "stopped", "failed"]
"""Why a night is over; the first four are its budget, "stopped" is a person."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BudgetLimits(_Model):
    """What a night may use at most; None is no limit of that kind, and at least one limit of time must be given."""

    until: str | None = None
    """UTC instant, ISO 8601."""
    hours: float | None = None
    """Hours of work, counted by a clock that does not jump."""
    runs: int | None = None
    """Trainings, quick checks and further seeds included."""
    dollars: float | None = None
    """US dollars for the tokens of the endpoint."""


class NightPlan(_Model):
    """plan.json: what the night was allowed, and where it started; never changed."""

    id: str
    workspace: str = ""
    """Absolute path of the folder that it was begun in; "" in the plan of an earlier release."""
    started_at: str
    tasks: list[str]
    """Absolute paths of the task folders."""
    limits: BudgetLimits
    rules: dict[str, Any]
    """agent.overnight.rules.NightRules, as it was when the night began."""
    command: str
    """The command line that reproduces it."""
    resume: str
    """The command line that takes it up again."""
    seed: int
    """Of the random draws that choose what is tried next."""
    who: str
    start_versions: dict[str, str]
    """Task name to the version it started from; "" where nothing was trained."""


class _Line(_Model):
    at: str
    key: str
    """What makes the line unique in its night, such as "tried:3"."""


class Chosen(_Line):
    """The change that is tried next."""

    type: Literal["chosen"] = "chosen"
    trial: int
    """1, 2, ...: the order in which they were tried."""
    task: str
    base: str
    """The version that it starts from."""
    proposal: Proposal
    expected: float
    """Mean expected change of the primary metric, as a fraction, when it was chosen."""
    spread: float
    """Standard deviation of that belief."""
    minutes: float
    """Of its whole way: quick check, training and further seeds."""
    candidates: int
    """Among how many allowed changes of all tasks it was chosen."""
    elsewhere: float = 0.0
    """Expected gain of one training of the best of the others; further seeds of this one are weighed against it."""


class QuickChecked(_Line):
    """What the quick check of a trial said."""

    type: Literal["quick_checked"] = "quick_checked"
    trial: int
    task: str
    difference: float
    low: float
    high: float
    goes_on: bool
    """False: a dead end, nothing was trained in full."""
    reason: Text


class Measured(_Line):
    """A version was trained with further seeds: the one that the night starts from, so that chance can be told from gain, or
    the best one at its end, so that opening the test decides something.
    """

    type: Literal["measured"] = "measured"
    task: str
    version: str
    seeds: list[int]
    """All of its seeds."""


class Tried(_Line):
    """The end of a trial."""

    type: Literal["tried"] = "tried"
    trial: int
    task: str
    version: str | None
    """None when the quick check ended it."""
    outcome: Literal["kept", "discarded", "dead_end", "crashed", "interrupted"]
    """kept: by its seeds and what was believed before, a gain is expected, and later trials start from it. No claim is made."""
    reason: Text
    seeds: list[int] = []
    """All seeds that were trained, further ones included."""
    difference: float | None = None
    """Mean change of the primary metric on valid against the base, over seeds."""
    comparison: Comparison | None = None
    minutes: float = 0.0


class Waiting(_Line):
    """Something that only a person may decide: it is on the morning list and held nothing up."""

    type: Literal["waiting"] = "waiting"
    task: str
    what: Literal["proposal", "adoption", "paused_task", "offer"]
    reason: Text
    """Why it waits."""
    proposal: Proposal | None = None
    version: str | None = None
    command: str
    """The command that decides it."""

    @property
    def is_decision(self) -> bool:
        """False for what could be done besides: nothing waits for that."""
        return self.what != "offer"


class Guarded(_Line):
    """A guard stopped something, or the night was disturbed and went on."""

    type: Literal["guarded"] = "guarded"
    task: str | None
    guard: Literal[
        "leak",
        "protected_slice",
        "evaluator",
        "hand_edit",
        "policy",
        "endpoint",
        "disk",
        "memory",
        "nan_loss",
        "clock",
        "kill",
        "time",
    ]
    message: Text
    page: str | None = None
    ends: StopReason | None = None
    """Why the night is over with this line; None where it goes on."""


class TaskPaused(_Line):
    """Nothing more is tried on this task tonight; the others go on."""

    type: Literal["task_paused"] = "task_paused"
    task: str
    reason: Text


class Spent(_Line):
    """What was used up to here, by the process that wrote it; the newest line counts."""

    type: Literal["spent"] = "spent"
    minutes: float
    """Of work; the time in which no process worked on the night is not in it."""
    runs: int
    run_ids: list[str] = []
    """Each counts once, however often a night is taken up."""
    dollars: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False
    """True when a server did not count its tokens, so that they and the dollars are guessed from characters."""


class TestOpenedOnce(_Line):
    """The locked test set was opened for a task's best version, once, at the end of the night."""

    __test__ = False  # not a test class, whatever its name suggests to a test collector
    type: Literal["test_opened"] = "test_opened"
    task: str
    version: str
    opened: OpenedTest
    verdict: Verdict


class NightAdopted(_Line):
    """The version in use changed, because the night's rules allowed it."""

    type: Literal["adopted"] = "adopted"
    task: str
    version: str
    before: str | None


class TakenUp(_Line):
    """Another process took the night up after the one before it had gone."""

    type: Literal["taken_up"] = "taken_up"
    pid: int
    host: str


class Over(_Line):
    """The last line of a night that has ended."""

    type: Literal["over"] = "over"
    reason: StopReason
    message: Text


NightLine = Annotated[
    Chosen
    | QuickChecked
    | Measured
    | Tried
    | Waiting
    | Guarded
    | TaskPaused
    | Spent
    | TestOpenedOnce
    | NightAdopted
    | TakenUp
    | Over,
    Field(discriminator="type"),
]
_line_adapter: TypeAdapter[NightLine] = TypeAdapter(NightLine)


class _LineFile:
    """The lines of a night, each of them parsed once; other processes may append meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._forget()

    def lines(self) -> list[NightLine]:
        """What is in the file now, its last line too when it is whole but for its end."""
        with self._lock:
            tail = self._read_on()
            return [*self._known, *([] if tail is None else [tail])]

    def has(self, key: str) -> bool:
        """True when a line with this key is in the file now."""
        with self._lock:
            tail = self._read_on()
            return key in self._keys or (tail is not None and tail.key == key)

    def _forget(self) -> None:
        self._known: list[NightLine] = []
        self._keys: set[str] = set()
        self._inode, self._read, self._last = 0, 0, b""

    def _read_on(self) -> NightLine | None:
        """Parse what was appended since the last look; returns the line at the end that is not closed off yet."""
        try:
            with self.path.open("rb") as stream:
                self._check(stream)
                stream.seek(self._read)
                whole, closed, tail = stream.read().rpartition(b"\n")
        except FileNotFoundError:
            self._forget()
            return None
        self._read += len(whole) + len(closed)
        found = [line for text in whole.splitlines() if (line := _line(text)) is not None]
        self._known += found
        self._keys |= {line.key for line in found}
        self._last = (self._last + whole + closed)[-_COMPARED:]
        return _line(tail)

    def _check(self, stream: BinaryIO) -> None:
        """Begin anew where what was read before is no longer there: nothing but an append keeps it."""
        stream.seek(max(0, self._read - len(self._last)))
        if os.fstat(stream.fileno()).st_ino != self._inode or stream.read(len(self._last)) != self._last:
            self._forget()
        self._inode = os.fstat(stream.fileno()).st_ino


class NightRecord:
    """Reads one night, and appends to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = _LineFile(folder / "lines.jsonl")

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def workspace(self) -> Path:
        """The folder that the night was begun in."""
        return self.folder.parents[2]

    def plan(self) -> NightPlan:
        """Its plan; raises OSError or ValidationError when there is none."""
        return NightPlan.model_validate_json((self.folder / "plan.json").read_text(encoding="utf-8"))

    def lines(self) -> list[NightLine]:
        """Every whole line, oldest first; one torn by a crash is left out."""
        return self._file.lines()

    def add(self, *lines: NightLine) -> list[NightLine]:
        """Append lines in one write, so that a kill leaves all of them or none; returns those whose key was not there yet."""
        new = [line for line in lines if not self._file.has(line.key)]
        if new:
            append_line(self._file.path, "\n".join(line.model_dump_json() for line in new))
        return new

    @property
    def is_over(self) -> bool:
        """True once the night has ended by itself or by a person."""
        return any(isinstance(line, Over) for line in self.lines())

    @property
    def is_worked_on(self) -> bool:
        """True while a live process holds the night's lock."""
        return is_held(self.folder / LOCK)


def nights_folder(workspace: Path) -> Path:
    """Where a workspace keeps its nights."""
    return workspace / ".iterate" / "nights"


def night_records(workspace: Path) -> list[NightRecord]:
    """Every night of a workspace, oldest first; a folder without a plan that can be read is none."""
    found = (NightRecord(file.parent) for file in sorted(nights_folder(workspace).glob("*/plan.json")))
    return [record for record in found if _has_plan(record)]


def begin_night(workspace: Path, plan: NightPlan) -> NightRecord:
    """Write the plan of a new night."""
    folder = nights_folder(workspace) / plan.id
    folder.mkdir(parents=True)
    write_model(folder / "plan.json", plan)
    return NightRecord(folder)


def _has_plan(record: NightRecord) -> bool:
    try:
        record.plan()
    except (OSError, ValidationError):
        return False
    return True


def _line(text: bytes) -> NightLine | None:
    try:
        return _line_adapter.validate_json(text)
    except ValidationError:
        return None
