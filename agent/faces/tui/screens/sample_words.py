"""What the review screen says and looks like: how far a batch is, what its outcome would change, the order made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from agent.conversation.said import Order
from agent.faces.tui.widgets.key_bar import Hint
from agent.faces.tui.widgets.sample_parts import STATES
from agent.faces.views.agreement import agreement_texts
from tools.change import Change
from tools.diagnose import DiagnoseArgs, diagnose
from tools.making.first_rows import never_divided
from tools.reading.task import load_task
from tools.reviewing.batch import Batch, Item
from tools.reviewing.outcome import Outcome
from tools.samples import SUSPECTS, add, list_batches, load_batch, suspects_batch
from tools.task import Task
from tools.text import Speaker, T, Text, visible

CSS = """
SamplesScreen #title { padding: 0 1; text-style: bold; background: $surface; }
SamplesScreen #place { padding: 0 1; color: $text-primary; }
SamplesScreen #labels { padding: 0 1; text-style: bold; border-top: solid $foreground-muted; }
SamplesScreen #filter, SamplesScreen #filter:focus { height: 1; border: none; padding: 0 1; background: $surface; }
SamplesScreen #filter { display: none; }
SamplesScreen #batches, SamplesScreen #batches:focus { height: 1fr; border: none; padding: 0 1; background: transparent; }
SamplesScreen KeyBar { height: 1; padding: 0 1; }
SamplesScreen.reviewing #batches { display: none; }
SamplesScreen.reviewing.filtering #filter { display: block; }
SamplesScreen RowView, SamplesScreen #labels { display: none; }
SamplesScreen.reviewing RowView, SamplesScreen.reviewing #labels { display: block; }
"""
LIST_HINTS: tuple[Hint, ...] = (("Enter", T("open")), ("s", T("look for suspects")), ("Esc", T("back")))
ROW_HINTS: tuple[Hint, ...] = (
    ("a", T("accept")),
    ("1-9", T("label")),
    ("e", T("edit")),
    ("r", T("reject")),
    ("u", T("undo")),
    ("f", T("filter")),
    ("b", T("many")),
)
MORE_HINTS: tuple[Hint, ...] = (
    ("n p", T("next, previous")),
    ("o", T("only undecided")),
    ("c", T("failed checks")),
    ("d", T("propose")),
    ("Esc", T("back")),
)
MOST_NUMBERED = 9
"""Labels that have a number key."""
NOTHING = T(
    "Nothing waits for review. Press s to look for rows whose label is in doubt: contradictions, copies of evaluated "
    "rows, training rows that resemble errors, and labels that the model surely denies."
)
NO_SUSPECTS = T(
    "No row is suspect: no contradiction, no copy of an evaluated row, no label that the model surely denies."
)
NOT_EDITED = T("A validation row is not edited here: say which label is right (number keys), or a for the one it has.")


def progress(batch: Batch) -> Text:
    """How far the batch is, in few words."""
    counts = batch.counts
    return T("{name}: reviewed {done} of {count}", name=batch.name, done=counts.reviewed, count=counts.total)


def label_line(task: Task | None, labels: Sequence[str], say: Speaker) -> str:
    """Which number stands for which label."""
    if task is None or task.definition.task_type != "classification":
        return say(T("a keeps the row, e edits it, r leaves it out"))
    return "   ".join(f"{number} {label}" for number, label in enumerate(labels[:MOST_NUMBERED], 1))


def title(batch: Batch) -> Text:
    """How far the batch is."""
    counts = batch.counts
    parts = T(
        "accepted {accepted}, edited {edited}, relabelled {relabelled}, rejected {rejected}",
        accepted=counts.accepted,
        edited=counts.edited,
        relabelled=counts.relabelled,
        rejected=counts.rejected,
    )
    return T("{title} ({parts})", title=progress(batch), parts=parts)


def place(batch: Batch, item: Item | None, shown: Sequence[Item], *, filtered: bool) -> Text:
    """Which row is shown."""
    if item is None:
        return T("No row fits the filter (f: words, o: only undecided, c: only failed checks).")
    said = T(
        "Row {place} of {count}: {id}, {state}",
        place=[one.candidate.id for one in shown].index(item.candidate.id) + 1,
        count=len(shown),
        id=visible(item.candidate.row or item.candidate.id, 60),
        state=STATES[item.state],
    )
    if filtered:
        said = T("{place} (filtered)", place=said)
    return said if batch.counts.open else T("{place}. All are reviewed: d makes a proposal of it", place=said)


def order_of(change: Change, task: str) -> Order:
    """The change as an order to propose it; entries of one section are one edit, so that ids with dots stay whole."""
    edits: dict[str, JsonValue] = {}
    for edit in change.edits:
        if len(edit.path) == 3:
            section = edits.setdefault(".".join(edit.path[:2]), {})
            if isinstance(section, dict):
                section[edit.path[2]] = edit.new
        else:
            edits[edit.dotted] = edit.new
    return Order(
        command="try", args={"task": task, "change": {"edits": [[key, value] for key, value in edits.items()]}}
    )


def found_suspects(task_path: Path) -> tuple[list[str], Batch | None]:
    """Fill the batch of suspects from the diagnosis: the names of all batches, and this one unless nothing is suspect."""
    found = suspects_batch(load_task(task_path), diagnose(DiagnoseArgs(task_dir=task_path)))
    add(task_path, SUSPECTS, found)
    names = list_batches(task_path)
    return names, load_batch(task_path, SUSPECTS) if SUSPECTS in names else None


def order_to_divide(task_path: Path) -> Order | None:
    """The order to divide the first rows of a task: there is no train yet that they could join; None where there is."""
    if not never_divided(load_task(task_path)):
        return None
    return Order(command="split", args={"task": task_path.name})


def question(outcome: Outcome, task_path: Path) -> Text:
    """What a proposal of the outcome would change; of labelled rows also how far the person and the model agree."""
    asked = T(
        "Propose this? {added} rows added, {relabelled} relabelled, {left_out} left out. It goes to review like any other "
        "change; nothing is trained before you approve it.",
        added=outcome.added,
        relabelled=len(outcome.relabelled),
        left_out=len(outcome.left_out),
    )
    if outcome.questions:
        asked = T(
            "{question} {count} answers about validation rows change nothing.",
            question=asked,
            count=outcome.questions,
        )
    if outcome.held_back:
        first = next(iter(outcome.held_back.values()))
        asked = T(
            "{question} {count} rows are held back: {reason}",
            question=asked,
            count=len(outcome.held_back),
            reason=first,
        )
    for told in reversed(agreement_texts(task_path, outcome.batch)):
        asked = T("{told} {question}", told=told, question=asked)
    return asked
