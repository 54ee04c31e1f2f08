"""The row of numbered choices at the foot of a card: it shows and reports clicks; what a click means, the card decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message

from agent.faces.tui.widgets.flow import Flow, fold

Do = Callable[[], Awaitable[None]]
_GAP = 3


@dataclass(frozen=True)
class Choice:
    """One thing that can be answered."""

    key: str
    """A lower-case letter; the number comes from the place."""
    text: str
    """In the reader's language."""
    do: Do


class Choices(Flow):
    """Numbered choices, as many to a line as fit."""

    DEFAULT_CSS = """
    Choices { height: auto; }
    """

    class Picked(Message):
        """A choice was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self) -> None:
        super().__init__()
        self._choices: Sequence[Choice] = ()
        self._cursor: int | None = None
        self._awake = False
        self._places: list[tuple[int, int, int, int]] = []

    def show(self, choices: Sequence[Choice], cursor: int | None, *, awake: bool) -> None:
        """Show these choices; they look asleep while keys decide nothing."""
        self._choices, self._cursor, self._awake = choices, cursor, awake
        self.display = bool(choices)
        self.changed()

    def lay_out(self, width: int) -> Sequence[Content | str]:
        """Lines of choices; remembers where each one stands."""
        rows: list[Content] = [Content("")]
        self._places = []
        for index, choice in enumerate(self._choices):
            label = f"{index + 1} {choice.text} ({choice.key})"
            parts = [label[span.start : span.end].rstrip() for span in fold(label, width - 2)]
            used = cell_len(rows[-1].plain)
            if used and (len(parts) > 1 or used + _GAP + 2 + cell_len(label) > width):
                rows.append(Content(""))
            for number, part in enumerate(parts):
                if number:
                    rows.append(Content(""))
                self._put(rows, index, ("> " if self._cursor == index and not number else "  ") + part)
        return rows

    def _put(self, rows: list[Content], index: int, text: str) -> None:
        start = cell_len(rows[-1].plain)
        gap = " " * (_GAP - 2) if start else ""
        style = "bold reverse" if self._cursor == index else "bold" if self._awake else "$text-muted"
        rows[-1] = Content.assemble(rows[-1], gap, (text, style))
        self._places.append((len(rows) - 1, start + len(gap), start + len(gap) + cell_len(text), index))

    def on_click(self, event: events.Click) -> None:
        """Report which choice was clicked."""
        for row, start, end, index in self._places:
            if event.y == row and start <= event.x < end:
                event.stop()
                self.post_message(self.Picked(index))
