"""A real local HTTP server that speaks /v1/models and /v1/chat/completions, with every fault that a server can have.

    with FakeEndpoint() as server:
        server.answer("Hello")                          # one answer, streamed when the request asks for it
        server.call("read_results", {"task": "stance"}) # one answer that is a tool call
        server.fault("429", retry_after=0)              # one failure; see FAULTS
        server.by(lambda body: "…")                     # whatever comes after the queue: text, Reply or the name of a fault
        ... server.base_url ... server.requests[0].headers ...

Answers are used up in their order; after them `otherwise` is given. Every error body repeats the key that it was sent, as some
servers do, so that a test can prove that nobody shows it.
"""

from __future__ import annotations

import json
import re
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAULTS = (
    "401",  # the key is refused
    "404",  # no such model
    "429",  # too many requests, with retry-after where one is given
    "500",  # the server fails
    "redirect",  # it sends the request to another address (`location`)
    "hang",  # it takes the request and says nothing
    "stall",  # it begins an answer and then says nothing
    "cut",  # the connection breaks in the middle of the answer
    "faded",  # the stream ends in the middle of the answer as if nothing was missing
    "invalid_json",  # a line of the stream is no JSON
    "html",  # a web page, as a wrong address gives
    "error",  # an error object in the middle of the stream
    "wrong_schema",  # valid JSON of another form
    "refusal",  # the model declines
    "empty",  # an answer without words
    "length",  # the answer is cut at the limit of tokens
    "endless",  # the answer never ends, whatever limit was set
)


@dataclass(frozen=True)
class Reply:
    """One prepared answer."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    """Name and arguments of each tool call."""
    fault: str | None = None
    reasoning: str = ""
    """What a reasoning model thinks, in a field of its own."""
    pause: float = 0.0
    """Seconds between two pieces."""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: dict[str, Any]

    @property
    def words(self) -> str:
        """Everything in the messages, as one text."""
        return json.dumps(self.body.get("messages", []), ensure_ascii=False)


@dataclass
class FakeEndpoint:
    """The server; its fields say what it cannot do."""

    models: Sequence[str] = ("small",)
    tools: bool = True
    """False: a request with tools is refused."""
    json_schema: bool = True
    json_mode: bool = True
    streams: bool = True
    """False: it answers whole, also when a stream was asked for."""
    refused_fields: Sequence[str] = ()
    """Names of request fields that it answers with HTTP 400."""
    refusal_status: int = 400
    """HTTP status of what it refuses for lack of ability."""
    otherwise: str | Reply = "I see."

    def __post_init__(self) -> None:
        self.requests: list[Request] = []
        self.hung_up = threading.Event()
        """Set once a client closed its connection before the answer was whole."""
        self.closing = threading.Event()
        self._queue: deque[Reply] = deque()
        self._by: Callable[[dict[str, Any]], str | Reply] | None = None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.endpoint = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> FakeEndpoint:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        return f"http://{self.host}/v1"

    @property
    def asked(self) -> list[Request]:
        """The chat completions among the requests."""
        return [request for request in self.requests if request.path == "/v1/chat/completions"]

    def answer(self, text: str, *, reasoning: str = "", pause: float = 0.0) -> FakeEndpoint:
        """Queue an answer in words."""
        self._queue.append(Reply(text=text, reasoning=reasoning, pause=pause))
        return self

    def answer_json(self, value: object) -> FakeEndpoint:
        """Queue an answer that is a JSON document."""
        return self.answer(json.dumps(value, ensure_ascii=False))

    def call(self, name: str, arguments: dict[str, Any] | str, *, text: str = "") -> FakeEndpoint:
        """Queue an answer that calls one tool; a string is sent as it is, valid or not."""
        return self.calls([(name, arguments)], text=text)

    def calls(self, calls: Sequence[tuple[str, dict[str, Any] | str]], *, text: str = "") -> FakeEndpoint:
        """Queue an answer that calls several tools at once."""
        packed = tuple((name, each if isinstance(each, str) else json.dumps(each)) for name, each in calls)
        self._queue.append(Reply(text=text, calls=packed))
        return self

    def fault(self, name: str, *, times: int = 1, **options: Any) -> FakeEndpoint:
        """Queue a failure; options: retry_after, location, text (what comes before the failure)."""
        assert name in FAULTS, name
        self._queue.extend([Reply(text=options.pop("text", "Once upon a time"), fault=name, options=options)] * times)
        return self

    def by(self, answer: Callable[[dict[str, Any]], str | Reply]) -> FakeEndpoint:
        """Answer every request after the queue with what a function makes of its body."""
        self._by = answer
        return self

    def next_reply(self, body: dict[str, Any]) -> Reply:
        if self._queue:
            return self._queue.popleft()
        given = self._by(body) if self._by else self.otherwise
        return given if isinstance(given, Reply) else Reply(text=given)

    def refused(self, body: dict[str, Any]) -> str | None:
        """What a server of this kind says to a request that asks for too much."""
        form = body.get("response_format", {}).get("type")
        if body.get("tools") and not self.tools:
            return f"{body['model']} does not support tools"
        if form == "json_schema" and not self.json_schema:
            return "response_format: type json_schema is not supported"
        if form == "json_object" and not self.json_mode:
            return "response_format: type json_object is not supported"
        if body.get("model") not in self.models:
            return f"model {body.get('model')!r} not found"
        given = [*body, *(f"response_format.{name}" for name in body.get("response_format", {}))]
        return next((f"Unsupported parameter: '{name}'" for name in self.refused_fields if name in given), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what half of the tests are about; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def endpoint(self) -> FakeEndpoint:
        return self.server.endpoint  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        self._remember({})
        if self.path != "/v1/models":
            self._error(404, "Not Found")
            return
        listed = [{"id": name, "object": "model"} for name in self.endpoint.models]
        self._json(200, {"object": "list", "data": listed})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        self._remember(body)
        if self.path != "/v1/chat/completions":
            self._error(404, "Not Found")
            return
        refused = self.endpoint.refused(body)
        if refused is not None:
            self._error(self.endpoint.refusal_status, refused)
            return
        reply = self.endpoint.next_reply(body)
        try:
            if reply.fault in _EARLY:
                _EARLY[reply.fault](self, reply)
            elif body.get("stream") and self.endpoint.streams:
                self._stream(reply, body)
            else:
                self._json(200, self._whole(reply, body))
        except OSError:
            self.endpoint.hung_up.set()
            self.close_connection = True

    def _remember(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.endpoint.requests.append(Request(self.command, self.path, headers, body))

    def _json(self, status: int, value: object, **headers: str) -> None:
        self._send(status, json.dumps(value).encode(), "application/json", **headers)

    def _send(self, status: int, body: bytes, content_type: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _error(self, status: int, words: str, **headers: str) -> None:
        sent = self.headers.get("Authorization", "no key").removeprefix("Bearer ")
        self._json(status, {"error": {"message": f"{words} (asked with {sent})", "type": "error"}}, **headers)

    def _limited(self, reply: Reply) -> None:
        wait = reply.options.get("retry_after")
        self._error(429, "Rate limit reached", **({} if wait is None else {"Retry_After": str(wait)}))

    def _elsewhere(self, reply: Reply) -> None:
        self._send(307, b"", "text/plain", Location=reply.options["location"])

    def _silence(self) -> None:
        """Say nothing until the client hangs up or the server closes."""
        while not self.endpoint.closing.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable and not self.connection.recv(1):
                self.endpoint.hung_up.set()
                break
        self.close_connection = True

    def _whole(self, reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
        calls = [_call(index, *each) for index, each in enumerate(reply.calls)]
        message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
        if calls:
            message["tool_calls"] = calls
        if reply.reasoning:
            message["reasoning_content"] = reply.reasoning
        finish = "tool_calls" if calls else "stop"
        choice = {"index": 0, "message": _MESSAGES.get(reply.fault or "", message), "finish_reason": finish}
        return {"object": "chat.completion", "model": body["model"], "choices": [choice], "usage": _USAGE}

    def _stream(self, reply: Reply, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._event({"role": "assistant", "content": ""})
        if reply.fault in _LATE:
            _LATE[reply.fault](self, reply)
            return
        for piece in _split(reply.reasoning):
            self._event({"reasoning_content": piece})
        for piece in _split(reply.text):
            self._event({"content": piece})
            time.sleep(reply.pause)
        for index, (name, arguments) in enumerate(reply.calls):
            self._event({"tool_calls": [{**_call(index, name, ""), "index": index}]})
            for part in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
                self._event({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        self._finish("tool_calls" if reply.calls else "stop", usage="stream_options" in body)

    def _event(self, delta: dict[str, Any], finish: str | None = None) -> None:
        self._data(json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}, ensure_ascii=False))

    def _data(self, text: str) -> None:
        line = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()

    def _finish(self, reason: str, *, usage: bool = False) -> None:
        self._event({}, reason)
        if usage:
            self._data(json.dumps({"choices": [], "usage": _USAGE}))
        self._data("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _words(self, reply: Reply) -> None:
        for piece in _split(reply.text):
            self._event({"content": piece})

    def _stall(self, reply: Reply) -> None:
        self._words(reply)
        self._silence()

    def _cut(self, reply: Reply) -> None:
        self._words(reply)
        self.close_connection = True

    def _faded(self, reply: Reply) -> None:
        self._words(reply)
        self.wfile.write(b"0\r\n\r\n")

    def _broken(self, reply: Reply) -> None:
        self._words(reply)
        self._data('{"choices": [{"delta": {"content": ')
        self._finish("stop")

    def _failing(self, reply: Reply) -> None:
        self._words(reply)
        sent = self.headers.get("Authorization", "no key").removeprefix("Bearer ")
        self._data(json.dumps({"error": {"message": f"out of memory (asked with {sent})", "code": 500}}))
        self._finish("stop")

    def _refuse(self, reply: Reply) -> None:
        self._event({"refusal": "I cannot help with that."})
        self._finish("stop")

    def _cut_at_limit(self, reply: Reply) -> None:
        self._words(reply)
        self._finish("length")

    def _endless(self, reply: Reply) -> None:
        while not self.endpoint.closing.is_set():
            self._event({"content": "and so on " * 50})

    def _other_form(self, reply: Reply) -> None:
        self._event({"content": '{"colour": "blue", "numbers": [1, 2]}'})
        self._finish("stop")

    def log_message(self, *_: Any) -> None:
        pass


_USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
_MESSAGES: dict[str, dict[str, Any]] = {
    "wrong_schema": {"role": "assistant", "content": '{"colour": "blue", "numbers": [1, 2]}'},
    "refusal": {"role": "assistant", "content": None, "refusal": "I cannot help with that."},
    "empty": {"role": "assistant", "content": ""},
}
_EARLY: dict[str | None, Callable[[_Handler, Reply], None]] = {
    "401": lambda handler, _: handler._error(401, "Incorrect API key provided"),
    "404": lambda handler, _: handler._error(404, "The model does not exist"),
    "429": _Handler._limited,
    "500": lambda handler, _: handler._error(500, "CUDA out of memory"),
    "redirect": _Handler._elsewhere,
    "hang": lambda handler, _: handler._silence(),
    "html": lambda handler, _: handler._send(200, b"<!doctype html><title>Router</title>", "text/html"),
}
_LATE: dict[str | None, Callable[[_Handler, Reply], None]] = {
    "stall": _Handler._stall,
    "cut": _Handler._cut,
    "faded": _Handler._faded,
    "invalid_json": _Handler._broken,
    "error": _Handler._failing,
    "refusal": _Handler._refuse,
    "wrong_schema": _Handler._other_form,
    "empty": lambda handler, _: handler._finish("stop"),
    "length": _Handler._cut_at_limit,
    "endless": _Handler._endless,
}


def _split(text: str) -> list[str]:
    """Pieces of a few characters, as tokens are, also where a text has no spaces."""
    return re.findall(r"\s*\S{1,5}|\s+$", text)


def _call(index: int, name: str, arguments: str) -> dict[str, Any]:
    return {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
