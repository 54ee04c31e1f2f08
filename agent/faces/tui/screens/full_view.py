"""One thing read at full size: a proposal with its diff, or a report. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from agent.faces.tui.widgets.diff import DiffView
from tools.text import Speaker, T, visible


class FullView(Screen[None]):
    """Shows widgets over the whole screen until a key takes it away."""

    CSS = """
    FullView .full-title { text-style: bold; padding: 0 1; background: $surface; height: 1; }
    FullView .full-keys { color: $text-muted; padding: 0 1; height: 1; }
    FullView VerticalScroll { height: 1fr; padding: 0 1; }
    FullView VerticalScroll > * { height: auto; }
    """
    BINDINGS: ClassVar = [
        Binding("escape,q,v", "dismiss", show=False),
        Binding("d", "toggle_diff", show=False),
    ]

    def __init__(self, title: str, widgets: Sequence[Widget], say: Speaker) -> None:
        super().__init__()
        self._title = title
        self._widgets = widgets
        self._say = say

    def compose(self) -> ComposeResult:
        """Title, everything, and the way back."""
        yield Static(Content(visible(self._title)), classes="full-title")
        with VerticalScroll():
            yield from self._widgets
        keys = T("↑ ↓ PageUp PageDown scroll   d columns   esc back to the question")
        yield Static(Content(self._say(keys)), classes="full-keys")

    def on_mount(self) -> None:
        """The arrows scroll at once."""
        self.query_one(VerticalScroll).focus()

    def action_toggle_diff(self) -> None:
        """One column or two."""
        for view in self.query(DiffView):
            view.toggle()
