"""Expected and observed, trial by trial, drawn with characters: the shapes tell apart what colours would.

1. training.epochs: 4 → 6          ░░░░░░│░├──●───┤
                                -4.0     0        +4.0
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, chop_cells

from agent.overnight.reporting.shapes import TrialFacts
from agent.overnight.reporting.words import clean, points
from tools.text import Speaker, T

_LEAST, _MOST = 18, 60
"""Cells of the scale."""
_LABELS = 34


def forest(trials: Sequence[TrialFacts], width: int, say: Speaker) -> list[str]:
    """A line for each trial with numbers, the scale, and what the signs mean; nothing where it does not fit."""
    shown = [one for one in trials if _values(one)]
    labels = min(_LABELS, width // 2)
    room = min(_MOST, width - labels - 2)
    if not shown or room < _LEAST:
        return []
    values = [0.0, *(value for one in shown for value in _values(one))]
    low, high = min(values), max(values)
    if high - low < 1e-9:
        low, high = low - 0.01, high + 0.01
    lines = []
    for one in shown:
        first, *more = _rows(one, _Scale(low, high, room))
        lines += [_padded(_label(one, say), labels) + "  " + first, *(" " * (labels + 2) + row for row in more)]
    ends = points(low) + " " * max(1, room - len(points(low)) - len(points(high))) + points(high)
    legend = T("░ expected (80 percent)   ├●┤ observed (95 percent)   ○ quick check   │ no difference; points on valid")
    return [*(line.rstrip() for line in lines), " " * (labels + 2) + ends, *_legend(say(legend), width)]


def _legend(text: str, width: int) -> list[str]:
    """The parts of the legend, as many on a line as fit."""
    lines = [""]
    for part in text.split("   "):
        joined = f"{lines[-1]}   {part}" if lines[-1] else part
        if cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


class _Scale(NamedTuple):
    low: float
    high: float
    room: int

    def place(self, value: float) -> int:
        """The cell of a value."""
        inside = max(self.low, min(self.high, value))
        return round((inside - self.low) / (self.high - self.low) * (self.room - 1))

    def empty(self) -> list[str]:
        """A row that holds nothing but the line of no difference."""
        cells = [" "] * self.room
        cells[self.place(0)] = "│"
        return cells


def _rows(one: TrialFacts, scale: _Scale) -> list[str]:
    """What was observed, and below it what was expected; one of them where there is no other."""
    rows = []
    if one.observed is not None or one.quick is not None:
        rows.append("".join(_observed(one, scale)))
    if one.low is not None and one.high is not None:
        cells = scale.empty()
        for at in range(scale.place(one.low), scale.place(one.high) + 1):
            cells[at] = "│" if at == scale.place(0) else "░"
        rows.append("".join(cells))
    return rows


def _observed(one: TrialFacts, scale: _Scale) -> list[str]:
    cells, zero = scale.empty(), scale.place(0)
    found = one.observed or one.quick
    if found is not None and found.low is not None and found.high is not None:
        begin, end = scale.place(found.low), scale.place(found.high)
        cells[begin : end + 1] = "─" * (end - begin + 1)
        cells[begin], cells[end] = "├", "┤"
        cells[zero] = "┼" if begin < zero < end else cells[zero]
    if one.observed is not None:
        cells[scale.place(one.observed.value)] = "●"
    elif one.quick is not None:
        cells[scale.place(one.quick.difference)] = "○"
    return cells


def _values(one: TrialFacts) -> list[float]:
    seen = one.observed or one.quick
    found = [one.low, one.high, *((seen.low, seen.high) if seen else ()), one.observed.value if one.observed else None]
    return [value for value in found if value is not None]


def _label(one: TrialFacts, say: Speaker) -> str:
    title = clean(one.title, say) if one.title is not None else say(T("(its record is lost)"))
    return f"{one.number}. {title}"


def _padded(text: str, cells: int) -> str:
    shown = text if cell_len(text) <= cells else chop_cells(text, cells - 1)[0] + "…"
    return shown + " " * (cells - cell_len(shown))
