"""The words of a morning report: numbers with their units, and names for what a night's record writes in one word.

Foreign text (titles, reasons, names) passes through `plain` or `clean` before it stands in a report.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from agent.overnight.records import StopReason
from agent.overnight.reporting.shapes import Estimate, Outcome
from tools.text import Speaker, T, Text, visible

LONGEST = 320
"""Characters of a foreign text inside a table or a sentence."""

OUTCOMES: dict[Outcome, Text] = {
    "kept": T("kept"),
    "discarded": T("discarded"),
    "dead_end": T("dead end"),
    "crashed": T("crashed"),
    "interrupted": T("interrupted"),
    "under_way": T("not finished"),
}
STOPS: dict[StopReason, Text] = {
    "until": T("its time was up"),
    "hours": T("its hours of work were used up"),
    "runs": T("its number of trainings was used up"),
    "cost": T("its money for tokens was used up"),
    "nothing_worth_it": T("nothing that was left promised to be worth its cost"),
    "all_paused": T("every task was paused"),
    "stopped": T("a person stopped it"),
    "failed": T("it failed"),
}
GUARDS: dict[str, Text] = {
    "leak": T("leak"),
    "protected_slice": T("protected slice"),
    "evaluator": T("evaluator lock"),
    "hand_edit": T("edit by hand"),
    "policy": T("rules of the night"),
    "endpoint": T("language model's server"),
    "disk": T("disk"),
    "memory": T("memory"),
    "nan_loss": T("loss is not a number"),
    "clock": T("clock"),
    "kill": T("killed process"),
    "time": T("time of the night"),
}
WAITS: dict[str, Text] = {
    "proposal": T("proposal"),
    "adoption": T("adoption"),
    "paused_task": T("paused task"),
    "offer": T("offer"),
}


def clean(text: Text | str, say: Speaker, limit: int = 1_200) -> str:
    """A Text or a foreign string on one line, nothing in it able to move a cursor; one that cannot be filled in as it is."""
    if isinstance(text, str):
        return plain(text, limit)
    try:
        said = say(text)
    except (KeyError, ValueError, IndexError, AttributeError, TypeError):  # not our sentence: its braces mean nothing
        said = text.msgid
    return plain(said, limit)


def plain(raw: str, limit: int = LONGEST) -> str:
    """Foreign text on one line, control characters made visible."""
    return " ".join(visible(raw, limit).split())


def paragraph(sentences: Iterable[Text], say: Speaker) -> str:
    """Sentences one after the other; Chinese ones follow each other without a space."""
    told = ""
    for sentence in sentences:
        said = clean(sentence, say)
        told += ("" if not told or told.endswith(("。", "：", "！", "；")) else " ") + said
    return told


def points(value: float) -> str:
    """A difference of fractions as signed points: 0.05 as "+5.0"."""
    scaled = round(value * 100, 1) + 0.0
    return f"{scaled:+.1f}" if abs(scaled) < 1e6 else f"{scaled:+.3g}"


def percent(value: float | None) -> str:
    """0.724 as "72.4%"; a dash for what is not known."""
    if value is None:
        return "-"
    return f"{value:.1%}" if abs(value) < 1e6 else f"{value:.3g}"


def number(value: float, digits: int = 0) -> str:
    """A plain number."""
    return f"{value:.{digits}f}" if abs(value) < 1e9 else f"{value:.3g}"


def interval(low: float | None, high: float | None) -> Text | str:
    """Two ends of an interval in points."""
    return "-" if low is None or high is None else T("{low} to {high}", low=points(low), high=points(high))


def in_points(found: Estimate | None) -> str:
    """The middle of an estimate."""
    return "-" if found is None else points(found.value)


def duration(minutes: float) -> Text:
    """Minutes as people say them."""
    if minutes < 1:
        return T("{count} s", count=round(max(0.0, minutes) * 60))
    if minutes < 90:
        return T("{count} min", count=round(minutes))
    return T("{count:.1f} h", count=minutes / 60)


def moment(at: str) -> str:
    """An instant of the record in the time of this machine, with its zone; foreign text stays visible as it is."""
    found = local(at)
    if found is None:
        return plain(at, 40)
    hours, minutes = divmod(round((found.utcoffset() or timedelta()).total_seconds() / 60), 60)
    zone = "UTC" + (f"{hours:+d}" if hours or minutes else "") + (f":{minutes:02d}" if minutes else "")
    return f"{found:%Y-%m-%d %H:%M} {zone}"


def clock(at: str) -> str:
    """The same without the day."""
    found = local(at)
    return plain(at, 40) if found is None else f"{found:%H:%M}"


def local(at: str) -> datetime | None:
    """The instant in the time zone of this machine; None when it is none."""
    try:
        return datetime.fromisoformat(at).astimezone()
    except (ValueError, OverflowError, OSError):
        return None
