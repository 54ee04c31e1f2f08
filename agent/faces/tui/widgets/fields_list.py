"""Where the errors are when rows have no labels: the fields of the answers with their scores, or the answers as one heap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text as RichText
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from agent.faces.layout import clip, pad, width
from tools.text import Speaker, T, visible

_BAR = 10


@dataclass(frozen=True)
class FieldLine:
    """One field with how well it is read."""

    field: str
    """"" stands for whole answers."""
    score: float
    """Mean over the answers, a fraction."""
    wrong: int
    """Answers in which it is not exactly right."""


class FieldsList(OptionList):
    """The worst field first; the highlighted one is chosen."""

    DEFAULT_CSS = """
    FieldsList, FieldsList:focus { height: auto; max-height: 9; border: none; padding: 0 1; background: transparent; }
    """

    def __init__(self, lines: Sequence[FieldLine], say: Speaker) -> None:
        widest = min(24, max((width(_name(line, say)) for line in lines), default=0))
        super().__init__(*(Option(_shown(line, widest, say)) for line in lines))
        self._fields = lines

    @property
    def chosen(self) -> str:
        """The highlighted field."""
        return self._fields[self.highlighted or 0].field if self._fields else ""


def _shown(line: FieldLine, widest: int, say: Speaker) -> RichText:
    full = round(line.score * _BAR)
    bar = "█" * full + "░" * (_BAR - full)
    wrong = say(T("wrong: {count}", count=line.wrong))
    return RichText(f"{pad(clip(_name(line, say), widest), widest)}  {line.score:6.1%}  {bar}  {wrong}")


def _name(line: FieldLine, say: Speaker) -> str:
    return visible(line.field) if line.field else say(T("all answers"))
