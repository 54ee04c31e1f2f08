"""Columns and lines that stay aligned when half of the text is Chinese: widths are terminal cells, not characters."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Sequence

MOST_WIDTH = 110
"""Lines of prose longer than this are hard to read, however wide the terminal."""


def width(text: str) -> int:
    """Terminal cells that `text` takes: 2 for wide and full-width characters, 0 for combining marks."""
    return sum(_cells(char) for char in text)


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """`text` filled with spaces to `cells` terminal cells."""
    filler = " " * max(0, cells - width(text))
    return filler + text if right else text + filler


def clip(text: str, cells: int) -> str:
    """`text` on one line and cut to at most `cells` terminal cells, with an ellipsis when something is left out."""
    flat = " ".join(text.split())
    if width(flat) <= cells:
        return flat
    kept, used = [], 0
    for char in flat:
        used += _cells(char)
        if used > cells - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def wrap(text: str, *, indent: str = "") -> list[str]:
    """Lines of at most the terminal's width; breaks at spaces and between Chinese characters, never inside a word."""
    limit = max(30, line_width() - width(indent))
    return [indent + line for paragraph in text.splitlines() or [""] for line in _broken(paragraph, limit)]


def line_width() -> int:
    """Cells that a line of prose may take on this terminal."""
    return min(shutil.get_terminal_size().columns, MOST_WIDTH)


def _broken(paragraph: str, limit: int) -> list[str]:
    lines: list[str] = []
    line, used = "", 0
    for piece in _pieces(paragraph):
        if used and used + width(piece.rstrip()) > limit:
            lines.append(line.rstrip())
            piece = piece.lstrip()
            line, used = "", 0
        line, used = line + piece, used + width(piece)
    return [*lines, line.rstrip()]


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, indent: str = "  ") -> list[str]:
    """A Markdown table whose columns line up; every column after the first is aligned to the right if it holds numbers."""
    columns = [[header[i], *(row[i] for row in rows)] for i in range(len(header))]
    widths = [max(width(cell) for cell in column) for column in columns]
    numeric = [i > 0 and all(_number_like(cell) for cell in column[1:]) for i, column in enumerate(columns)]
    lines = [_row(header, widths, numeric)]
    lines.append(
        "|" + "|".join("-" * (w + 1) + (":" if n else "-") for w, n in zip(widths, numeric, strict=True)) + "|"
    )
    lines += [_row(row, widths, numeric) for row in rows]
    return [indent + line for line in lines]


def aligned(markdown: str) -> str:
    """Markdown text whose tables line up in a terminal; everything else is left as it is."""
    lines: list[str] = []
    block: list[list[str]] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|") and line.endswith("|"):
            block.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        if block:
            header, *rows = [row for row in block if not all(set(cell) <= set(":-") for cell in row)]
            lines += table(header, rows, indent="")
            block = []
        lines.append(line)
    return "\n".join(lines[:-1])


def _row(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = [pad(cell, w, right=n) for cell, w, n in zip(cells, widths, numeric, strict=True)]
    return "| " + " | ".join(padded) + " |"


def _number_like(cell: str) -> bool:
    return not cell or cell[0] in "+-−0123456789–" or cell == "?"


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


_NEVER_FIRST = frozenset("，。、；：？！）」』】〉》…％％,.;:?!)]}%")
"""Closing punctuation: it stays with what stands before it."""
_NEVER_LAST = frozenset("（「『【〈《")
"""Opening punctuation: it goes with what follows."""


def _pieces(paragraph: str) -> list[str]:
    """Smallest parts that may not be broken: words with their trailing space, single wide characters with their punctuation."""
    pieces: list[str] = []
    word = ""
    for char in paragraph:
        if char in _NEVER_FIRST and not word and pieces and not pieces[-1].endswith(" "):
            pieces[-1] += char
        elif _cells(char) < 2 or char in _NEVER_LAST:
            word += char
            if char == " ":
                pieces.append(word)
                word = ""
        elif not word or word[-1] in _NEVER_LAST or char in _NEVER_FIRST:
            pieces.append(word + char)
            word = ""
        else:
            pieces += [word, char]
            word = ""
    return [*pieces, word] if word else pieces
