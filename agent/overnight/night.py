"""The loop of a night: look, choose, try, keep or not, until a limit is reached or nothing is worth its cost; then the end.

    begin.py start_night -> run_night (in this process, or in one that takes it up) -> Over, report, notification

Nobody is asked anything. Where it stands is read from its lines and from the tasks' own records, so it may be killed anywhere;
one process works on a night at a time. Starting, approving, training and opening are the work of the same parts as by day.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, get_args

from filelock import FileLock, Timeout

from agent.context import Left
from agent.events import Emit
from agent.overnight.begin import require_own
from agent.overnight.budget import Meter
from agent.overnight.candidates import Looked, Next, look_at_all, next_of
from agent.overnight.commands import command_like
from agent.overnight.context import STOP, Night, Tell, unlimited
from agent.overnight.ended import cancel_runs
from agent.overnight.finish import finish
from agent.overnight.further_seeds import finish_begun, stop_begun, train_last, train_seed
from agent.overnight.last_seeds import Held
from agent.overnight.records import (
    LOCK,
    Chosen,
    NightRecord,
    Over,
    StopReason,
    TakenUp,
)
from agent.overnight.rules import NightRules
from agent.overnight.trial import break_off, carry_out, has_begun, is_trained
from agent.overnight.watchman import keep_seal, keep_start, kept_seal
from tools.errors import Busy, IterateError
from tools.files import now, write_atomic
from tools.text import Speaker, T, Text, visible
from tools.versioning.records import training_of

if TYPE_CHECKING:  # a night without a model needs nothing of its client
    from agent.model.client import ChatModel
    from agent.model.prices import Affordable

CLOSING = "closing"
"""File in the folder of a night: why it ends; from then on nothing new is tried."""
MOST_CRASHES = 2
"""Trials of a task that may crash one after another before it is paused."""
_PATIENCE_SECONDS = 2.0
"""For the lock of a night: viewers hold it for microseconds while they look."""


def run_night(  # noqa: PLR0913 - who watches, speaks, stops and pays are different parts of a program
    record: NightRecord,
    *,
    model: ChatModel | None,
    watch: Emit,
    say: Speaker,
    stop: Callable[[], bool],
    tell: Tell = lambda line: None,
    afford: Callable[[ChatModel], Affordable] = unlimited,
) -> StopReason:
    """Run a night to its end, or take it up; returns why it is over.

    "stopped" without an Over line: `stop` said that this process should leave, and the night can be taken up. Raises Busy when
    another process works on it, InputError for a copy of a night that was begun elsewhere.
    """
    plan = record.plan()
    with _night_lock(record):
        over = over_reason(record)
        if over is not None:
            return over
        require_own(record)
        meter = Meter(record)
        night = Night(
            record=record,
            plan=plan,
            rules=NightRules.model_validate(plan.rules),
            meter=meter,
            watch=watch,
            say=say,
            stop=stop,
            tell=tell,
            model=model.metered(meter) if model is not None else None,
            afford=afford,
        )
        try:
            return _run(night)
        except Left:
            return _left(night)


def over_reason(record: NightRecord) -> StopReason | None:
    """Why a night is over; None while it is not."""
    return next((line.reason for line in reversed(record.lines()) if isinstance(line, Over)), None)


def ask_to_stop(record: NightRecord) -> None:
    """Have the night end, by whichever process works on it or takes it up next."""
    write_atomic(record.folder / STOP, now() + "\n")


def _run(night: Night) -> StopReason:
    if night.record.lines() or (night.folder / "seals").is_dir():
        taken = sum(isinstance(line, TakenUp) for line in night.record.lines())
        night.add(TakenUp, f"taken_up:{taken + 1}", pid=os.getpid(), host=socket.gethostname())
    _watch_tasks(night)
    reason = _closing(night)
    while reason is None:
        night.stay_or_leave()
        reason = _step(night)
    return _end(night, reason)


def _left(night: Night) -> StopReason:
    """End the night where a person or its time ended it in the middle of something; leave it to be taken up otherwise."""
    reason: StopReason | None = "stopped" if night.stop_wanted() else _closing(night)
    if reason is not None and (night.stop_wanted() or not night.stop()):
        with suppress(Left):
            return _end(night, reason)
    night.spend()
    return "stopped"


def _step(night: Night) -> StopReason | None:
    """One step of the loop: go on with the open trial, or choose the next; a reason when the night is over."""
    night.count_runs()
    _pause_after_crashes(night)
    if finish_begun(night):
        return None
    chosen, reason = night.standing().open, night.exhausted()
    if chosen is not None and reason in {"until", "hours"} and not has_begun(night, chosen):
        break_off(night, chosen, T("The time of the night was over before it began."))
        return reason
    if chosen is None:
        if reason is not None:
            return reason
        found = look_at_all(night)
        following = next_of(night, found)
        if following is None:
            return None if train_last(night) else _nothing_left(night, found)
        if _wants_seeds(night, following):
            looked, minutes = following.looked, following.minutes / night.rules.seeds
            begun = Held(looked.task.path, looked.base, max(looked.base_seeds) + 1, 1, minutes)
            train_seed(night, begun, f"measured:{looked.task.name}")
            return None
        chosen = _choose(night, following)
    carry_out(night, chosen)
    night.spend()
    return None


def _nothing_left(night: Night, found: Sequence[Looked]) -> StopReason:
    """Why nothing can be chosen: no task is left, no limit has room for what there is, or nothing is worth it."""
    if set(night.tasks) <= night.standing().paused:
        return "all_paused"
    costs = [one.cost for looked in found for one in looked.allowed]
    left = night.runs_left()
    if costs and left is not None and all(max(1, cost.trainings) > left for cost in costs):
        return "runs"
    fits = [cost for cost in costs if cost.minutes <= night.minutes_left()]
    if costs and not fits:
        return "until" if night.plan.limits.until is not None else "hours"
    return "nothing_worth_it"


def _choose(night: Night, following: Next) -> Chosen:
    trial = night.standing().next_trial
    night.add(
        Chosen,
        f"chosen:{trial}",
        trial=trial,
        task=following.looked.task.name,
        base=following.looked.base,
        proposal=following.proposal,
        expected=following.expected,
        spread=following.spread,
        minutes=round(following.minutes, 1),
        candidates=following.candidates,
        elsewhere=following.elsewhere,
    )
    chosen = night.standing().open
    assert chosen is not None
    return chosen


def _wants_seeds(night: Night, following: Next) -> bool:
    """True when the version to start from was trained with one seed only, and there is room to tell its luck from gain.

    Two seeds are the least from which chance can be read (trust rule 3); a version of another program cannot get another.
    """
    looked, left = following.looked, night.runs_left()
    return (
        bool(looked.base)
        and len(looked.base_seeds) == 1
        and night.rules.seeds > 1
        and (left is None or left > MOST_CRASHES)
        and night.has_room(2 * following.minutes / night.rules.seeds)
        and bool(training_of(looked.task.path, looked.base))
        and not night.standing().measured(looked.task.name)
    )


def _pause_after_crashes(night: Night) -> None:
    """Before anything is chosen, not after a trial: a night that was killed behind the crash pauses the task as well."""
    standing = night.standing()
    for task in night.tasks:
        if task not in standing.paused and standing.crashes_in_a_row(task) >= MOST_CRASHES:
            reason = T("{count} trials in a row crashed, so nothing more was tried here.", count=MOST_CRASHES)
            night.pause(task, reason, "status")


def _watch_tasks(night: Night) -> None:
    """Write down how the tasks stand, before anything is done to them; a task that cannot be read is paused."""
    for name, path in night.tasks.items():
        if kept_seal(night.folder, name) is None:
            try:
                keep_start(night.folder, path)
                keep_seal(night.folder, path)
            except (IterateError, OSError) as error:
                night.pause(name, _said(error), "status")


def _said(error: IterateError | OSError) -> Text:
    return error.message if isinstance(error, IterateError) else T("{reason}", reason=visible(str(error), 300))


def _closing(night: Night) -> StopReason | None:
    """Why the night ends, once that was decided."""
    try:
        word = (night.folder / CLOSING).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        cut = night.standing().cut
        return cut.ends if cut is not None else None
    return next((reason for reason in get_args(StopReason) if reason == word), "failed")


def _end(night: Night, reason: StopReason) -> StopReason:
    """Claim, restore, say why it is over, report and notify; whatever was cut off of it is done when it is taken up."""
    reason = _closing(night) or reason
    write_atomic(night.folder / CLOSING, reason + "\n")
    night.ending = True
    stop_begun(night)
    chosen = night.standing().open
    if chosen is not None:
        _end_trial(night, chosen)
    finish(night, reason)
    night.spend()
    night.add(Over, "over", reason=reason, message=END_MESSAGES[reason])
    return reason


def _end_trial(night: Night, chosen: Chosen) -> None:
    """End a trial with the night: one that was cut in a further seed is decided by those it has, any other is broken off."""
    cut = night.standing().cut
    if cut is None or night.stop_wanted():
        break_off(night, chosen, T("You ended the night while it was tried."))
    elif is_trained(night, chosen):
        cancel_runs(night.tasks[chosen.task])
        carry_out(night, chosen)
    else:
        break_off(night, chosen, cut.message)


END_MESSAGES: dict[StopReason, Text] = {
    "until": T("The time that was set has come."),
    "hours": T("The hours that were allowed are used."),
    "runs": T("The trainings that were allowed are used."),
    "cost": T("The money that was allowed is spent."),
    "nothing_worth_it": T("Nothing that is allowed and was not tried is worth its cost."),
    "all_paused": T("No task is left that the night may work on."),
    "stopped": T("A person ended it."),
    "failed": T("It could not go on."),
}


@contextmanager
def _night_lock(record: NightRecord) -> Iterator[None]:
    """Hold the night; raises Busy when another process does."""
    lock = FileLock(record.folder / LOCK, timeout=_PATIENCE_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(
            T("Another process is working on night {id}.", id=record.id),
            hint=T("Watch it: {command}", command=command_like(record.plan().command, "report", record.id)),
            page="methods/overnight",
        ) from None
    try:
        yield
    finally:
        lock.release()
