"""Lines with a tone, folded at the edge: for records, reports and comparisons that are read, not streamed."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from agent.faces.tui.version_pages import Line
from agent.faces.tui.widgets.flow import Flow, fold


class Lines(Flow):
    """Shows lines; nothing of them is cut."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines."""
        if list(lines) != self._lines:
            self._lines = list(lines)
            self.changed()

    def lay_out(self, width: int) -> list[Content]:
        """Each line folded by itself."""
        return [
            Content.styled(text[span.start : span.end].rstrip(), style)
            for text, style in self._lines
            for span in fold(text, width)
        ]
