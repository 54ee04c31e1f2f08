"""The conversation so far: every entry is kept as a value, the newest few hundred are mounted as widgets.

It follows the bottom until the person scrolls away, says when something new arrived below, and never moves what is being
read. A streamed answer is flushed ten times a second; finished paragraphs are never laid out again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget

from agent.faces.tui.widgets.blocks import Answered, Entry, entries_of, lightly
from agent.faces.tui.widgets.flow import Prose
from tools.text import Speaker, T

MOUNTED = 150
"""Entries that are widgets at a time: every change of the layout goes through all of them."""
SLACK = 50
"""How many more there may be before the oldest are taken off the screen: not one by one, since each time costs a layout."""
EARLIER = 100
"""Entries that "load earlier" brings back."""
FLUSH_SECONDS = 0.1
LONG_PARAGRAPH = 2_000
"""Characters after which a streamed paragraph is cut at a line end, so that laying it out stays cheap."""


class Transcript(VerticalScroll, can_focus=True):
    """The scrolling list of entries."""

    def __init__(self, say: Speaker, below: Widget) -> None:
        super().__init__(id="transcript")
        self._say = say
        self._below = below
        self._entries: list[Entry] = []
        self._first = 0
        self._fresh: list[Entry] = []
        self._following = True
        self._streamed = ""
        self._pending = ""
        self._live: Prose | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """The row that brings earlier entries back."""
        earlier = EarlierRow("", classes="earlier")
        earlier.display = False
        yield earlier

    def on_mount(self) -> None:
        """Follow the bottom; look ten times a second whether streamed text has come."""
        self.anchor()
        self._timer = self.set_interval(FLUSH_SECONDS, self._flush_stream, pause=True)

    @property
    def entries(self) -> list[Entry]:
        """Everything said, oldest first."""
        return self._entries

    def add(self, *entries: Entry) -> None:
        """Show entries at the end; many within one frame cost one layout."""
        self._flush_stream()
        self._end_live()
        self._keep(entries)

    def stream(self, text: str) -> None:
        """A piece of an answer that is being written."""
        self._pending += text
        if self._timer is not None:
            self._timer.resume()

    def end_stream(self) -> None:
        """The answer is complete, or was interrupted."""
        self._flush_stream()
        self._end_live()
        if self._timer is not None:
            self._timer.pause()

    def to_end(self) -> None:
        """Go to the newest entry and follow again."""
        self.anchor()
        self._now_following(following=True)

    async def load_earlier(self) -> None:
        """Mount the entries before the first one that is shown, and stay where the person reads."""
        begin = max(0, self._first - EARLIER)
        widgets = [entry.widget() for entry in self._entries[begin : self._first]]
        if not widgets:
            return
        height = self.virtual_size.height
        place = self.scroll_y
        await self.mount(*widgets, after=self.query_one(EarlierRow))
        self._first = begin
        self._show_earlier()

        def stay() -> None:
            self.scroll_to(y=place + self.virtual_size.height - height, animate=False)

        self.call_after_refresh(stay)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Notice when the person leaves the bottom or comes back."""
        super().watch_scroll_y(old_value, new_value)
        self._now_following(following=self.scroll_y >= self.max_scroll_y)

    def _now_following(self, *, following: bool) -> None:
        self._following = following
        if following:
            self._below.display = False

    def _keep(self, entries: Iterable[Entry]) -> None:
        waiting = bool(self._fresh)
        self._fresh += entries
        if self._fresh and not waiting:
            self.call_later(self._mount_fresh)

    async def _mount_fresh(self) -> None:
        fresh, self._fresh = self._fresh, []
        self._entries += fresh
        if not self.is_attached:  # the last words of a session come while the app closes
            return
        shown = fresh[-(MOUNTED + SLACK) :]
        if len(shown) < len(fresh) or len(self._entries) - self._first > MOUNTED + SLACK:
            await self._prune(len(shown))
        await self.mount(*(entry.widget() for entry in shown), before=self._live)
        self._show_earlier()
        self._mark_below()

    async def _prune(self, coming: int) -> None:
        """Take the oldest entries off the screen, unless the person is reading up there."""
        mounted = [child for child in self.children if not isinstance(child, EarlierRow)]
        if not self._following:
            return
        surplus = max(0, len(mounted) + coming - MOUNTED)
        await self.remove_children(mounted[:surplus])
        self._first = len(self._entries) - coming - (len(mounted) - min(surplus, len(mounted)))

    def _show_earlier(self) -> None:
        row = self.query_one(EarlierRow)
        row.display = self._first > 0
        if self._first:
            row.show(self._say(T("{count} earlier messages: Enter or a click loads some", count=self._first)))

    def _mark_below(self) -> None:
        if not self._following:
            self._below.display = True

    def _flush_stream(self) -> None:
        if not self._pending or not self.is_attached:
            return
        self._streamed += self._pending
        self._pending = ""
        done, rest = finished(self._streamed)
        if done:
            self._end_live(done)
            self._streamed = rest
        if self._streamed.strip():
            self._show_live()

    def _show_live(self) -> None:
        if self._live is None:
            self._live = Prose("", classes="answer")
            self.mount(self._live)
        self._live.show(lightly(self._streamed))
        self._mark_below()

    def _end_live(self, done: str | None = None) -> None:
        """Turn what was streamed into entries; the widget that showed it gives way to theirs."""
        text = self._streamed if done is None else done
        self._streamed = ""
        if self._live is not None:
            self._live.remove()
            self._live = None
        if text.strip():
            self._keep(answer_entries(text))


def finished(text: str) -> tuple[str, str]:
    """The paragraphs of a streamed text that can no longer change, and the rest."""
    fences = [match.start() for match in re.finditer("```", text)]
    limit = fences[-1] if len(fences) % 2 else len(text)
    cut = text.rfind("\n\n", 0, limit)
    if cut < 0 and len(text) > LONG_PARAGRAPH:
        cut = text.rfind("\n", 0, limit)
    return (text[:cut], text[cut:].lstrip("\n")) if cut > 0 else ("", text)


def answer_entries(text: str) -> list[Entry]:
    """The paragraphs of an answer; a table in it becomes a table."""
    entries: list[Entry] = []
    for paragraph in text.strip("\n").split("\n\n"):
        if all(line.lstrip().startswith("|") for line in paragraph.strip().splitlines()):
            entries += entries_of(paragraph)
        elif paragraph.strip():
            entries.append(Answered(paragraph.strip("\n")))
    return entries


class EarlierRow(Prose, can_focus=True):
    """The row above the oldest entry that is mounted."""

    BINDINGS: ClassVar = [("enter", "load", "Load earlier")]

    async def action_load(self) -> None:
        """Bring some back."""
        parent = self.parent
        assert isinstance(parent, Transcript)
        await parent.load_earlier()

    async def on_click(self, event: events.Click) -> None:
        """The mouse loads too."""
        event.stop()
        await self.action_load()


class TranscriptPane(Vertical):
    """The transcript and the line that says that there is more below."""

    def __init__(self, say: Speaker) -> None:
        super().__init__(id="conversation")
        self._below = BelowRow(say(T("↓ new output below (End)")), classes="below")
        self._below.display = False
        self.transcript = Transcript(say, self._below)

    def compose(self) -> ComposeResult:
        """Transcript above, marker below."""
        yield self.transcript
        yield self._below


class BelowRow(Prose):
    """Says that something new arrived below what is being read."""

    def on_click(self) -> None:
        """Go there."""
        pane = self.parent
        assert isinstance(pane, TranscriptPane)
        pane.transcript.to_end()
