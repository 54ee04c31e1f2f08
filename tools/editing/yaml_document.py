"""A YAML text that is parsed once for many edits: where its keys stand, and the replacements that were asked for so far.

Parsing takes most of the time of an edit, so edits that cannot touch each other share one. It knows positions and
characters, nothing of values: what an edit replaces is tools/editing/yaml_splices.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from ruamel.yaml.nodes import MappingNode

from tools.editing.yaml_places import Entry, entries, newline, style
from tools.editing.yaml_read import parse
from tools.editing.yaml_text import Style


class Splice(NamedTuple):
    """Other characters for a part of a text; an insertion where start is end."""

    start: int
    end: int
    new: str


class Section(NamedTuple):
    """The keys written in one mapping."""

    present: list[Entry]
    by_key: dict[str, Entry]
    """The first of each name."""


class Document:
    """A text with its nodes."""

    def __init__(self, text: str) -> None:
        """Raises Refusal for a text that is no YAML."""
        self.text = text
        self.root = parse(text)
        self.newline = newline(text)
        self._sections: dict[int, Section] = {}

    @cached_property
    def style(self) -> Style:
        """The indentation that the text uses."""
        return style(self.text, self.root)

    def section(self, mapping: MappingNode) -> Section:
        """The keys of a mapping of this document."""
        if id(mapping) not in self._sections:
            present = entries(self.text, mapping)
            self._sections[id(mapping)] = Section(present, {entry.key: entry for entry in reversed(present)})
        return self._sections[id(mapping)]


class Replacements:
    """Splices of several edits in one text that do not touch each other, so that their order does not matter."""

    def __init__(self) -> None:
        self._spans: list[Splice] = []
        self._places: list[int] = []
        self._inserted: dict[int, tuple[int, list[str]]] = {}
        """Position to the mapping that is added to there, and what is added."""

    def __bool__(self) -> bool:
        return bool(self._spans or self._places)

    def take(self, splice: Splice, mapping: MappingNode) -> bool:
        """Remember the splice of an edit in a mapping; False, with nothing remembered, where it touches another one."""
        return self._insert(splice, id(mapping)) if splice.start == splice.end else self._replace(splice)

    def all(self) -> list[Splice]:
        """What was remembered."""
        added = [Splice(place, place, "".join(new)) for place, (_, new) in self._inserted.items()]
        return [*self._spans, *added]

    def _insert(self, splice: Splice, mapping: int) -> bool:
        place = splice.start
        if place in self._inserted:
            home, new = self._inserted[place]
            if home == mapping:  # one key behind the other at the end of their section
                new.append(splice.new)
            return home == mapping
        at = bisect_right(self._spans, place, key=lambda one: one.start)
        before = self._spans[max(0, at - 1) : at]
        if before and (place < before[0].end or (place == before[0].end and not before[0].new)):
            return False
        self._inserted[place] = mapping, [splice.new]
        insort(self._places, place)
        return True

    def _replace(self, splice: Splice) -> bool:
        at = bisect_left(self._spans, splice.start, key=lambda one: one.start)
        if self._spans[at : at + 1] and self._spans[at].start < splice.end:
            return False
        if at and self._spans[at - 1].end > splice.start:
            return False
        at_place = bisect_left(self._places, splice.start)
        behind = self._places[at_place : at_place + 1]
        if behind and (behind[0] < splice.end or (behind[0] == splice.end and not splice.new)):
            return False
        self._spans.insert(at, splice)
        return True


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with the splices made; several insertions at one place follow each other as given."""
    parts, done = [], 0
    for start, end, new in sorted(splices, key=lambda one: one[:2]):
        parts += [text[done:start], new]
        done = end
    return "".join([*parts, text[done:]])
