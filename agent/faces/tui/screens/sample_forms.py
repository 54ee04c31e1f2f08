"""The small forms of the review: edit a row, give a reason, decide many at once.

They close with an answer, and write nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

from pydantic import JsonValue
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, TextArea

from agent.faces.tui.widgets.flow import Prose
from agent.faces.tui.widgets.plain_text import PlainText
from tools.reviewing.row_forms import row_problems
from tools.task import Task
from tools.text import Speaker, T, Text, visible

BulkVerb = Literal["accept", "reject"]


class EditedRow(NamedTuple):
    """A row as the person wants it."""

    fields: dict[str, str]
    answer: JsonValue


class EditScreen(ModalScreen[EditedRow | None]):
    """The fields and the answer of one row; what is wrong is said while typing, and only a usable row can be kept."""

    CSS = """
    EditScreen .dialog { height: 90%; }
    EditScreen VerticalScroll { height: 1fr; max-height: 100%; }
    EditScreen TextArea { height: auto; min-height: 3; max-height: 10; }
    EditScreen #problems { color: $text-error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", show=False)]

    def __init__(self, task: Task, fields: Mapping[str, str], answer: JsonValue, say: Speaker) -> None:
        super().__init__()
        self._known = task
        self._fields = dict(fields)
        self._answer = answer
        self._say = say

    @property
    def _is_object(self) -> bool:
        answer = self._known.definition.answer
        return answer.type == "json" and answer.label_field is None

    def compose(self) -> ComposeResult:
        """One box a field, one for the answer, what is wrong, and the buttons."""
        with Vertical(classes="dialog"):
            with VerticalScroll():
                for number, (name, text) in enumerate(self._fields.items()):
                    yield PlainText(name, classes="tone-strong")
                    yield TextArea(text, id=f"field-{number}", soft_wrap=True, show_line_numbers=False)
                yield PlainText(self._say(T("Answer")), classes="tone-strong")
                yield TextArea(self._answer_text(), id="answer", soft_wrap=True, show_line_numbers=False)
            problems = Prose("")
            problems.id = "problems"
            yield problems
            with Horizontal(classes="buttons"):
                yield Button(Content(self._say(T("Cancel (Esc)"))), id="cancel", compact=True)
                yield Button(Content(self._say(T("Keep it like this"))), id="keep", compact=True)

    def on_mount(self) -> None:
        """Begin in the first field."""
        self.query(TextArea).first().focus()
        self._check()

    def _answer_text(self) -> str:
        if self._answer is None:
            return ""
        if isinstance(self._answer, str):
            return self._answer
        return json.dumps(self._answer, ensure_ascii=False, indent=2)

    def edited(self) -> EditedRow:
        """The row as it stands in the boxes."""
        fields = {name: self.query_one(f"#field-{number}", TextArea).text for number, name in enumerate(self._fields)}
        text = self.query_one("#answer", TextArea).text
        if not self._is_object:
            return EditedRow(fields, text.strip() if self._known.definition.task_type == "classification" else text)
        try:
            return EditedRow(fields, json.loads(text))
        except (ValueError, RecursionError):
            return EditedRow(fields, text)

    @on(TextArea.Changed)
    def _check(self) -> None:
        row = self.edited()
        problems = row_problems(self._known, row.fields, row.answer)
        self.query_one("#problems", Prose).show("\n".join(f"! {visible(self._say(one))}" for one in problems))
        self.query_one("#keep", Button).disabled = bool(problems)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(self.edited() if event.button.id == "keep" else None)


class ReasonScreen(ModalScreen[str | None]):
    """A line of reason, which may be empty; Enter goes on, Esc does not."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", show=False)]

    def __init__(self, question: Text, say: Speaker) -> None:
        super().__init__()
        self._question = question
        self._say = say

    def compose(self) -> ComposeResult:
        """The question and a line to type in."""
        with Vertical(classes="dialog"):
            yield Prose(self._say(self._question), classes="tone-strong")
            yield Input(placeholder=self._say(T("reason, may be empty; Enter goes on, Esc does not")))

    @on(Input.Submitted)
    def _given(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)


class BulkScreen(ModalScreen[BulkVerb | None]):
    """Accept or reject many rows at once; the way out is in front."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(None)", "Cancel", show=False),
        Binding("left", "app.focus_previous", "Other button", show=False),
        Binding("right", "app.focus_next", "Other button", show=False),
    ]

    def __init__(self, count: int, say: Speaker) -> None:
        super().__init__()
        self._count = count
        self._say = say

    def compose(self) -> ComposeResult:
        """The number of rows and three buttons."""
        question = T("Decide the {count} undecided rows that are shown? One undo takes it all back.", count=self._count)
        with Vertical(classes="dialog"):
            yield Prose(self._say(question), classes="tone-strong")
            with Horizontal(classes="buttons"):
                yield Button(Content(self._say(T("Cancel (Esc)"))), id="cancel", compact=True)
                yield Button(Content(self._say(T("Accept {count}", count=self._count))), id="accept", compact=True)
                yield Button(Content(self._say(T("Reject {count}", count=self._count))), id="reject", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        answers: dict[str | None, BulkVerb] = {"accept": "accept", "reject": "reject"}
        self.dismiss(answers.get(event.button.id))
