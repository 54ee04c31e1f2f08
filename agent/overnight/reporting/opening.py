"""The first paragraph of a morning report: how the night ended and why, what was gained, what the locked test says of it.

What was not adopted, not significant or not opened is said as plainly as a gain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.overnight.reporting.shapes import Estimate, NightFacts, OpenedFacts, TaskFacts
from agent.overnight.reporting.words import STOPS, duration, moment, plain, points
from tools.comparing.words import metric_name, p_value
from tools.text import T, Text, visible

MOST_TASKS = 6
"""Tasks that get a sentence of their own."""


def opening(facts: NightFacts) -> list[Text]:
    """The sentences of the paragraph."""
    return [*_ending(facts), *_gains(facts), *_adopted(facts), *_open(facts)]


def _ending(facts: NightFacts) -> Iterator[Text]:
    night, tasks = plain(facts.id, 60), _names(facts.tasks)
    if facts.state == "running":
        yield T(
            "The night {night} on {tasks} is still running: this is what is known at {at}, and nothing of it is final.",
            night=night,
            tasks=tasks,
            at=moment(facts.newest_at),
        )
    elif facts.state == "cut_off":
        yield T(
            "The night {night} on {tasks} was cut off: the process that ran it is gone, and its last line is of {at}.",
            night=night,
            tasks=tasks,
            at=moment(facts.newest_at),
        )
        yield T("Take it up with `{command}`.", command=visible(facts.resume, 400))
    else:
        why = STOPS[facts.reason] if facts.reason else T("it is over")
        yield T(
            "The night {night} on {tasks} ended at {at} because {why}.",
            night=night,
            tasks=tasks,
            at=moment(facts.newest_at),
            why=why,
        )
    for one in facts.guards:
        if one.guard == "time":
            yield T("A training on {task} was cut off: {reason}", task=plain(one.task or "-", 60), reason=one.message)
    yield _counted(facts)


def _counted(facts: NightFacts) -> Text:
    tried = [one for one in facts.trials if not one.is_baseline]
    if not tried:
        return T("No change was tried.")
    used = facts.budget.used
    count = {name: sum(one.outcome == name for one in tried) for name in ("kept", "discarded", "dead_end")}
    failed = sum(one.outcome in {"crashed", "interrupted"} for one in tried)
    return T(
        "Changes tried in {time}: {tried} ({kept} kept, {discarded} discarded, {dead} dead ends, {failed} crashed or "
        "interrupted).",
        time=duration(used.minutes or sum(one.minutes for one in tried)),
        tried=len(tried),
        kept=count["kept"],
        discarded=count["discarded"],
        dead=count["dead_end"],
        failed=failed,
    )


def _gains(facts: NightFacts) -> Iterator[Text]:
    for one in [one for one in facts.tasks if one.baseline is not None][:MOST_TASKS]:
        told = T(
            "{version} is the first version of {task}, trained this night: later ones are measured against it.",
            version=plain(one.baseline or "", 40),
            task=plain(one.name, 60),
        )
        yield told
    telling = [one for one in facts.tasks if one.kept or one.opened]
    for one in telling[:MOST_TASKS]:
        yield from task_gain(one)
    if len(telling) > MOST_TASKS:
        yield T("What became of {count} more tasks is below.", count=len(telling) - MOST_TASKS)
    unchanged = [
        one for one in facts.tasks if one.tried > int(one.baseline is not None) and not one.kept and not one.opened
    ]
    if unchanged:
        yield T("Nothing that was tried on {tasks} was kept.", tasks=_names(unchanged))
    untouched = [one for one in facts.tasks if not one.tried]
    if untouched and facts.trials:
        yield T("Nothing was tried on {tasks}.", tasks=_names(untouched))
    for one in [one for one in facts.tasks if one.paused is not None][:MOST_TASKS]:
        yield T("{task} was paused: {reason}", task=plain(one.name, 60), reason=one.paused)


def task_gain(one: TaskFacts) -> Iterator[Text]:
    """What valid and the locked test say of a task's best version."""
    if one.kept and one.gain is not None:
        yield T(
            "On {task}, {best} scores {gain} points of {metric} against {start} on valid (mean over {seeds} seed(s), "
            "{interval}): {meaning}.",
            task=plain(one.name, 60),
            best=plain(one.best, 40),
            start=plain(one.start, 40),
            gain=points(one.gain.value),
            metric=metric_name(one.metric),
            seeds=max(1, one.seeds),
            interval=_interval(one.gain),
            meaning=_meaning(one.gain),
        )
    elif one.kept:
        yield T("On {task}, {best} was kept.", task=plain(one.name, 60), best=plain(one.best, 40))
    if one.opened is not None:
        yield _test_says(one.opened)
    elif one.kept:
        yield T("The locked test set was not opened for it, so no gain is claimed.")


def _interval(found: Estimate) -> Text:
    if found.low is None or found.high is None:
        return T("interval unknown")
    return T("95 percent interval {low} to {high}", low=points(found.low), high=points(found.high))


def _meaning(found: Estimate) -> Text:
    if found.direction is None:
        return T("whether it is more than chance is unknown")
    if found.direction == 0:
        return T("not significant, the interval holds zero")
    return T("the interval lies above zero") if found.direction > 0 else T("the interval lies below zero")


_CLAIMS: dict[str, Text] = {
    "better": T("better: this gain may be claimed"),
    "worse": T("worse: do not adopt it for this"),
    "undecided": T("undecided: no gain is shown"),
    "not_comparable": T("not comparable: no gain is shown"),
}


def _test_says(opened: OpenedFacts) -> Text:
    if opened.test is None:
        return T(
            "The locked test set was opened for {version}: {claim}.",
            version=plain(opened.version, 40),
            claim=_CLAIMS[opened.verdict],
        )
    p = opened.p_corrected if opened.p_corrected is not None else opened.test.p
    return T(
        "The locked test set, opened once for {version} against {base}, says {difference} points ({interval}{p}): {claim}.",
        version=plain(opened.version, 40),
        base=plain(opened.base, 40),
        difference=points(opened.test.value),
        interval=_interval(opened.test),
        p=", " + p_value(p) if p is not None else "",
        claim=_CLAIMS[opened.verdict],
    )


def _adopted(facts: NightFacts) -> Iterator[Text]:
    adopted = [one for one in facts.tasks if one.adopted is not None]
    for one in adopted[:MOST_TASKS]:
        named = {"version": plain(one.adopted or "", 40), "task": plain(one.name, 60)}
        if not one.replaced:
            yield T("{version} of {task} was adopted, the first in use, as the rules of the night allow.", **named)
            continue
        yield T(
            "{version} of {task} was adopted in place of {before}, as the rules of the night allow.",
            before=plain(one.replaced, 40),
            **named,
        )
    since = [one for one in facts.waiting if one.what == "adoption" and one.settled]
    if since:
        names = ", ".join(f"{plain(one.version or '-', 40)} ({plain(one.task, 60)})" for one in since[:MOST_TASKS])
        yield T("Adopted since the night, not by it: {versions}.", versions=names)
    elif not adopted:
        yield T("Nothing was adopted: the versions in use are those from before the night.")


def _open(facts: NightFacts) -> Iterator[Text]:
    if facts.guards:
        yield T("Guards that fired: {count}.", count=len(facts.guards))
    if facts.decisions:
        yield T("Decisions that wait for you: {count}.", count=len(facts.decisions))
    else:
        yield T("No decision waits for you.")


def _names(tasks: Sequence[TaskFacts]) -> str:
    names = [plain(one.name, 60) for one in tasks]
    shown = ", ".join(names[:MOST_TASKS])
    return f"{shown}, … ({len(names)})" if len(names) > MOST_TASKS else shown or "-"
