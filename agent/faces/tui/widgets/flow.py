"""Text that fits the width at hand: Chinese breaks between characters, columns line up, and a copy has no hard line ends.

Textual breaks lines at spaces only, which leaves a Chinese sentence hanging below the word before it. Everything shown
here is plain text; it has passed `visible()` and is never parsed as markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, chop_cells
from textual.content import Content
from textual.geometry import Size
from textual.selection import Selection
from textual.widget import Widget

from tools.text import visible

_WIDE = (
    "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff"
    "\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\U0001f300-\U0001faff"
)
_OPENING = "（「『【《〈［｛"
_CLOSING = "，。、；：！？）」』】》〉］｝…％"
_PIECE = re.compile(rf"[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}]+)[{_CLOSING}]*\s*|\s+")
"""What may not be broken: a word with its trailing space, or one wide character with the punctuation that clings to it."""


class Span(NamedTuple):
    """A line of a folded text: characters from `start` up to `end`."""

    start: int
    end: int


def fold(text: str, width: int) -> list[Span]:
    """The lines of `text` in `width` terminal cells; a word longer than a line is cut."""
    lines: list[Span] = []
    start = 0
    for paragraph in text.split("\n"):
        lines += _fold_paragraph(text, Span(start, start + len(paragraph)), max(2, width))
        start += len(paragraph) + 1
    return lines


def _fold_paragraph(text: str, part: Span, width: int) -> list[Span]:
    lines: list[Span] = []
    begin, used = part.start, 0
    for match in _PIECE.finditer(text, part.start, part.end):
        bare = cell_len(match[0].rstrip())
        if used and used + bare > width:
            lines.append(Span(begin, match.start()))
            begin, used = match.start(), 0
        if bare > width:
            for chopped in chop_cells(match[0].rstrip(), width)[:-1]:
                lines.append(Span(begin, begin + len(chopped)))
                begin += len(chopped)
            used = cell_len(text[begin : match.end()])
            continue
        used += cell_len(match[0])
    return [*lines, Span(begin, part.end)]


class Flow(Widget):
    """A block whose lines are worked out for its width, and again when the width changes."""

    DEFAULT_CSS = """
    Flow { height: auto; width: 1fr; text-wrap: nowrap; }
    """

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._laid_out: tuple[int, Content] | None = None

    def lay_out(self, width: int) -> Sequence[Content | str]:
        """The lines for a width in terminal cells; a block without any is empty."""
        return ()

    def changed(self) -> None:
        """Lay out again, because what is shown has changed; its neighbours move only if its height did."""
        before, self._laid_out = self._laid_out, None
        same = before is not None and _height(before[1]) == _height(self.lines(before[0]))
        self.refresh(layout=not same)

    def lines(self, width: int) -> Content:
        """The laid out lines, kept until the width changes."""
        if self._laid_out is None or self._laid_out[0] != width:
            self._laid_out = (width, Content("\n").join(self.lay_out(width)))
        return self._laid_out[1]

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All of the width there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The number of lines."""
        return _height(self.lines(width))

    def render(self) -> Content:
        """The lines."""
        return self.lines(max(1, self.content_size.width))


class Prose(Flow):
    """Sentences; what is selected comes out as it was written, without the line ends of the screen."""

    def __init__(
        self, text: str | Content, *, first: str = "", rest: str | None = None, classes: str | None = None
    ) -> None:
        """`first` stands before the first line, `rest` (as many spaces by default) before the others; neither is copied."""
        super().__init__(classes=classes)
        self._source = _shown(text)
        self._first = first
        self._rest = " " * cell_len(first) if rest is None else rest
        self._spans: list[Span] = []

    def show(self, text: str | Content) -> None:
        """Replace the text."""
        self._source = _shown(text)
        self.changed()

    def lay_out(self, width: int) -> Sequence[Content | str]:
        """The text folded beside its mark."""
        self._spans = fold(self._source.plain, width - cell_len(self._rest))
        return [
            Content(self._rest if number else self._first) + self._source[span.start : span.end].rstrip()
            for number, span in enumerate(self._spans)
        ]

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected part of the source."""
        text = self._source.plain
        begin = self._offset(selection.start.y, selection.start.x) if selection.start else 0
        end = self._offset(selection.end.y, selection.end.x) if selection.end else len(text)
        return text[begin:end], "\n"

    def _offset(self, line: int, column: int) -> int:
        if not self._spans:
            return 0
        span = self._spans[min(line, len(self._spans) - 1)]
        mark = self._rest if line else self._first
        return min(span.end, span.start + max(0, column - len(mark)))


def _height(lines: Content) -> int:
    return lines.plain.count("\n") + 1


def _shown(text: str | Content) -> Content:
    return text if isinstance(text, Content) else Content(visible(text))
