"""The morning report of a night, with the decisions it left to a person one key away; older nights are behind the arrows.

It decides nothing: taking up a decision is an order that opens its review or the question about its adoption.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable

from agent.conversation.said import Order
from agent.faces.tui.messages import OrderGiven
from agent.faces.tui.version_pages import BAD, MUTED, NORMAL
from agent.faces.tui.widgets.flow import Prose
from agent.faces.tui.widgets.key_bar import Hint, KeyBar
from agent.faces.tui.widgets.report_body import ReportBody
from agent.faces.tui.widgets.waiting_list import WaitingList
from agent.faces.views.report import STATES
from agent.overnight.records import NightRecord
from agent.overnight.reporting.facts import night_facts
from agent.overnight.reporting.nights import nights
from agent.overnight.reporting.shapes import NightFacts, WaitingFacts
from agent.overnight.reporting.words import clean, plain
from tools.errors import IterateError
from tools.text import Speaker, T, Text, visible

POLL_SECONDS = 3.0
_DIGITS = range(1, 10)
_KEYS: tuple[Hint, ...] = (
    ("1-9 Enter", T("take a decision up")),
    ("Tab", T("scroll")),
    ("← →", T("older, newer night")),
    ("Esc", T("back")),
    ("y", T("copy its command")),
)
_KEYS_WITHOUT: tuple[Hint, ...] = (("↑ ↓", T("scroll")), ("← →", T("older, newer night")), ("Esc", T("back")))


class MorningScreen(Screen[None]):
    """The report, and below it (on a wide terminal, beside it) what waits."""

    DEFAULT_CSS = """
    MorningScreen { layout: vertical; padding: 0 1; }
    MorningScreen #both { layout: vertical; height: 1fr; }
    MorningScreen #report { height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    MorningScreen #decisions { height: auto; max-height: 50%; border-top: solid $foreground-muted; }
    MorningScreen #decisions.-none { display: none; }
    MorningScreen #decisions:focus-within { border-top: solid $primary; }
    MorningScreen #about { height: auto; max-height: 3; color: $text-muted; }
    MorningScreen.-wide #both { layout: horizontal; }
    MorningScreen.-wide #report { width: 1fr; padding-right: 1; }
    MorningScreen.-wide #decisions { width: 40%; height: 100%; max-height: 100%; padding-left: 1; }
    MorningScreen.-wide #decisions { border-top: none; border-left: solid $foreground-muted; }
    MorningScreen.-wide #decisions:focus-within { border-top: none; border-left: solid $primary; }
    MorningScreen.-wide WaitingList { max-height: 60%; }
    MorningScreen.-wide #about { max-height: 40%; margin-top: 1; }
    MorningScreen KeyBar { height: 1; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]  # noqa: RUF012 - Textual declares it as an instance attribute
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("left", "turn(1)", show=False, priority=True),
        Binding("right", "turn(-1)", show=False, priority=True),
        Binding("y", "copy", show=False),
        *(Binding(str(number), f"take_up({number})", show=False) for number in _DIGITS),
    ]

    class Read(Message):
        """A report was read; the error says why not."""

        def __init__(self, facts: NightFacts | None, place: tuple[int, int], error: Text | None = None) -> None:
            super().__init__()
            self.facts = facts
            self.place = place
            self.error = error

    def __init__(self, workspace: Path, say: Speaker, *, night: str | None = None) -> None:
        super().__init__()
        self._workspace = workspace
        self._say = say
        self._night = night
        """The one that is read; the newest when None."""
        self._facts: NightFacts | None = None
        self._order: list[str] = []
        """Ids of the nights, newest first."""
        self._seen: tuple[str, float] | None = None
        self._reading = False

    def compose(self) -> ComposeResult:
        """Title, report, decisions."""
        yield Prose(self._say(T("Morning report")), classes="tone-strong")
        with Container(id="both"):
            with VerticalScroll(id="report"):
                yield ReportBody(self._say)
            with Vertical(id="decisions", classes="-none"):
                yield Prose(self._say(T("Decisions that wait for you")), classes="tone-strong")
                yield WaitingList(self._say)
                with VerticalScroll(id="about", can_focus=False):
                    yield Prose("")
        yield KeyBar(self._say)

    def on_mount(self) -> None:
        """Read at once, then every few seconds: a night may still be running."""
        self.query_one(KeyBar).show(_KEYS_WITHOUT)
        self.query_one(ReportBody).tell([(self._say(T("Reading the records …")), MUTED)])
        self.query_one("#report").focus()
        self.read()
        self.set_interval(POLL_SECONDS, self.read)

    def read(self) -> None:
        """Read in a thread; one reading at a time."""
        if not self._reading:
            self._reading = True
            self.run_worker(self._read, thread=True, group="read-night")

    def _read(self) -> None:
        found = nights(self._workspace)
        self._order = [one.id for one in found]
        at = self._order.index(self._night) if self._night in self._order else 0
        place = (len(found) - at, len(found))
        if not found:
            self.post_message(self.Read(None, place))
            return
        try:
            seen = _stamp(found[at])
            facts = self._facts if seen == self._seen and self._facts is not None else night_facts(found[at])
            self._seen = seen
            self.post_message(self.Read(facts, place))
        except IterateError as error:
            self.post_message(self.Read(None, place, error.message))

    def on_morning_screen_read(self, message: Read) -> None:
        """Show what was read."""
        self._reading = False
        body = self.query_one(ReportBody)
        self._facts = message.facts
        if message.facts is None:
            told = message.error or T(
                "No night is on record in this workspace. `overnight` in the chat, or `iterate overnight`, starts one."
            )
            body.tell([(visible(self._say(told)), BAD if message.error else NORMAL)])
            return
        body.show(message.facts)
        self.query_one(Prose).show(self._title(message.facts, message.place))
        self._show_waiting(message.facts.open)

    def _title(self, facts: NightFacts, place: tuple[int, int]) -> str:
        title = T(
            "Morning report: night {night} ({at} of {count}), {state}",
            night=plain(facts.id, 60),
            at=place[0],
            count=place[1],
            state=STATES[facts.state],
        )
        return self._say(title)

    def _show_waiting(self, waiting: list[WaitingFacts]) -> None:
        table, box = self.query_one(WaitingList), self.query_one("#decisions")
        hidden = box.has_class("-none")
        table.show(waiting)
        box.set_class(not waiting, "-none")
        self.query_one(KeyBar).show(_KEYS if waiting else _KEYS_WITHOUT)
        if waiting and hidden:
            table.focus()
        self._tell_chosen()

    def on_data_table_row_highlighted(self, message: DataTable.RowHighlighted) -> None:
        """Another decision is looked at."""
        self._tell_chosen()

    def _tell_chosen(self) -> None:
        chosen = self.query_one(WaitingList).chosen
        if chosen is not None:
            told = T("{reason} Command: {command}", reason=chosen.reason, command=plain(chosen.command, 300))
            self.query_one("#about").query_one(Prose).show(clean(told, self._say, 800))

    def on_data_table_row_selected(self) -> None:
        """Enter takes the chosen decision up."""
        chosen = self.query_one(WaitingList).chosen
        if chosen is not None:
            self._take_up(chosen)

    def action_take_up(self, number: int) -> None:
        """A digit takes the decision of that number up."""
        meant = self.query_one(WaitingList).numbered(number)
        if meant is None:
            self.notify(self._say(T("No decision of that number waits; nothing was done.")), markup=False)
        else:
            self._take_up(meant)

    def _take_up(self, one: WaitingFacts) -> None:
        if self._facts is not None:
            args = {"night": self._facts.id, "numbers": [one.number]}
            self.post_message(OrderGiven(Order.model_validate({"command": "report", "args": args})))

    def action_copy(self) -> None:
        """Copy the command of the chosen decision."""
        chosen = self.query_one(WaitingList).chosen
        if chosen is not None:
            self.app.copy_to_clipboard(chosen.command)
            self.notify(self._say(T("Copied {count} characters.", count=len(chosen.command))), markup=False)

    def action_turn(self, step: int) -> None:
        """An older or a newer night."""
        if self._facts is None:
            return
        at = self._order.index(self._facts.id) + step if self._facts.id in self._order else 0
        if 0 <= at < len(self._order):
            self._night, self._seen = self._order[at], None
            self.query_one("#report").scroll_home(animate=False)
            self.read()


def _stamp(record: NightRecord) -> tuple[str, float]:
    """Changes whenever the night's record does, or its process comes or goes."""
    try:
        stat = (record.folder / "lines.jsonl").stat()
    except OSError:
        return record.id, 0.0
    return f"{record.id}:{stat.st_size}:{record.is_worked_on}", stat.st_mtime
