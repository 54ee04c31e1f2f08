"""What a night has used and may still use: time by a clock that does not jump, trainings, tokens and dollars.

The wall clock matters for `until` alone. Nothing here stops anything: the loop asks between its steps, and while it waits for
a training (agent/overnight/overtime.py).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from threading import Lock

from agent.overnight.records import BudgetLimits, Guarded, NightRecord, Spent, StopReason
from tools.errors import InputError, Problem, WriteFailed
from tools.files import now as now_text
from tools.generating.prices import FREE
from tools.generating.writer import Price
from tools.text import T, Text, visible

KEEP_SECONDS = 300.0
"""How much work a kill may take out of the count while a training runs."""
JUMP_SECONDS = 120.0
"""Two clocks that drift apart by more than this between two looks were not merely corrected."""
_DAY_TIME = re.compile(r"(\d{1,2}):(\d{2})")
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(h|hours?|m|min|minutes?)?", re.I)
_LONGEST_HOURS = 24 * 7.0
_PAGE = "methods/overnight"


class Meter:
    """Counts what a night takes, from where the process before left off; may be used from several threads."""

    def __init__(
        self,
        record: NightRecord,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """The record has its plan already."""
        self._dollars = record.plan().limits.dollars
        written = [line for line in record.lines() if isinstance(line, Spent)]
        self._before = written[-1] if written else None
        self._written = len(written)
        self._record, self._clock, self._wall = record, clock, wall
        self.price: Price | None = None
        """Of the endpoint's tokens; without one they cost nothing."""
        self._lock = Lock()
        self._runs = list(self._before.run_ids) if self._before is not None else []
        self._tokens = [0, 0]
        self._estimated = False
        self._started = self._clock_seen = self._kept = clock()
        self._wall_seen = wall()
        self._jumps = sum(isinstance(line, Guarded) and line.guard == "clock" for line in record.lines())

    def ran(self, *run_ids: str) -> None:
        """Count trainings by the names of their runs; one that was counted before, in any process, is not counted again.

        Called with every word of a training, it writes down now and then what was used, for the process after a kill.
        """
        with self._lock:
            self._runs += [one for one in dict.fromkeys(run_ids) if one not in self._runs]
        if self._clock() - self._kept >= KEEP_SECONDS:
            self._kept = self._clock()
            with suppress(WriteFailed):  # a full disk must not end the training that is told of here
                self.write()

    def refuses(self) -> Text | None:
        """Why the language model may not be asked any more tonight; None while it may."""
        if self._dollars is None or self.price is None or self.price == FREE or self.spent().dollars < self._dollars:
            return None
        return T("The {dollars:.2f} US dollars for the language model are used up.", dollars=self._dollars)

    def used(self, prompt_tokens: int, completion_tokens: int, *, estimated: bool = False) -> None:
        """Count the tokens of one answer of the endpoint, on disk at once: money that is spent survives a kill."""
        with self._lock:
            self._tokens = [self._tokens[0] + prompt_tokens, self._tokens[1] + completion_tokens]
            self._estimated = self._estimated or estimated
        self.write()

    def spent(self) -> Spent:
        """Everything used up to now, all processes of the night together."""
        before = self._before
        with self._lock:
            prompt, completion = self._tokens
            dollars = self.price.of(prompt, completion) if self.price is not None else 0.0
            return Spent(
                at=now_text(),
                key=f"spent:{self._written + 1}",
                minutes=(before.minutes if before else 0.0) + (self._clock() - self._started) / 60,
                runs=len(self._runs),
                run_ids=list(self._runs),
                dollars=(before.dollars if before else 0.0) + dollars,
                prompt_tokens=(before.prompt_tokens if before else 0) + prompt,
                completion_tokens=(before.completion_tokens if before else 0) + completion,
                estimated=self._estimated or (before.estimated if before else False),
            )

    def write(self) -> Spent:
        """Append what was used to the night's record, so that the process after this one goes on from there."""
        spent = self.spent()
        self._record.add(spent)
        self._written += 1
        return spent

    def jump(self) -> Guarded | None:
        """A line about the wall clock having been set, or the machine having slept, since the last look; None without."""
        clock, wall = self._clock(), self._wall()
        drift = (wall - self._wall_seen) - (clock - self._clock_seen)
        self._clock_seen, self._wall_seen = clock, wall
        if abs(drift) < JUMP_SECONDS:
            return None
        self._jumps += 1
        return Guarded(
            at=now_text(), key=f"clock:{self._jumps}", task=None, guard="clock", message=_jump_message(drift / 60)
        )


def _jump_message(minutes: float) -> Text:
    if minutes > 0:
        return T(
            "The clock went {minutes:.0f} min ahead: it was set, or the machine slept. Hours of work are counted without it.",
            minutes=minutes,
        )
    return T(
        "The clock was set back by {minutes:.0f} min. Hours of work are counted without it; the time of day to stop is kept.",
        minutes=-minutes,
    )


def exhausted(limits: BudgetLimits, spent: Spent, now: datetime) -> StopReason | None:
    """The limit that is reached; None while there is some left of everything."""
    if limits.until is not None and now >= datetime.fromisoformat(limits.until):
        return "until"
    if limits.hours is not None and spent.minutes >= limits.hours * 60:
        return "hours"
    if limits.runs is not None and spent.runs >= limits.runs:
        return "runs"
    if limits.dollars and spent.dollars >= limits.dollars:  # with 0 nothing that costs is asked, and the rules go on
        return "cost"
    return None


def overdue(limits: BudgetLimits, spent: Spent, now: datetime, grace: float) -> StopReason | None:
    """The limit of time that was passed more than so many minutes ago; None while there is none."""
    if limits.until is not None and now - datetime.fromisoformat(limits.until) > timedelta(minutes=grace):
        return "until"
    if limits.hours is not None and spent.minutes - limits.hours * 60 > grace:
        return "hours"
    return None


def minutes_left(limits: BudgetLimits, spent: Spent, now: datetime) -> float:
    """Minutes until the night has to be over, never below 0; endless without a limit of time."""
    left = [math.inf]
    if limits.until is not None:
        left.append((datetime.fromisoformat(limits.until) - now).total_seconds() / 60)
    if limits.hours is not None:
        left.append(limits.hours * 60 - spent.minutes)
    return max(0.0, min(left))


def runs_left(limits: BudgetLimits, spent: Spent) -> int | None:
    """Trainings that may still be started; None without a limit."""
    return None if limits.runs is None else max(0, limits.runs - spent.runs)


def until_instant(text: str, now: datetime | None = None) -> str:
    """The next moment at which a clock here shows such a time of day, as ISO UTC; raises InputError.

    The zone is that of `now`, else the machine's. A time that daylight saving skips is the one after it.
    """
    match = _DAY_TIME.fullmatch(text.strip())
    hour, minute = (int(part) for part in match.groups()) if match else (-1, -1)
    if not (0 <= hour <= 23 and 0 <= minute <= 59):
        raise InputError(
            T("{value} is not a time of day.", value=visible(text, 40) or "-"),
            hint=T("Give hours and minutes, such as --until 07:00; for a length of time there is --max-hours 8"),
            page=_PAGE,
        )
    zone: tzinfo | None = now.tzinfo if now is not None else None
    here = now.replace(tzinfo=None) if now is not None else datetime.now()
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    days = [here.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=day) for day in (0, 1)]
    return min(one for day in days for one in _moments(day, zone) if one > moment).isoformat(timespec="seconds")


def _moments(local: datetime, zone: tzinfo | None) -> list[datetime]:
    """When a clock shows that time: once, or twice in the night in which daylight saving ends."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    shown = second.astimezone(zone).replace(tzinfo=None)
    return [first, second] if shown == local else [first]


def hours_of(text: str) -> float:
    """Hours in "8", "8h", "1.5h" or "90m"; raises InputError."""
    match = _DURATION.fullmatch(text.strip())
    hours = float(match[1]) / (60 if (match[2] or "h").lower().startswith("m") else 1) if match else 0.0
    if not 0 < hours <= _LONGEST_HOURS:
        raise InputError(
            T("{value} is not a length of time that a night can have.", value=visible(text, 40) or "-"),
            hint=T("Give hours or minutes up to {most:.0f} hours, such as 8h or 90m.", most=_LONGEST_HOURS),
            page=_PAGE,
        )
    return hours


def limits_of(
    *,
    until: str | None = None,
    max_hours: str | None = None,
    max_runs: int | None = None,
    max_cost: float | None = None,
    now: datetime | None = None,
) -> BudgetLimits:
    """The limits that flags name; raises InputError with all that is wrong with them, or when no time is limited."""
    found: dict[str, str | float] = {}
    problems: list[Problem] = []
    for name, text, read in (("until", until, lambda one: until_instant(one, now)), ("hours", max_hours, hours_of)):
        if text is not None:
            try:
                found[name] = read(text)
            except InputError as wrong:
                problems.append(Problem(message=wrong.message, value=visible(text, 40), hint=wrong.hint))
    problems += _below_one(max_runs, max_cost)
    if until is None and max_hours is None:
        said = T("A night without an end was asked for; give a time of day or a length of time.")
        problems.append(Problem(message=said, hint=T("Such as --until 07:00 or --max-hours 8")))
    if problems:
        raise InputError(T("The budget of the night cannot be kept like this; nothing was started."), problems=problems)
    return BudgetLimits(runs=max_runs, dollars=max_cost, **found)


def _below_one(max_runs: int | None, max_cost: float | None) -> Sequence[Problem]:
    problems = []
    if max_runs is not None and max_runs < 1:
        said = T("--max-runs {value}: a night needs at least one training.", value=max_runs)
        problems.append(Problem(message=said, value=max_runs))
    if max_cost is not None and not (max_cost >= 0 and math.isfinite(max_cost)):
        said = T("--max-cost {value}: give US dollars, 0 or more.", value=str(max_cost))
        problems.append(Problem(message=said, value=str(max_cost)))
    return problems


def limit_texts(limits: BudgetLimits, now: datetime) -> list[Text]:
    """What the night may use, to be said before it starts: the date of its end in local time, and every limit."""
    said = []
    if limits.until is not None:
        end = datetime.fromisoformat(limits.until)
        local = end.astimezone(now.tzinfo)
        hours, minutes = divmod(round((end - now).total_seconds() / 60), 60)
        said.append(
            T(
                "Until {date} {time} ({zone}), in {hours} h {minutes} min.",
                date=local.strftime("%Y-%m-%d"),
                time=local.strftime("%H:%M"),
                zone=local.tzname() or "UTC",
                hours=hours,
                minutes=minutes,
            )
        )
    if limits.hours is not None:
        said.append(T("At most {hours:g} hours of work.", hours=round(limits.hours, 2)))
    if limits.runs is not None:
        said.append(T("At most {count} trainings, quick checks and further seeds included.", count=limits.runs))
    if limits.dollars is not None:
        said.append(T("At most {dollars:.2f} US dollars for the language model.", dollars=limits.dollars))
    return said
