"""Text for people: an English message id with parameters, translated only at the edge of the program.

Tools never build sentences with f-strings. They return `T("Class {label} has F1 {f1:.1%}", label=..., f1=...)`; a face
renders it with the speaker of the user's language (agent/i18n.py). The message id is the English text, so a library user
gets English with `str(text)` and nothing else installed.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

Scalar = str | int | float | bool | None


class Text(BaseModel):
    """A translatable message: `msgid` is English in str.format syntax, `params` fill it (they may be Texts themselves)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    msgid: str
    params: dict[str, Scalar | Text] = {}

    def __str__(self) -> str:
        return english(self)


Words = Text | str
"""Words in a record: a Text where the program says them, a plain string where a person wrote them, or an earlier release."""

Speaker = Callable[[Text], str]
"""Turns a Text into a sentence in one language."""


def T(msgid: str, /, **params: Scalar | Text) -> Text:  # noqa: N802 - the gettext-like marker that message extraction looks for
    """Mark a message for translation."""
    return Text(msgid=msgid, params=params)


def render(text: Text, translate: Callable[[str], str]) -> str:
    """Translate the message id with `translate` and fill in the parameters."""
    filled = {
        name: render(value, translate) if isinstance(value, Text) else value for name, value in text.params.items()
    }
    return translate(text.msgid).format(**filled) if filled else translate(text.msgid)


def english(text: Text) -> str:
    """The speaker of last resort: the message id itself."""
    return render(text, str)


def sayable(words: Words, limit: int | None = None) -> Words:
    """Words of a record as a part of a Text: the program's own stay translatable, all others are made visible and cut."""
    return visible(words, limit) if isinstance(words, str) else words


_KEPT_CONTROLS = frozenset("\n\t")
_BIDI_CLASSES = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})


def visible(raw: str, limit: int | None = None) -> str:
    r"""Show control, escape and bidirectional characters of foreign text as \u escapes, and cut at `limit` characters.

    Data rows, model answers and file names pass through here before they reach a terminal, so that they cannot move the
    cursor, recolour the screen or reorder what is read.
    """
    shown = "".join(_visible_char(char) for char in raw)
    if limit is not None and len(shown) > limit:
        return shown[: limit - 1] + "…"
    return shown


def shell_word(name: str) -> str:
    """A name as one word of a command line that can be pasted, in quotes only where a shell needs them."""
    shown = visible(name)
    return shown if re.fullmatch(r"\w[\w.-]*", shown) else shlex.quote(shown)


def _visible_char(char: str) -> str:
    if char in _KEPT_CONTROLS:
        return char
    hidden = unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or unicodedata.bidirectional(char) in _BIDI_CLASSES
    return f"\\u{ord(char):04x}" if hidden else char
