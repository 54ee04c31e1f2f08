"""Which characters may come next in a JSON object with declared keys: keys fixed and in order, values free.

    {"主旨":"...","速別":"普通件"}     declared keys in their order, no spaces between parts, enums among their values

A value is any text, number, true, false, null, or a list or object of such; a key with declared values has one of them. What
the grammar accepts in full, tools/scoring/answers.py parses. Free of torch; tools/training/constrained.py takes the tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

MOST_NESTED = 8
"""Lists and objects inside a value."""
_LONGEST_NUMBER = 24
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_NUMBER_PART = re.compile(r"-?(?:0|[1-9]\d*)?(?:(?<=\d)\.\d*)?")
_WORDS = ("true", "false", "null")
_ESCAPES = '"\\/bfnrt'


@dataclass(frozen=True)
class State:
    """Where in the object the text ends."""

    field: int = -1
    """Number of the key whose value is being written; -1 before the object, the number of keys when it is complete."""
    literal: str = ""
    """Fixed characters that come next."""
    mode: str = "literal"
    """literal, value (about to begin), string, escape, unicode, number, word, enum, after (nested value), key, colon, done."""
    held: str = ""
    """What of a number, word, enum, escape or nested key was written."""
    nest: tuple[str, ...] = ()
    """Open lists and objects inside the value, "[" or "{"."""
    keys: tuple[frozenset[str], ...] = ()
    """Keys of each open object inside the value: none may come twice."""
    is_key: bool = False
    """The string being written is a key of a nested object."""

    @property
    def done(self) -> bool:
        """True when the object is complete."""
        return self.mode == "done"

    @property
    def in_text(self) -> bool:
        """True where any character may come, so also half of one."""
        return self.mode == "string"


class ObjectGrammar:
    """The grammar of one declared object."""

    def __init__(self, fields: Sequence[str], enums: Mapping[str, Sequence[str]]) -> None:
        keys = [json.dumps(name, ensure_ascii=False) for name in fields]
        self._lead = [("{" if number == 0 else ",") + key + ":" for number, key in enumerate(keys)]
        self._enums = [
            [json.dumps(value, ensure_ascii=False) for value in enums[name]] if enums.get(name) else []
            for name in fields
        ]

    @property
    def start(self) -> State:
        """Before the first character."""
        return State(field=0, literal=self._lead[0])

    def advance(self, state: State, text: str) -> State | None:
        """The state after more text; None when it is not allowed."""
        now: State | None = state
        for char in text:
            if now is None:
                return None
            now = self._step(now, char)
        return now

    def continuations(self, state: State) -> list[str]:
        """The shortest texts that bring the object further: one fixed text, or one for each declared value."""
        match state.mode:
            case "literal":
                return [state.literal]
            case "value":
                return list(self._enums[state.field]) or ['""']
            case "enum":
                return [value[len(state.held) :] for value in self._enums[state.field] if value.startswith(state.held)]
            case "done":
                return []
        return [self._closing(state)]

    def chooses(self, state: State) -> bool:
        """True where one of several declared values comes next."""
        return len(self.continuations(state)) > 1

    def rest(self, state: State) -> list[str]:
        """The shortest texts that complete the object, with the longest of declared values: what it may still cost."""
        pieces, now = [], state
        while not now.done:
            piece = max(self.continuations(now), key=len)
            after = self.advance(now, piece)
            assert after is not None and after != now, (now, piece)
            pieces.append(piece)
            now = after
        return pieces

    def _step(self, state: State, char: str) -> State | None:
        follow: dict[str, Callable[[State, str], State | None]] = {
            "literal": self._literal,
            "value": self._begin,
            "string": self._in_string,
            "escape": self._escape,
            "unicode": self._unicode,
            "number": self._number,
            "word": self._listed,
            "enum": self._listed,
            "after": self._after_nested,
            "key": self._before_key,
            "colon": self._after_key,
        }
        return follow[state.mode](state, char) if state.mode in follow else None

    def _literal(self, state: State, char: str) -> State | None:
        if not state.literal.startswith(char):
            return None
        rest = state.literal[1:]
        if rest:
            return replace(state, literal=rest)
        return replace(state, literal="", mode="done" if state.field == len(self._lead) else "value")

    def _begin(self, state: State, char: str) -> State | None:
        """The first character of a value, of a key's or inside a list or object."""
        if not state.nest and self._enums[state.field]:
            return self._listed(replace(state, mode="enum", held=""), char)
        if char == '"':
            return replace(state, mode="string", held="", is_key=False)
        if char in "-0123456789":
            return replace(state, mode="number", held=char)
        if any(word.startswith(char) for word in _WORDS):
            return replace(state, mode="word", held=char)
        return self._open_nested(state, char)

    def _open_nested(self, state: State, char: str) -> State | None:
        """A list or object begins, or an empty list ends."""
        if char in "[{" and len(state.nest) < MOST_NESTED:
            nest, keys = (*state.nest, char), (*state.keys, frozenset[str]())
            return replace(state, mode="value" if char == "[" else "key", nest=nest, keys=keys, held="open")
        is_empty_list = char == "]" and state.nest[-1:] == ("[",) and state.held == "open"
        return self._closed(state) if is_empty_list else None

    def _in_string(self, state: State, char: str) -> State | None:
        if char == '"':
            return self._string_ends(state)
        if char < " " or "\ud800" <= char <= "\udfff":
            return None
        if char == "\\":
            # A key is compared as written, so it may not be written in two ways.
            return None if state.is_key else replace(state, mode="escape")
        return replace(state, held=state.held + char) if state.is_key else state

    def _string_ends(self, state: State) -> State | None:
        if not state.is_key:
            return self._value_ends(state)
        if state.held in state.keys[-1]:
            return None
        return replace(state, mode="colon", keys=(*state.keys[:-1], state.keys[-1] | {state.held}))

    @staticmethod
    def _escape(state: State, char: str) -> State | None:
        if char == "u":
            return replace(state, mode="unicode", held="")
        return replace(state, mode="string") if char in _ESCAPES else None

    @staticmethod
    def _unicode(state: State, char: str) -> State | None:
        """Four hex digits; never half of a surrogate pair, which cannot be stored."""
        held = state.held + char.lower()
        if char not in "0123456789abcdefABCDEF" or (len(held) == 2 and held[0] == "d" and held[1] > "7"):
            return None
        return replace(state, mode="string", held="") if len(held) == 4 else replace(state, held=held)

    def _number(self, state: State, char: str) -> State | None:
        held = state.held + char
        if len(held) <= _LONGEST_NUMBER and _NUMBER_PART.fullmatch(held):
            return replace(state, held=held)
        if not _NUMBER.fullmatch(state.held):
            return None
        ended = self._value_ends(state)
        return self._step(ended, char)

    def _listed(self, state: State, char: str) -> State | None:
        held = state.held + char
        choices = self._enums[state.field] if state.mode == "enum" else _WORDS
        fitting = [choice for choice in choices if choice.startswith(held)]
        if not fitting:
            return None
        return self._value_ends(state) if held in fitting else replace(state, held=held)

    def _after_nested(self, state: State, char: str) -> State | None:
        """Behind a value inside a list or object."""
        is_list = state.nest[-1] == "["
        if char == ",":
            return replace(state, mode="value" if is_list else "key", held="")
        return self._closed(state) if char == ("]" if is_list else "}") else None

    def _before_key(self, state: State, char: str) -> State | None:
        if char == "}" and state.held == "open":
            return self._closed(state)
        return replace(state, mode="string", held="", is_key=True) if char == '"' else None

    @staticmethod
    def _after_key(state: State, char: str) -> State | None:
        return replace(state, mode="value", held="") if char == ":" else None

    def _closed(self, state: State) -> State:
        return self._value_ends(replace(state, nest=state.nest[:-1], keys=state.keys[:-1]))

    def _value_ends(self, state: State) -> State:
        if state.nest:
            return replace(state, mode="after", held="", is_key=False)
        number = state.field + 1
        lead = self._lead[number] if number < len(self._lead) else "}"
        return State(field=number, literal=lead)

    def _closing(self, state: State) -> str:
        """The shortest text that ends a value inside of which the state is."""
        if state.mode == "word":
            return next(word for word in _WORDS if word.startswith(state.held))[len(state.held) :]
        if state.mode == "key":
            return "}" if state.held == "open" else '"'
        fixed = {
            "string": self._new_key(state) if state.is_key else '"',
            "escape": "n",
            "unicode": "0" * (4 - len(state.held)),
            "colon": ':""',
        }
        return fixed.get(state.mode) or self._after(state)

    def _after(self, state: State) -> str:
        """Behind a nested value, or a number: what closes it."""
        digit = "0" if state.mode == "number" and not _NUMBER.fullmatch(state.held) else ""
        if state.nest:
            return digit + {"[": "]", "{": "}"}[state.nest[-1]]
        after = self._value_ends(state)
        return digit + after.literal

    @staticmethod
    def _new_key(state: State) -> str:
        """The end of a nested key, with a number where the key stands there already."""
        if state.held not in state.keys[-1]:
            return '"'
        return next(
            f'{number}"' for number in range(len(state.keys[-1]) + 1) if f"{state.held}{number}" not in state.keys[-1]
        )
