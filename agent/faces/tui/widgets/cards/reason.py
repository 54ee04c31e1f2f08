"""A line of a person's own words on a card: the reason of a rejection, or a comment on an approval."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from agent.faces.tui.widgets.flow import Prose
from tools.text import Speaker, T


class ReasonBox(Vertical):
    """Asks for words; an empty line counts only after it was said to be empty, and never where words are the point."""

    class Given(Message):
        """The words, or "" when the person wants to give none."""

        def __init__(self, words: str, *, may_be_empty: bool) -> None:
            super().__init__()
            self.words = words
            self.may_be_empty = may_be_empty

    DEFAULT_CSS = """
    ReasonBox { height: auto; }
    """

    def __init__(self, prompt: str, say: Speaker, *, may_be_empty: bool) -> None:
        super().__init__()
        self._prompt = prompt
        self._say = say
        self._may_be_empty = may_be_empty
        self._asked_twice = False
        hint = T("Type here; Enter rejects with it") if may_be_empty else T("Type here; Enter approves with it")
        self.field = Input(compact=True, placeholder=say(hint))

    def compose(self) -> ComposeResult:
        """The question, the line, and what an empty one means."""
        yield Prose(self._prompt)
        yield self.field
        yield Prose("", classes="reason-note")

    def on_input_changed(self) -> None:
        """Words came: an empty line has to be meant anew."""
        self._asked_twice = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the words over, or say what an empty line would mean."""
        event.stop()
        words = event.value.strip()
        if words or (self._may_be_empty and self._asked_twice):
            self.post_message(self.Given(words, may_be_empty=self._may_be_empty))
            return
        self._asked_twice = True
        empty = T("It is empty. Press Enter again to reject without a reason.")
        needed = T("It is empty. Type a comment, or press Escape to go back.")
        self.query_one(".reason-note", Prose).show(self._say(empty if self._may_be_empty else needed))
