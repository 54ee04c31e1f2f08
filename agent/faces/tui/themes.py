"""Colours: those of the terminal unless the person chooses light or dark; the choice is remembered in the workspace."""

from __future__ import annotations

from collections.abc import Mapping

CHOICES = ("terminal", "light", "dark")
"""What `/theme` takes; `ansi` is another word for the first."""
_WORDS = {
    "terminal": "terminal",
    "ansi": "terminal",
    "auto": "terminal",
    "終端機": "terminal",
    "light": "light",
    "淺色": "light",
    "亮色": "light",
    "dark": "dark",
    "深色": "dark",
    "暗色": "dark",
}
_LIGHT_BACKGROUNDS = frozenset({"7", "15"})

_DARKER = {"text-success": "#1d5c33", "text-warning": "#704500"}
"""Textual's own green and amber are too pale to read on its light ground."""


def readable(theme: str) -> dict[str, str]:
    """The colours of a theme that are replaced, because its words would not stand out from their ground."""
    return _DARKER if theme == "textual-light" else {}


def chosen(word: str) -> str | None:
    """The choice that a typed word means; None for another word."""
    return _WORDS.get(word.strip().lower())


def theme_name(choice: str, environ: Mapping[str, str]) -> str:
    """Textual's theme for a choice: the terminal's own sixteen colours, which fit whatever background it has."""
    if choice == "light":
        return "textual-light"
    if choice == "dark":
        return "textual-dark"
    return "ansi-light" if _light_terminal(environ) else "ansi-dark"


def _light_terminal(environ: Mapping[str, str]) -> bool:
    """What the terminal says of its background, where it says anything (COLORFGBG of rxvt, Konsole and others)."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_BACKGROUNDS
