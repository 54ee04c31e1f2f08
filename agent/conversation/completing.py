"""Completion of a slash command as it is typed: names first, then the values that would fit. Reads folder names only."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz import fuzz

from agent.conversation.choices import choices
from agent.conversation.commands import BY_NAME, COMMANDS, Command, Slot
from agent.conversation.situation import Situation
from agent.conversation.wording import fold, plain
from tools.text import visible

_NEAR = 70


@dataclass(frozen=True)
class Completion:
    """One way to go on."""

    insert: str
    """The whole line after choosing it."""
    shown: str
    note: str
    """What it is, in the person's language."""


def complete(prefix: str, situation: Situation, limit: int = 8) -> list[Completion]:
    """Ways to complete a line that begins with a slash; none for free talk."""
    line = plain(prefix) + (" " if prefix.endswith((" ", "\u3000")) else "")
    if not line.startswith("/"):
        return []
    word, space, rest = line[1:].partition(" ")
    if not space:
        return _names(fold(word), situation)[:limit]
    command = BY_NAME.get(fold(word))
    return _values(command, f"/{word}", rest, situation)[:limit] if command is not None else []


def _names(word: str, situation: Situation) -> list[Completion]:
    """Commands by the beginning of their name or another word for them, then by likeness."""
    ranked: list[tuple[float, int, str, Command]] = []
    for place, command in enumerate(COMMANDS):
        score, name = max((_fit(word, name), name) for name in (command.name, *command.aliases))
        if score >= _NEAR:
            ranked.append(
                (
                    -score,
                    place,
                    name if word and name.startswith(word) and not name.isascii() else command.name,
                    command,
                )
            )
    ranked.sort(key=lambda one: one[:2])
    return [
        Completion(f"/{name} " if command.slots else f"/{name}", f"/{name}", situation.say(command.summary))
        for _, _, name, command in ranked
    ]


def _fit(word: str, name: str) -> float:
    if name.startswith(word):
        return 100.0
    return fuzz.ratio(word, name) if len(word) > 2 else 0.0


def _values(command: Command, typed: str, rest: str, situation: Situation) -> list[Completion]:
    done, _, last = rest.rpartition(" ")
    if done and Slot.text in command.slots:
        return []  # the words of a text are nobody's values
    start = f"{typed} {done} " if done else f"{typed} "
    found: dict[str, Completion] = {}
    for slot in command.slots:
        for value, note in choices(slot, situation):
            if fold(last) in fold(value) and value not in done.split():
                found.setdefault(value, Completion(start + value, visible(value, 60), visible(note, 60)))
    return sorted(found.values(), key=lambda one: not fold(one.shown).startswith(fold(last)))
