"""What the transcript is made of: entries are small values kept for the whole session, their widgets only while near.

Nothing here parses markup: foreign text goes through `visible()`, and the light formatting of a model's answer is done by
`lightly`, which knows headings, bullets, bold and code and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

from agent.conversation.said import Order
from agent.faces.layout import pad
from agent.faces.tui.messages import OrderGiven
from agent.faces.tui.widgets.flow import Flow, Prose, fold
from tools.text import visible


class Entry(Protocol):
    """One block of the transcript."""

    def widget(self) -> Widget:
        """A widget that shows it."""

    def plain(self) -> str:
        """Its text, as /copy takes it."""


@dataclass(frozen=True)
class Note:
    """Sentences of the program, with a sign before them."""

    text: str
    tone: str = ""
    """muted, strong, success, warning or error: a colour beside what the words and the sign say anyway."""
    sign: str = ""
    gap: bool = False
    """An empty line before it."""

    def widget(self) -> Widget:
        """Prose of that tone."""
        return Prose(self.text, first=self.sign, classes=_classes(self.tone, gap=self.gap))

    def plain(self) -> str:
        """The sign and the sentences."""
        return self.sign + self.text


@dataclass(frozen=True)
class PersonSaid:
    """What the person typed."""

    text: str

    def widget(self) -> Widget:
        """Prose on a band of its own."""
        return Prose(self.text, first="❯ ", classes="person")

    def plain(self) -> str:
        """The typed text."""
        return self.text


@dataclass(frozen=True)
class Answered:
    """A finished paragraph of a model's answer."""

    text: str

    def widget(self) -> Widget:
        """The paragraph, lightly formatted."""
        return Prose(lightly(self.text), classes="answer")

    def plain(self) -> str:
        """The paragraph as the model wrote it."""
        return self.text


@dataclass(frozen=True)
class Grid:
    """A table."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""

    def widget(self) -> Widget:
        """Columns that fit the width."""
        return GridBlock(self)

    def plain(self) -> str:
        """Tab-separated lines."""
        return "\n".join("\t".join(row) for row in (self.header, *self.rows))


@dataclass(frozen=True)
class Diff:
    """A unified diff."""

    text: str

    def widget(self) -> Widget:
        """Its lines with their signs."""
        return DiffBlock(self.text)

    def plain(self) -> str:
        """The diff."""
        return self.text


@dataclass(frozen=True)
class Link:
    """A line that carries an order when it is chosen."""

    label: str
    order: Order

    def widget(self) -> Widget:
        """A line that can be focused and clicked."""
        return LinkLine(self.label, self.order)

    def plain(self) -> str:
        """The label."""
        return self.label


@dataclass(frozen=True)
class Fold:
    """One line that opens: what a tool read, the evidence of a finding, the text of a report."""

    title: str
    body: tuple[Entry, ...]
    tone: str = ""
    opened: bool = False

    def widget(self) -> Widget:
        """The line, with its body below it while open."""
        from agent.faces.tui.widgets.tool_line import FoldedLine  # it shows entries itself

        return FoldedLine(self)

    def plain(self) -> str:
        """The line and its body."""
        return "\n".join([self.title, *(one.plain() for one in self.body)])


class GridBlock(Flow):
    """A table whose columns share the width; long cells are wrapped inside their column, never cut."""

    def __init__(self, grid: Grid) -> None:
        super().__init__(classes="grid")
        self._grid = grid

    def lay_out(self, width: int) -> Sequence[Content | str]:
        """Title, header, a rule, and the rows."""
        rows = [[visible(" ".join(cell.split())) for cell in row] for row in (self._grid.header, *self._grid.rows)]
        widths = share_width([max(map(cell_len, column)) for column in zip(*rows, strict=True)], width)
        lines: list[Content | str] = [Content.styled(visible(self._grid.title), "bold")] if self._grid.title else []
        numeric = [i > 0 and all(number_like(row[i]) for row in rows[1:]) for i in range(len(widths))]
        for number, row in enumerate(rows):
            told = row_lines(row, widths, numeric)
            lines += [Content.styled(line, "bold") for line in told] if number == 0 else told
            if number == 0:
                lines.append("  ".join("─" * cells for cells in widths))
        return lines


def share_width(natural: Sequence[int], width: int) -> list[int]:
    """Column widths that fit `width` with two spaces between them: the widest give way first."""
    widths = [max(1, cells) for cells in natural]
    room = width - 2 * (len(widths) - 1)
    while sum(widths) > room and max(widths) > 4:
        widest = widths.index(max(widths))
        widths[widest] -= 1
    return widths


def row_lines(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> list[str]:
    """One row of a table as lines."""
    cells = [
        [cell[span.start : span.end].rstrip() for span in fold(cell, width)]
        for cell, width in zip(row, widths, strict=True)
    ]
    height = max(len(cell) for cell in cells)
    return [
        "  ".join(
            pad(cell[n] if n < len(cell) else "", width, right=right)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ).rstrip()
        for n in range(height)
    ]


def number_like(cell: str) -> bool:
    """True for what is aligned to the right: numbers, and the signs that stand for a missing one."""
    return not cell or cell[0] in "+-−0123456789–?" or cell in {"-", "—"}


class DiffBlock(Flow):
    """A unified diff: the signs say what the colours say."""

    def __init__(self, text: str) -> None:
        super().__init__(classes="diff")
        self._text = visible(text)

    def lay_out(self, width: int) -> Sequence[Content | str]:
        """The lines, long ones folded under themselves."""
        lines: list[Content | str] = []
        for line in self._text.splitlines():
            style = {"+": "$text-success", "-": "$text-error", "@": "$text-muted"}.get(line[:1], "")
            pieces = [line[span.start : span.end] for span in fold(line, width - 2)]
            lines += [Content.styled(("  " if n else "") + piece, style) for n, piece in enumerate(pieces)]
        return lines


class LinkLine(Prose, can_focus=True):
    """Follows its order on Enter or a click."""

    BINDINGS: ClassVar = [Binding("enter,space", "follow", "Open", show=False)]

    def __init__(self, label: str, order: Order) -> None:
        super().__init__(label, first="» ", classes="link")
        self._order = order

    def action_follow(self) -> None:
        """Hand the order to the app."""
        self.post_message(OrderGiven(self._order))

    def on_click(self, event: events.Click) -> None:
        """The mouse follows too."""
        event.stop()
        self.action_follow()


_INLINE = re.compile(r"\*\*(?P<bold>[^*\n]+)\*\*|`(?P<code>[^`\n]+)`")
_HEADING = re.compile(r"#{1,6} +")
_STRONG = re.compile(r"^\*\*([^*]+)\*\*(?=:|：|$)")
"""The word that a line of notes begins with."""
_BULLET = re.compile(r"( *)[-*+] +")
_CELL_END = re.compile(r"(?<!\\)\|")


def lightly(text: str) -> Content:
    """A model's paragraph with headings, bullets, bold and code made visible; anything else stays as it was written."""
    lines: list[Content] = []
    for line in visible(text).split("\n"):
        heading = _HEADING.match(line)
        if heading:
            lines.append(Content.styled(line[heading.end() :], "bold"))
        else:
            lines.append(_inline(_BULLET.sub(r"\1• ", line, count=1) if _BULLET.match(line) else line))
    return Content("\n").join(lines)


def _inline(line: str) -> Content:
    parts: list[str | tuple[str, str]] = []
    at = 0
    for match in _INLINE.finditer(line):
        parts.append(line[at : match.start()])
        parts.append((match["bold"], "bold") if match["bold"] else (match["code"], "$text-accent"))
        at = match.end()
    return Content.assemble(*parts, line[at:])


def entries_of(markdown: str) -> list[Entry]:
    """The blocks of a report of ours: headings, lists, tables and paragraphs; a row quoted in it stays plain text."""
    entries: list[Entry] = []
    table: list[list[str]] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|") and line.rstrip().endswith("|"):
            table.append([cell.strip().replace("\\|", "|") for cell in _CELL_END.split(line.strip()[1:-1])])
            continue
        entries += _table(table)
        table = []
        if line.strip():
            entries.append(_line(line))
    return entries


def _table(rows: list[list[str]]) -> list[Entry]:
    kept = [row for row in rows if not all(set(cell) <= set(":-") for cell in row)]
    if not kept:
        return []
    columns = len(kept[0])
    fitted = [(row + [""] * columns)[:columns] for row in kept]
    return [Grid(header=fitted[0], rows=fitted[1:])]


def _line(line: str) -> Entry:
    heading = _HEADING.match(line)
    if heading:
        return Note(line[heading.end() :], "strong", gap=True)
    bullet = _BULLET.match(line)
    if bullet:
        return Note(line[bullet.end() :], sign=bullet[1] + "• ")
    return Note(_STRONG.sub(r"\1", line.strip()))


def _classes(tone: str, *, gap: bool) -> str:
    return " ".join(name for name in (tone and f"tone-{tone}", "gap" if gap else "") if name)
