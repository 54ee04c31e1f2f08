"""A question with yes and no, for what a command would do outside of a session; Enter alone never means yes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button

from agent.faces.tui.widgets.blocks import Entry
from agent.faces.tui.widgets.flow import Prose
from tools.text import Speaker, T, Text

DEAD_SECONDS = 0.5
"""A key in this time after the question appeared, or after another key, was meant for something else."""


class ConfirmScreen(ModalScreen[bool]):
    """Answers True only for the key y, or for the Yes button."""

    BINDINGS: ClassVar = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,escape", "answer(False)", "No", show=False),
        Binding("left,right", "app.focus_next", "Other button", show=False),
    ]

    def __init__(
        self, question: Text, say: Speaker, *, about: Sequence[Entry] = (), now: Callable[[], float] = monotonic
    ) -> None:
        super().__init__()
        self._question = question
        self._say = say
        self._about = about
        self._now = now
        self._open_from = 0.0

    def compose(self) -> ComposeResult:
        """The question, what it is about, and two buttons, No in front."""
        with Vertical(classes="dialog"):
            yield Prose(self._say(self._question), classes="tone-strong")
            if self._about:
                yield VerticalScroll(*(entry.widget() for entry in self._about))
            with Horizontal(classes="buttons"):
                yield Button(self._say(T("No (n)")), id="no", compact=True)
                yield Button(self._say(T("Yes (y)")), id="yes", compact=True)

    def on_mount(self) -> None:
        """The dead time begins."""
        self._open_from = self._now() + DEAD_SECONDS
        self.query_one("#no").focus()

    def on_key(self, event: events.Key) -> None:
        """Keys in the dead time do nothing and begin it again; Esc always goes back."""
        if event.key != "escape" and self._now() < self._open_from:
            self._open_from = self._now() + DEAD_SECONDS
            event.stop()
            event.prevent_default()

    def action_answer(self, yes: bool) -> None:
        """Close with an answer; a yes in the dead time is dropped."""
        if yes and self._now() < self._open_from:
            self._open_from = self._now() + DEAD_SECONDS
            return
        self.dismiss(yes)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button was pressed."""
        self.action_answer(event.button.id == "yes")
