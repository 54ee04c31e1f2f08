"""The decisions that a night left to a person: one row each, the chosen one taken up by a key."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text as RichText
from textual.widgets import DataTable

from agent.overnight.reporting.shapes import WaitingFacts
from agent.overnight.reporting.words import WAITS, clean, plain
from tools.text import Speaker, T


class WaitingList(DataTable[RichText]):
    """Shows what still waits; keeps the cursor when it is shown again."""

    DEFAULT_CSS = """
    WaitingList { height: auto; max-height: 6; }
    """

    def __init__(self, say: Speaker) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True, cell_padding=1)
        self._say = say
        self._waiting: list[WaitingFacts] = []

    @property
    def chosen(self) -> WaitingFacts | None:
        """The decision under the cursor."""
        return self._waiting[self.cursor_row] if 0 <= self.cursor_row < len(self._waiting) else None

    def numbered(self, number: int) -> WaitingFacts | None:
        """The decision of that number."""
        return next((one for one in self._waiting if one.number == number), None)

    def show(self, waiting: Sequence[WaitingFacts]) -> None:
        """Replace the rows."""
        if list(waiting) == self._waiting and self.columns:
            return
        row = self.cursor_row
        self._waiting = list(waiting)
        self.clear(columns=True)
        for title in (T("No."), T("What"), T("Task"), T("About")):
            self.add_column(RichText(self._say(title)))
        for one in self._waiting:
            about = clean(one.title or one.version or one.reason, self._say, 80)
            cells = (str(one.number), self._say(WAITS[one.what]), plain(one.task, 30), about)
            self.add_row(*(RichText(cell) for cell in cells), key=str(one.number))
        self.move_cursor(row=max(0, min(row, len(self._waiting) - 1)))
