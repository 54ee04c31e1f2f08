"""The main screen: step bar, transcript and task panel, cards, completions, input, key bar."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen

from agent.faces.tui.keys import bindings
from agent.faces.tui.widgets.completion import Completions
from agent.faces.tui.widgets.composer import Composer
from agent.faces.tui.widgets.flow import Prose
from agent.faces.tui.widgets.key_bar import KeyBar
from agent.faces.tui.widgets.step_bar import StepBar
from agent.faces.tui.widgets.task_panel import TaskPanel
from agent.faces.tui.widgets.transcript import TranscriptPane
from tools.text import Speaker, T

PANEL_FROM = 100
"""Columns below which the task panel stays away."""


class ChatScreen(Screen[None]):
    """Arranges the parts; what they show is the app's business."""

    BINDINGS: ClassVar = bindings("chat")

    class PanelWanted(Message):
        """The person wants the task panel, or wants it away."""

        def __init__(self, wanted: bool) -> None:
            super().__init__()
            self.wanted = wanted

    def __init__(self, say: Speaker, *, panel: bool) -> None:
        super().__init__(id="chat")
        self._say = say
        self._panel_wanted = panel
        self.steps = StepBar(say)
        self.pane = TranscriptPane(say)
        self.transcript = self.pane.transcript
        self.panel = TaskPanel(say)
        self.cards = Vertical(id="cards")
        self.queue = Prose("", first="⋯ ", classes="queue")
        self.completions = Completions()
        self.composer = Composer(self.completions, say(T("Say what you want, or type / for commands")))
        self.keys = KeyBar(say)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.steps
        with Horizontal(id="middle"):
            yield self.pane
            yield self.panel
        yield self.cards
        yield self.queue
        yield self.completions
        yield self.composer
        yield self.keys

    def on_mount(self) -> None:
        """The person can type at once."""
        self.queue.display = False
        self.composer.focus()
        self._fit()

    def on_resize(self, event: events.Resize) -> None:
        """The panel comes and goes with the width."""
        self._fit()

    def action_toggle_panel(self) -> None:
        """Show or hide the task panel, also where it is narrow."""
        self._panel_wanted = not self.panel.display
        self._fit(asked=True)
        self.post_message(self.PanelWanted(self._panel_wanted))

    def action_page_up(self) -> None:
        """Scroll the conversation up."""
        self.transcript.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        """Scroll the conversation down."""
        self.transcript.scroll_page_down(animate=False)

    def action_to_end(self) -> None:
        """Go to the newest message."""
        self.transcript.to_end()

    def on_composer_end_wanted(self, message: Composer.EndWanted) -> None:
        """End, where the input ends already."""
        self.action_to_end()

    def show_queue(self, waiting: tuple[str, ...]) -> None:
        """Messages that wait for their turn."""
        self.queue.display = bool(waiting)
        self.queue.show("\n".join(self._say(T("waiting: {text}", text=text)) for text in waiting))

    def _fit(self, *, asked: bool = False) -> None:
        self.panel.display = self._panel_wanted and (asked or self.size.width >= PANEL_FROM)
