"""What a slash command can become: a short list above the input, taken with Tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from agent.faces.layout import clip, pad
from tools.text import visible

SHOWN = 8
_NAMES = 24
"""Columns for the first part at most."""


class Offer(Protocol):
    """One completion, as agent/conversation/understand.py makes it."""

    insert: str
    shown: str
    note: str


class Completions(OptionList, can_focus=False):
    """The list; the input keeps the focus and moves the mark in it."""

    def __init__(self) -> None:
        super().__init__(id="completions", compact=True)
        self.display = False
        self._inserts: list[str] = []
        self.moved = False
        """True once the person chose a line, so that Enter takes it instead of sending."""

    @property
    def insert(self) -> str | None:
        """The text of the marked line."""
        return self._inserts[self.highlighted] if self.highlighted is not None and self._inserts else None

    def offer(self, offers: Sequence[Offer]) -> None:
        """Show these; none hides the list."""
        self.moved = False
        self._inserts = [one.insert for one in offers]
        self.clear_options()
        column = min(_NAMES, max((cell_len(one.shown) for one in offers), default=0))
        self.add_options([Option(_line(one, column)) for one in offers])
        self.highlighted = 0 if offers else None
        self.display = bool(offers)

    def hide(self) -> None:
        """Take the list away."""
        self.display = False
        self._inserts = []

    def move(self, step: int) -> None:
        """Mark the next or previous line."""
        self.moved = True
        self.highlighted = ((self.highlighted or 0) + step) % max(1, len(self._inserts))


def _line(offer: Offer, column: int) -> Content:
    shown = pad(clip(visible(offer.shown), column), column)
    return Content.assemble((shown, "bold"), "  ", (visible(offer.note), "$text-muted"))
