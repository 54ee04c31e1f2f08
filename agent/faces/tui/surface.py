"""The program's surface: blocks and errors in the transcript, clipboard, bell and title, colours, help, and the keys for them.

What the chat is about (conversation, session, orders) is in app.py, which stands on this.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.command import CommandPalette
from textual.screen import Screen

from agent.conversation.said import Order
from agent.faces.tui import keys, themes
from agent.faces.tui.answering import apology, error_entries
from agent.faces.tui.apology import write_log
from agent.faces.tui.attention import Attention
from agent.faces.tui.copying import copy_with_program
from agent.faces.tui.memory import UiMemory
from agent.faces.tui.messages import OrderGiven
from agent.faces.tui.screens.chat import ChatScreen
from agent.faces.tui.screens.help import HelpScreen
from agent.faces.tui.widgets.blocks import Entry, Note, PersonSaid
from agent.faces.tui.widgets.composer import Composer
from agent.notify import Happening, notify_soon
from agent.paths import Workspace
from agent.settings import Settings
from tools.errors import IterateError
from tools.text import Speaker, T, Text, visible

LEAVE_AGAIN_SECONDS = 3.0
"""Within this time a second Ctrl+C leaves."""


class Surface(App[int]):
    """Everything between the chat and the terminal that has nothing to do with what is talked about."""

    CSS_PATH = "app.tcss"
    TITLE = "iterate"
    BINDINGS: ClassVar = keys.bindings("app")

    def __init__(self, workspace: Workspace, say: Speaker, language: str, settings: Settings) -> None:
        self.workspace = workspace
        self.say = say
        self.language = language
        self.settings = settings
        self.memory = UiMemory(workspace.root / ".iterate")
        super().__init__()
        self.attention = Attention(self.bell, self._write_to_terminal)
        self.attention.wanted = settings.bell
        self.chat = ChatScreen(say, panel=self.memory.now.panel)
        self.theme = themes.theme_name(self.memory.now.theme, os.environ)
        self._changed_keys, self._unknown_keys = keys.usable_keymap(settings.keys)
        self._leave_at_next = False
        self.set_keymap(self._changed_keys)

    @property
    def subject(self) -> str:
        """What the terminal's title names."""
        return ""

    def get_default_screen(self) -> Screen[Any]:
        """The chat is there from the first paint."""
        return self.chat

    def get_css_variables(self) -> dict[str, str]:
        """The colours of the theme, the pale ones of them made readable."""
        self.theme_variables = super().get_css_variables() | themes.readable(self.theme)
        return self.theme_variables

    def greet(self) -> None:
        """Right after the first paint: the message that was not sent, the title, keys that do not exist."""
        self.chat.composer.replace_text(self.memory.now.draft + self.chat.composer.text)  # somebody may type already
        self.memory.keep(draft="")
        self.attention.title(self._title())
        for name in self._unknown_keys:
            told = T(
                "The settings change the key {name}, which does not exist; F1 lists the names.", name=visible(name, 40)
            )
            self.tell(told, "warning")

    # --- blocks

    def show(self, *entries: Entry) -> None:
        """Add blocks to the transcript."""
        self.chat.transcript.add(*entries)

    def tell(self, text: Text, tone: str = "muted") -> None:
        """Say one thing in the program's words."""
        self.show(Note(self.say(text), tone, sign="· "))

    def fail(self, error: BaseException) -> None:
        """Show an error: the user's with its next step, the program's own with an apology and a log."""
        if isinstance(error, IterateError):
            self.show(*error_entries(error, self.say))
            return
        key = self.settings.api_key
        log = write_log(self.workspace.root / ".iterate", error, (key.get_secret_value(),) if key else ())
        self.show(*apology(str(log) if log else None, error, self.say))

    def last_answer(self) -> str:
        """What was said after the person's last message that had an answer: `/copy` itself has none yet."""
        lines: list[str] = []
        for entry in reversed(self.chat.transcript.entries):
            if not isinstance(entry, PersonSaid):
                lines.insert(0, entry.plain())
            elif lines:
                break
        return "\n".join(lines).strip()

    # --- attention

    def call_person(self, what: Text, happening: Happening = "finished") -> None:
        """Ring, set the title and run the person's own program if they look elsewhere."""
        absent = self.attention.absent
        self.attention.call(self._title(what))
        if absent:
            notify_soon(self.settings, happening, self.say(what), warn=self._not_called, task=self.subject)

    def _not_called(self, why: Text) -> None:
        """The person's program failed; this is heard in a thread of its own, perhaps when the screen is gone."""
        if self.is_running:
            self.call_from_thread(self.tell, why, "warning")

    def _title(self, what: Text | None = None) -> str:
        name = visible(self.subject, 40)
        return " - ".join(part for part in (self.say(what) if what else "", name, "iterate") if part)

    def _write_to_terminal(self, sequence: str) -> None:
        if self._driver is not None and not self.is_headless and not self.is_web:
            self._driver.write(sequence)

    async def on_event(self, event: events.Event) -> None:
        """Whoever presses a key is here."""
        if isinstance(event, events.Key):
            self.attention.seen()
        await super().on_event(event)

    def on_app_blur(self) -> None:
        """The person looks elsewhere."""
        self.attention.left()

    def on_app_focus(self) -> None:
        """The person is back."""
        self.attention.back(self._title())

    # --- keys

    def on_chat_screen_panel_wanted(self, message: ChatScreen.PanelWanted) -> None:
        """Remember whether the task panel is wanted."""
        self.memory.keep(panel=message.wanted)

    def action_show_help(self) -> None:
        """Every command and every key."""
        self.push_screen(HelpScreen(self.say, self.language, self._changed_keys))

    def action_command_palette(self) -> None:
        """Search the commands; Textual's own palette, in the person's language."""
        if not any(isinstance(screen, CommandPalette) for screen in self.screen_stack):
            self.push_screen(CommandPalette(placeholder=self.say(T("Search for a command")), id="--command-palette"))

    def on_composer_help_wanted(self, message: Composer.HelpWanted) -> None:
        """A question mark in the empty input."""
        self.action_show_help()

    def action_copy_or_leave(self) -> None:
        """Copy what is selected; without a selection the second press leaves."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
        elif self._leave_at_next:
            self.post_message(OrderGiven(Order(command="quit")))
        else:
            self._leave_at_next = True
            self.set_timer(LEAVE_AGAIN_SECONDS, self._forget_leaving)
            told = T("Press Ctrl+C again to leave; a training goes on.")
            self.notify(self.say(told), timeout=LEAVE_AGAIN_SECONDS, markup=False)

    def _forget_leaving(self) -> None:
        self._leave_at_next = False

    def copy_to_clipboard(self, text: str) -> None:
        """Through the terminal, and through the desktop's own program where there is one."""
        super().copy_to_clipboard(text)
        self.run_worker(lambda: copy_with_program(text), thread=True, group="copy", exit_on_error=False)

    def use_theme(self, choice: str) -> None:
        """Change the colours and remember them."""
        self.memory.keep(theme=choice)
        self.theme = themes.theme_name(choice, os.environ)
