"""The review of rows: one at a time with its suggestion, its checks and where it comes from; every key is one decision.

Each decision is on disk before the next row appears, so leaving at any time loses nothing. Nothing here trains or changes a
source file: at the end the decisions become a proposal that goes to review like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import JsonValue
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from agent.approval import user_name
from agent.conversation.said import Order
from agent.faces.tui.messages import OrderGiven
from agent.faces.tui.screens.confirm import ConfirmScreen
from agent.faces.tui.screens.sample_forms import BulkScreen, BulkVerb, EditedRow, EditScreen, ReasonScreen
from agent.faces.tui.screens.sample_words import (
    CSS,
    LIST_HINTS,
    MORE_HINTS,
    MOST_NUMBERED,
    NO_SUSPECTS,
    NOT_EDITED,
    NOTHING,
    ROW_HINTS,
    found_suspects,
    label_line,
    order_of,
    order_to_divide,
    place,
    progress,
    question,
    title,
)
from agent.faces.tui.screens.trouble import trouble
from agent.faces.tui.widgets.flow import Prose
from agent.faces.tui.widgets.key_bar import Hint, KeyBar
from agent.faces.tui.widgets.plain_text import PlainText
from agent.faces.tui.widgets.row_view import RowView
from agent.faces.tui.widgets.sample_parts import item_parts
from tools.errors import IterateError
from tools.reading.task import load_split, load_task
from tools.running.recipe import known_labels
from tools.samples import (
    Batch,
    Item,
    ItemFilter,
    Verb,
    bulk,
    decide,
    filter_items,
    finish,
    list_batches,
    load_batch,
    plan,
    undo,
)
from tools.task import Task
from tools.text import Speaker, T, visible

_R = TypeVar("_R")


class SamplesScreen(Screen[None]):
    """A list of batches, or one batch row by row."""

    CSS = CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False),
        Binding("s", "suspects", "Suspects", show=False),
        Binding("a", "accept", "Accept", show=False),
        Binding("e", "edit", "Edit", show=False),
        Binding("r", "reject", "Reject", show=False),
        Binding("u", "undo", "Undo", show=False),
        Binding("n,right", "go(1)", "Next", show=False),
        Binding("p,left", "go(-1)", "Previous", show=False),
        Binding("f,slash", "filter", "Filter", show=False),
        Binding("o", "undecided", "Only undecided", show=False),
        Binding("c", "failed", "Only failed checks", show=False),
        Binding("b", "bulk", "Many", show=False),
        Binding("d", "propose", "Propose", show=False),
        *(Binding(str(number), f"label({number})", "Label", show=False) for number in range(1, MOST_NUMBERED + 1)),
    ]

    def __init__(self, task_path: Path, say: Speaker, *, batch: str | None = None) -> None:
        super().__init__()
        self._task_path = task_path
        self._say = say
        self._name = batch
        self._by = user_name()
        self._known: Task | None = None
        self._labels: list[str] = []
        self._batches: list[str] = []
        self._batch: Batch | None = None
        self._filter = ItemFilter()
        self._item: str | None = None
        """Id of the candidate that is shown."""

    def compose(self) -> ComposeResult:
        """Title, place, the list of batches or the row, the labels, the keys."""
        yield PlainText(self._say(T("Rows to review in {task}", task=visible(self._task_path.name))), id="title")
        where = Prose(self._say(T("Reading…")))
        where.id = "place"
        yield where
        yield Input(placeholder=self._say(T("filter: words of the row, its labels or reasons")), id="filter")
        yield OptionList(id="batches", markup=False)
        yield RowView()
        yield PlainText(id="labels")
        yield KeyBar(self._say)
        yield KeyBar(self._say)

    def on_mount(self) -> None:
        """Read the files without holding up the screen."""
        self._hint(LIST_HINTS, ())
        self.query_one("#batches").focus()
        self._load()

    @work(thread=True, exclusive=True, group="samples-load")
    def _load(self) -> None:
        try:
            task = load_task(self._task_path)
            labels = known_labels(task, load_split(task, "train").split.rows)
            names = list_batches(self._task_path)
            wanted = self._name or (names[0] if len(names) == 1 else None)
            batch = load_batch(self._task_path, wanted) if wanted else None
        except IterateError as error:
            self.app.call_from_thread(self._tell, trouble(error, self._say))
        else:
            self.app.call_from_thread(self._loaded, task, labels, names, batch)

    def _loaded(self, task: Task, labels: list[str], names: list[str], batch: Batch | None) -> None:
        self._known, self._labels, self._batches = task, labels, names
        if batch is not None:
            self._open(batch)
        else:
            self._list()

    def _list(self) -> None:
        self._batch = None
        self.set_class(False, "reviewing")
        options = self.query_one("#batches", OptionList)
        options.clear_options()
        for name in self._batches:
            options.add_option(Option(visible(self._say(progress(load_batch(self._task_path, name))))))
        options.highlighted = 0 if self._batches else None
        options.focus()
        said = T("{count} batches", count=len(self._batches)) if self._batches else NOTHING
        self._tell(self._say(said))
        self._hint(LIST_HINTS, ())

    def _tell(self, text: str) -> None:
        self.query_one("#place", Prose).show(text)

    def _hint(self, *lines: tuple[Hint, ...]) -> None:
        for bar, hints in zip(self.query(KeyBar), lines, strict=True):
            bar.show(hints)
            bar.display = bool(hints)

    @on(OptionList.OptionSelected, "#batches")
    def _batch_chosen(self, event: OptionList.OptionSelected) -> None:
        self._open(load_batch(self._task_path, self._batches[event.option_index]))

    def action_suspects(self) -> None:
        """Fill the batch of suspects from the diagnosis and open it."""
        if self._batch is None and self._known is not None:
            self._tell(self._say(T("Looking for rows whose label is in doubt…")))
            self._look()

    @work(thread=True, exclusive=True, group="samples-load")
    def _look(self) -> None:
        try:
            names, batch = found_suspects(self._task_path)
        except IterateError as error:
            self.app.call_from_thread(self._tell, trouble(error, self._say))
        else:
            self.app.call_from_thread(self._looked, names, batch)

    def _looked(self, names: list[str], batch: Batch | None) -> None:
        self._batches = names
        if batch is not None:
            self._open(batch)
            return
        self._tell(self._say(NO_SUSPECTS))

    def _open(self, batch: Batch) -> None:
        self._batch, self._filter = batch, ItemFilter()
        first = next((item for item in batch.items if item.decision is None), None)
        self._item = (first or batch.items[0]).candidate.id if batch.items else None
        self.set_class(True, "reviewing")
        self._hint(ROW_HINTS, MORE_HINTS)
        self.query_one("#filter", Input).value = ""
        self.query_one(RowView).focus()
        self._show()

    @property
    def _shown(self) -> list[Item]:
        return filter_items(self._batch, self._filter) if self._batch else []

    @property
    def _current(self) -> Item | None:
        return next((item for item in self._shown if item.candidate.id == self._item), None)

    def _show(self) -> None:
        """The present row, or the first that the filter leaves."""
        if self._batch is None:
            return
        shown = self._shown
        item = self._current or (shown[0] if shown else None)
        self._item = item.candidate.id if item else self._item
        self.query_one("#title", PlainText).show(self._say(title(self._batch)))
        self._tell(self._say(place(self._batch, item, shown, filtered=self._filter != ItemFilter())))
        self.query_one(RowView).show(item_parts(item, self._say) if item else [])
        self.query_one("#labels", PlainText).show(label_line(self._known, self._labels, self._say))

    async def _decide(
        self, item: Item, verb: Verb, *, edited: EditedRow | None = None, answer: JsonValue = None, reason: str = ""
    ) -> None:
        if self._known is None or self._batch is None:
            return
        task, name = self._known, self._batch.name
        fields = edited.fields if edited else None
        given = edited.answer if edited else answer
        identity = item.candidate.id
        done = await self._tried(
            lambda: decide(task, name, identity, verb, fields=fields, answer=given, reason=reason, by=self._by)
        )
        if done is not None:
            self._advance(item)

    def _advance(self, item: Item) -> None:
        """Read the batch again and go to the next undecided row behind `item`, else before it."""
        before = [one.candidate.id for one in self._shown]
        at = before.index(item.candidate.id) if item.candidate.id in before else 0
        self._reread()
        still_open = {one.candidate.id for one in self._shown if one.decision is None}
        self._item = next((one for one in (*before[at + 1 :], *before[:at]) if one in still_open), self._item)
        self._show()

    def _reread(self) -> None:
        if self._batch is not None:
            self._batch = load_batch(self._task_path, self._batch.name)

    async def _tried(self, action: Callable[[], _R]) -> _R | None:
        """The action's result; None after telling what went wrong."""
        try:
            return await asyncio.to_thread(action)
        except IterateError as error:
            self.notify(trouble(error, self._say), severity="error", markup=False)
            return None

    async def action_accept(self) -> None:
        """The row is right with the answer that is suggested."""
        if item := self._current:
            await self._decide(item, "accept")

    async def action_label(self, number: int) -> None:
        """The row is right with this label."""
        item = self._current
        if item is not None and number <= len(self._labels[:MOST_NUMBERED]):
            label = self._labels[number - 1]
            verb: Verb = "accept" if label == item.candidate.offered else "relabel"
            await self._decide(item, verb, answer=label)

    @work(exclusive=True, group="samples-form")
    async def action_edit(self) -> None:
        """Change the text or the answer."""
        item, task = self._current, self._known
        if item is None or task is None:
            return
        if item.candidate.origin == "valid":
            self.notify(self._say(NOT_EDITED), severity="warning", markup=False)
            return
        answer = item.answer if item.decision else item.candidate.offered
        edited = await self.app.push_screen_wait(EditScreen(task, item.fields, answer, self._say))
        if edited is not None:
            await self._decide(item, "edit", edited=edited)

    @work(exclusive=True, group="samples-form")
    async def action_reject(self) -> None:
        """Leave the row out, with a reason."""
        item = self._current
        if item is None:
            return
        asked = T("Leave {row} out. Why?", row=visible(item.candidate.row or item.candidate.id, 60))
        reason = await self.app.push_screen_wait(ReasonScreen(asked, self._say))
        if reason is not None:
            await self._decide(item, "reject", reason=reason)

    async def action_undo(self) -> None:
        """Take back your last decision, and show its row."""
        if self._batch is None:
            return
        name = self._batch.name
        taken = await self._tried(lambda: undo(self._task_path, name, by=self._by))
        if taken is None:
            return
        self._reread()
        if taken:
            self._filter = ItemFilter()
            self._item = taken[0]
        told = T("Took back {count} decisions.", count=len(taken)) if taken else T("There is nothing to undo.")
        self.notify(self._say(told), markup=False)
        self._show()

    def action_go(self, step: int) -> None:
        """The next or the previous row that the filter shows."""
        names = [item.candidate.id for item in self._shown]
        if self._item in names:
            self._item = names[max(0, min(names.index(self._item) + step, len(names) - 1))]
        self._show()

    def action_filter(self) -> None:
        """Type words that the rows must hold."""
        if self._batch is not None:
            self.set_class(True, "filtering")
            self.query_one("#filter").focus()

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        self._filter = self._filter.model_copy(update={"words": event.value})
        self._show()

    @on(Input.Submitted, "#filter")
    def _filtered(self) -> None:
        self._close_filter()

    def _close_filter(self) -> None:
        self.set_class(bool(self._filter.words), "filtering")
        self.query_one(RowView).focus()

    def action_undecided(self) -> None:
        """Only undecided rows, or all again."""
        self._filter = self._filter.model_copy(update={"undecided": not self._filter.undecided})
        self._show()

    def action_failed(self) -> None:
        """Only rows with a failed check, or all again."""
        self._filter = self._filter.model_copy(update={"failed": not self._filter.failed})
        self._show()

    @work(exclusive=True, group="samples-form")
    async def action_bulk(self) -> None:
        """Decide all undecided rows that the filter shows."""
        items = [item.candidate.id for item in self._shown if item.decision is None]
        if not items or self._batch is None or self._known is None:
            return
        verb: BulkVerb | None = await self.app.push_screen_wait(BulkScreen(len(items), self._say))
        if verb is None:
            return
        task, name, chosen = self._known, self._batch.name, verb
        left = await self._tried(lambda: bulk(task, name, items, chosen, by=self._by))
        if left:
            told = T("{count} rows cannot be accepted as they are; edit or reject them.", count=len(left))
            self.notify(self._say(told), severity="warning", markup=False)
        self._reread()
        self._show()

    @work(exclusive=True, group="samples-form")
    async def action_propose(self) -> None:
        """Make a proposal of the decisions, after saying what it would change."""
        if self._batch is None:
            return
        name = self._batch.name
        divide = await asyncio.to_thread(order_to_divide, self._task_path)
        if divide is not None:
            self._hand_on(divide)
            return
        outcome = await self._tried(lambda: plan(load_task(self._task_path), load_batch(self._task_path, name)))
        if outcome is None:
            return
        if outcome.edits and not await self.app.push_screen_wait(
            ConfirmScreen(question(outcome, self._task_path), self._say)
        ):
            return
        change = await self._tried(lambda: finish(load_task(self._task_path), name))
        if change is not None:
            self._hand_on(order_of(change, self._task_path.name))

    def _hand_on(self, order: Order) -> None:
        self.app.post_message(OrderGiven(order))
        self.dismiss(None)

    def action_leave(self) -> None:
        """From the filter to the row, from a batch to the list where there are several, else back."""
        if self.focused is not None and self.focused.id == "filter":
            self._close_filter()
        elif self._batch is not None and len(self._batches) > 1 and self._name is None:
            self._list()
        else:
            self.dismiss(None)
