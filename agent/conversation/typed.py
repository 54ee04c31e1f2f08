"""What follows a command exactly as it was typed, and the forms and folder of an export.

Everything else that is said is compared in one plain form (agent/conversation/wording.py). A text that a model is to answer
must not be touched: full-width marks, line ends and spaces are part of it, as they are of a row.
"""

from __future__ import annotations

import re
from typing import NamedTuple, get_args

from agent.conversation.wording import plain
from tools.editing.nearest import nearest
from tools.errors import InputError
from tools.exporting.export import FORMS, Form
from tools.text import T, visible

GAP = r"[\s\u3000]"
"""White space, the ideographic one included, where only ASCII is otherwise matched."""
_CHINESE_FORMS: dict[str, Form] = {"轉接器": "adapter", "合併模型": "merged", "合併": "merged"}
_ONE_FORM = "|".join([*get_args(Form), *_CHINESE_FORMS])
_AND = r"(?: ?(?:,|、|\band\b|和|與) ?| )"
FORM_WORDS = rf"(?:{_ONE_FORM})(?:{_AND}(?:{_ONE_FORM}))*"
"""A pattern for one form or several, in folded text."""
_VERSION_FIRST = re.compile(rf"v(\d{{1,6}})(?:{GAP}+|{GAP}*[:：]{GAP}*|$)", re.IGNORECASE)
_FOLDER = re.compile(r"(?:(?:in)?to |[到至] ?)(?P<named>.+)|(?P<path>[~./].*|[^ ]+/.*)", re.IGNORECASE)
_QUOTES = (("「", "」"), ("『", "』"), ('"', '"'), ("“", "”"))


class VersionAndText(NamedTuple):
    """What follows /predict."""

    version: str | None
    text: str | None


def after_word(line: str, word: str) -> str:
    """The rest of a slash command as it was typed; `word` is its word in plain form, which is as long as the typed one."""
    return line.strip().lstrip("/／")[len(word) :].strip()


def end_of(typed: str, value: str) -> str:
    """The end of the typed line that is `value` in its plain form: as many words, counted from the end."""
    words = len(plain(typed).split()) - len(value.split())
    return typed.split(maxsplit=words)[words].strip()


def version_and_text(typed: str) -> VersionAndText:
    """A version that stands first, and the text behind it; a text that begins like one is put in quotes."""
    found = _VERSION_FIRST.match(typed)
    if found is None:
        return VersionAndText(None, unquoted(typed))
    return VersionAndText(f"v{int(found[1])}", unquoted(typed[found.end() :]))


def unquoted(typed: str) -> str | None:
    """The text without quotes around the whole of it; None when nothing is left."""
    text = typed.strip()
    for first, last in _QUOTES:
        inner = text[1:-1]
        if len(text) > 1 and text[0] == first and text[-1] == last and first not in inner and last not in inner:
            return inner.strip() or None
    return text or None


def take_forms(rest: str) -> tuple[list[str] | None, str]:
    """The forms that stand first, and what is left of the line."""
    found = re.match(rf"(?:as |成)?({FORM_WORDS})(?![\w-])", rest, re.IGNORECASE | re.ASCII)
    if found is None:
        return None, rest
    return read_forms(found[1]), rest[found.end() :].strip()


def read_forms(folded: str) -> list[str]:
    """The forms that a text names, each once."""
    words = re.findall(_ONE_FORM, folded.lower())
    return list(dict.fromkeys(_CHINESE_FORMS.get(word, word) for word in words))


def take_folder(rest: str) -> str | None:
    """The folder that the rest of the line names, in plain form; raises InputError for words that are none."""
    if not rest:
        return None
    found = _FOLDER.fullmatch(rest)
    if found is None:
        raise _neither(rest)
    return found["named"] or found["path"]


def _neither(rest: str) -> InputError:
    word = rest.split()[0]
    if word.lower() in {"hub", "huggingface"}:
        return InputError(
            T("Nothing is sent to the hub from the chat."),
            hint=T(
                "`iterate export TASK --to FOLDER --hub USER/NAME` shows what would be sent; with --yes it sends it."
            ),
        )
    near = nearest(word.lower(), FORMS)
    valid = T(
        "The forms are {forms}; a folder is named with `to`. Like this: /export v2 merged to FOLDER",
        forms=", ".join(FORMS),
    )
    return InputError(
        T("{word} is no form of an export.", word=repr(visible(word, 40))),
        hint=T("Did you mean {near}? {valid}", near=near, valid=valid) if near else valid,
    )
