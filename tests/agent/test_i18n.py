from __future__ import annotations

import gettext
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from agent.i18n import LOCALE_DIR, catalogue_file, choose_language, normalise_language, speaker
from tools.errors import InputError
from tools.text import T

ROOT = Path(__file__).resolve().parents[2]
PO = LOCALE_DIR / "zh_TW" / "LC_MESSAGES" / "iterate.po"


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("en", "en"),
        ("en_US.UTF-8", "en"),
        ("C.UTF-8", "en"),
        ("POSIX", "en"),
        ("zh-TW", "zh-TW"),
        ("zh_TW.UTF-8", "zh-TW"),
        ("zh_TW.Big5@radical", "zh-TW"),
        ("zh-Hant", "zh-TW"),
        ("ZH", "zh-TW"),
        ("ja_JP", None),
        ("", None),
        ("english", None),
    ],
)
def test_the_usual_spellings_of_a_language_are_understood(name: str, language: str | None):
    assert normalise_language(name) == language


@given(st.text())
def test_no_spelling_of_a_language_breaks_anything(name: str):
    assert normalise_language(name) in {"en", "zh-TW", None}


def test_the_flag_wins_then_the_variable_then_the_settings_file_then_the_task_then_the_locale():
    everything = ("en", "en", "en", {"ITERATE_LANGUAGE": "zh-TW", "LANG": "zh_TW.UTF-8"})
    reasons = []
    for given_up in range(5):
        flag, setting, task, environ = everything
        language, reason = choose_language(
            flag if given_up < 1 else None,
            setting if given_up < 3 else None,
            task if given_up < 4 else None,
            environ if given_up < 2 else {"LANG": "zh_TW.UTF-8"},
        )
        assert language == ("en", "zh-TW", "en", "en", "zh-TW")[given_up]
        reasons.append(str(reason))
    assert len(set(reasons)) == 5


def test_lc_all_wins_over_lang():
    assert choose_language(None, environ={"LANG": "en_US.UTF-8", "LC_ALL": "zh_TW.UTF-8"})[0] == "zh-TW"


def test_a_task_in_an_unsupported_language_leaves_the_choice_to_the_locale():
    assert choose_language(None, task_language="ja", environ={"LANG": "zh_TW.UTF-8"})[0] == "zh-TW"


def test_without_any_wish_the_language_is_english():
    assert choose_language(None, environ={})[0] == "en"


def test_a_flag_for_a_language_without_translation_names_the_choices():
    with pytest.raises(InputError) as raised:
        choose_language("fr", environ={})
    assert "en, zh-TW" in str(raised.value.hint)


def test_a_message_without_a_translation_is_said_in_english_with_its_values():
    assert (
        speaker("zh-TW")(T("No catalogue holds {this}.", this="a test message")) == "No catalogue holds a test message."
    )


def test_an_empty_message_is_not_the_header_of_the_catalogue():
    assert speaker("zh-TW")(T("")) == ""


def extracted() -> Iterator[str]:
    """Message ids as `make locale` collects them."""
    for package in ("agent", "tools"):
        for _, _, message, _, _ in extract_from_dir(ROOT / package, [("**.py", "python")], keywords={"T": None}):
            assert isinstance(message, str)
            yield message


def fields(text: str) -> set[tuple[str, str, str | None]]:
    """Placeholders of a str.format text with their formats; order and repetition are the translator's business."""
    parts = string.Formatter().parse(text)
    return {(name, form or "", kind) for _, name, form, kind in parts if name is not None}


def catalogue() -> Catalog:
    with PO.open("rb") as stream:
        return read_po(stream, locale="zh_TW")


def test_every_message_of_the_code_is_translated():
    translated = {message.id for message in catalogue() if message.id and message.string and not message.fuzzy}
    missing = sorted(set(extracted()) - translated)
    listed = "\n".join(missing)
    assert not missing, f"{len(missing)} messages without a translation (run `make locale`, then translate):\n{listed}"


def test_the_catalogue_holds_no_message_that_the_code_no_longer_has():
    unused = sorted({str(message.id) for message in catalogue() if message.id} - set(extracted()))
    assert not unused, f"run `make locale`: {unused}"


def test_each_translation_has_the_same_fields_and_formats_as_its_message():
    wrong = [m.id for m in catalogue() if m.id and m.string and fields(str(m.id)) != fields(str(m.string))]
    assert not wrong


def test_every_message_of_the_code_is_a_valid_format_text():
    for message in extracted():
        fields(message)


def test_the_compiled_catalogue_is_the_one_of_the_source():
    path = catalogue_file("zh-TW")
    assert path is not None
    with path.open("rb") as stream:
        compiled = gettext.GNUTranslations(stream)
    for message in catalogue():
        if message.id and message.string:
            assert compiled.gettext(str(message.id)) == message.string, "run `make locale`"
