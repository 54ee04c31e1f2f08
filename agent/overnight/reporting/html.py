"""The report as one HTML file that needs nothing else: style and plots inside, no script, every foreign text escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from agent.overnight.reporting.document import Block, Cell, Commands, Figure, Items, Para, Section, Table
from agent.overnight.reporting.plots import svg
from agent.overnight.reporting.sections import sections
from agent.overnight.reporting.shapes import NightFacts
from agent.overnight.reporting.style import STYLE
from agent.overnight.reporting.words import LONGEST, clean, moment, paragraph, plain
from tools.text import Speaker, T

LANGUAGE_TAG = T("en")
"""Translated as the language tag of the catalogue, such as zh-Hant-TW."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(facts: NightFacts, say: Speaker) -> str:
    """The whole page."""
    title = escape(say(T("Morning report: night {night}", night=plain(facts.id, 60))))
    parts = sections(facts)
    first, *others = parts
    made = escape(
        say(T("Written by iterate from the record of the night; newest line of {at}.", at=moment(facts.newest_at)))
    )
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{escape(say(LANGUAGE_TAG))}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            f"<header><h1>{title}</h1></header>",
            "<main>",
            *_opening(first, facts, say),
            _contents(others, say),
            *(line for section in others for line in _section(section, facts, say)),
            "</main>",
            f"<footer><p>{made}</p></footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _opening(section: Section, facts: NightFacts, say: Speaker) -> Iterator[str]:
    for block in section.blocks:
        if isinstance(block, Para):
            yield f'<p class="opening {facts.state}">{escape(paragraph(block.sentences, say))}</p>'


def _contents(found: Sequence[Section], say: Speaker) -> str:
    links = "".join(
        f'<li><a href="#{section.key}">{escape(say(section.title))}</a></li>' for section in found if section.title
    )
    return f'<nav aria-label="{escape(say(T("Contents")))}"><ul>{links}</ul></nav>'


def _section(section: Section, facts: NightFacts, say: Speaker) -> Iterator[str]:
    yield f'<section id="{section.key}">'
    if section.title is not None:
        yield f"<h2>{escape(say(section.title))}</h2>"
    for number, block in enumerate(section.blocks):
        yield from _block(block, facts, say, f"{section.key}-{number}")
    yield "</section>"


def _block(block: Block, facts: NightFacts, say: Speaker, name: str) -> Iterator[str]:
    match block:
        case Para():
            yield f"<p>{escape(paragraph(block.sentences, say))}</p>"
        case Items():
            yield f"<ul>{''.join(f'<li>{escape(clean(item, say))}</li>' for item in block.items)}</ul>"
        case Table():
            yield _table(block, say, name)
        case Commands():
            lines = "".join(
                f"<dt>{escape(clean(what, say))}</dt><dd><code>{escape(plain(command, 1_000))}</code></dd>"
                for what, command in block.lines
            )
            yield f'<dl class="commands">{lines}</dl>'
        case Figure():
            about = escape(clean(block.about, say, 800))
            yield f"<figure><figcaption><strong>{escape(clean(block.title, say))}</strong> {about}</figcaption>"
            yield f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(clean(block.title, say))}">'
            yield svg(block, facts, say, name) + "</div></figure>"
            if block.twin is not None:
                yield _table(block.twin, say, f"{name}-table")


def _table(table: Table, say: Speaker, name: str) -> str:
    heads = "".join(
        f'<th scope="col"{_aligned(table, column)}>{escape(clean(cell, say))}</th>'
        for column, cell in enumerate(table.header)
    )
    rows = "".join(f"<tr>{''.join(_cells(table, row, say))}</tr>" for row in table.rows)
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-labelledby="{name}"><table>'
        f'<caption id="{name}">{escape(clean(table.caption, say))}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cells(table: Table, row: Sequence[Cell], say: Speaker) -> Iterator[str]:
    """The last of the cells that name a row is its heading."""
    for column, cell in enumerate(row):
        shown = escape(clean(cell, say, LONGEST))
        head = column == table.lead - 1
        yield (
            f'<th scope="row"{_aligned(table, column)}>{shown}</th>'
            if head
            else f"<td{_aligned(table, column)}>{shown}</td>"
        )


def _aligned(table: Table, column: int) -> str:
    return ' class="number"' if column in table.numeric else ""
