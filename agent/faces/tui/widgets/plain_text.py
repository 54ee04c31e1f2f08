"""The one widget for text that may come from outside: never markup, control characters shown as escapes."""

from __future__ import annotations

from rich.text import Text as RichText
from textual.widgets import Static

from tools.text import visible


class PlainText(Static):
    """Shows a string as it is; data rows, model answers and file names cannot style or break the screen here."""

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(RichText(visible(text)), id=id, classes=classes, markup=False)

    def show(self, text: str) -> None:
        """Replace the text."""
        self.update(RichText(visible(text)))
