"""The pieces of an answer as the rest of the program sees them, and how chunks of a stream become pieces."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from agent.model.chunks import CallPart, Chunk
from agent.model.thinking import ThinkFilter
from tools.generating.writer import rough_tokens

_MOST_CALLS = 16
"""Tool calls of one answer; a model that wants more is going round in circles."""

Message = dict[str, Any]
"""A chat message in OpenAI's form."""


@dataclass(frozen=True)
class ToolSpec:
    """A tool that the model may call; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]

    def as_parameter(self) -> dict[str, Any]:
        """The tool in OpenAI's form."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


@dataclass(frozen=True)
class ToolCall:
    """A call that the model made; `arguments` is JSON as the model wrote it, checked by nobody yet."""

    id: str
    name: str
    arguments: str

    def as_message_part(self) -> dict[str, Any]:
        """The call as it stands in the assistant's message that is sent back with the results."""
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


@dataclass(frozen=True)
class TextPiece:
    """Some words of the answer."""

    text: str


@dataclass(frozen=True)
class CallPiece:
    """A whole tool call."""

    call: ToolCall


@dataclass(frozen=True)
class UsagePiece:
    """The last piece of a finished answer."""

    prompt_tokens: int | None
    completion_tokens: int | None
    finish: str | None
    """The server's word: stop, tool_calls, or length for an answer that was cut at its limit."""


Piece = TextPiece | CallPiece | UsagePiece


@dataclass
class _Growing:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Answer:
    """Collects an answer while it streams."""

    finish: str | None = None
    refusal: str = ""
    size: int = 0
    """Characters that arrived, hidden thoughts included."""
    rough: int = 0
    """About how many tokens they are, for servers that do not count."""
    shown: bool = False
    """Whether anything of it can be shown."""
    _prompt_tokens: int | None = None
    _completion_tokens: int | None = None
    _calls: dict[int, _Growing] = field(default_factory=dict)
    _filter: ThinkFilter = field(default_factory=ThinkFilter)

    def feed(self, chunk: Chunk) -> TextPiece | None:
        """Take a chunk; returns the words to show at once."""
        if chunk.usage is not None:
            self._prompt_tokens, self._completion_tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
        if not chunk.choices:
            return None
        choice = chunk.choices[0]
        self.finish = choice.finish_reason or self.finish
        self.refusal += choice.part.refusal or ""
        for part in choice.part.tool_calls or []:
            self._grow(part)
        self._arrived(choice.part.text)
        return self._words(self._filter.feed(choice.part.text))

    def rest(self) -> TextPiece | None:
        """Words that were held back until the end."""
        return self._words(self._filter.rest())

    def calls(self) -> list[ToolCall]:
        """The tool calls, whole."""
        return [
            ToolCall(each.id or f"call_{number}", each.name, each.arguments or "{}")
            for number, each in enumerate(self._calls.values())
            if each.name
        ]

    def usage(self) -> UsagePiece:
        """How the answer ended."""
        return UsagePiece(self._prompt_tokens, self._completion_tokens, self.finish)

    def _arrived(self, text: str) -> None:
        self.size += len(text)
        self.rough += rough_tokens(text)

    def _words(self, text: str) -> TextPiece | None:
        self.shown = self.shown or bool(text.strip())
        return TextPiece(text) if text else None

    def _grow(self, part: CallPart) -> None:
        call = self._place(part)
        if call is None:
            return
        call.id = part.id or call.id
        call.name = call.name or part.function.name or ""
        arguments = part.function.arguments or ""
        call.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        self._arrived(arguments if isinstance(arguments, str) else "")

    def _place(self, part: CallPart) -> _Growing | None:
        """The call that a part belongs to: by its index, except where a server gives every call the same one."""
        index = part.index if part.index is not None else max(self._calls, default=0)
        known = self._calls.get(index)
        if known is not None and part.id and known.id and part.id != known.id:
            index = max(self._calls) + 1
        if index not in self._calls and len(self._calls) >= _MOST_CALLS:
            return None
        return self._calls.setdefault(index, _Growing())
