"""Reviewing rows one by one at a plain terminal: accept, relabel, reject, undo; what was decided becomes a proposal.

An empty line passes a row over and decides nothing. Every decision is on disk when the next row is shown.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from agent.approval import user_name
from agent.conversation.wishes import wish_for
from agent.faces.console import ask, interactive, out, show_error
from agent.faces.layout import clip, wrap
from agent.faces.views.blocks import bullet
from tools.change import Proposal
from tools.diagnose import DiagnoseArgs, diagnose
from tools.errors import InputError, IterateError
from tools.reading.task import load_task
from tools.reviewing.filtering import answer_words
from tools.samples import (
    SUSPECTS,
    Batch,
    Item,
    ItemFilter,
    add,
    decide,
    filter_items,
    finish,
    list_batches,
    load_batch,
    suspects_batch,
    undo,
)
from tools.text import Speaker, T, visible
from tools.words import split_name

_HOW = T("a accept, l LABEL another answer, r REASON reject, u undo, f finish and propose, Enter the next one, q leave")


def review_samples(path: Path, say: Speaker) -> Proposal | None:
    """Review the open rows of the task's batches; a proposal when the person finished one, else None."""
    task = load_task(path)
    add(path, SUSPECTS, suspects_batch(task, diagnose(DiagnoseArgs(task_dir=path))))
    for name in list_batches(path):
        batch = load_batch(path, name)
        counts = batch.counts
        told = T(
            "Batch {name}: {open} rows wait, {done} are decided.", name=name, open=counts.open, done=counts.reviewed
        )
        out(say(told))
        if not interactive():
            _list(batch, say)
            continue
        word = _Review(path, name, say).run()
        if word == "finish":
            return _proposal(path, name, say)
        if word == "leave":
            return None
    return None


class _Review:
    """One batch, row by row."""

    def __init__(self, path: Path, name: str, say: Speaker) -> None:
        self._task = load_task(path)
        self._path = path
        self._name = name
        self._say = say

    def run(self) -> str:
        """Until the rows or the input end: "finish" to propose, "leave" to stop looking, "next" for the next batch."""
        passed: set[str] = set()
        while True:
            batch = load_batch(self._path, self._name)
            waiting = filter_items(batch, ItemFilter(undecided=True))
            left = [item for item in waiting if item.candidate.id not in passed]
            if not left:
                return "finish" if batch.counts.reviewed and not waiting else "next"
            item = left[0]
            for line in item_lines(item, self._say):
                out(line)
            out("  " + self._say(_HOW))
            typed = ask("> ")
            if typed is None or typed.strip().lower() == "q":
                return "leave"
            if typed.strip().lower() == "f":
                return "finish"
            if not self._decide(item, typed.strip()):
                passed.add(item.candidate.id)

    def _decide(self, item: Item, typed: str) -> bool:
        """Carry out what was typed; False when the row was passed over."""
        word, _, rest = typed.partition(" ")
        try:
            match word.lower():
                case "a":
                    decide(self._task, self._name, item.candidate.id, "accept", by=user_name())
                case "l" if rest.strip():
                    decide(self._task, self._name, item.candidate.id, "relabel", answer=rest.strip(), by=user_name())
                case "r":
                    decide(self._task, self._name, item.candidate.id, "reject", reason=rest.strip(), by=user_name())
                case "u":
                    taken = undo(self._path, self._name, by=user_name())
                    out(self._say(T("{count} decision(s) taken back.", count=len(taken))))
                case "":
                    return False
                case _:
                    out(
                        self._say(
                            T("{typed} is not one of the choices; nothing was decided.", typed=visible(typed, 40))
                        )
                    )
        except IterateError as error:
            show_error(error, self._say)
        return True


def item_lines(item: Item, say: Speaker) -> list[str]:
    """One row with why it is here, its checks and its twins."""
    one = item.candidate
    lines = ["", *bullet(say(T("Row {id}: {answer}", id=visible(one.id, 60), answer=_words(one.answer))))]
    lines += [
        line for name, value in one.fields.items() for line in wrap(f"{visible(name)}: {visible(value)}", indent="    ")
    ]
    facts = [one.why] if one.why else []
    if one.suggested is not None:
        facts.append(T("Suggested: {answer}", answer=_words(one.suggested)))
    if one.leave_out:
        facts.append(T("Suggested: leave the row out of training."))
    if one.answered is not None:
        facts.append(T("The model answered: {answer}", answer=_words(one.answered)))
    facts += [T("Failed: {name}", name=check.name) for check in one.checks if not check.passed]
    for twin in one.twins[:2]:
        shown = clip(visible(" / ".join(twin.fields.values())), 120)
        facts.append(
            T("Much like {row} ({split}): {text}", row=visible(twin.row, 40), split=split_name(twin.split), text=shown)
        )
    return lines + [line for fact in facts for line in wrap(say(fact), indent="    ")]


def _list(batch: Batch, say: Speaker) -> None:
    for item in filter_items(batch, ItemFilter(undecided=True)):
        for line in item_lines(item, say):
            out(line)


def _proposal(path: Path, name: str, say: Speaker) -> Proposal | None:
    try:
        change = finish(load_task(path), name)
    except InputError as error:
        show_error(error, say)
        return None
    return wish_for(path, [(edit.dotted, edit.new) for edit in change.edits], origin="person", say=say)


def _words(value: JsonValue) -> str:
    return "-" if value is None else visible(answer_words(value), 80)
