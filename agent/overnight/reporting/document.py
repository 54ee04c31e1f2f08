"""What a report is made of before it is Markdown, HTML or a screen: sections of paragraphs, lists, tables, commands, figures.

A cell or an item is a Text, or a foreign string that the one who renders it cleans and escapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tools.text import Text

Cell = Text | str


@dataclass(frozen=True)
class Para:
    """Sentences that belong together."""

    sentences: Sequence[Text]


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    items: Sequence[Text]


@dataclass(frozen=True)
class Table:
    """Columns with their unit in the heading; rows are named by their first cell."""

    caption: Text
    header: Sequence[Text]
    rows: Sequence[Sequence[Cell]]
    numeric: frozenset[int] = frozenset()
    """Columns that are aligned to the right."""
    lead: int = 1
    """Columns that name a row, for where there is no room for columns."""


@dataclass(frozen=True)
class Commands:
    """Exact command lines, each with what it does."""

    lines: Sequence[tuple[Text, str]]


@dataclass(frozen=True)
class Figure:
    """A plot, and the table that says the same for who cannot see it."""

    kind: Literal["forest", "scores", "budget"]
    title: Text
    about: Text
    """What is drawn and how to read it, in words."""
    twin: Table | None
    """None where the table stands right before it."""
    task: str = ""


Block = Para | Items | Table | Commands | Figure


@dataclass(frozen=True)
class Section:
    """A part of the report; the first has no title."""

    key: str
    title: Text | None
    blocks: Sequence[Block]
