"""The last line: the three keys that matter now."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from agent.faces.tui.widgets.flow import Flow
from tools.text import Speaker, T, Text

Hint = tuple[str, Text]
IDLE: tuple[Hint, ...] = (("Enter", T("send")), ("/", T("commands")), ("F1", T("help")))
BUSY: tuple[Hint, ...] = (("Esc", T("interrupt the answer")), ("Enter", T("queue a message")), ("F1", T("help")))
USING: tuple[Hint, ...] = (("Esc", T("end the model at work")), ("Enter", T("send")), ("F1", T("help")))
ASKED: tuple[Hint, ...] = (("Ctrl+R", T("go to the question")), ("Enter", T("send")), ("F1", T("help")))
TRAINING: tuple[Hint, ...] = (("F2", T("watch the training")), ("Enter", T("send")), ("F1", T("help")))
READING: tuple[Hint, ...] = (("End", T("newest message")), ("Enter", T("open")), ("F1", T("help")))


class KeyBar(Flow):
    """Shows as many hints as fit."""

    def __init__(self, say: Speaker) -> None:
        super().__init__()
        self._say = say
        self._hints = IDLE

    def show(self, hints: tuple[Hint, ...]) -> None:
        """Change the hints."""
        if hints != self._hints:
            self._hints = hints
            self.changed()

    def lay_out(self, width: int) -> Sequence[Content | str]:
        """One line; a hint that does not fit is left out whole."""
        parts: list[str | tuple[str, str]] = []
        used = 0
        for key, meaning in self._hints:
            told = self._say(meaning)
            cells = cell_len(f"{key} {told}   ")
            if used + cells > width + 3:
                break
            parts += [(key, "bold"), (f" {told}   ", "$text-muted")]
            used += cells
        return [Content.assemble(*parts).rstrip()]
