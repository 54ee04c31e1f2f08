"""The lines of a night as sentences, for the terminal and the log: what was tried and why, what came of it, what waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.faces.views.words import minutes, points
from agent.overnight.records import (
    Chosen,
    Guarded,
    Measured,
    NightAdopted,
    NightLine,
    NightPlan,
    Over,
    QuickChecked,
    Spent,
    TakenUp,
    TaskPaused,
    TestOpenedOnce,
    Tried,
    Waiting,
)
from agent.overnight.reporting.words import OUTCOMES
from agent.overnight.rules import flat_rules
from tools.comparing.words import verdict_name
from tools.text import Speaker, T, Text, visible


def line_text(line: NightLine, say: Speaker) -> Text:
    """A line in one sentence, or a few."""
    return _TEXTS[line.type](line, say)


def _quick(line: QuickChecked, say: Speaker) -> Text:
    if line.goes_on:
        return T("Quick check of trial {trial}: {reason} It goes on.", trial=line.trial, reason=line.reason)
    return T("Quick check of trial {trial}: {reason} A dead end.", trial=line.trial, reason=line.reason)


def _opened(line: TestOpenedOnce, say: Speaker) -> Text:
    return T(
        "The locked test was opened once for {version} of {task}. Verdict: {verdict}.",
        version=line.version,
        task=visible(line.task, 60),
        verdict=verdict_name(line.verdict),
    )


def _measured(line: Measured, say: Speaker) -> Text:
    return T(
        "{version} of {task} was trained once more (seeds {seeds}), so that luck can be told from gain.",
        version=line.version,
        task=visible(line.task, 60),
        seeds=", ".join(map(str, line.seeds)),
    )


def _guarded(line: Guarded, say: Speaker) -> Text:
    return T("Guard: {message}", message=line.message)


def _paused(line: TaskPaused, say: Speaker) -> Text:
    return T("{task} is left alone from now on: {reason}", task=visible(line.task, 60), reason=line.reason)


def _adopted(line: NightAdopted, say: Speaker) -> Text:
    return T("{version} of {task} is now in use.", version=line.version, task=visible(line.task, 60))


def _taken_up(line: TakenUp, say: Speaker) -> Text:
    return T("The night is taken up by process {pid} on {host}.", pid=line.pid, host=visible(line.host, 60))


def _spent(line: Spent, say: Speaker) -> Text:
    return T("Used so far: {time}, {runs} training(s).", time=minutes(line.minutes, say), runs=line.runs)


def _over(line: Over, say: Speaker) -> Text:
    return T("The night is over. {message}", message=line.message)


def _chosen(line: Chosen, say: Speaker) -> Text:
    parts: dict[str, str | int | Text] = {
        "trial": line.trial,
        "task": visible(line.task, 60),
        "title": line.proposal.title,
        "time": minutes(line.minutes, say),
    }
    if not line.base:
        return T("Trial {trial}, {task}: {title}. It has no version yet. About {time}.", **parts)
    return T(
        "Trial {trial}, {task} from {base}: {title}. Expected {expected} points, give or take {spread}; at most about {time} "
        "with all seeds. Chosen among {count}.",
        **parts,
        base=line.base,
        expected=points(line.expected),
        spread=f"{100 * line.spread:.1f}",
        count=line.candidates,
    )


def _tried(line: Tried, say: Speaker) -> Text:
    outcome = OUTCOMES[line.outcome]
    if line.version is None:
        return T("Trial {trial} ended: {outcome}. {reason}", trial=line.trial, outcome=outcome, reason=line.reason)
    return T(
        "Trial {trial} ended: {version} {outcome}. {reason}",
        trial=line.trial,
        version=line.version,
        outcome=outcome,
        reason=line.reason,
    )


def _waiting(line: Waiting, say: Speaker) -> Text:
    parts: dict[str, str | Text] = {"task": visible(line.task, 60), "reason": line.reason, "command": line.command}
    if line.proposal is not None:
        return T("Waits for you, {task}: {what}. {reason} ({command})", what=line.proposal.title, **parts)
    if line.version is not None:
        return T(
            "Waits for you: whether {version} of {task} is adopted. {reason} ({command})", version=line.version, **parts
        )
    return T("Waits for you, {task}: {reason} ({command})", **parts)


_TEXTS: dict[str, Callable[[Any, Speaker], Text]] = {
    "chosen": _chosen,
    "quick_checked": _quick,
    "measured": _measured,
    "tried": _tried,
    "waiting": _waiting,
    "guarded": _guarded,
    "task_paused": _paused,
    "spent": _spent,
    "test_opened": _opened,
    "adopted": _adopted,
    "taken_up": _taken_up,
    "over": _over,
}


def clock_of(at: str) -> str:
    """Time of day here, of an instant of a record."""
    return datetime.fromisoformat(at).astimezone().strftime("%H:%M")


def plan_texts(plan: NightPlan) -> list[Text]:
    """What a night was told to do, before it begins; the rules of a file as they were read, since its name says none."""
    names = ", ".join(visible(Path(path).name, 60) for path in plan.tasks)
    source = visible(str(plan.rules.get("source", "")), 200)
    read = [] if source.startswith("--allow") else [one for one in flat_rules(plan.rules) if one[0] != "source"]
    return [
        T("Night {id} on {tasks}.", id=plan.id, tasks=names),
        T("Allowed: {source}. Everything else waits for you; nothing is asked meanwhile.", source=source),
        *(T("{rule}: {value}", rule=visible(key, 80), value=visible(value, 200)) for key, value in read),
    ]
