"""What speaks against one written row, from the row and the facts of train alone: form, label, characters, length, script.

A row with a reason is quarantined; nothing in a row is ever followed, whatever it asks for or claims about itself. Copies are
looked for elsewhere (tools/generating/guard.py).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tools.generating.facts import MARKUP, Facts
from tools.generating.forms import label_key
from tools.generating.script import chinese_share, simplified_in, traditional_in
from tools.reviewing.row_forms import row_problems
from tools.text import T, Text, visible

Why = Literal[
    "form",
    "label",
    "characters",
    "markup",
    "length",
    "script",
    "name",
    "duplicate",
    "copy",
    "leak",
    "judge",
    "unjudged",
]
"""What a row is quarantined for; each in words in WHYS."""

WHYS: dict[Why, Text] = {
    "form": T("not of the form that was asked for"),
    "label": T("another label than was asked for"),
    "characters": T("control or invisible characters"),
    "markup": T("markup that train does not have"),
    "length": T("longer or shorter than any training row"),
    "script": T("another script or language than train"),
    "name": T("does not name what it should be about"),
    "duplicate": T("repeats a row of this batch"),
    "copy": T("copies a training row, or one of another batch"),
    "leak": T("copies a row of validation or test"),
    "judge": T("the second answer, with the label hidden, gives another label"),
    "unjudged": T("the second answer, with the label hidden, failed"),
}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\u200d\ufe0f")
"""Part of many emoji."""
_SHOWN = 60


class Quarantined(BaseModel):
    """Why a row cannot be used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    why: Why
    reason: Text
    twin: str | None = None
    """Id of the row that it copies."""
    split: Literal["batch", "train", "valid", "test"] | None = None
    """Where the twin is."""


class Written(BaseModel):
    """One row as a model wrote it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    """Question and place: w0001.2."""
    question: str
    fields: dict[str, str]
    label: str


def read_written(facts: Facts, question: str, place: int, item: Any) -> tuple[Written | None, Quarantined | None]:
    """An item of an answer as a row; None with the reason when it is none."""
    if not isinstance(item, Mapping):
        return None, _no(T("It is no object but {kind}.", kind=type(item).__name__))
    key = label_key(facts.task.definition)
    wrong = [name for name in [*facts.fields, key] if not isinstance(item.get(name), str) or not item[name].strip()]
    if wrong:
        return None, _no(T("It has no text for {names}.", names=", ".join(visible(name, 40) for name in wrong)))
    fields = {name: item[name].strip() for name in facts.fields}
    return Written(id=f"{question}.{place}", question=question, fields=fields, label=item[key].strip()), None


def _no(reason: Text) -> Quarantined:
    return Quarantined(why="form", reason=reason)


def fault_of(facts: Facts, wanted: str, row: Written) -> Quarantined | None:
    """The first thing that speaks against a row; None when nothing does."""
    rules: tuple[tuple[Why, Callable[[], Iterator[Text]]], ...] = (
        ("label", lambda: _label(facts, wanted, row)),
        ("characters", lambda: _characters(facts, row)),
        ("markup", lambda: _markup(facts, row)),
        ("script", lambda: _script(facts, row)),
        ("length", lambda: _length(facts, row)),
        ("name", lambda: _names(facts, row)),
        ("form", lambda: iter(row_problems(facts.task, row.fields, row.label))),
    )
    found = (Quarantined(why=why, reason=reason) for why, rule in rules for reason in rule())
    return next(found, None)


def _label(facts: Facts, wanted: str, row: Written) -> Iterator[Text]:
    said = visible(row.label, _SHOWN)
    if row.label not in facts.labels:
        yield T("{label} is no label of this task.", label=said)
    elif row.label != wanted:
        yield T("It says {label}, and {wanted} was asked for.", label=said, wanted=visible(wanted, _SHOWN))


def _length(facts: Facts, row: Written) -> Iterator[Text]:
    for name, text in row.fields.items():
        low, high = facts.lengths[name]
        if not low <= len(text) <= high:
            told = T(
                "{field} has {count} characters; in train it has {low} to {high}.",
                field=visible(name, _SHOWN),
                count=len(text),
                low=low,
                high=high,
            )
            yield told


def _characters(facts: Facts, row: Written) -> Iterator[Text]:
    allowed = "\n" if facts.has_breaks else ""
    for name, text in row.fields.items():
        odd = [
            char
            for char in text
            if unicodedata.category(char) in _INVISIBLE and char not in allowed and char not in _JOINERS
        ]
        if odd or "\ufffd" in text:
            code = f"U+{ord(odd[0]) if odd else 0xFFFD:04X}"
            yield T("{field} holds the character {code}.", field=visible(name, _SHOWN), code=code)


def _markup(facts: Facts, row: Written) -> Iterator[Text]:
    for name, text in row.fields.items():
        found = MARKUP.search(text)
        if found and not (name == facts.text_field and facts.has_markup):
            yield T("{field} holds {part}.", field=visible(name, _SHOWN), part=repr(visible(found[0], 20)))


def _script(facts: Facts, row: Written) -> Iterator[Text]:
    text = row.fields[facts.text_field]
    low, high = facts.chinese
    share = chinese_share(text)
    if not low <= share <= high:
        yield T(
            "{share:.0%} of it is Chinese; in train it is {low:.0%} to {high:.0%}.", share=share, low=low, high=high
        )
    everything = "".join(row.fields.values())
    if facts.foreign_script == "simplified" and (odd := simplified_in(everything)):
        yield T("It holds simplified characters: {characters}", characters="".join(odd[:10]))
    if facts.foreign_script == "traditional" and (odd := traditional_in(everything)):
        yield T("It holds traditional characters: {characters}", characters="".join(odd[:10]))


def _names(facts: Facts, row: Written) -> Iterator[Text]:
    for name in facts.quoted:
        if row.fields[name] not in row.fields[facts.text_field]:
            yield T("{value} does not stand in the text, as it does in train.", value=visible(row.fields[name], _SHOWN))
