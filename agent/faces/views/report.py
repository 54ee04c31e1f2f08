"""The morning report as plain lines for a terminal: the same sections as in the files, tables only where they fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.faces.layout import wrap
from agent.faces.views.blocks import bullet, fitted
from agent.overnight.reporting.document import Block, Commands, Figure, Items, Para, Section, Table
from agent.overnight.reporting.nights import NightLineUp
from agent.overnight.reporting.sections import sections
from agent.overnight.reporting.shapes import NightFacts, NightState
from agent.overnight.reporting.words import LONGEST, clean, moment, paragraph, plain
from tools.text import Speaker, T, Text

STATES: dict[NightState, Text] = {"over": T("over"), "running": T("still running"), "cut_off": T("cut off")}


def report_lines(facts: NightFacts, say: Speaker) -> list[str]:
    """The whole report."""
    title = say(T("Morning report: night {night}", night=plain(facts.id, 60)))
    return [f"# {title}", "", *(line for section in sections(facts) for line in section_lines(section, say))]


def section_lines(section: Section, say: Speaker) -> Iterator[str]:
    """One part, with an empty line behind each block."""
    if section.title is not None:
        yield from ("## " + say(section.title), "")
    for block in section.blocks:
        lines = [*_block(block, say)]
        yield from [*lines, ""] if lines else []


def _block(block: Block, say: Speaker) -> list[str]:
    match block:
        case Para():
            return wrap(paragraph(block.sentences, say))
        case Items():
            return [line for item in block.items for line in bullet(clean(item, say))]
        case Table():
            return table_lines(block, say)
        case Commands():
            return [
                line
                for what, command in block.lines
                for line in (*wrap(clean(what, say) + ":"), "    " + plain(command, 1_000))
            ]
        case Figure():
            return table_lines(block.twin, say) if block.twin is not None else []


def table_lines(table: Table, say: Speaker) -> list[str]:
    """A table, or one entry for each row where the terminal is too narrow for it."""
    header = [clean(one, say) for one in table.header]
    rows = [[clean(cell, say, LONGEST) for cell in row] for row in table.rows]
    return [*wrap(clean(table.caption, say)), *fitted(header, rows)]


def night_lines(found: Sequence[NightLineUp], say: Speaker) -> list[str]:
    """The nights of a workspace, newest first."""
    header = [T("Night"), T("Began"), T("Tasks"), T("State"), T("Tried"), T("Kept"), T("Left to you")]
    rows = [
        [
            plain(one.id, 60),
            moment(one.started_at),
            plain(", ".join(one.tasks), 80),
            say(STATES[one.state]),
            str(one.tried),
            str(one.kept),
            str(one.waiting),
        ]
        for one in found
    ]
    return fitted([say(one) for one in header], rows)
