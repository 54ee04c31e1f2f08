"""The line on top: the five steps with the current one marked by a sign, the task and version, and who answers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from agent.faces.layout import clip
from agent.faces.tui.widgets.flow import Flow
from tools.text import Speaker, T, visible

STEPS = (T("Task"), T("Diagnosis"), T("Proposals"), T("Training"), T("Comparison"))


class StepBar(Flow):
    """Redrawn when one of its values changes."""

    def __init__(self, say: Speaker) -> None:
        super().__init__()
        self._say = say
        self._step = 0
        self._about = ""
        self._who = ""

    @property
    def step(self) -> int:
        """The current step, 0 before the first."""
        return self._step

    def show(self, *, step: int | None = None, about: str | None = None, who: str | None = None) -> None:
        """Change what is given."""
        self._step = self._step if step is None else step
        self._about = self._about if about is None else about
        self._who = self._who if who is None else who
        self.changed()

    def lay_out(self, width: int) -> Sequence[Content | str]:
        """Steps on the left, the rest on the right; where both do not fit, only the current step keeps its name."""
        right = " · ".join(visible(part) for part in (self._about, self._who) if part)
        for short in (False, True):
            left = self._steps(short=short)
            room = width - left.cell_length - 2
            if room >= cell_len(right) or short:
                break
        right = clip(right, max(0, room)) if room > 1 else ""
        return [left + " " * max(1, width - left.cell_length - cell_len(right)) + Content(right)]

    def _steps(self, *, short: bool) -> Content:
        parts: list[str | tuple[str, str]] = []
        for number, name in enumerate(STEPS, start=1):
            now = number == self._step
            sign = "▶" if now else "✓" if number < self._step else " "
            word = "" if short and not now else " " + self._say(name)
            parts.append((f"{sign}{number}{word}", "bold $text-primary" if now else "$text-muted"))
            parts.append(" " if short else "  ")
        return Content.assemble(*parts[:-1])
