"""Events of a conversation's turn, and errors, as blocks of the transcript."""

from __future__ import annotations

from agent.conversation.said import (
    Block,
    DiffBlock,
    Grid,
    Items,
    Order,
    PageLink,
    PageRead,
    Para,
    RowList,
    ShownRow,
    TurnEnded,
)
from agent.faces.tui.widgets import blocks
from agent.faces.tui.widgets.blocks import Entry, Fold, Link, Note
from tools.errors import IterateError, Problem
from tools.text import Speaker, T, visible

SHOWN_PROBLEMS = 20


def block_entries(block: Block, say: Speaker) -> list[Entry]:
    """A block of an answer."""
    match block:
        case Para(text=text):
            return [Note(say(text))]
        case Items(items=items):
            return [Note(say(item), sign="• ") for item in items]
        case Grid():
            over = say(block.title) if block.title else ""
            return [blocks.Grid([say(one) for one in block.header], block.rows, over)]
        case DiffBlock(text=diff):
            return [blocks.Diff(diff)]
        case PageLink():
            return [page_entry(block.page, block.title, say)]
        case RowList():
            title = Note(say(block.title), "strong")
            return [title, *(entry for row in block.rows for entry in _row(row, say))]


def page_entry(page: str, title: str, say: Speaker) -> Entry:
    """A reference page to open."""
    told = say(T("read: {page}", page=visible(title, 120)))
    return Link(told, Order(command="refs", args={"page": page}))


def read_entry(event: PageRead, say: Speaker) -> Entry:
    """A reference page that was loaded for the answer, by name."""
    told = say(T("read for this answer: {title}", title=visible(event.title, 120)))
    return Link(told, Order(command="refs", args={"page": event.page}))


def byline(event: TurnEnded, say: Speaker, *, stopped: bool) -> list[Entry]:
    """Who answered, and what went wrong on the way."""
    who = T("rules") if event.by == "rules" else T("model {name}", name=visible(event.model or "?", 60))
    told = T("answered by: {who}", who=who)
    lines: list[Entry] = [Note(say(event.note), "warning", sign="⚠ ")] if event.note else []
    if stopped:
        lines.append(Note(say(T("You interrupted this answer.")), "warning", sign="⚠ "))
    return [*lines, Note(say(told), "muted", sign="— ")]


def error_entries(error: IterateError, say: Speaker) -> list[Entry]:
    """What happened, every problem, the next step, the page to read."""
    entries: list[Entry] = [Note(say(error.message), "error", sign="✗ ", gap=True)]
    for problem in error.problems[:SHOWN_PROBLEMS]:
        entries += _problem(problem, say)
    hidden = len(error.problems) - SHOWN_PROBLEMS
    if hidden > 0:
        entries.append(Note(say(T("... and {count} more.", count=hidden)), "muted"))
    if error.hint:
        entries.append(Note(say(T("Next step: {hint}", hint=error.hint))))
    if error.page:
        entries.append(page_entry(error.page, error.page, say))
    return entries


def apology(log: str | None, error: BaseException, say: Speaker) -> list[Entry]:
    """An error of the program itself."""
    told = T(
        "Something in the program went wrong: {kind}. Nothing was approved or lost; you can go on.",
        kind=type(error).__name__,
    )
    entries: list[Entry] = [Note(say(told), "error", sign="✗ ", gap=True)]
    if log:
        entries.append(Note(say(T("Details for a report are in {file}.", file=visible(log))), "muted"))
    return entries


def _problem(problem: Problem, say: Speaker) -> list[Entry]:
    place = ":".join(str(part) for part in (problem.path, problem.line) if part is not None)
    entries: list[Entry] = [Note((visible(place) + ": " if place else "") + say(problem.message), sign="• ")]
    if problem.choices:
        told = say(T("valid: {choices}", choices=", ".join(problem.choices)))
        entries.append(Note(told, sign="  "))
    if problem.hint:
        entries.append(Note(say(problem.hint), sign="  "))
    return entries


def _row(row: ShownRow, say: Speaker) -> list[Entry]:
    got = say(T("no answer")) if row.answered is None else visible(row.answered, 80)
    told = T(
        "{row}: expected {expected}, got {got}", row=visible(row.id, 40), expected=visible(row.expected, 80), got=got
    )
    body: list[Entry] = [Note(f"{visible(name, 40)}: {value}", sign="  ") for name, value in row.input.items()]
    if row.note:
        body.append(Note(say(row.note), "muted", sign="  "))
    return [Fold(say(told), tuple(body), opened=True)]
