"""The versions of a task: their scores and verdicts, one in detail, two compared, and the orders to adopt or roll back.

It decides nothing: adopting and rolling back are orders that the app carries out, after asking. Comparing is done here, on
valid and in a thread, since it only reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import JsonValue
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable

from agent.conversation.said import Order
from agent.faces.tui.messages import OrderGiven
from agent.faces.tui.version_pages import (
    BAD,
    HEADING,
    MUTED,
    NORMAL,
    Line,
    answers_of,
    comparison_page,
    detail_page,
    report_page,
)
from agent.faces.tui.widgets.flow import Prose
from agent.faces.tui.widgets.key_bar import Hint, KeyBar
from agent.faces.tui.widgets.lines import Lines
from agent.faces.tui.widgets.version_table import VersionTable
from agent.journal import Journal
from tools.compare import CompareArgs, compare
from tools.comparison import Comparison
from tools.errors import IterateError
from tools.text import Speaker, T, Text, visible
from tools.versioning.overview import Overview, VersionFacts, overview

POLL_SECONDS = 3.0
_KEYS: tuple[Hint, ...] = (
    ("a", T("adopt")),
    ("b", T("roll back to it")),
    ("Space c", T("mark, compare")),
    ("o", T("report")),
    ("Esc", T("back")),
)
_PAGE_KEYS: tuple[Hint, ...] = (("Esc", T("back to the version")), ("Tab", T("scroll")), ("a", T("adopt")))


class VersionsScreen(Screen[None]):
    """A table above (or, on a wide terminal, beside) the version or the comparison that is read."""

    DEFAULT_CSS = """
    VersionsScreen { layout: vertical; padding: 0 1; }
    VersionsScreen #both { layout: vertical; height: 1fr; }
    VersionsScreen #page { height: 1fr; border-top: solid $foreground-muted; }
    VersionsScreen #page:focus { border-top: solid $primary; }
    VersionsScreen.-wide #both { layout: horizontal; }
    VersionsScreen.-wide VersionTable { width: 50%; max-height: 100%; }
    VersionsScreen.-wide #page { width: 50%; border-top: none; border-left: solid $foreground-muted; padding-left: 1; }
    VersionsScreen.-wide #page:focus { border-top: none; border-left: solid $primary; }
    VersionsScreen KeyBar { height: 1; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - Textual declares it as an instance attribute
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("space", "mark", show=False),
        Binding("c", "compare", show=False),
        Binding("o", "report", show=False),
        Binding("a", "order('adopt')", show=False),
        Binding("b", "order('rollback')", show=False),
    ]

    class Read(Message):
        """The records were read; the error says why not."""

        def __init__(self, found: Overview | None, verdicts: dict[str, str], error: Text | None) -> None:
            super().__init__()
            self.found = found
            self.verdicts = verdicts
            self.error = error

    class Compared(Message):
        """A comparison is done, or why it could not be."""

        def __init__(self, comparison: Comparison | None, page: list[Line]) -> None:
            super().__init__()
            self.comparison = comparison
            self.page = page

    def __init__(self, task_path: Path, say: Speaker) -> None:
        super().__init__()
        self._task_path = task_path
        self._say = say
        self._overview = Overview("")
        self._verdicts: dict[str, str] = {}
        """Against the parent: from the journal, or compared here."""
        self._compared: dict[str, str] = {}
        self._page: list[Line] | None = None
        """A comparison or report in place of the chosen version."""
        self._chosen = ""
        """The version under the cursor."""
        self._reading = False

    def compose(self) -> ComposeResult:
        """The table and what is read beside it."""
        title = T("Versions of {task}", task=visible(self._task_path.name, 60))
        yield Prose(self._say(title), classes="tone-strong")
        with Container(id="both"):
            yield VersionTable(self._say)
            with VerticalScroll(id="page"):
                yield Lines()
        yield KeyBar(self._say)

    def on_mount(self) -> None:
        """Read at once, then every few seconds: trainings end and versions are adopted while one looks."""
        self.query_one(KeyBar).show(_KEYS)
        self.query_one(Lines).show([(self._say(T("Reading the records …")), MUTED)])
        self.query_one(VersionTable).focus()
        self.read()
        self.set_interval(POLL_SECONDS, self.read)

    def read(self) -> None:
        """Read the records in a thread; one reading at a time."""
        if not self._reading:
            self._reading = True
            self.run_worker(self._read, thread=True, group="read-versions")

    def _read(self) -> None:
        try:
            message = self.Read(overview(self._task_path), recorded_verdicts(self._task_path), None)
        except IterateError as error:
            message = self.Read(None, {}, error.message)
        self.post_message(message)

    def on_versions_screen_read(self, message: Read) -> None:
        """Show what was read."""
        self._reading = False
        if message.found is None:
            told = message.error or T("The records cannot be read.")
            self.query_one(Lines).show([("! " + visible(self._say(told)), BAD)])
            return
        self._overview, self._verdicts = message.found, {**message.verdicts, **self._compared}
        self.query_one(VersionTable).show(self._overview, self._verdicts)
        self._show()

    def on_data_table_row_highlighted(self, message: DataTable.RowHighlighted) -> None:
        """Another version is chosen: its detail replaces whatever was read."""
        chosen = self.query_one(VersionTable).chosen
        if chosen is None or message.row_key.value != chosen.version:
            return
        if chosen.version == self._chosen:
            self._show()
        else:
            self._chosen = chosen.version
            self._turn_to(None)

    def on_data_table_row_selected(self) -> None:
        """Enter goes on to reading."""
        self.query_one("#page").focus()

    def _show(self) -> None:
        self.query_one(KeyBar).show(_PAGE_KEYS if self._page is not None else _KEYS)
        self.query_one(Lines).show(self._page if self._page is not None else self._detail())

    def _detail(self) -> list[Line]:
        chosen = self.query_one(VersionTable).chosen
        if chosen is None:
            none = T("No version is on record yet. The first training makes v1, the baseline of all that follow.")
            return [(self._say(none), NORMAL)]
        verdict = self._verdicts.get(chosen.version)
        return detail_page(self._task_path, chosen, self._overview.metric, verdict, self._say)

    def _turn_to(self, page: list[Line] | None) -> None:
        self._page = page
        self._show()
        self.query_one("#page").scroll_home(animate=False)

    def action_back(self) -> None:
        """From a comparison or report to the version, from there to where one came from."""
        if self._page is None:
            self.dismiss()
            return
        self._turn_to(None)
        self.query_one(VersionTable).focus()

    def action_mark(self) -> None:
        """Mark a version for the comparison."""
        self.query_one(VersionTable).mark()

    def action_compare(self) -> None:
        """Compare the two marked versions, the marked with the chosen one, or the chosen with its parent."""
        pair = self._pair()
        if pair is None:
            self._tell(T("Mark two versions with Space, or choose one that has a parent."))
            return
        base, new = pair
        self._turn_to([(self._say(T("Comparing {base} with {new} …", base=base, new=new)), MUTED)])
        self.run_worker(lambda: self._compare(base, new), thread=True, group="compare-versions", exclusive=True)

    def _pair(self) -> tuple[str, str] | None:
        """The versions to compare, older first."""
        table = self.query_one(VersionTable)
        names, chosen = list(table.marked), table.chosen
        if len(names) < 2 and chosen is not None and chosen.version not in names:
            names.append(chosen.version)
        if len(names) == 1 and chosen is not None and chosen.parent is not None and names[0] == chosen.version:
            names.append(chosen.parent)
        order = [one.version for one in self._overview.versions]
        names.sort(key=lambda name: order.index(name) if name in order else -1)
        return (names[0], names[1]) if len(names) == 2 else None

    def _compare(self, base: str, new: str) -> None:
        try:
            comparison = compare(CompareArgs(task_dir=self._task_path, base=base, new=new))
        except IterateError as error:
            failed = T("{new} cannot be compared with {base}.", new=visible(new, 40), base=visible(base, 40))
            lines: list[Line] = [(self._say(failed), HEADING), (visible(self._say(error.message)), BAD)]
            lines += [(visible(self._say(error.hint)), NORMAL)] if error.hint else []
            self.post_message(self.Compared(None, lines))
            return
        answers = answers_of(self._task_path, base), answers_of(self._task_path, new)
        self.post_message(self.Compared(comparison, comparison_page(comparison, answers, self._say)))

    def on_versions_screen_compared(self, message: Compared) -> None:
        """Show the comparison, and the verdict in the table when it is one against the parent."""
        found = message.comparison
        if found is not None and any(
            (one.parent, one.version) == (found.base, found.new) for one in self._overview.versions
        ):
            self._compared[found.new] = found.verdict
            self._verdicts[found.new] = found.verdict
            self.query_one(VersionTable).show(self._overview, self._verdicts)
        if self._page is not None:
            self._turn_to(message.page)

    def action_report(self) -> None:
        """Read the comparison report of the chosen version."""
        chosen = self.query_one(VersionTable).chosen
        report = chosen.report if chosen else None
        if chosen is None or report is None:
            self._tell(T("There is no report of it; press c to compare it with its parent."))
            return
        self._turn_to(report_page(report))

    def action_order(self, command: str) -> None:
        """Ask the app to adopt the chosen version or to go back to it; the app asks before it does."""
        chosen = self.query_one(VersionTable).chosen
        if chosen is None:
            return
        hindrance = _hindrance(command, chosen)
        if hindrance is not None:
            self._tell(hindrance)
            return
        args: dict[str, JsonValue] = {"task": self._task_path.name, "version": chosen.version}
        self.post_message(OrderGiven(Order(command=command, args=args)))

    def _tell(self, text: Text) -> None:
        self.notify(self._say(text), markup=False)


def recorded_verdicts(task_path: Path) -> dict[str, str]:
    """Version to its newest verdict against its parent, from the journal."""
    entries = [entry.data for entry in Journal(task_path).entries() if entry.event == "compared"]
    known = ("better", "worse", "undecided", "not_comparable")
    return {str(data.get("version")): str(data["verdict"]) for data in entries if data.get("verdict") in known}


def _hindrance(command: str, chosen: VersionFacts) -> Text | None:
    """Why an order about a version would be of no use; None when it can be given."""
    name = visible(chosen.version, 40)
    if command == "adopt" and chosen.in_use:
        return T("{version} is the version in use already.", version=name)
    if command == "adopt" and chosen.score is None:
        return T("{version} has no result, so it cannot be adopted.", version=name)
    if command == "rollback" and chosen.record.snapshot is None:
        return T("{version} has no configuration snapshot, so there is nothing to go back to.", version=name)
    return None
