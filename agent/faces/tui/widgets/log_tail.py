"""The end of a worker's log, as it is: plain text, newest line last, long lines cut at the edge."""

from __future__ import annotations

from textual.content import Content

from agent.faces.layout import clip
from agent.faces.tui.widgets.flow import Flow
from tools.text import Speaker, T, visible


class LogTail(Flow):
    """As many of the last lines as there is room for."""

    DEFAULT_CSS = """
    LogTail { height: 3; border-top: solid $panel; padding: 0; }
    """

    def __init__(self, say: Speaker) -> None:
        super().__init__()
        self._say = say
        self._lines: list[str] = []
        self._rows = 4

    def show(self, log: str) -> None:
        """Replace the text; libraries draw progress bars with carriage returns, of which the last state counts."""
        lines = [visible(line.expandtabs(4)) for line in log.splitlines() if line.strip()]
        if lines != self._lines:
            self._lines = lines
            self.changed()

    def on_resize(self) -> None:
        """More or fewer lines fit."""
        self._rows = max(1, self.content_size.height)
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        """The newest lines that fit."""
        if not self._lines:
            return [Content.styled(self._say(T("The log is empty.")), "$text-muted")]
        return [Content.styled(clip(line, width), "$text-muted") for line in self._lines[-self._rows :]]
