"""A morning report on the screen: its sections laid out for the width at hand, with the trials and the scores as pictures.

Only layout: what is said comes from agent/overnight/reporting/sections.py, and everything foreign in it is plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from textual.content import Content

from agent.faces.tui.version_pages import HEADING, MUTED, NORMAL, Line
from agent.faces.tui.widgets.flow import Flow, fold
from agent.faces.tui.widgets.forest import forest
from agent.faces.tui.widgets.plot import Scale, Series, draw
from agent.overnight.reporting.document import Block, Commands, Figure, Items, Para, Section, Table
from agent.overnight.reporting.figures import score_points
from agent.overnight.reporting.sections import sections
from agent.overnight.reporting.shapes import NightFacts
from agent.overnight.reporting.words import LONGEST, clean, paragraph, plain
from tools.text import Speaker

_PLOT_HEIGHT = 9
_BLANK: Line = ("", NORMAL)


class ReportBody(Flow):
    """Shows one report; empty until there is one."""

    def __init__(self, say: Speaker) -> None:
        super().__init__()
        self._say = say
        self._facts: NightFacts | None = None
        self._told: list[Line] = []

    def show(self, facts: NightFacts) -> None:
        """Replace the report."""
        if facts != self._facts:
            self._facts = facts
            self.changed()

    def tell(self, lines: Sequence[Line]) -> None:
        """Lines in place of a report, such as why there is none."""
        self._facts, self._told = None, list(lines)
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        """Every section in its order."""
        if self._facts is None:
            lines: Sequence[Line] = [line for text, style in self._told for line in _fold(text, style, width)]
        else:
            lines = [line for one in sections(self._facts) for line in self._section(one, self._facts, width)]
        return [Content.styled(text, style) for text, style in lines]

    def _section(self, section: Section, facts: NightFacts, width: int) -> Iterator[Line]:
        if section.title is not None:
            yield self._say(section.title), HEADING
        for block in section.blocks:
            lines = [*self._block(block, facts, width)]
            yield from [*lines, _BLANK] if lines else []

    def _block(self, block: Block, facts: NightFacts, width: int) -> Iterator[Line]:
        say = self._say
        match block:
            case Para():
                yield from _fold(paragraph(block.sentences, say), NORMAL, width)
            case Items():
                for item in block.items:
                    yield from _hung("- ", clean(item, say), width)
            case Table():
                yield from self._table(block, width)
            case Commands():
                for what, command in block.lines:
                    yield from _fold(clean(what, say) + ":", MUTED, width)
                    yield from _hung("  ", plain(command, 1_000), width)
            case Figure():
                yield from self._figure(block, facts, width)

    def _figure(self, figure: Figure, facts: NightFacts, width: int) -> Iterator[Line]:
        if figure.kind == "forest":
            yield from _fold(clean(figure.title, self._say), MUTED, width)
            yield from ((line, NORMAL) for line in forest(facts.trials, width, self._say))
        elif figure.kind == "scores":
            yield from _fold(clean(figure.title, self._say), MUTED, width)
            yield from ((line, NORMAL) for line in _score_plot(figure.task, facts, width))
        if figure.twin is not None:
            yield from self._table(figure.twin, width)

    def _table(self, table: Table, width: int) -> Iterator[Line]:
        """Columns where they fit; else one entry for each row, named by its first cells, with the others below it."""
        header = [clean(one, self._say) for one in table.header]
        rows = [[clean(cell, self._say, LONGEST) for cell in row] for row in table.rows]
        widths = [max(cell_len(row[column]) for row in (header, *rows)) for column in range(len(header))]
        yield from _fold(clean(table.caption, self._say), MUTED, width)
        if sum(widths) + 2 * (len(widths) - 1) <= width:
            for number, row in enumerate((header, *rows)):
                cells = [_padded(cell, widths[n], right=n in table.numeric) for n, cell in enumerate(row)]
                yield "  ".join(cells).rstrip(), MUTED if number == 0 else NORMAL
            return
        for row in rows:
            yield from _fold("  ".join(row[: table.lead]), HEADING, width)
            rest = [
                f"{name}: {cell}"
                for name, cell in zip(header[table.lead :], row[table.lead :], strict=True)
                if cell != "-"
            ]
            yield from _hung("   ", " · ".join(rest), width)


def _score_plot(task: str, facts: NightFacts, width: int) -> list[str]:
    one = next(each for each in facts.tasks if each.name == task)
    points = score_points(one, facts.trials)
    last = max(1, len(points))
    series = [
        Series("start", [(0, one.before), (last, one.before)], "dotted"),
        Series("best", [(0, one.before), *((n, at.best) for n, at in enumerate(points, 1))], "solid"),
        Series("kept", [(n, at.score) for n, at in enumerate(points, 1) if at.kept], "none", "●", "*"),
        Series("other", [(n, at.score) for n, at in enumerate(points, 1) if not at.kept], "none", "○", "o"),
    ]
    return draw([each for each in series if each.points], min(width, 72), _PLOT_HEIGHT, scale=Scale(percent=True)).rows


def _fold(text: str, style: str, width: int) -> Iterator[Line]:
    return ((text[span.start : span.end].rstrip(), style) for span in fold(text, width))


def _hung(mark: str, text: str, width: int) -> Iterator[Line]:
    """Lines behind a mark, the further ones under the first."""
    for number, span in enumerate(fold(text, width - cell_len(mark))):
        yield (" " * cell_len(mark) if number else mark) + text[span.start : span.end].rstrip(), NORMAL


def _padded(cell: str, cells: int, *, right: bool) -> str:
    filler = " " * max(0, cells - cell_len(cell))
    return filler + cell if right else cell + filler
