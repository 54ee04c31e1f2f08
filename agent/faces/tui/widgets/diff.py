"""A unified diff for people: line numbers, signs and words, in one column or two by the width at hand; nothing is cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from textual.content import Content

from agent.faces.layout import width
from agent.faces.tui.widgets.flow import Flow, fold
from tools.text import Speaker, T, visible

Sign = Literal[" ", "-", "+"]
SPLIT_FROM = 110
"""Width from which old and new stand side by side unless the person chose."""
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_STYLES: dict[Sign, str] = {" ": "", "-": "$text-error", "+": "$text-success"}


@dataclass(frozen=True)
class Line:
    """One line of the file before or after."""

    sign: Sign
    text: str
    old: int | None
    new: int | None


def diff_lines(diff: str) -> list[list[Line]]:
    """The hunks of a unified diff of one file; file headers are left out."""
    hunks: list[list[Line]] = []
    old = new = 0
    for raw in diff.splitlines():
        if found := _HUNK.match(raw):
            old, new = int(found[1]), int(found[2])
            hunks.append([])
        elif hunks and raw[:1] in {" ", "-", "+", ""}:
            sign: Sign = "-" if raw[:1] == "-" else "+" if raw[:1] == "+" else " "
            hunks[-1].append(Line(sign, raw[1:], old if sign != "+" else None, new if sign != "-" else None))
            old, new = old + (sign != "+"), new + (sign != "-")
    return hunks


def file_name(diff: str) -> str:
    """The file that the diff is of, from its header; "" without one."""
    found = re.match(r"--- (?:a/)?(.*)", diff)
    return found[1].strip() if found else ""


class DiffView(Flow):
    """Shows a diff; `toggle` changes between one column and two."""

    def __init__(self, diff: str, say: Speaker, *, mark: str = "", classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._diff = diff
        self._say = say
        self._mark = mark
        self._split: bool | None = None

    def show(self, diff: str, *, mark: str = "") -> None:
        """Show another diff; `mark` says whose it is."""
        self._diff, self._mark = diff, mark
        self.changed()

    def toggle(self) -> None:
        """One column or two, from now on by the person's choice."""
        self._split = not self._is_split(self.content_size.width)
        self.changed()

    def _is_split(self, cells: int) -> bool:
        return cells >= SPLIT_FROM if self._split is None else self._split

    def lay_out(self, width: int) -> Sequence[Content | str]:
        """Header with counts in words, then every hunk."""
        hunks = diff_lines(self._diff)
        if not hunks:
            return _folded(self._say(T("The configuration stays as it is.")), width)
        lines: list[Content | str] = [Content.styled(row, "bold") for row in _folded(self._header(hunks), width)]
        for number, hunk in enumerate(hunks):
            if number:
                lines.append(Content.styled("   ⋯", "$text-muted"))
            lines += self._two_columns(hunk, width) if self._is_split(width) else self._one_column(hunk, width)
        return lines

    def _header(self, hunks: list[list[Line]]) -> str:
        signs = [line.sign for hunk in hunks for line in hunk]
        counts = T(
            "{file}: {removed} line(s) removed (-), {added} added (+)",
            file=visible(file_name(self._diff)),
            removed=signs.count("-"),
            added=signs.count("+"),
        )
        return self._say(counts) + (f"  [{self._mark}]" if self._mark else "")

    def _one_column(self, hunk: list[Line], cells: int) -> Iterator[Content]:
        digits = _digits(hunk)
        for line in hunk:
            number = line.new if line.old is None else line.old
            yield from _rows(line, number, digits, cells)

    def _two_columns(self, hunk: list[Line], cells: int) -> Iterator[Content]:
        digits = _digits(hunk)
        half = (cells - 3) // 2
        for old, new in _paired(hunk):
            left = list(_rows(old, old.old, digits, half)) if old else []
            right = list(_rows(new, new.new, digits, half)) if new else []
            for one, other in zip_longest(left, right):
                yield Content.assemble(_filled(one, half), " │ ", other or "")


def _folded(text: str, cells: int) -> list[str]:
    return [text[span.start : span.end].rstrip() for span in fold(text, cells)]


def _digits(hunk: list[Line]) -> int:
    return max(len(str(line.old or line.new)) for line in hunk)


def _rows(line: Line, number: int | None, digits: int, cells: int) -> Iterator[Content]:
    """The line with its number and sign; what does not fit continues below, under no sign."""
    shown = visible(line.text)
    for part, span in enumerate(fold(shown, cells - digits - 3)):
        gutter = f"{number or '':>{digits}} {line.sign} " if part == 0 else " " * (digits + 3)
        text = shown[span.start : span.end].rstrip()
        yield Content.assemble((gutter, _STYLES[line.sign] or "$text-muted"), (text, _STYLES[line.sign]))


def _filled(row: Content | None, cells: int) -> Content:
    row = row or Content("")
    return row + Content(" " * max(0, cells - width(row.plain)))


def _paired(hunk: list[Line]) -> Iterator[tuple[Line | None, Line | None]]:
    """Old beside new: removed lines next to the added ones that follow them."""
    removed: list[Line] = []
    added: list[Line] = []
    for line in [*hunk, Line(" ", "", None, None)]:
        if line.sign == "-":
            removed.append(line)
        elif line.sign == "+":
            added.append(line)
        else:
            yield from zip_longest(removed, added)
            removed, added = [], []
            if line.old is not None:
                yield line, line
