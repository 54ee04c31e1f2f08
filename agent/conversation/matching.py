"""How near a sentence is to each phrase of the registry, with the values of slots taken out of both.

    "why is 中立 so low?"  ->  "why is ⟨label⟩ low"   compared with   "why is {label} low"

A sentence is read in several ways (a word may be a task's name or just a word); the nearest reading counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from rapidfuzz import fuzz

from agent.conversation.commands import COMMANDS, Command, Slot
from agent.conversation.slots import Span
from agent.conversation.wording import fold, squeeze, unspaced

OPEN = frozenset({Slot.page, Slot.reason, Slot.words})
"""Slots that take the rest of the line, whatever it is."""
_MARKS = {slot: chr(0xE000 + number) for number, slot in enumerate(Slot)}
_MARK = re.compile("[\ue000-\ue0ff]")
_TWO_VERSIONS = re.compile(rf"({_MARKS[Slot.version]}) ?(?:and|with|to|vs|versus|than|or|和|跟|與|比|、|,)? ?\1")

_OPEN_SCORE = 90.0
_FRAME_SCORE, _LONGEST_FRAME = 80.0, 14
"""For the words of a phrase around something unknown: the more of them, the surer."""
_EXTRA, _NO_SUCH = 14.0, 24.0
"""What a slot costs that the phrase does not have, or that the sentence does not have."""
_PASSED_OVER: dict[Slot, frozenset[str] | None] = {
    Slot.task: None,
    Slot.label: frozenset({"whatif", "try"}),
    Slot.numbers: frozenset({"proposals"}),
}
"""Slots that fit beside a phrase without them: everywhere (None), or in these commands."""


@dataclass(frozen=True)
class Reading:
    """A sentence with slots taken out."""

    text: str
    spans: tuple[Span, ...] = ()
    """Those taken out."""
    frames: bool = False
    """True where everything known is taken out but numbers and times: what is left and fits no slot is unknown."""


@dataclass(frozen=True)
class Match:
    """A phrase that fits a reading, more or less."""

    command: Command
    score: float
    """0 to 100."""
    spans: tuple[Span, ...] = ()
    rest: dict[Slot, str] = field(default_factory=dict)
    """Values of open slots."""
    missing: Slot | None = None
    """A slot of the phrase for which the sentence has words that say nothing known."""


@dataclass(frozen=True)
class _Phrase:
    command: Command
    text: str
    """Squeezed, with marks."""
    marks: Counter[str]
    open_pattern: tuple[re.Pattern[str], Slot] | None
    """For phrases with one slot: the words around it, exactly."""


def readings(folded: str, spans: Sequence[Span]) -> list[Reading]:
    """All slots taken out; without those that may be plain words; without tasks and changes; none taken out."""
    names = [span for span in spans if span.slot not in {Slot.numbers, Slot.until}]
    seen: dict[str, Reading] = {}
    for way in (names, list(spans), [span for span in spans if not span.weak], []):
        text = _taken_out(folded, way)
        seen.setdefault(text, Reading(text, tuple(way), frames=way is names))
    return list(seen.values())


def best_matches(found: Sequence[Reading]) -> list[Match]:
    """The best match of each command, best first."""
    best: dict[str, Match] = {}
    for reading in found:
        for phrase in _phrases():
            for match in _match(reading, phrase):
                if match.missing is not None and not reading.frames:
                    continue
                known = best.get(match.command.name)
                if known is None or match.score > known.score:
                    best[match.command.name] = match
    return sorted(best.values(), key=lambda match: -match.score)


def _match(reading: Reading, phrase: _Phrase) -> Iterator[Match]:
    if phrase.open_pattern is not None:
        yield from _around(reading, phrase, *phrase.open_pattern)
        if phrase.open_pattern[1] in OPEN:
            return
    marks = Counter(_MARK.findall(reading.text))
    text = reading.text
    extra = marks - phrase.marks
    for span in reading.spans:
        mark = _MARKS[span.slot]
        if mark in extra and _passed_over(span.slot, phrase.command):
            text = text.replace(mark, " ")
            del extra[mark]
    lacking = phrase.marks - marks
    if not _MARK.sub("", text).strip() and not (text.strip() and phrase.text == unspaced(text)):
        return
    score = _likeness(text, phrase.text) - _EXTRA * extra.total() - _NO_SUCH * lacking.total()
    if not (lacking and _required(lacking, phrase.command)):
        yield Match(phrase.command, score, reading.spans)


def _required(lacking: Counter[str], command: Command) -> bool:
    return any(_MARKS[slot] in lacking for slot in command.required)


def _passed_over(slot: Slot, command: Command) -> bool:
    names = _PASSED_OVER.get(slot, frozenset())
    return names is None or command.name in names


def _around(reading: Reading, phrase: _Phrase, pattern: re.Pattern[str], slot: Slot) -> Iterator[Match]:
    """The words of the phrase with something unknown where its slot is."""
    found = pattern.fullmatch(" ".join(reading.text.split()))
    value = found["value"].strip() if found else ""
    if not value or _MARK.search(value):
        return
    if slot in OPEN:
        yield Match(phrase.command, _OPEN_SCORE, reading.spans, {slot: value})
    else:
        frame = _MARK.sub("", phrase.text)
        size = sum(1 if char.isascii() else 3 for char in frame)
        yield Match(phrase.command, _FRAME_SCORE + min(size, _LONGEST_FRAME), reading.spans, missing=slot)


def _likeness(text: str, phrase: str) -> float:
    """Letters without spaces, or the same words in another order."""
    bare = unspaced(text)
    score = fuzz.ratio(bare, phrase)
    if " " in text.strip() and text.isascii():
        return float(max(score, fuzz.token_sort_ratio(text, phrase) - 4))
    return float(score)


def _taken_out(folded: str, spans: Sequence[Span]) -> str:
    parts, end = [], 0
    for span in spans:
        parts += [folded[end : span.start], f" {_MARKS[span.slot]} "]
        end = span.end
    return _joined(squeeze("".join([*parts, folded[end:]])))


def _joined(text: str) -> str:
    return _TWO_VERSIONS.sub(_MARKS[Slot.versions], text)


@cache
def _phrases() -> tuple[_Phrase, ...]:
    return tuple(
        one for command in COMMANDS for phrase in command.phrases for one in (_compiled(command, phrase),) if one.text
    )


def _compiled(command: Command, phrase: str) -> _Phrase:
    slots = [Slot(name) for name in re.findall(r"\{(\w+)\}", phrase)]
    text = fold(phrase)
    for slot in slots:
        text = text.replace("{" + slot + "}", f" {_MARKS[slot]} ", 1)
    text = _joined(squeeze(text))
    marks = Counter(_MARK.findall(text))
    return _Phrase(command, unspaced(text), marks, _open_pattern(text, slots))


def _open_pattern(text: str, slots: Sequence[Slot]) -> tuple[re.Pattern[str], Slot] | None:
    """The words around the only slot as a pattern; None where too little would be left to recognise."""
    if len(slots) != 1 or len(_MARK.sub("", text).strip()) < 2:
        return None
    before, after = (re.escape(part.strip()).replace(r"\ ", " ") for part in text.split(_MARKS[slots[0]], 1))
    first = f"{before} ?" if not before.isascii() else before + (r"\b ?" if before else "")
    return re.compile(f"{first}(?P<value>.+?) ?{after}", re.ASCII), slots[0]
