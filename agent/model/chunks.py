"""The bytes of a streamed chat completion as typed chunks; tolerant of what real servers add, leave out or answer whole.

It knows the format only: no network, no error for people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

MOST_BYTES = 8_000_000
"""An answer beyond this is no answer."""


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class FunctionPart(_Loose):
    """Name and arguments of a call, or a piece of them."""

    name: str | None = None
    arguments: str | dict[str, JsonValue] | None = None


class CallPart(_Loose):
    """A piece of a tool call."""

    index: int | None = None
    id: str | None = None
    function: FunctionPart = FunctionPart()


class Part(_Loose):
    """What one chunk adds to the answer."""

    content: str | list[dict[str, JsonValue]] | None = None
    refusal: str | None = None
    tool_calls: list[CallPart] | None = None

    @property
    def text(self) -> str:
        """The visible words; parts that are not text, such as reasoning, are left out."""
        if isinstance(self.content, list):
            return "".join(str(part.get("text", "")) for part in self.content if part.get("type") == "text")
        return self.content or ""


class Choice(_Loose):
    """The first of the answers that a server may give."""

    delta: Part | None = None
    message: Part | None = None
    finish_reason: str | None = None

    @property
    def part(self) -> Part:
        """The addition of this chunk, or the whole answer of a server that does not stream."""
        return self.delta or self.message or Part()


class Usage(_Loose):
    """How many tokens were counted."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(_Loose):
    """One event of the stream."""

    choices: list[Choice] = []
    usage: Usage | None = None
    error: JsonValue = None

    @property
    def says_something(self) -> bool:
        """Whether words or a call have begun to arrive; some servers greet long before that."""
        return any(choice.part.text or choice.part.tool_calls for choice in self.choices)


class Nonsense(ValueError):
    """What came is not a chat completion."""


def read_chunks(received: Iterable[bytes], content_type: str) -> Iterator[Chunk | None]:
    """The chunks of a response body; a last None says that the server itself ended the answer."""
    if "json" in content_type and "stream" not in content_type:
        yield parse_chunk(b"".join(_bounded(received)))
        yield None
        return
    for line in _lines(received):
        name, _, value = line.partition(b":")
        if name == b"data" and value.strip() == b"[DONE]":
            yield None
            return
        if name == b"data" and value.strip():
            yield parse_chunk(value)
        elif name == b"error" or line.lstrip()[:1] in {b"<", b"{"}:
            yield Chunk(error=value.decode("utf-8", "replace")) if name == b"error" else _refuse(line)


def parse_chunk(raw: bytes) -> Chunk:
    """One JSON document as a chunk; raises Nonsense."""
    try:
        value: Any = json.loads(raw)
        return Chunk.model_validate(value)
    except (ValueError, ValidationError, RecursionError):
        return _refuse(raw)


def _refuse(raw: bytes) -> Chunk:
    raise Nonsense(raw[:400].decode("utf-8", "replace"))


def _lines(received: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in _bounded(received):
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.rstrip(b"\r") for line in whole)
    if rest:
        yield rest


def _bounded(received: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in received:
        size += len(piece)
        if size > MOST_BYTES:
            _refuse(b"more than %d bytes" % MOST_BYTES)
        yield piece
