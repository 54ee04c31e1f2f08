"""The input at the bottom: Enter sends, Ctrl+J breaks the line, the arrows bring earlier messages back.

What is typed here is never lost: a card, a screen or a completion leaves it as it is, and leaving keeps it as a draft.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from agent.faces.tui.widgets.completion import Completions

MOST_HISTORY = 200


class Composer(TextArea):
    """A text area that sends."""

    BINDINGS: ClassVar = [
        Binding("ctrl+j,shift+enter", "newline", "New line", show=False, id="newline"),
        Binding("ctrl+home", "chat_home", "Oldest message", show=False),
    ]

    class Sent(Message):
        """The person sent a message."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class KeySeen(Message):
        """A key was pressed in the input; cards keep their hands off for a moment."""

    class HelpWanted(Message):
        """A question mark in an empty input."""

    class EndWanted(Message):
        """End, pressed where the line ends already."""

    class LeaveWanted(Message):
        """Ctrl+D in an empty input."""

    def __init__(self, completions: Completions, placeholder: str) -> None:
        super().__init__(id="composer", placeholder=placeholder, compact=True, highlight_cursor_line=False)
        self._completions = completions
        self._history: list[str] = []
        self._at = 0
        self._draft = ""

    async def _on_key(self, event: events.Key) -> None:
        self.post_message(self.KeySeen())
        handled = self._completion_key(event.key) or self._own_key(event)
        if handled:
            event.stop()
            event.prevent_default()  # the text area's own handler, which comes next, is not for this key

    def replace_text(self, text: str) -> None:
        """Put a text into the input, the cursor at its end."""
        self.text = text
        self.move_cursor(self.document.end)

    def action_newline(self) -> None:
        """Break the line."""
        self.insert("\n")

    def action_chat_home(self) -> None:
        """Go to the beginning of the text."""
        self.move_cursor((0, 0))

    def recall(self, texts: Iterable[str]) -> None:
        """What the arrows bring back from earlier days."""
        self._history = [*texts, *self._history][-MOST_HISTORY:]
        self._at = len(self._history)

    def remember(self, text: str) -> None:
        """Add a sent message to what the arrows bring back."""
        if self._history[-1:] != [text]:
            self._history = [*self._history, text][-MOST_HISTORY:]
        self._at = len(self._history)
        self._draft = ""

    def _completion_key(self, key: str) -> bool:
        """Keys that belong to the completions while they are shown."""
        shown = self._completions
        if not shown.display:
            return False
        match key:
            case "up" | "down":
                shown.move(-1 if key == "up" else 1)
            case "tab":
                self._take()
            case "enter" if shown.insert != self.text and shown.moved:
                self._take()
            case "escape":
                shown.hide()
            case _:
                return False
        return True

    def _take(self) -> None:
        insert = self._completions.insert
        self._completions.hide()
        if insert is not None:
            self.replace_text(insert)

    def _own_key(self, event: events.Key) -> bool:
        match event.key:
            case "enter":
                self._send()
            case "up" if self.cursor_at_first_line and self._history:
                return self._recall(-1)
            case "down" if self.cursor_at_last_line and self._at < len(self._history):
                return self._recall(1)
            case "end" if self.cursor_at_end_of_text:
                self.post_message(self.EndWanted())
            case "question_mark" if not self.text:
                self.post_message(self.HelpWanted())
            case "ctrl+d" if not self.text:
                self.post_message(self.LeaveWanted())
            case _:
                return False
        return True

    def _send(self) -> None:
        text = self.text.strip()
        if not text:
            return
        self.remember(text)
        self._completions.hide()
        self.text = ""
        self.post_message(self.Sent(text))

    def _recall(self, step: int) -> bool:
        """Show an earlier or later message; what was being typed comes back after the newest."""
        if self._at == len(self._history):
            self._draft = self.text
        at = self._at + step
        if at < 0:
            return True
        self._at = at
        self.replace_text(self._history[at] if at < len(self._history) else self._draft)
        return True
