"""The blocks of an answer as plain lines: paragraphs, lists, tables that fit, diffs, pages, rows."""

from __future__ import annotations

from collections.abc import Sequence

from agent.conversation.said import Block, DiffBlock, Grid, Items, PageLink, Para, RowList, ShownRow
from agent.faces.layout import clip, line_width, table, width, wrap
from tools.text import Speaker, T, visible

_FEW = 3
"""Columns that are told apart without their names."""


def block_lines(block: Block, say: Speaker) -> list[str]:
    """The lines of one block."""
    match block:
        case Para():
            return wrap(say(block.text))
        case Items():
            return [line for item in block.items for line in bullet(say(item))]
        case Grid():
            title = [say(block.title)] if block.title else []
            return [*title, *fitted([say(one) for one in block.header], block.rows)]
        case DiffBlock():
            return ["  " + visible(line) for line in block.text.splitlines()]
        case PageLink():
            return bullet(f"{visible(block.title)}: iterate refs {visible(block.page)}")
        case RowList():
            return [say(block.title), *(line for row in block.rows for line in _row(row, say))]


def bullet(text: str, sign: str = "- ") -> list[str]:
    """A list entry whose further lines stand under its text."""
    first, *rest = wrap(text, indent=" " * width(sign))
    return [sign + first.lstrip(), *rest]


def fitted(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table; where it is wider than the terminal, one entry for each row, in which many cells are named."""
    cells = [[visible(" ".join(cell.split())) for cell in row] for row in rows]
    lines = table(header, cells, indent="")
    if all(width(line) <= line_width() for line in lines):
        return lines
    return [line for row in cells for line in bullet(_told(header, row))]


def _told(header: Sequence[str], row: Sequence[str]) -> str:
    first, *rest = row
    if len(header) > _FEW:
        rest = [f"{name} {cell}" for name, cell in zip(header[1:], rest, strict=False) if cell]
    return f"{first}: " + "; ".join(cell for cell in rest if cell)


def _row(row: ShownRow, say: Speaker) -> list[str]:
    told = T("{row}: expected {expected}", row=visible(row.id, 40), expected=clip(visible(row.expected), 60))
    if row.answered is not None:
        answered = clip(visible(row.answered), 60)
        told = T(
            "{row}: expected {expected}, got {got}",
            row=visible(row.id, 40),
            expected=clip(row.expected, 60),
            got=answered,
        )
    lines = bullet(visible(say(told)))
    for name, value in row.input.items():
        lines += wrap(f"{visible(name, 40)}: {clip(visible(value), 300)}", indent="    ")
    return [*lines, *wrap(say(row.note), indent="    ")] if row.note else lines
