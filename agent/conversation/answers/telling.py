"""What the answers share: the task they are about, blocks, and small numbers in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from agent.conversation.said import Grid, Items, PageLink, Para, Said, Tell
from agent.conversation.situation import Situation
from agent.conversation.understand import Understood
from agent.library import Library
from tools.change import Effect
from tools.comparing.words import metric_name
from tools.errors import InputError
from tools.finding import Severity
from tools.text import T, Text, visible

SOURCES: dict[str, Text] = {
    "measured": T("measured on this task"),
    "learned": T("learned from earlier iterations"),
    "prior": T("rule of thumb"),
}
SEVERITIES = {Severity.error: T("ERROR"), Severity.warning: T("WARNING"), Severity.info: T("note")}
SHOWN_CHARACTERS = 300
"""Of each field of a row that is shown as evidence."""


class TaskWanted(InputError):
    """An answer needs a task and none is under discussion."""


def task_of(understood: Understood, situation: Situation) -> Path:
    """The task that the sentence names, else the one under discussion, else the only one; raises TaskWanted."""
    named = understood.args.get("task")
    if isinstance(named, str):
        return situation.workspace.task_path(named)
    if situation.task is not None:
        return situation.task
    names = situation.workspace.task_names()
    if len(names) == 1:
        return situation.workspace.task_path(names[0])
    raise TaskWanted(
        T("Which task? None is under discussion yet."),
        hint=T("Name one of them: {tasks}.", tasks=", ".join(visible(name, 60) for name in names) or "-"),
    )


def para(tell: Tell, text: Text) -> None:
    """Say a paragraph."""
    tell(Said(block=Para(text=text)))


def items(tell: Tell, texts: Iterable[Text]) -> None:
    """Say a list, unless it is empty."""
    listed = list(texts)
    if listed:
        tell(Said(block=Items(items=listed)))


def grid(tell: Tell, header: Sequence[Text], rows: Iterable[Sequence[str]], title: Text | None = None) -> None:
    """Show a table, unless it is empty."""
    cells = [[visible(cell, 200) for cell in row] for row in rows]
    if cells:
        tell(Said(block=Grid(title=title, header=list(header), rows=cells)))


def page(tell: Tell, page_id: str, situation: Situation) -> None:
    """Offer a reference page."""
    tell(Said(block=PageLink(page=page_id, title=page_title(page_id, situation.library, situation.language))))


def page_title(page_id: str, library: Library, language: str) -> str:
    """The title of a page; its id where the library does not have it."""
    return next((card.title for card in library.index(language) if card.id == page_id), page_id)


def minutes(value: float) -> Text:
    """A duration: seconds, minutes or hours."""
    if value < 1:
        return T("{count} s", count=max(1, round(value * 60)))
    if value < 90:
        return T("{count} min", count=round(value))
    return T("{count:.1f} h", count=value / 60)


def expected(effect: Effect) -> Text:
    """A forecast with its probability and source."""
    return T(
        "Expect: {metric} {low:+.1f} to {high:+.1f} points ({level:.0%} interval), {p:.0%} likely to help at all; {source}.",
        metric=metric_name(effect.metric),
        low=effect.low * 100,
        high=effect.high * 100,
        level=effect.level,
        p=effect.p_better,
        source=SOURCES[effect.source],
    )


def ids(rows: Sequence[str], most: int = 6) -> Text:
    """Row ids, and how many more there are."""
    shown = ", ".join(visible(row, 40) for row in rows[:most])
    if len(rows) <= most:
        return T("{rows}", rows=shown)
    return T("{rows} and {count} more", rows=shown, count=len(rows) - most)
