"""The sessions of the workspace's tasks, newest first, to go on with one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from agent.faces.layout import pad, width
from agent.faces.tui.start import SESSION_STATES
from agent.faces.tui.widgets.flow import Prose
from agent.records import PastSession
from tools.text import Speaker, T, visible


class ResumeScreen(ModalScreen[PastSession | None]):
    """Answers with the chosen session."""

    BINDINGS: ClassVar = [Binding("escape,q", "dismiss(None)", "Back", show=False)]

    def __init__(self, sessions: Sequence[PastSession], say: Speaker) -> None:
        super().__init__()
        self._sessions = sessions
        self._say = say

    def compose(self) -> ComposeResult:
        """A title and the list."""
        with Vertical(classes="dialog"):
            yield Prose(self._say(T("Sessions of this workspace")), classes="tone-strong")
            yield OptionList(*self._options(), compact=True)
            yield Prose(self._say(T("Enter goes on with it, Esc goes back.")), classes="tone-muted")

    def on_mount(self) -> None:
        """The keys are for the list."""
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """One was chosen."""
        event.stop()
        self.dismiss(self._sessions[event.option_index])

    def _options(self) -> list[Option]:
        names = [visible(one.task.name, 30) for one in self._sessions]
        column = max((width(name) for name in names), default=0)
        return [
            Option(
                Content.assemble(
                    ("● " if one.open else "  ", "bold"),
                    (pad(name, column), "bold"),
                    f"  {one.record.started_at[:16].replace('T', ' ')}  ",
                    self._state(one),
                )
            )
            for one, name in zip(self._sessions, names, strict=True)
        ]

    def _state(self, one: PastSession) -> str:
        """What became of it; one that was cut off and has a successor is over as well."""
        over = one.record.reason is None and not one.newest
        return self._say(SESSION_STATES["done" if over else one.record.reason])
