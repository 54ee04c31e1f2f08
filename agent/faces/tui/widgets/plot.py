"""A line chart out of braille dots: several series told apart by their strokes, so that it reads without colour.

`draw` makes the picture as plain rows and is all there is to test; Plot puts it on the screen. Every picture has an ASCII twin.
What the curves mean, and the sentence for who cannot see them, is in curves.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10, sqrt
from typing import ClassVar, Literal

from rich.text import Text as RichText
from textual.widget import Widget

Stroke = Literal["solid", "dashed", "dotted", "none"]
Coordinates = Sequence[tuple[float | None, float | None]]

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell, by row and column."""
_BLANK = 0x2800
_PERIOD: dict[Stroke, tuple[int, int]] = {"solid": (1, 1), "dashed": (5, 3), "dotted": (4, 1), "none": (1, 0)}
"""Dots of one period of a stroke, and how many of them are drawn."""
_LARGEST = 1e12
"""Values are held within this, so that their differences stay numbers."""
_SMALLEST_PICTURE = (16, 4)
"""Below this there is no room for axes."""


@dataclass(frozen=True)
class Series:
    """One line of the chart."""

    name: str
    points: Coordinates
    stroke: Stroke = "solid"
    mark: str = ""
    """Drawn at every point; for few points."""
    ascii_mark: str = "."
    """Stands for the line and its marks in ASCII."""
    role: Literal["main", "second", "past", "best"] = "main"
    """Decides the colour."""


@dataclass(frozen=True)
class Picture:
    """Rows of equal width; `roles` says for each cell which series coloured it, "" for axes."""

    rows: list[str]
    roles: list[list[str]]


@dataclass(frozen=True)
class Scale:
    """How values stand on the left axis."""

    percent: bool = False
    log: bool = False
    """Equal distances are equal ratios; only where every value is above zero."""
    steps: tuple[float, float] | None = None
    """What the lower axis spans at least."""


def draw(
    series: Sequence[Series], width: int, height: int, *, ascii_only: bool = False, scale: Scale | None = None
) -> Picture:
    """The chart in a box of `width` by `height` cells, whatever the points are; blank where it does not fit."""
    scale = scale or Scale()
    if width < 1 or height < 1:
        return Picture([], [])
    kept = [(one, _finite(one.points)) for one in series]
    if not any(points for _, points in kept) or width < _SMALLEST_PICTURE[0] or height < _SMALLEST_PICTURE[1]:
        return Picture([" " * width] * height, [[""] * width for _ in range(height)])
    xs = [*(scale.steps or ()), *(x for _, points in kept for x, _ in points)]
    ys = [y for _, points in kept for _, y in points]
    if scale.log and min(ys) > 0:
        kept = [(one, [(x, log10(y)) for x, y in points]) for one, points in kept]
        spread, middle = (log10(min(ys)), log10(max(ys))), sqrt(min(ys)) * sqrt(max(ys))
    else:
        spread, middle = (min(ys), max(ys)), (min(ys) + max(ys)) / 2
    labels = {0: _label(max(ys), scale), height - 3: _label(min(ys), scale)}
    if max(ys) == min(ys):
        labels = {(height - 3) // 2: _label(middle, scale)}
    elif height > 6:
        labels[(height - 3) // 2] = _label(middle, scale)
    gutter = min(max(map(len, labels.values())), width // 2) + 2
    canvas = _Canvas(width - gutter, height - 2, (min(xs), max(xs)), spread, ascii_only=ascii_only)
    for one, points in kept:
        canvas.line(one, points)
    for one, points in kept:
        canvas.marks(one, points)
    return _framed(canvas, labels, gutter, _x_axis(min(xs), max(xs), canvas.width))


def _framed(canvas: _Canvas, labels: dict[int, str], gutter: int, x_axis: str) -> Picture:
    """The canvas with its axes."""
    side, corner, floor = ("|", "+", "-") if canvas.ascii_only else ("│", "└", "─")
    rows = [labels.get(n, "")[: gutter - 2].rjust(gutter - 2) + " " + side + row for n, row in enumerate(canvas.rows())]
    rows.append(" " * (gutter - 1) + corner + floor * canvas.width)
    rows.append(" " * gutter + x_axis)
    blank = [""] * (gutter + canvas.width)
    return Picture(rows, [[""] * gutter + owned for owned in canvas.roles] + [blank, blank])


class _Canvas:
    """Dots and marks in data coordinates; a cell has 2 by 4 dots, or one in ASCII."""

    def __init__(
        self, width: int, height: int, x: tuple[float, float], y: tuple[float, float], *, ascii_only: bool
    ) -> None:
        self.width, self.height = width, height
        self.ascii_only = ascii_only
        self._across, self._down = (1, 1) if ascii_only else (2, 4)
        self._x, self._y = _widened(x), _widened(y)
        self._bits = [[0] * width for _ in range(height)]
        self._chars: list[list[str]] = [[""] * width for _ in range(height)]
        self.roles = [[""] * width for _ in range(height)]

    def line(self, one: Series, points: Sequence[tuple[float, float]]) -> None:
        """Join the points in their order with the stroke of the series."""
        period, drawn = _PERIOD[one.stroke]
        places = [self._place(point) for point in points]
        count = 0
        for start, end in zip(places, places[1:] or places, strict=False):
            for column, row in _between(start, end):
                count += 1
                if count % period < drawn:
                    self._dot(one, column, row)

    def marks(self, one: Series, points: Sequence[tuple[float, float]]) -> None:
        """Put the mark of the series on each point."""
        for point in points if one.mark else ():
            column, row = self._place(point)
            self._put(one, column // self._across, row // self._down, one.ascii_mark if self.ascii_only else one.mark)

    def rows(self) -> list[str]:
        """The picture: marks over dots."""
        blank = " " if self.ascii_only else ""
        return [
            "".join(
                char or blank or (chr(_BLANK + bits) if bits else " ") for char, bits in zip(chars, line, strict=True)
            )
            for chars, line in zip(self._chars, self._bits, strict=True)
        ]

    def _dot(self, one: Series, column: int, row: int) -> None:
        across, down = column // self._across, row // self._down
        if self.ascii_only:
            self._put(one, across, down, one.ascii_mark)
            return
        self._bits[down][across] |= _DOTS[row % 4][column % 2]
        self.roles[down][across] = one.role

    def _put(self, one: Series, across: int, down: int, char: str) -> None:
        self._chars[down][across] = char
        self.roles[down][across] = one.role

    def _place(self, point: tuple[float, float]) -> tuple[int, int]:
        across = (point[0] - self._x[0]) / (self._x[1] - self._x[0])
        up = (point[1] - self._y[0]) / (self._y[1] - self._y[0])
        columns, rows = self.width * self._across - 1, self.height * self._down - 1
        return round(across * columns), rows - round(up * rows)


class Plot(Widget):
    """Shows series in all the room it has; colours come from the theme."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"plot--main", "plot--second", "plot--past", "plot--best", "plot--axis"}
    DEFAULT_CSS = """
    Plot { height: 1fr; width: 1fr; }
    Plot > .plot--main { color: $primary; }
    Plot > .plot--second { color: $warning; }
    Plot > .plot--past { color: $text-muted; }
    Plot > .plot--best { color: $success; text-style: bold; }
    Plot > .plot--axis { color: $text-muted; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scale = Scale()
        self._series: list[Series] = []
        self._ascii_only = False

    def show(self, series: Sequence[Series], *, ascii_only: bool, scale: Scale) -> None:
        """Draw these series from now on."""
        self._series, self._ascii_only, self._scale = list(series), ascii_only, scale
        self.refresh()

    def render(self) -> RichText:
        """The picture for the size that the widget has now."""
        width, height = self.content_size
        picture = draw(self._series, width, height, ascii_only=self._ascii_only, scale=self._scale)
        styles = {role: self.get_component_rich_style(f"plot--{role or 'axis'}", partial=True) for role in _ROLES}
        text = RichText(no_wrap=True, end="")
        for number, (row, roles) in enumerate(zip(picture.rows, picture.roles, strict=True)):
            for char, role in zip(row, roles, strict=True):
                text.append(char, styles[role])
            text.append("\n" if number < len(picture.rows) - 1 else "")
        return text


_ROLES = ("", "main", "second", "past", "best")


def _finite(points: Coordinates) -> list[tuple[float, float]]:
    return [
        (max(-_LARGEST, min(_LARGEST, x)), max(-_LARGEST, min(_LARGEST, y)))
        for x, y in points
        if x is not None and y is not None and isfinite(x) and isfinite(y)
    ]


def _widened(span: tuple[float, float]) -> tuple[float, float]:
    """A span that is wider than nothing."""
    low, high = span
    more = 0.0 if high - low > 1e-9 * max(1.0, abs(high)) else max(0.5, abs(high) * 1e-3)
    return low - more, high + more


def _between(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots of a straight line, both ends included."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return [
        (round(start[0] + (end[0] - start[0]) * n / steps), round(start[1] + (end[1] - start[1]) * n / steps))
        for n in range(steps + 1)
    ]


def _label(value: float, scale: Scale) -> str:
    return f"{value:.1%}" if scale.percent and abs(value) < 100 else f"{value:.3g}"


def _x_axis(low: float, high: float, width: int) -> str:
    """First, middle and last step under the axis, as far as they fit."""
    first, last = f"{low:.6g}", f"{high:.6g}"
    if len(first) + len(last) + 1 > width:
        return last[:width].rjust(width)
    line = first + " " * (width - len(first) - len(last)) + last
    middle = f"{round((low + high) / 2):.6g}" if high - low > 1 else ""
    at = (width - len(middle)) // 2
    if middle and at > len(first) + 1 and at + len(middle) + 1 < width - len(last):
        line = line[:at] + middle + line[at + len(middle) :]
    return line
