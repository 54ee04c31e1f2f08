"""`iterate overnight` and `/overnight`: a night begun, watched here or detached, taken up, ended, and told about afterwards.

Nobody is here: nothing is asked, standard input is never read. What is decided is decided in agent/overnight.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType

from agent.events import Event, Notice, Progress, VersionBegun
from agent.faces.console import out, tell, unheard
from agent.faces.layout import wrap
from agent.faces.views.nights import clock_of, line_text, plan_texts
from agent.faces.views.progress import ProgressLines
from agent.faces.views.sentences import sentence
from agent.model.client import ChatModel, open_model
from agent.model.prices import Affordable, affordable
from agent.notify import notify
from agent.overnight.begin import open_nights, start_night
from agent.overnight.budget import limit_texts, limits_of
from agent.overnight.commands import command_like
from agent.overnight.night import ask_to_stop, over_reason, run_night
from agent.overnight.records import (
    NightLine,
    NightRecord,
    Spent,
    StopReason,
    TaskPaused,
    Waiting,
    night_records,
)
from agent.overnight.reporting.nights import find_night
from agent.overnight.reporting.write import has_report, write_report
from agent.overnight.rules import NightRules, grace_text, rules_for
from agent.paths import task_word, workspace_words
from agent.settings import Settings, load_settings
from tools.errors import IterateError, NotFound, RunFailed
from tools.text import Speaker, T, Text, visible

ALLOWED = "config,recipe,prompt"
"""What a night may try when nothing else is said; it is shown before it starts, and adopting waits for a person."""
LOG = "night.log"
START_SECONDS = 30.0
"""How long a detached night may take until it holds its lock."""
STOP_SECONDS = 60.0
"""How long a night may take to end after it was asked to: it stops a training and restores a configuration."""
_PAGE = "methods/overnight"
_BUDGET: frozenset[StopReason] = frozenset({"until", "hours", "runs", "cost"})


@dataclass(frozen=True)
class NightWish:
    """What the flags said."""

    until: str | None = None
    max_hours: str | None = None
    max_runs: int | None = None
    max_cost: float | None = None
    allow: str | None = None
    policy: Path | None = None
    seed: int | None = None


def begin(workspace: Path, tasks: list[Path], wish: NightWish) -> NightRecord:
    """Write the plan of a night; raises what is wrong with the tasks, the budget or the rules, all before anything starts."""
    limits = limits_of(until=wish.until, max_hours=wish.max_hours, max_runs=wish.max_runs, max_cost=wish.max_cost)
    rules = rules_for(_allowed(wish), wish.policy)
    seed = wish.seed if wish.seed is not None else secrets.randbelow(1_000_000)
    return start_night(workspace, tasks, limits, rules, seed=seed, command=_command(workspace, tasks, wish, seed))


def _allowed(wish: NightWish) -> str | None:
    """The words of --allow, which may be empty by mistake and then allow nothing; the usual ones where nothing was said."""
    return ALLOWED if wish.allow is None and wish.policy is None else wish.allow


def _command(workspace: Path, tasks: list[Path], wish: NightWish, seed: int) -> str:
    """The command line that begins the same night again, from any folder that the workspace can be told from."""
    words = [
        "iterate",
        *workspace_words(workspace),
        "overnight",
        *(task_word(workspace, path.resolve()) for path in tasks),
    ]
    given = (
        ("--until", wish.until),
        ("--max-hours", wish.max_hours),
        ("--max-runs", wish.max_runs),
        ("--max-cost", wish.max_cost),
        ("--allow", _allowed(wish)),
        ("--policy", wish.policy and wish.policy.absolute()),
        ("--seed", seed),
    )
    return shlex.join([*words, *(str(word) for name, value in given if value is not None for word in (name, value))])


def _command_of(record: NightRecord, *words: str) -> str:
    return command_like(record.plan().command, *words)


def night_to_take_up(workspace: Path, name: str) -> NightRecord:
    """The night of that id; without a name the newest that is not over, or was killed before its report. Raises NotFound."""
    if name:
        return find_night(workspace, name)
    waiting = open_nights(workspace) or [one for one in night_records(workspace)[-1:] if not has_report(one)]
    if not waiting:
        raise NotFound(
            T("No night of this workspace can be taken up: there is none, or all are over."),
            hint=T("Start one: iterate overnight TASK --until 07:00"),
            page=_PAGE,
        )
    return waiting[-1]


def show_plan(record: NightRecord, say: Speaker, *, as_json: bool) -> None:
    """What will happen, before it does."""
    if as_json:
        plan = record.plan().model_dump(mode="json")
        out(json.dumps({"night": record.id, "type": "plan", "plan": plan}, ensure_ascii=False))
        return
    for text in plan_lines(record):
        _show(say(text))


def wish_texts(tasks: list[Path], wish: NightWish) -> list[Text]:
    """What a night would do, to be agreed to before it begins; raises what is wrong with the wish."""
    limits = limits_of(until=wish.until, max_hours=wish.max_hours, max_runs=wish.max_runs, max_cost=wish.max_cost)
    names = ", ".join(visible(path.name, 60) for path in tasks)
    allowed = _allowed(wish) or ""
    return [
        T("Changes of {tasks} are tried while nobody is asked: {allowed}.", tasks=names, allowed=visible(allowed, 120)),
        *limit_texts(limits, datetime.now().astimezone()),
        grace_text(rules_for(_allowed(wish), wish.policy).grace),
        T("Everything else waits for you. Nothing is adopted; the locked test is opened once at most, at the end."),
        T("More can be said on the command line: iterate overnight --help"),
    ]


def begin_detached(workspace: Path, tasks: list[Path], wish: NightWish, language: str) -> list[Text]:
    """Begin a night in a process of its own; returns where to watch it and how to end it."""
    record = begin(workspace, tasks, wish)
    return detached_lines(record, detach(record, workspace, language))


def plan_lines(record: NightRecord) -> list[Text]:
    """The plan of a night in sentences."""
    plan = record.plan()
    rule = grace_text(NightRules.model_validate(plan.rules).grace)
    return [*plan_texts(plan), *limit_texts(plan.limits, datetime.now().astimezone()), rule]


def work_on(record: NightRecord, say: Speaker, *, as_json: bool = False) -> int:
    """Run a night here, or take it up, until it is over or this process is told to leave; returns the exit code."""
    with unheard():
        return _worked_on(record, say, as_json=as_json)


def _worked_on(record: NightRecord, say: Speaker, *, as_json: bool) -> int:
    over = over_reason(record)
    face = _JsonFace(record.id) if as_json else _Face(say)
    settings = load_settings(os.environ).settings
    if over is not None:
        tell(say(T("Night {id} is over already.", id=record.id)))
        if not has_report(record):  # it was killed behind its last line
            _close(record, face, settings, say)
        return exit_code(record, over)
    model, limits = open_model(settings), record.plan().limits

    def hear(line: NightLine) -> None:
        face.line(line)
        if isinstance(line, TaskPaused):
            _call(settings, face, "task_paused", say(line.reason), task=line.task, night=record.id)

    def afford(asked: ChatModel) -> Affordable:
        return affordable(settings, asked, limits.dollars)

    with _leaving_on_signals(lambda: face.note(_LEAVING)) as stop:
        reason = run_night(record, model=model, watch=face.watch, say=say, stop=stop, tell=hear, afford=afford)
    if over_reason(record) is None:
        tell(say(T("Continue with: {command}", command=record.plan().resume)))
        return 130
    _close(record, face, settings, say)
    return exit_code(record, reason)


def exit_code(record: NightRecord, reason: StopReason) -> int:
    """0 done, 1 failed, 3 stopped by its budget, 4 something waits for a person, 130 ended by a person."""
    if reason in _BUDGET:
        return 3
    if reason == "stopped":
        return 130
    if reason == "failed":
        return 1
    return 4 if any(isinstance(line, Waiting) and line.is_decision for line in record.lines()) else 0


def _close(record: NightRecord, face: _Face | _JsonFace, settings: Settings, say: Speaker) -> None:
    """The report, and a word to whoever is elsewhere."""
    try:
        files = write_report(record, say)
        face.note(T("Report: {path}", path=str(files[0])))
        face.note(T("As a page with plots: {path}", path=str(files[1])))
    except (IterateError, OSError) as error:  # the night is over and on record: its report can be written again
        face.note(T("The report could not be written: {reason}", reason=visible(str(error), 300)))
    waiting = sum(isinstance(line, Waiting) and line.is_decision for line in record.lines())
    message = T("Night {id} is over; {count} decision(s) wait for you.", id=record.id, count=waiting)
    _call(settings, face, "night_over", say(message), night=record.id, command=_command_of(record, "report", record.id))


def _call(settings: Settings, face: _Face | _JsonFace, happening: str, message: str, **facts: str) -> None:
    wrong = notify(settings, happening, message, **facts)  # type: ignore[arg-type]
    if wrong is not None:
        face.note(wrong)


_LEAVING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LEAVING = T("Leaving at the next step. A training that runs goes on; nothing is lost.")


@contextmanager
def _leaving_on_signals(said: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """True once a signal asked to leave: Ctrl-C, a service that stops, a terminal that is gone. A second Ctrl-C is at once.

    One that the process was started to ignore stays ignored: under nohup a night survives its terminal.
    """
    asked = threading.Event()

    def leave(number: int, frame: FrameType | None) -> None:
        if asked.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.set()
        said()

    heeded = [one for one in _LEAVING_SIGNALS if signal.getsignal(one) != signal.SIG_IGN]
    before = {number: signal.signal(number, leave) for number in heeded}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def detach(record: NightRecord, workspace: Path, language: str) -> int:
    """Start a process of its own session that works on the night; returns its pid once it holds the night.

    Raises RunFailed, with its last words, when it ends before that.
    """
    log = record.folder / LOG
    words = ["--workspace", str(workspace), "--lang", language, "overnight", "--resume", record.id]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "agent.cli", *words],
            cwd=workspace,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, name=f"reap night {record.id}", daemon=True).start()
    deadline = time.monotonic() + START_SECONDS
    while not record.is_worked_on and not record.is_over:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RunFailed(
                T("The process of night {id} did not begin its work.", id=record.id),
                hint=T("Its last words are in {log}.", log=str(log)),
                page=_PAGE,
            )
        time.sleep(0.1)
    return process.pid


def _environment() -> dict[str, str]:
    """The new process imports the same program as this one."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def detached_lines(record: NightRecord, pid: int) -> list[Text]:
    """Where to watch a detached night, and how to end it."""
    return [
        T("The night runs in a process of its own ({pid}); you can close this.", pid=pid),
        T("Watch it: tail -f {log}", log=shlex.quote(str(record.folder / LOG))),
        T("In the morning, or at any time: {command}", command=_command_of(record, "report", record.id)),
        T("End it: {command}", command=_command_of(record, "overnight", "--stop", record.id)),
        T("After a restart of the machine: {command}", command=record.plan().resume),
    ]


def end_night(record: NightRecord, say: Speaker) -> int:
    """End a night, whoever works on it: its training is stopped, the configuration restored, the test stays closed."""
    if record.is_over:
        out(say(T("Night {id} is over already.", id=record.id)))
        return 0
    ask_to_stop(record)
    deadline = time.monotonic() + STOP_SECONDS
    while record.is_worked_on and not record.is_over and time.monotonic() < deadline:
        time.sleep(0.2)
    if not record.is_over:
        work_on(record, say)  # nobody works on it, so it is ended here; Busy when its process does not answer
    command = _command_of(record, "report", record.id)
    out(say(T("Night {id} is ended. Report: {command}", id=record.id, command=command)))
    return 0


class _Face:
    """Lines for a terminal or a log: what a night writes down, and its trainings."""

    def __init__(self, say: Speaker) -> None:
        self._say = say
        self._progress = ProgressLines(say)

    def line(self, line: NightLine) -> None:
        """A line of the night's record."""
        if not isinstance(line, Spent):
            _show(f"{clock_of(line.at)}  {self._say(line_text(line, self._say))}")

    def watch(self, event: Event) -> None:
        """An event of a session; what a person would be asked about is left out, since nobody is."""
        match event:
            case Progress():
                for text in self._progress.lines(event):
                    out("       " + text)
            case VersionBegun():
                _show(self._say(sentence(event, self._say)))
            case Notice(level="warning" | "error"):
                _show(self._say(event.message))
            case _:
                return

    def note(self, text: Text) -> None:
        """A sentence beside the record."""
        tell(self._say(text))


class _JsonFace:
    """One JSON object for each line of the night."""

    def __init__(self, night: str) -> None:
        self._night = night

    def line(self, line: NightLine) -> None:
        """A line of the night's record."""
        out(json.dumps({"night": self._night, **line.model_dump(mode="json")}, ensure_ascii=False))

    def watch(self, event: Event) -> None:
        """A warning goes beside the record; events of trainings are in the run directories."""
        if isinstance(event, Notice) and event.level in {"warning", "error"}:
            self.note(event.message)

    def note(self, text: Text) -> None:
        """A sentence beside the record."""
        tell(str(text))


def _show(text: str) -> None:
    for line in wrap(text):
        out(line)
