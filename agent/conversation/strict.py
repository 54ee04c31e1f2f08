"""The commands that decide, stop or spend: in free talk only a phrase word for word counts, with its values spelt out.

"approve 1 and 3" is one; "I would not approve 1", "approve 1?" and a sentence that contains "approve 1" are not. Nothing is
matched by likeness here.
"""

from __future__ import annotations

import re
from functools import cache

from pydantic import JsonValue

from agent.conversation.clock import read_time
from agent.conversation.commands import COMMANDS, Command, Slot
from agent.conversation.slots import NUMBERS, VERSION, read_numbers
from agent.conversation.typed import FORM_WORDS, GAP, read_forms, unquoted, version_and_text
from agent.conversation.wording import fold, numeral, plain, squeeze, unspaced

_BEFORE = r"(?:(?:please|ok|okay|yes|i|請|好|好的|那就?|我要?|麻煩|幫我)[ ,,、]*){0,3}"
_AFTER = r"[ ,,]*(?:please|thanks|thank you|now|吧|謝謝)?[ .!。!]*"
_VALUES = {
    Slot.task: r"[^ ,,。.?!]{1,60}",
    Slot.numbers: re.sub(r"\((?!\?)", "(?:", NUMBERS),
    Slot.version: re.sub(r"\((?!\?)", "(?:", VERSION),
    Slot.until: r"[^,,.。?!]{1,24}",
    Slot.reason: r"[^\n]{1,2000}",
    Slot.form: FORM_WORDS,
    Slot.folder: r"[^\n]{1,400}",
    Slot.text: r"(?s:.+)",
}
_AS_TYPED = frozenset({Slot.folder, Slot.text})
"""Read in the message as it was typed. They end a phrase, and something has to stand between its words and them."""
_BETWEEN = rf"(?:{GAP}+|{GAP}*[:：]{GAP}*|{GAP}*(?=[「『\"“]))"


def exact_order(text: str) -> tuple[Command, dict[str, JsonValue]] | None:
    """The strict command that this text is, and its values; None when it is not exactly one."""
    lines = {False: plain(text), True: text.strip()}
    for command, pattern, as_typed in _patterns():
        line = lines[as_typed]
        match = pattern.fullmatch(fold(line))
        if match is None or (as_typed and _said_otherwise(text)):
            continue
        args = _args(match, line)
        if args is not None:
            return command, args
    return None


def _said_otherwise(text: str) -> bool:
    """True for the very words of another command, such as those that ask how forecasts turned out."""
    return unspaced(squeeze(fold(plain(text)))) in _whole_phrases()


@cache
def _whole_phrases() -> frozenset[str]:
    return frozenset(
        unspaced(squeeze(fold(phrase))) for command in COMMANDS for phrase in command.phrases if "{" not in phrase
    )


@cache
def _patterns() -> list[tuple[Command, re.Pattern[str], bool]]:
    """Each phrase of the strict commands, and whether it is read in the message as it was typed."""
    return [
        (command, _compiled(phrase), _ends_as_typed(phrase))
        for command in COMMANDS
        if command.strict
        for phrase in sorted(command.phrases, key=lambda one: -len(one) if _ends_as_typed(one) else len(one))
    ]


def _compiled(phrase: str) -> re.Pattern[str]:
    open_end = phrase.endswith("{reason}") or _ends_as_typed(phrase)
    return re.compile(_BEFORE + _pattern(fold(phrase)) + ("" if open_end else _AFTER), re.ASCII)


def _ends_as_typed(phrase: str) -> bool:
    return any(phrase.endswith("{" + slot + "}") for slot in _AS_TYPED)


def _pattern(phrase: str) -> str:
    """The phrase with a group for each slot; spaces beside Chinese and before values are optional."""
    parts = re.split(r"(\{\w+\})", phrase)
    return "".join(_group(part) if part.startswith("{") else _literal(part) for part in parts)


def _group(slot: str) -> str:
    name = slot[1:-1]
    if Slot(name) in _AS_TYPED:
        return rf"{_BETWEEN}(?P<{name}>{_VALUES[Slot(name)]})"
    return rf" ?(?P<{name}>{_VALUES[Slot(name)]}) ?"


def _literal(part: str) -> str:
    words = rf"{GAP}+".join(map(re.escape, part.split()))
    before = f"{GAP}*" if part[:1] == " " and part.strip() else ""
    return before + words


def _args(match: re.Match[str], line: str) -> dict[str, JsonValue] | None:
    """The values, the reason as it was typed; None when one of them does not say what it should."""
    args: dict[str, JsonValue] = {}
    for name in match.groupdict():
        start, end = match.span(name)
        value = _value(Slot(name), match[name].strip(), line[start:end].strip())
        if value is None:
            return None
        args[name] = value
    return _with_version(args, match, line) if "text" in args and "version" not in args else args


def _with_version(args: dict[str, JsonValue], match: re.Match[str], line: str) -> dict[str, JsonValue] | None:
    """A version that stands before the text is meant, as behind /predict; a text that begins like one is put in quotes."""
    found = version_and_text(line[slice(*match.span("text"))].strip())
    if found.text is None:
        return None
    return args | {"text": found.text} | ({"version": found.version} if found.version else {})


def _value(slot: Slot, folded: str, typed: str) -> JsonValue:
    match slot:
        case Slot.numbers:
            numbers = read_numbers(folded)
            return list(numbers) if numbers else None
        case Slot.version:
            return read_version(folded)
        case Slot.until:
            return read_time(folded)
        case Slot.form:
            return list(read_forms(folded))
        case Slot.text | Slot.folder:
            return unquoted(typed)
        case _:
            return typed or None


def read_version(folded: str) -> str | None:
    """v2, version 2 and 第二版 as v2; None for anything else."""
    found = re.fullmatch(VERSION, folded, re.A)
    return f"v{numeral(next(group for group in found.groups() if group))}" if found else None
