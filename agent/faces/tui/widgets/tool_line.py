"""A line that opens on Enter or a click: what a tool read, the evidence of a finding, the text of a report."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from agent.faces.tui.widgets.blocks import Fold, Note
from agent.faces.tui.widgets.flow import Prose
from tools.text import Speaker, T, visible

SHOWN_OUTCOME = 4_000
"""Characters of a tool's answer that are shown; the model read no more either."""


class FoldedLine(Vertical):
    """The line, and below it the body, whose widgets are made when it is opened first."""

    def __init__(self, fold: Fold) -> None:
        super().__init__(classes="fold")
        self._fold = fold
        self._head = FoldHead(fold.title, tone=fold.tone)

    def compose(self) -> ComposeResult:
        """The line alone."""
        yield self._head

    async def on_mount(self) -> None:
        """Open what begins open."""
        if self._fold.opened:
            await self.toggle()

    async def toggle(self) -> None:
        """Open or close."""
        opened = self.has_class("opened")
        if opened:
            await self.query(".fold-body").remove()
        else:
            await self.mount(Vertical(*(entry.widget() for entry in self._fold.body), classes="fold-body"))
        self.set_class(not opened, "opened")
        self._head.mark(opened=not opened)


class FoldHead(Prose, can_focus=True):
    """The line itself."""

    BINDINGS: ClassVar = [Binding("enter,space", "open_fold", "Open", show=False)]

    def __init__(self, title: str, *, tone: str) -> None:
        super().__init__(title, first="▸ ", classes="fold-head" + (f" tone-{tone}" if tone else ""))

    def mark(self, *, opened: bool) -> None:
        """Show whether the body is below."""
        self._first = "▾ " if opened else "▸ "
        self.changed()

    async def action_open_fold(self) -> None:
        """Open or close the body."""
        parent = self.parent
        assert isinstance(parent, FoldedLine)
        await parent.toggle()

    async def on_click(self, event: events.Click) -> None:
        """The mouse opens too."""
        event.stop()
        await self.action_open_fold()


def tool_entry(name: str, arguments: str, outcome: str, *, ok: bool, say: Speaker) -> Fold:
    """A reading tool that the model called, folded."""
    sign = T("read") if ok else T("failed")
    shown = visible(arguments if arguments.strip() not in {"", "{}"} else "", 80)
    title = f"{say(sign)}: {visible(name, 40)} {shown}".rstrip()
    return Fold(title, (Note(visible(outcome, SHOWN_OUTCOME), "muted"),), "muted" if ok else "warning")
