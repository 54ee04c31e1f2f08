"""Help: every command and every key, from the two registries that also make the completion, the palette and the bindings."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from agent.conversation.commands import COMMANDS, Command
from agent.faces.tui.keys import KEYS
from agent.faces.tui.widgets.blocks import Entry, Grid, Note
from tools.text import Speaker, T


class HelpScreen(ModalScreen[None]):
    """Scrolls; Esc goes back."""

    BINDINGS: ClassVar = [Binding("escape,q,f1,question_mark", "dismiss(None)", "Back", show=False)]

    def __init__(self, say: Speaker, language: str, keymap: dict[str, str]) -> None:
        super().__init__()
        self._entries = help_entries(say, language, keymap)

    def compose(self) -> ComposeResult:
        """Everything in one scrolling box."""
        with Vertical(classes="dialog tall"), VerticalScroll():
            for entry in self._entries:
                yield entry.widget()

    def on_mount(self) -> None:
        """The arrows scroll."""
        self.query_one(VerticalScroll).focus()


def help_entries(say: Speaker, language: str, keymap: dict[str, str]) -> list[Entry]:
    """What can be typed, what can be said, and which key does what."""
    commands = [[slash(command), say(command.summary), spoken(command, language)] for command in COMMANDS]
    keys = [[keymap.get(key.id, key.shown), say(key.summary), key.id if key.action else ""] for key in KEYS]
    return [
        Note(say(T("Say it in your own words, or type a command. Esc closes this page.")), "strong"),
        Note("", gap=False),
        Grid([say(T("Command")), say(T("What it does")), say(T("Or say"))], commands),
        Note("", gap=False),
        Grid([say(T("Key")), say(T("What it does")), say(T("Name in settings"))], keys),
    ]


def slash(command: Command) -> str:
    """The command as it is typed, with what may follow."""
    slots = [f"<{slot.value}>" if slot in command.required else f"[{slot.value}]" for slot in command.slots]
    return " ".join(["/" + command.name, *slots])


def spoken(command: Command, language: str) -> str:
    """One phrase in the person's language."""
    chinese = language.startswith("zh")
    fitting = [phrase for phrase in command.phrases if any(char > "\u2e80" for char in phrase) == chinese]
    return next(iter(fitting), "")
