"""The errors of a version on validation: confusions or fields, the answers behind them, and each answer in full.

Never the test split, and never results of a split that nobody has named. Marking a row puts it into the review batch
`suspects`; a validation row becomes a question about its label there, which changes no training data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text as RichText
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from agent.faces.layout import clip, pad, width
from agent.faces.tui.screens.one_error import FILED, FILED_BEFORE, ErrorRowScreen
from agent.faces.tui.screens.trouble import trouble
from agent.faces.tui.widgets.confusion import WRONG, Cell, ConfusionMatrix, Group
from agent.faces.tui.widgets.fields_list import FieldLine, FieldsList
from agent.faces.tui.widgets.flow import Prose
from agent.faces.tui.widgets.key_bar import Hint, KeyBar
from agent.faces.tui.widgets.plain_text import PlainText
from agent.proposing.now import base_version
from tools.errors import IterateError
from tools.reviewing.answers import AnsweredRow, Answers, read_answers
from tools.reviewing.filtering import has_words
from tools.reviewing.suspects import valid_candidate
from tools.samples import SUSPECTS, add, list_batches, load_batch
from tools.text import Speaker, T, Text, visible

MOST_LISTED = 500
"""Rows in the list; a filter finds the others."""
HINTS: tuple[Hint, ...] = (
    ("Enter", T("open")),
    ("/", T("filter")),
    ("m", T("mark")),
    ("b", T("broken format")),
    ("Tab", T("next part")),
    ("Esc", T("back")),
)


class ErrorsScreen(Screen[None]):
    """Choose a confusion, look through its rows, open one."""

    CSS = """
    ErrorsScreen #title { padding: 0 1; text-style: bold; background: $surface; }
    ErrorsScreen #notes { padding: 0 1; color: $text-warning; }
    ErrorsScreen #where { height: auto; }
    ErrorsScreen #caption { padding: 0 1; color: $text-primary; margin-top: 1; }
    ErrorsScreen #filter, ErrorsScreen #filter:focus { height: 1; border: none; padding: 0 1; background: $surface; }
    ErrorsScreen #filter:focus { background-tint: $foreground 8%; }
    ErrorsScreen #rows, ErrorsScreen #rows:focus { height: 1fr; border: none; padding: 0 1; background: transparent; }
    ErrorsScreen KeyBar { height: 1; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False),
        Binding("slash", "filter", "Filter", show=False),
        Binding("b", "unreadable", "Only unreadable", show=False),
        Binding("m", "mark", "Mark", show=False),
    ]

    def __init__(
        self, task_path: Path, say: Speaker, *, pair: tuple[str, str] | None = None, label: str | None = None
    ) -> None:
        super().__init__()
        self._task_path = task_path
        self._say = say
        self._wanted = _wanted(pair, label)
        self._answers: Answers | None = None
        self._listed: list[AnsweredRow] = []
        self._marked: set[str] = set()
        self._unreadable = False
        self._answer_room = 0
        """Terminal cells that the answers of the list take."""

    def compose(self) -> ComposeResult:
        """Title, where the errors are, and the rows; filled when the files have been read."""
        yield PlainText(self._say(T("Errors of {task}", task=visible(self._task_path.name))), id="title")
        notes = Prose("")
        notes.id = "notes"
        notes.display = False
        yield notes
        yield Vertical(id="where")
        caption = Prose(self._say(T("Reading…")))
        caption.id = "caption"
        yield caption
        yield Input(placeholder=self._say(T("filter: words of the text, the labels or the id")), id="filter")
        yield OptionList(id="rows")
        yield KeyBar(self._say)

    def on_mount(self) -> None:
        """Read the files without holding up the screen."""
        self.query_one(KeyBar).show(HINTS)
        self._load()

    @work(thread=True, exclusive=True, group="errors-load")
    def _load(self) -> None:
        try:
            version = base_version(self._task_path, "") or None
            answers = read_answers(self._task_path, version)
            marked = _marked(self._task_path)
        except IterateError as error:
            self.app.call_from_thread(self._failed, error)
        else:
            self.app.call_from_thread(self._show, answers, marked)

    def _failed(self, error: IterateError) -> None:
        self.query_one("#caption", Prose).show(trouble(error, self._say))

    def _show(self, answers: Answers, marked: set[str]) -> None:
        self._answers, self._marked = answers, marked
        self.query_one("#title", PlainText).show(self._title(answers))
        notes = self.query_one("#notes", Prose)
        notes.display = bool(answers.notes)
        notes.show("\n".join(self._say(note) for note in answers.notes))
        where = self.query_one("#where", Vertical)
        where.remove_children()
        if answers.counts:
            where.mount(ConfusionMatrix(answers.counts, answers.labels, self._say, chosen=self._wanted))
        elif answers.rows:
            where.mount(FieldsList(self._field_lines(answers), self._say))
        self.call_after_refresh(self._ready)

    def _ready(self) -> None:
        self._make_room()
        self._fill()
        for part in self.query_one("#where").children:
            part.focus()

    def _title(self, answers: Answers) -> str:
        wrong = sum(row.seeds for row in answers.rows if not row.first.correct)
        if answers.version is None:
            return self._say(T("Errors of {task}", task=visible(answers.task.name)))
        if not answers.rows:
            return self._say(
                T("{task} {version} on validation", task=visible(answers.task.name), version=answers.version)
            )
        text = T(
            "{task} {version} on validation: {wrong} of {count} answers wrong",
            task=visible(answers.task.name),
            version=answers.version,
            wrong=wrong,
            count=answers.answers,
        )
        if answers.seeds > 1:
            text = T("{text} ({seeds} seeds)", text=text, seeds=answers.seeds)
        return self._say(text)

    def _field_lines(self, answers: Answers) -> list[FieldLine]:
        mean = sum(row.first.score * row.seeds for row in answers.rows) / answers.answers
        wrong = sum(row.seeds for row in answers.rows if not row.first.correct)
        fields = [FieldLine(one.field, 1 - one.lost, one.wrong) for one in answers.fields]
        return [FieldLine("", mean, wrong), *fields]

    def on_resize(self, event: Resize) -> None:
        """Another size has room for other labels."""
        self._make_room()
        self._fill()

    def _make_room(self) -> None:
        for matrix in self.query(ConfusionMatrix):
            matrix.make_room(self.size.width - 2, max(5, self.size.height * 2 // 5))

    @on(ConfusionMatrix.Chosen)
    def _cell_chosen(self, event: ConfusionMatrix.Chosen) -> None:
        self._fill()
        if event.entered:
            self.query_one("#rows").focus()

    @on(OptionList.OptionHighlighted, "FieldsList")
    def _field_chosen(self) -> None:
        self._fill()

    @on(OptionList.OptionSelected, "FieldsList")
    def _field_entered(self) -> None:
        self.query_one("#rows").focus()

    @on(Input.Changed, "#filter")
    def _typed(self) -> None:
        self._fill()

    @on(Input.Submitted, "#filter")
    def _filtered(self) -> None:
        self.query_one("#rows").focus()

    def _fill(self) -> None:
        """List the rows of the chosen place that fit the filter."""
        if self._answers is None:
            return
        self._listed = [row for row in self._chosen(self._answers) if self._fits(row)]
        rows = self.query_one("#rows", OptionList)
        rows.clear_options()
        widest = max((width(self._answer_of(row)) for row in self._listed[:MOST_LISTED]), default=0)
        self._answer_room = min(widest, max(40, self.size.width - 6) // 2)
        rows.add_options([Option(self._line(row)) for row in self._listed[:MOST_LISTED]])
        if self._listed:
            rows.highlighted = 0
        self.query_one("#caption", Prose).show(self._caption(self._answers))

    def _chosen(self, answers: Answers) -> list[AnsweredRow]:
        for matrix in self.query(ConfusionMatrix):
            return [row for row in answers.rows if matrix.matrix.holds(matrix.cell, row.expected, row.answered)]
        wrong = [row for row in answers.rows if not row.first.correct]
        for fields in self.query(FieldsList):
            if fields.chosen:
                wrong = [row for row in wrong if answers.field_scores(row).get(fields.chosen, 1.0) < 1]
        return sorted(wrong, key=lambda row: row.first.score)

    def _fits(self, row: AnsweredRow) -> bool:
        if self._unreadable and row.answered is not None:
            return False
        words = self.query_one("#filter", Input).value
        return not words or has_words(words, _texts(row))

    def _line(self, row: AnsweredRow) -> RichText:
        cells = max(40, self.size.width - 6)
        mark = "*" if f"valid:{row.first.id}" in self._marked else " "
        answer = clip(self._answer_of(row), cells // 2)
        text = visible("  ".join(reversed(row.first.input.values())))
        room = cells - 17 - self._answer_room
        line = f"{mark}{pad(clip(visible(row.first.id), 12), 12)}  {pad(clip(text, room), room)}  {answer}"
        shown = RichText(line, no_wrap=True)
        shown.truncate(cells, overflow="ellipsis")
        return shown

    def _answer_of(self, row: AnsweredRow) -> str:
        if self._answers is not None and not self._answers.counts:
            return f"{row.first.score:.0%}" if row.answered is not None else self._say(T("broken format"))
        given = visible(row.answered) if row.answered is not None else self._say(T("broken format"))
        return f"{visible(row.expected)} → {given}" + (f" ×{row.seeds}" if row.seeds > 1 else "")

    def _caption(self, answers: Answers) -> str:
        where = self._where()
        shown = len(self._listed)
        text = T("{where} · {count} in the list", where=where, count=shown)
        if shown > MOST_LISTED:
            text = T("{where} · the first {most} of {count} in the list", where=where, most=MOST_LISTED, count=shown)
        if self._unreadable:
            text = T("{text}, only answers in a broken format (b: all)", text=text)
        for matrix in self.query(ConfusionMatrix):
            if matrix.matrix.hidden:
                text = T("{text} · other: {count} labels that are confused less", text=text, count=matrix.matrix.hidden)
        return self._say(text) if answers.rows or answers.counts else self._say(T("No rows to show."))

    def _where(self) -> Text:
        for matrix in self.query(ConfusionMatrix):
            cell, name = matrix.cell, matrix.name_of
            if cell == Cell(WRONG, WRONG):
                return T("All wrong answers")
            if cell.answered == WRONG:
                return T("Expected {label}, answered otherwise", label=name(cell.expected))
            if cell.expected == WRONG:
                return T("Wrongly answered {label}", label=name(cell.answered))
            return T("Expected {label}, answered {given}", label=name(cell.expected), given=name(cell.answered))
        for fields in self.query(FieldsList):
            if fields.chosen:
                return T("{field} is not right", field=visible(fields.chosen))
        return T("Wrong answers, worst first")

    @on(OptionList.OptionSelected, "#rows")
    def _row_opened(self, event: OptionList.OptionSelected) -> None:
        if self._answers is not None:
            screen = ErrorRowScreen(self._answers, self._listed, event.option_index, self._say)
            self.app.push_screen(screen, self._came_back)

    def _came_back(self, _closed: object) -> None:
        self._marked = _marked(self._task_path)
        place = self.query_one("#rows", OptionList).highlighted
        self._fill()
        self.query_one("#rows", OptionList).highlighted = place

    def action_filter(self) -> None:
        """Type words that the rows must hold."""
        self.query_one("#filter").focus()

    def action_unreadable(self) -> None:
        """Only answers that could not be read, or all again."""
        self._unreadable = not self._unreadable
        self._fill()

    async def action_mark(self) -> None:
        """Put the highlighted row into the batch of suspects."""
        rows = self.query_one("#rows", OptionList)
        if rows.highlighted is None or not self._listed:
            return
        row = self._listed[rows.highlighted]
        try:
            candidate = valid_candidate(row.first, "errors", why=T("You marked it among the errors."))
            new = await asyncio.to_thread(add, self._task_path, SUSPECTS, [candidate])
        except IterateError as error:
            self.notify(trouble(error, self._say), severity="error", markup=False)
            return
        self._marked.add(candidate.id)
        rows.replace_option_prompt_at_index(rows.highlighted, self._line(row))
        self.notify(self._say(FILED if new else FILED_BEFORE), markup=False)

    def action_leave(self) -> None:
        """From the filter to the rows; from anywhere else back to where the person came from."""
        if self.focused is not None and self.focused.id == "filter":
            self.query_one("#rows").focus()
        else:
            self.dismiss(None)


def _wanted(pair: tuple[str, str] | None, label: str | None) -> Cell | None:
    if pair is not None:
        return Cell(Group("label", pair[0]), Group("label", pair[1]))
    return Cell(Group("label", label), WRONG) if label is not None else None


def _marked(task_path: Path) -> set[str]:
    if SUSPECTS not in list_batches(task_path):
        return set()
    return {item.candidate.id for item in load_batch(task_path, SUSPECTS).items}


def _texts(row: AnsweredRow) -> Sequence[str]:
    one = row.first
    return [one.id, *one.input.values(), row.expected, row.answered or "", one.raw, one.failure or ""]
