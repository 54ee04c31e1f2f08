"""The client of one language model behind an OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, llama.cpp, transformers serve.

It carries words and tool calls, and turns every failure into EndpointFailed. It decides nothing: what a model says reaches
people as foreign text, and no answer approves, adopts or opens anything.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from json import dumps
from threading import Lock
from time import monotonic, sleep
from typing import Any

from agent.model.chunks import Chunk
from agent.model.faults import Address, Trouble, cut, empty, error_words, failure, refused, told, too_long
from agent.model.metered import Tally, count, require_budget
from agent.model.naming import only_model
from agent.model.pieces import (
    Answer,
    CallPiece,
    Message,
    Piece,
    TextPiece,
    ToolCall,
    ToolSpec,
    UsagePiece,
)
from agent.model.quirks import Quirks
from agent.model.thinking import without_thoughts
from agent.model.wire import Ended, Exchange, Patience
from agent.settings import Settings
from tools.errors import EndpointFailed
from tools.text import T, Text

__all__ = [
    "CallPiece",
    "ChatModel",
    "Message",
    "Piece",
    "TextPiece",
    "ToolCall",
    "ToolSpec",
    "UsagePiece",
    "open_model",
]

MAX_TOKENS = 2048
"""Most tokens of one answer, thoughts of a reasoning model included."""
TEMPERATURE = 0.2
"""For answers that stay close to the facts."""
_CHARS_PER_TOKEN = 12
"""A server that ignores the limit is hung up on after this many characters for each token allowed."""
_WAITS = (1.0, 3.0)
"""Seconds before the second and third try after HTTP 429 or a failing server, where it names no time itself."""


def never() -> bool:
    """Nobody stops this."""
    return False


def unheard(_: Text) -> None:
    """Nobody listens."""


def unwatched(_: Piece) -> None:
    """Nobody watches the answer grow."""


@dataclass
class _Request:
    """A request with what is still allowed to make it succeed."""

    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    response_format: dict[str, Any] | None
    max_tokens: int
    tries: int = 0


class ChatModel:
    """One language model at one endpoint."""

    def __init__(
        self,
        address: Address,
        name: str | None,
        *,
        patience: Patience | None = None,
        may_see_rows: bool = True,
        temperature: float = TEMPERATURE,
    ) -> None:
        self._address, self._name = address, name
        self._patience = patience or Patience()
        self._quirks = Quirks(temperature=temperature, openai="api.openai.com" in address.host)
        self._lock = Lock()
        self._tally: Tally | None = None
        self._rows_told = address.local
        self.may_see_rows = may_see_rows
        """False: no data row may stand in a message to this model."""
        self.takes_tools = True
        """Becomes False once the server has refused a request because of its tools."""

    def __repr__(self) -> str:
        return f"ChatModel({self.name!r} at {self.host!r})"

    @property
    def name(self) -> str:
        """Name of the model; the host until the only model of a server was looked up."""
        return self._name or self.host

    @property
    def host(self) -> str:
        """Host and port, for people."""
        return self._address.host

    def metered(self, tally: Tally) -> ChatModel:
        """The same model, with every answer counted; it asks nothing any more once the tally refuses."""
        twin = copy.copy(self)
        twin._tally = tally
        return twin

    def rows_notice(self) -> Text | None:
        """What to say before the first data row leaves this machine; None from the second time on, and for a local server."""
        with self._lock:
            told_before, self._rows_told = self._rows_told, True
        if told_before or not self.may_see_rows:
            return None
        return T(
            "Data rows that you talk about are sent to the language model at {host}. "
            "To keep them here, write `endpoint_rows: never` into the settings file.",
            host=self.host,
        )

    def stream(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        stopped: Callable[[], bool] = never,
        notice: Callable[[Text], None] = unheard,
        response_format: dict[str, Any] | None = None,
        max_tokens: int | None = None,
    ) -> Iterator[Piece]:
        """The answer as it comes: words, then whole tool calls, then one UsagePiece; just ends when the person stopped it.

        Raises EndpointFailed, with trouble "cut" after the words that came before the break, "budget" when it may cost no more.
        `notice` hears why it waits.
        """
        require_budget(self._tally)
        request = _Request(messages, tools, response_format, min(max_tokens or MAX_TOKENS, MAX_TOKENS))
        exchange, first = self._begin(request, stopped, notice)
        try:
            yield from self._pieces(exchange, first, request, stopped)
        finally:
            exchange.close()

    def complete(
        self,
        messages: Sequence[Message],
        *,
        response_format: dict[str, Any] | None = None,
        max_tokens: int | None = None,
        stopped: Callable[[], bool] = never,
        heard: Callable[[Piece], None] = unwatched,
    ) -> str:
        """The whole answer; it streams underneath, so that a slow model is not taken for a silent one.

        `heard` is given each piece as it comes, also those of an answer that cannot be used in the end.
        """
        if stopped():  # one that was told of its mistake is not asked again
            raise self._interrupted()
        pieces: list[Piece] = []
        for each in self.stream(messages, stopped=stopped, response_format=response_format, max_tokens=max_tokens):
            pieces.append(each)
            heard(each)
        text = without_thoughts("".join(each.text for each in pieces if isinstance(each, TextPiece)))
        ends = [each for each in pieces if isinstance(each, UsagePiece)]
        if any(each.finish == "length" for each in ends):
            raise too_long(self.name, max_tokens or MAX_TOKENS)
        if stopped() and not ends:
            raise self._interrupted()
        if not text.strip():
            raise empty(self.name)
        return text

    def _interrupted(self) -> EndpointFailed:
        return failure("cut", T("The question to the language model {name} was interrupted.", name=self.name))

    def resolve(self) -> str:
        """The name of the model, asking the server for its only one where none is set; raises EndpointFailed."""
        if self._name is None:
            self._name = only_model(self._address)
        return self._name

    def _begin(
        self, request: _Request, stopped: Callable[[], bool], notice: Callable[[Text], None]
    ) -> tuple[Exchange, Chunk | Ended | None]:
        """Ask until there is something to read: after a wait that the server asked for, or without what it refused."""
        name = self.resolve()
        while True:
            body = self._quirks.body(
                name,
                sendable(list(request.messages)),
                [tool.as_parameter() for tool in request.tools],
                request.max_tokens,
            )
            if request.response_format is not None:
                body["response_format"] = request.response_format
            exchange = Exchange(self._address, body, self._patience)
            first = exchange.next(stopped)
            if not isinstance(first, Trouble):
                return exchange, first
            exchange.close()
            if not self._can_mend(first):  # before the tools: a context that is too short counts their tokens as well
                self._look_for_refused_tools(first, request)
                if not self._waited(first, request, stopped, notice):
                    raise first.error
            if stopped():
                return exchange, None

    def _look_for_refused_tools(self, trouble: Trouble, request: _Request) -> None:
        """Raise the trouble where the tools are its reason, and remember that."""
        named = any(word in trouble.words for word in ("tool", "function", "jinja"))
        if request.tools and named and trouble.status in {400, 404, 422, 500, 501}:
            self.takes_tools = False
            trouble.error.trouble = "request"
            raise trouble.error

    def _can_mend(self, trouble: Trouble) -> bool:
        """Whether the server named a field of the request that can be left out."""
        return trouble.status in {400, 422} and self._quirks.learn(trouble.words)

    def _waited(
        self, trouble: Trouble, request: _Request, stopped: Callable[[], bool], notice: Callable[[Text], None]
    ) -> bool:
        """Wait before another try where that makes sense; False when it does not."""
        again = trouble.status in {429, 500, 502, 503, 504} and "quota" not in trouble.words
        if not again or request.tries >= len(_WAITS):
            return False
        seconds = trouble.wait if trouble.wait is not None else min(_WAITS[request.tries], self._patience.asked)
        if seconds > self._patience.asked:
            return False
        request.tries += 1
        if trouble.status == 429:
            notice(T("The server at {host} is busy; asking again in {seconds:.0f} s.", host=self.host, seconds=seconds))
        until = monotonic() + seconds
        while monotonic() < until and not stopped():
            sleep(min(0.05, max(until - monotonic(), 0.0)))
        return True

    def _pieces(
        self, exchange: Exchange, first: Chunk | Ended | None, request: _Request, stopped: Callable[[], bool]
    ) -> Iterator[Piece]:
        answer = Answer()
        try:
            yield from self._read(answer, exchange, first, request, stopped)
        finally:
            count(self._tally, request.messages, answer)

    def _read(
        self,
        answer: Answer,
        exchange: Exchange,
        first: Chunk | Ended | None,
        request: _Request,
        stopped: Callable[[], bool],
    ) -> Iterator[Piece]:
        item: Chunk | Ended | Trouble | None = first
        while isinstance(item, Chunk):
            if item.error:
                raise told(self._address, error_words(dumps({"error": item.error})))
            piece = answer.feed(item)
            if piece is not None:
                yield piece
            if answer.size > request.max_tokens * _CHARS_PER_TOKEN:
                answer.finish = "length"
                break
            item = exchange.next(stopped)
        if stopped():
            return
        yield from self._close(answer, item, request.max_tokens)

    def _close(self, answer: Answer, last: Chunk | Ended | Trouble | None, limit: int) -> Iterator[Piece]:
        """The end of an answer: the words still held back and the calls, or what is wrong with it."""
        held = answer.rest()
        if held is not None:
            yield held
        if isinstance(last, Trouble) and answer.finish is None:
            raise last.error
        if last is None and answer.finish is None:
            raise cut(self._address)
        calls = answer.calls()
        if answer.refusal or answer.finish == "content_filter":
            raise refused(self.name, answer.refusal)
        if not answer.shown and not calls:
            raise empty(self.name) if answer.finish != "length" else too_long(self.name, limit)
        yield from (CallPiece(call) for call in calls)
        yield answer.usage()


def open_model(settings: Settings, *, temperature: float = TEMPERATURE) -> ChatModel | None:
    """The model that the settings name, None when no endpoint is set; nothing is asked of the network."""
    if settings.endpoint is None:
        return None
    address = Address(settings.endpoint, settings.endpoint_host, settings.endpoint_is_local, settings.api_key)
    patience = Patience() if settings.timeout is None else Patience(first=settings.timeout)
    may_see_rows = settings.endpoint_rows != "never"
    return ChatModel(address, settings.model, patience=patience, may_see_rows=may_see_rows, temperature=temperature)


def sendable(value: Any) -> Any:
    """Messages without the half characters that a damaged row may hold: they have no UTF-8 form."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [sendable(each) for each in value]
    return {name: sendable(each) for name, each in value.items()} if isinstance(value, dict) else value
