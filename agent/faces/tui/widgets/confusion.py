"""The confusion matrix as a widget: what was expected down, what was answered across, a cell chosen by arrows or mouse.

`fit` decides which labels have room and is all there is to test of the layout; where labels have to be left out, the most
confused ones stay and the rest are one row and one column. Fields of objects are another widget, in fields_list.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from agent.faces.layout import clip, pad, width
from tools.text import Speaker, T, visible

Counts = Mapping[tuple[str, str | None], int]
"""Expected and answered label (None: the answer could not be read) to the number of answers."""

WIDEST_LABEL = 14
NARROWEST_CELL = 5
MOST_CELL = 10
NARROWEST_HEAD = 10
"""Room for the word in the corner."""


@dataclass(frozen=True)
class Group:
    """One row or column of the matrix."""

    kind: Literal["label", "other", "broken", "wrong"]
    """other: all labels that have no room; broken: answers that could not be read; wrong: everything that is not right."""
    label: str = ""


WRONG = Group("wrong")
OTHER = Group("other")
BROKEN = Group("broken")


class Cell(NamedTuple):
    """A chosen place of the matrix."""

    expected: Group
    answered: Group


@dataclass(frozen=True)
class Matrix:
    """What is shown: rows and columns, and the labels that have a row of their own."""

    rows: tuple[Group, ...]
    columns: tuple[Group, ...]
    shown: tuple[str, ...]
    hidden: int
    """Labels that stand together as `other`."""

    def holds(self, cell: Cell, expected: str, answered: str | None) -> bool:
        """True when an answer belongs to a cell."""
        if expected == answered and any(group.kind in ("wrong", "other") for group in cell):
            return False
        return self._is(cell.expected, expected) and self._is(cell.answered, answered)

    def _is(self, group: Group, label: str | None) -> bool:
        if group.kind == "label":
            return group.label == label
        if group.kind == "broken":
            return label is None
        return group.kind == "wrong" or (label is not None and label not in self.shown)

    def count(self, counts: Counts, cell: Cell) -> int:
        """Answers in a cell."""
        return sum(number for (expected, answered), number in counts.items() if self.holds(cell, expected, answered))


def fit(counts: Counts, labels: Sequence[str], *, cells: int, lines: int) -> Matrix:
    """The matrix that fits into `cells` columns of the terminal and `lines` lines, with its head and its sums."""
    every = list(
        dict.fromkeys([*labels, *(expected for expected, _ in counts), *(a for _, a in counts if a is not None)])
    )
    broken = any(answered is None for _, answered in counts)
    room = min(lines - 2, (cells - _row_head(every)) // NARROWEST_CELL - 1 - broken)
    shown = every
    if len(every) > max(2, room):
        chosen = set(_most_confused(counts, every)[: max(1, room - 1)])
        shown = [label for label in every if label in chosen]
    other = (OTHER,) if len(shown) < len(every) else ()
    own = tuple(Group("label", label) for label in shown)
    return Matrix(
        rows=(*own, *other, WRONG),
        columns=(*own, *other, *((BROKEN,) if broken else ()), WRONG),
        shown=tuple(shown),
        hidden=len(every) - len(shown),
    )


def worst_cell(matrix: Matrix, counts: Counts) -> Cell:
    """The most frequent confusion that has a cell of its own; all wrong answers where there is none."""
    wrong = Counter({pair: number for pair, number in counts.items() if pair[0] != pair[1]})
    for (expected, answered), _ in wrong.most_common():
        if expected in matrix.shown and (answered is None or answered in matrix.shown):
            return Cell(Group("label", expected), BROKEN if answered is None else Group("label", answered))
    return Cell(WRONG, WRONG)


def _most_confused(counts: Counts, labels: Sequence[str]) -> list[str]:
    """Labels by the wrong answers they take part in."""
    part: Counter[str] = Counter(dict.fromkeys(labels, 0))
    for (expected, answered), number in counts.items():
        if expected != answered:
            part[expected] += number
            if answered is not None:
                part[answered] += number
    return [label for label, _ in part.most_common()]


def _row_head(labels: Sequence[str]) -> int:
    widest = max((width(visible(label)) for label in labels), default=0)
    return min(WIDEST_LABEL, max(NARROWEST_HEAD, widest)) + 2


class ConfusionMatrix(Widget, can_focus=True):
    """Draws the matrix and tells which cell is chosen."""

    DEFAULT_CSS = """
    ConfusionMatrix { height: auto; width: 1fr; padding: 0 1; text-wrap: nowrap; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1, 0)", "Up", show=False),
        Binding("down", "move(1, 0)", "Down", show=False),
        Binding("left", "move(0, -1)", "Left", show=False),
        Binding("right", "move(0, 1)", "Right", show=False),
        Binding("enter", "enter", "Rows", show=False),
    ]

    class Chosen(Message):
        """Another cell is chosen; with `entered` the person wants to go to its rows."""

        def __init__(self, cell: Cell, entered: bool) -> None:
            super().__init__()
            self.cell = cell
            self.entered = entered

    def __init__(self, counts: Counts, labels: Sequence[str], say: Speaker, *, chosen: Cell | None = None) -> None:
        super().__init__()
        self._counts = counts
        self._labels = labels
        self._say = say
        self.matrix = fit(counts, labels, cells=76, lines=9)
        self.cell = self._place(chosen) if chosen else worst_cell(self.matrix, counts)

    def make_room(self, cells: int, lines: int) -> None:
        """Lay out for that much room; the chosen cell stays where it can."""
        self.matrix = fit(self._counts, self._labels, cells=cells, lines=lines)
        self._choose(self._place(self.cell))
        self.refresh(layout=True)

    def action_move(self, down: int, right: int) -> None:
        """Move the choice by one cell."""
        row = self.matrix.rows.index(self.cell.expected) + down
        column = self.matrix.columns.index(self.cell.answered) + right
        self._choose(self._at(row, column))

    def action_enter(self) -> None:
        """Go to the rows of the cell."""
        self.post_message(self.Chosen(self.cell, True))

    def on_click(self, event: events.Click) -> None:
        """Choose the cell under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < 1:
            return
        column = (offset.x - _row_head(self._names(self.matrix.rows))) // self._cell_width()
        self._choose(self._at(offset.y - 1, column))

    def _at(self, row: int, column: int) -> Cell:
        rows, columns = self.matrix.rows, self.matrix.columns
        return Cell(rows[max(0, min(row, len(rows) - 1))], columns[max(0, min(column, len(columns) - 1))])

    def _place(self, cell: Cell) -> Cell:
        """The cell, or the one that holds it now that other labels have room."""
        return Cell(_group_in(self.matrix.rows, cell.expected), _group_in(self.matrix.columns, cell.answered))

    def _choose(self, cell: Cell) -> None:
        if cell != self.cell:
            self.cell = cell
            self.refresh()
            self.post_message(self.Chosen(cell, False))

    def render(self) -> Content:
        """The head, one line a label, and the sums of wrong answers."""
        cells = self._cell_width()
        head = _row_head(self._names(self.matrix.rows))
        names = "".join(pad(clip(name, cells - 1), cells, right=True) for name in self._names(self.matrix.columns))
        corner = pad(clip(self._say(T("expected ↓")), head - 1), head)
        lines = [Content.styled(corner + names, "$text-muted")]
        lines += [self._line(row, head, cells) for row in self.matrix.rows]
        return Content("\n").join(lines)

    def _line(self, row: Group, head: int, cells: int) -> Content:
        name = clip(self._names([row])[0], head - 2)
        parts = [Content.styled(pad(name, head), "bold" if row == self.cell.expected else "")]
        for column in self.matrix.columns:
            number = self.matrix.count(self._counts, Cell(row, column))
            right = row == column and row.kind == "label"
            shown = f"({number})" if right else f"{number or '·'} "
            parts.append(Content.styled(pad(shown, cells, right=True), self._style(Cell(row, column), number)))
        return Content("").join(parts)

    def _style(self, cell: Cell, number: int) -> str:
        if cell == self.cell:
            return "reverse bold" if self.has_focus else "reverse"
        if cell.expected == cell.answered and cell.expected.kind == "label":
            return "$text-success"
        if not number:
            return "$text-disabled"
        return "$text-muted" if WRONG in cell else "bold $text-error" if number >= self._heavy() else "$text-error"

    def _heavy(self) -> float:
        """From here on a confusion is among the large ones."""
        return max((number for (want, got), number in self._counts.items() if want != got), default=0) / 2

    def _cell_width(self) -> int:
        widest = max(width(name) for name in self._names(self.matrix.columns))
        room = (self.content_size.width or 76) - _row_head(self._names(self.matrix.rows))
        return max(NARROWEST_CELL, min(MOST_CELL, widest + 2, room // len(self.matrix.columns)))

    def _names(self, groups: Sequence[Group]) -> list[str]:
        return [self.name_of(group) for group in groups]

    def name_of(self, group: Group) -> str:
        """A row or column in words."""
        if group.kind == "label":
            return visible(group.label) or '""'
        names = {"other": T("other"), "broken": T("broken"), "wrong": T("wrong")}
        return self._say(names[group.kind])


def _group_in(groups: Sequence[Group], wanted: Group) -> Group:
    if wanted in groups:
        return wanted
    return OTHER if wanted.kind == "label" and OTHER in groups else WRONG
