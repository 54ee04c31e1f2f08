"""The one registry of keys: the app's bindings, the help screen and the key bar come from here.

A user can change any of them by its id in the settings file:

    keys:
      panel: ctrl+b
      help: f1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

from tools.text import T, Text


@dataclass(frozen=True)
class Key:
    """One key, what it does, and the command it stands for."""

    id: str
    """Name in the settings file."""
    keys: str
    """As Textual writes them, separated by commas. None needs Alt; ctrl+s and ctrl+q are never the only way."""
    shown: str
    """As people write them."""
    summary: Text
    action: str = ""
    """The app's action; "" for what a widget does by itself."""
    command: str = ""
    """The command of agent/conversation/commands.py that it carries out."""
    where: Literal["app", "chat"] = "app"
    """chat: only while the chat is in front."""


KEYS: tuple[Key, ...] = (
    Key("send", "enter", "Enter", T("send what is typed")),
    Key("newline", "ctrl+j", "Ctrl+J", T("new line in the message")),
    Key("history", "up,down", "↑ ↓", T("earlier messages, in the first and last line of the input")),
    Key("accept", "tab", "Tab", T("take the completion; without one, go to the next part of the screen")),
    Key(
        "interrupt",
        "escape",
        "Esc",
        T("interrupt the answer, or the model that is asked; a training goes on"),
        "interrupt",
    ),
    Key("question", "ctrl+r", "Ctrl+R", T("go to the question that waits"), "to_question"),
    Key("up", "pageup", "PageUp", T("scroll the conversation up"), "page_up", where="chat"),
    Key("down", "pagedown", "PageDown", T("scroll the conversation down"), "page_down", where="chat"),
    Key("end", "ctrl+end", "End", T("newest message; in the input at the end of its line"), "to_end", where="chat"),
    Key("panel", "ctrl+t", "Ctrl+T", T("show or hide the task panel"), "toggle_panel", where="chat"),
    Key("palette", "ctrl+p", "Ctrl+P", T("all commands, with a search"), "command_palette"),
    Key("help", "f1", "F1 ?", T("help"), "show_help"),
    Key("training", "f2", "F2", T("the live view of the training"), "command('training')", "training"),
    Key("errors", "f3", "F3", T("the errors and their rows"), "command('errors')", "errors"),
    Key("versions", "f4", "F4", T("the versions"), "command('versions')", "versions"),
    Key("refs", "f5", "F5", T("the reference pages"), "command('refs')", "refs"),
    Key("samples", "f8", "F8", T("the samples"), "command('samples')", "samples"),
    Key("copy", "ctrl+c", "Ctrl+C", T("copy what is selected; twice without a selection leaves"), "copy_or_leave"),
    Key("quit", "ctrl+q", "Ctrl+Q /quit", T("leave; a training goes on"), "command('quit')", "quit"),
)
BY_ID: dict[str, Key] = {key.id: key for key in KEYS}


def bindings(where: Literal["app", "chat"]) -> list[BindingType]:
    """The bindings of the app, or of the chat screen; what widgets do by themselves has none."""
    return [
        Binding(key.keys, key.action, key.id, show=False, priority=key.id == "quit", id=key.id)
        for key in KEYS
        if key.action and key.where == where and key.id != "palette"
    ]


def usable_keymap(wanted: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The changes a user may make, and the names of those that no key has."""
    known = {key.id for key in KEYS if key.action}
    return {name: keys for name, keys in wanted.items() if name in known}, sorted(set(wanted) - known)
