"""Review batches: rows that wait for a person (generated, pooled or suspect), decided one by one, undone, and finished.

    add(task, "suspects", candidates)  ->  decide | bulk | undo ...  ->  finish(task, "suspects")  ->  Change

Each decision is one appended line, so that killing the program loses none and coming back goes on where it stopped. No source
file is edited: what was decided becomes lines of the recipe, as a change that goes to review like any other. This is not the
guard of what may be trained on (tools/reviewing/outcome.py), and it asks nobody anything.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import JsonValue

from tools.errors import Busy, InputError, Problem
from tools.files import append_line, now
from tools.reviewing.batch import (
    Batch,
    Candidate,
    Check,
    Counts,
    Item,
    SampleDecision,
    Twin,
    Verb,
    candidates_file,
    decisions_file,
    list_batches,
    load_batch,
    read_decisions,
    standing,
)
from tools.reviewing.filtering import ItemFilter, filter_items
from tools.reviewing.outcome import Outcome, finish, plan
from tools.reviewing.row_forms import row_problems
from tools.reviewing.suspects import SUSPECTS, suspects_batch
from tools.task import Task
from tools.text import T, visible

__all__ = [
    "SUSPECTS",
    "Batch",
    "Candidate",
    "Check",
    "Counts",
    "Item",
    "ItemFilter",
    "Outcome",
    "SampleDecision",
    "Twin",
    "Verb",
    "add",
    "bulk",
    "decide",
    "filter_items",
    "finish",
    "list_batches",
    "load_batch",
    "plan",
    "row_problems",
    "suspects_batch",
    "undo",
]

_WAIT_SECONDS = 10


def add(task_path: Path, name: str, candidates: Sequence[Candidate]) -> int:
    """Add the candidates that the batch does not have yet, making it when there is none; returns how many were new."""
    path = candidates_file(task_path, name)
    with _review_lock(task_path):
        known = {item.candidate.id for item in load_batch(task_path, name).items} if path.is_file() else set()
        new = {one.id: one for one in candidates if one.id not in known}
        if new:
            append_line(path, "\n".join(one.model_dump_json() for one in new.values()))
    return len(new)


def decide(  # noqa: PLR0913 - a decision has this many parts, all named at the call
    task: Task,
    name: str,
    item: str,
    verb: Verb,
    *,
    fields: Mapping[str, str] | None = None,
    answer: JsonValue = None,
    reason: str = "",
    by: str,
) -> SampleDecision:
    """Record what a person says about one candidate; a later decision on the same candidate replaces an earlier one.

    `edit` takes the fields and the answer, `relabel` the answer. Raises InputError with every problem when the row could not
    be trained on as decided; then nothing is recorded.
    """
    found = load_batch(task.path, name).find(item)
    decision = SampleDecision(
        id=secrets.token_hex(4),
        item=item,
        verb=verb,
        fields=dict(fields) if fields is not None and verb == "edit" else None,
        answer=answer if verb in ("edit", "relabel") else None,
        reason=reason.strip(),
        by=by,
        at=now(),
    )
    _require_usable(task, Item(candidate=found.candidate, decision=decision))
    _append(task.path, name, [decision])
    return decision


def bulk(task: Task, name: str, items: Sequence[str], verb: Verb, *, reason: str = "", by: str) -> list[str]:
    """Accept or reject many candidates at once; they are undone at once. Returns the ids that could not be decided so."""
    batch = load_batch(task.path, name)
    known = {item.candidate.id: item.candidate for item in batch.items}
    group = secrets.token_hex(4)
    decisions, left = [], []
    for item in items:
        decision = SampleDecision(
            id=secrets.token_hex(4), item=item, verb=verb, reason=reason.strip(), group=group, by=by, at=now()
        )
        decided = Item(candidate=known.get(item) or batch.find(item).candidate, decision=decision)
        if verb == "accept" and row_problems(task, decided.fields, decided.answer):
            left.append(item)
        else:
            decisions.append(decision)
    _append(task.path, name, decisions)
    return left


def undo(task_path: Path, name: str, *, by: str) -> list[str]:
    """Take back the last decision of `by` that stands, with all that were taken at once with it; returns their candidates."""
    with _review_lock(task_path):
        mine = [one for one in standing(read_decisions(task_path, name)) if one.by == by]
        if not mine:
            return []
        last = mine[-1]
        taken = [one for one in mine if one.id == last.id or (last.group is not None and one.group == last.group)]
        line = SampleDecision(
            id=secrets.token_hex(4), item="", verb="undo", undoes=[one.id for one in taken], by=by, at=now()
        )
        append_line(decisions_file(task_path, name), line.model_dump_json())
    return [one.item for one in taken]


def _append(task_path: Path, name: str, decisions: Sequence[SampleDecision]) -> None:
    if decisions:
        with _review_lock(task_path):
            lines = "\n".join(one.model_dump_json() for one in decisions)
            append_line(decisions_file(task_path, name), lines)


def _require_usable(task: Task, item: Item) -> None:
    if item.state == "rejected":
        return
    problems = row_problems(task, item.fields, item.answer)
    if problems:
        raise InputError(
            T("Row {item} cannot be kept like this.", item=visible(item.candidate.id, 60)),
            hint=T("Edit it, give it another label, or reject it."),
            problems=[Problem(message=problem) for problem in problems],
        )


@contextmanager
def _review_lock(task_path: Path) -> Iterator[None]:
    """Hold the task's review lock while a line is written; a session that trains does not hold it, so both go on."""
    folder = task_path / ".iterate"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "review.lock", timeout=_WAIT_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(
            T("Another program is writing to the review of {task}.", task=visible(task_path.name)),
            hint=T("Try again in a moment; nothing was lost."),
            page="troubleshooting/sessions-and-locks",
        ) from None
    try:
        yield
    finally:
        lock.release()
