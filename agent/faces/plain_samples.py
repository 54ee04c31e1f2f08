"""Reviewing rows one by one at a plain terminal: accept, relabel, edit, reject, many at once, undo; it becomes a change.

An empty line passes a row over and decides nothing. Every decision is on disk when the next row is shown.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from agent.approval import user_name
from agent.conversation.wishes import wish_for
from agent.faces.console import ask, interactive, is_yes, out, show_error
from agent.faces.layout import clip, wrap
from agent.faces.views.blocks import bullet
from tools.change import Change, Proposal
from tools.diagnose import DiagnoseArgs, diagnose
from tools.errors import InputError, IterateError
from tools.reading.task import load_task
from tools.reviewing.filtering import answer_words
from tools.samples import (
    SUSPECTS,
    Batch,
    Item,
    ItemFilter,
    Verb,
    add,
    bulk,
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

_HOW = T(
    "a accept, l LABEL another answer, e FIELD TEXT edit, r REASON reject, u undo, / WORDS filter, all accept or all reject "
    "for every row shown, f finish and propose, Enter the next one, q leave"
)
_FAILED = "!"
"""As filter words: only rows with a failed check."""


def review_samples(path: Path, say: Speaker) -> Proposal | None:
    """Review the open rows of the task's batches; a proposal when the person finished one, else None."""
    change = review_batches(path, say)
    if change is None:
        return None
    return wish_for(path, [(edit.dotted, edit.new) for edit in change.edits], origin="person", say=say)


def review_batches(path: Path, say: Speaker, only: str | None = None) -> Change | None:
    """Review one batch, or all with open rows; the change when the person finished one, else None."""
    task = load_task(path)
    add(path, SUSPECTS, suspects_batch(task, diagnose(DiagnoseArgs(task_dir=path))))
    names = [load_batch(path, only).name] if only is not None else list_batches(path)
    if not names:
        out(say(T("Nothing waits for review.")))
    for name in names:
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
            return _finished(path, name, say)
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
        self._filter = ItemFilter(undecided=True)
        self._passed: set[str] = set()
        """Rows that were passed over."""

    def run(self) -> str:
        """Until the rows or the input end: "finish" to propose, "leave" to stop looking, "next" for the next batch."""
        while True:
            batch = load_batch(self._path, self._name)
            left = self._left(batch)
            if not left:
                if self._filter.words or self._filter.failed:
                    out(self._say(T("No open row fits the filter any more; all open rows are shown again.")))
                    self._filter = ItemFilter(undecided=True)
                    continue
                return "finish" if batch.counts.reviewed and not batch.counts.open else "next"
            for line in (*item_lines(left[0], self._say), *wrap(self._say(_HOW), indent="  ")):
                out(line)
            typed = ask("> ")
            word = "q" if typed is None else typed.strip()
            if word.casefold() in ("q", "f"):
                return "leave" if word.casefold() == "q" else "finish"
            self._carry_out(left, word)

    def _left(self, batch: Batch) -> list[Item]:
        return [item for item in filter_items(batch, self._filter) if item.candidate.id not in self._passed]

    def _carry_out(self, left: list[Item], typed: str) -> None:
        """Do what was typed about the first row, or about all that are shown."""
        word, _, rest = typed.partition(" ")
        rest = rest.strip()
        try:
            match word.casefold():
                case "":
                    self._passed.add(left[0].candidate.id)
                case word if word.startswith("/"):
                    self._look_for(f"{word[1:]} {rest}".strip())
                case "all" if rest.casefold() in ("accept", "reject"):
                    self._all(left, "accept" if rest.casefold() == "accept" else "reject")
                case "u":
                    taken = undo(self._path, self._name, by=user_name())
                    self._passed -= set(taken)
                    out(self._say(T("{count} decision(s) taken back.", count=len(taken))))
                case _:
                    self._decide(left[0], word.casefold(), rest, typed)
        except IterateError as error:
            show_error(error, self._say)

    def _decide(self, item: Item, word: str, rest: str, typed: str) -> None:
        name = item.candidate.id
        match word:
            case "a":
                decide(self._task, self._name, name, "accept", by=user_name())
            case "l" if rest:
                decide(self._task, self._name, name, "relabel", answer=rest, by=user_name())
            case "r":
                decide(self._task, self._name, name, "reject", reason=rest, by=user_name())
            case "e" if rest.partition(" ")[0] in item.fields and rest.partition(" ")[2].strip():
                field, _, text = rest.partition(" ")
                fields = {**item.fields, field: text.strip()}
                answer = item.candidate.offered
                decide(self._task, self._name, name, "edit", fields=fields, answer=answer, by=user_name())
            case "e":
                fields_now = ", ".join(visible(field, 40) for field in item.fields)
                out(self._say(T("Write e, a field and its whole new text. Fields: {fields}.", fields=fields_now)))
            case _:
                told = T("{typed} is not one of the choices; nothing was decided.", typed=visible(typed, 40))
                out(self._say(told))

    def _look_for(self, words: str) -> None:
        """Show only rows with these words; "!" alone: with a failed check; none: all."""
        failed = words == _FAILED
        self._filter = ItemFilter(words="" if failed else words, failed=failed, undecided=True)
        self._passed = set()
        count = len(self._left(load_batch(self._path, self._name)))
        out(self._say(T("{count} open rows fit.", count=count)))

    def _all(self, left: list[Item], verb: Verb) -> None:
        """Decide every row that the filter shows, at once."""
        names = [item.candidate.id for item in left]
        asked = T("Accept {count} rows? [y/N] ", count=len(names))
        if verb == "reject":
            asked = T("Reject {count} rows? [y/N] ", count=len(names))
        if not is_yes(ask(self._say(asked))):
            out(self._say(T("Nothing was decided.")))
            return
        not_done = bulk(self._task, self._name, names, verb, by=user_name())
        out(self._say(T("{count} decided; u takes all of them back.", count=len(names) - len(not_done))))
        if not_done:
            out(self._say(T("{count} rows cannot be accepted as they are; edit or reject them.", count=len(not_done))))


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
    facts += [
        T(
            "{sign} {name}: {reason}",
            sign=T("ok:") if check.passed else T("look:"),
            name=check.name,
            reason=check.reason,
        )
        if check.reason
        else T("Failed: {name}", name=check.name)
        for check in one.checks
        if check.reason or not check.passed
    ]
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


def _finished(path: Path, name: str, say: Speaker) -> Change | None:
    try:
        return finish(load_task(path), name)
    except InputError as error:
        show_error(error, say)
        return None


def _words(value: JsonValue) -> str:
    return "-" if value is None else visible(answer_words(value), 80)
