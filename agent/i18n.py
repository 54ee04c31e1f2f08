"""Sentences in the user's language: gettext catalogues behind the Speaker of tools/text.py.

The message ids are the English sentences, so English needs no catalogue and a message without a translation is shown in
English. `make locale` collects the messages of the code into agent/locale/ and compiles them.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from tools.errors import InputError
from tools.text import Speaker, T, Text, english, render, visible

Language = Literal["en", "zh-TW"]
LANGUAGES: tuple[Language, ...] = ("en", "zh-TW")
LOCALE_DIR = Path(__file__).resolve().parent / "locale"
DOMAIN = "iterate"

_CATALOGUES: dict[Language, str] = {"zh-TW": "zh_TW"}
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""In the order POSIX gives them."""


def speaker(language: str) -> Speaker:
    """The function that says a Text in `language`; English for a language without a catalogue."""
    known = normalise_language(language)
    if known is None or known == "en":
        return english
    translate = _translator(known)
    return lambda text: render(text, translate)


def catalogue_file(language: Language) -> Path | None:
    """The compiled catalogue of a language, None for English."""
    name = _CATALOGUES.get(language)
    return LOCALE_DIR / name / "LC_MESSAGES" / f"{DOMAIN}.mo" if name else None


def normalise_language(name: str) -> Language | None:
    """The supported language that a tag or locale name means (zh_TW.UTF-8, zh-Hant, en-US), None when none does.

    Every Chinese is answered in Traditional Chinese, the nearer of the two languages there are.
    """
    main = name.strip().lower().replace("_", "-").partition(".")[0].partition("-")[0]
    if main in {"zh", "cmn"}:
        return "zh-TW"
    return "en" if main in {"en", "c", "posix"} else None


def choose_language(
    flag: str | None,
    setting: str | None = None,
    task_language: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Language, Text]:
    """The language to speak and why: flag, ITERATE_LANGUAGE, the settings file, the task's language, the locale.

    Raises InputError for a flag that names no supported language; any other unsupported wish is passed over.
    """
    if flag is not None:
        return _from_flag(flag), T("It was chosen with --lang.")
    for wish, reason in (
        (environ.get("ITERATE_LANGUAGE"), T("It was chosen with ITERATE_LANGUAGE.")),
        (setting, T("It is set in the settings file.")),
        (task_language, T("It is the language of the task.")),
        (_locale(environ), T("It is the language of this terminal's locale.")),
    ):
        known = normalise_language(wish) if wish else None
        if known is not None:
            return known, reason
    return "en", T("No setting, task or locale names another language.")


def _from_flag(flag: str) -> Language:
    known = normalise_language(flag)
    if known is None:
        raise InputError(
            T("There is no translation into {language}.", language=repr(visible(flag, 40))),
            hint=T("Choose one of {languages}.", languages=", ".join(LANGUAGES)),
        )
    return known


def _locale(environ: Mapping[str, str]) -> str | None:
    return next((environ[name] for name in _LOCALE_VARIABLES if environ.get(name)), None)


@cache
def _translator(language: Language) -> Callable[[str], str]:
    """Gettext of one catalogue; a missing catalogue leaves the English sentences (`iterate doctor` reports it)."""
    path = catalogue_file(language)
    if path is None or not path.is_file():
        return str
    with path.open("rb") as stream:
        translations = gettext.GNUTranslations(stream)
    # The empty message id would answer with the catalogue's header.
    return lambda msgid: translations.gettext(msgid) if msgid else msgid
