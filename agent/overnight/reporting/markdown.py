"""The report as Markdown: the same sections as everywhere, tables instead of plots, nothing foreign that reads as markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.overnight.reporting.document import Block, Cell, Commands, Figure, Items, Para, Table
from agent.overnight.reporting.sections import sections
from agent.overnight.reporting.shapes import NightFacts
from agent.overnight.reporting.words import LONGEST, clean, paragraph, plain
from tools.text import Speaker, T

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_FENCE = re.compile(r"`{3,}")


def markdown(facts: NightFacts, say: Speaker) -> str:
    """The whole report, with a newline at its end."""
    title = T("Morning report: night {night}", night=plain(facts.id, 60))
    lines = [f"# {say(title)}", ""]
    for section in sections(facts):
        lines += [f"## {say(section.title)}", ""] if section.title is not None else []
        for block in section.blocks:
            told = [*_block(block, say)]
            lines += [*told, ""] if told else []
    return "\n".join(lines).rstrip("\n") + "\n"


def _block(block: Block, say: Speaker) -> Iterator[str]:
    match block:
        case Para():
            yield _escaped(paragraph(block.sentences, say))
        case Items():
            yield from (f"- {_escaped(clean(item, say))}" for item in block.items)
        case Table():
            yield from _table(block, say)
        case Commands():
            yield from _commands(block, say)
        case Figure():
            if block.twin is not None:
                yield from (f"**{_escaped(clean(block.title, say))}**", "", _escaped(clean(block.about, say, 800)), "")
                yield from _table(block.twin, say)


def _table(table: Table, say: Speaker) -> Iterator[str]:
    yield _row(table.header, say)
    yield "|" + "|".join("---:" if column in table.numeric else "---" for column in range(len(table.header))) + "|"
    yield from (_row(row, say) for row in table.rows)


def _row(cells: Sequence[Cell], say: Speaker) -> str:
    return "| " + " | ".join(_escaped(clean(cell, say, LONGEST)).replace("|", "\\|") for cell in cells) + " |"


def _commands(block: Commands, say: Speaker) -> Iterator[str]:
    for number, (what, command) in enumerate(block.lines):
        longest = max((len(found) for found in _FENCE.findall(command)), default=2)
        fence = "`" * (longest + 1)
        yield from [
            *([""] if number else []),
            _escaped(clean(what, say)) + ":",
            "",
            fence + "sh",
            plain(command, 1_000),
            fence,
        ]


def _escaped(text: str) -> str:
    """No HTML, no link and no picture out of foreign text; everything else reads as it is."""
    return _TAG.sub(r"\\<", text.replace("\\", "\\\\")).replace("](", "]\\(")
