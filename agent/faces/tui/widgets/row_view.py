"""One row in full: titled parts of plain text that scroll together; what a row holds can neither style nor break it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import JsonValue
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from agent.faces.tui.widgets.flow import Prose
from tools.reviewing.batch import Twin
from tools.reviewing.filtering import answer_words
from tools.text import Speaker, T, visible

Tone = Literal["plain", "strong", "muted", "good", "bad"]
_STYLES: dict[Tone, str] = {
    "plain": "",
    "strong": "bold",
    "muted": "$text-muted",
    "good": "$text-success",
    "bad": "$text-error",
}


class Part(NamedTuple):
    """A titled piece of a row."""

    title: str
    """In the program's words, or the name of a field."""
    body: str
    tone: Tone = "plain"
    inline: bool = False
    """True: title and body on one line."""


class RowView(VerticalScroll):
    """Shows the parts of a row; it takes the focus so that arrows and page keys scroll."""

    DEFAULT_CSS = """
    RowView { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    RowView:focus { background-tint: $foreground 3%; }
    """

    def __init__(self, parts: Sequence[Part] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts = parts

    def compose(self) -> ComposeResult:
        """One text, so that thousands of characters stay one widget."""
        yield Prose(laid_out(self._parts))

    def show(self, parts: Sequence[Part]) -> None:
        """Replace the row and go back to its beginning."""
        self._parts = parts
        self.query_one(Prose).show(laid_out(parts))
        self.scroll_home(animate=False)


def laid_out(parts: Sequence[Part]) -> Content:
    """The parts below each other, every text made visible."""
    return Content.assemble(*_pieces(parts))


def _pieces(parts: Sequence[Part]) -> Iterator[tuple[str, str] | str]:
    before: Part | None = None
    for part in parts:
        if before is not None:
            yield "\n" if part.inline and before.inline else "\n\n"
        yield visible(part.title), "bold $text-primary"
        yield "  " if part.inline else "\n"
        yield visible(part.body), _STYLES[part.tone]
        before = part


def field_parts(fields: Mapping[str, str], say: Speaker) -> list[Part]:
    """The input of a row; short fields on one line."""
    return [_field_part(name, text, say) for name, text in fields.items()]


def _field_part(name: str, text: str, say: Speaker) -> Part:
    if not text.strip():
        return Part(name, say(T("(empty)")), "muted", True)
    return Part(name, text, inline="\n" not in text and len(text) < 40)


def scores_part(scores: Mapping[str, float], say: Speaker) -> Part:
    """Probabilities of the labels, highest first."""
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    return Part(
        say(T("The model's probabilities")), "   ".join(f"{label} {share:.1%}" for label, share in ranked), inline=True
    )


def twin_parts(twins: Sequence[Twin], say: Speaker, *, numbered: bool = False) -> list[Part]:
    """Similar rows, each with its answer."""
    return [
        Part(
            say(
                T(
                    "{number}Similar row {id} in {split} ({alike:.0%} alike), which says {answer}",
                    number=f"[{number}] " if numbered else "",
                    id=visible(twin.row, 60),
                    split=twin.split,
                    alike=twin.similarity,
                    answer=visible(shown_answer(twin.answer, say), 80),
                )
            ),
            "\n".join(twin.fields.values()),
            "muted",
        )
        for number, twin in enumerate(twins, 1)
    ]


def shown_answer(value: JsonValue, say: Speaker) -> str:
    """An answer in words; a missing one is named."""
    if value is None:
        return say(T("(no answer)"))
    return answer_words(value) or say(T("(empty)"))
