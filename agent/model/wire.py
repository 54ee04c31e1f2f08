"""One request to a chat completion endpoint, read in a thread of its own so that waiting for it can end at once.

The key goes to the configured address only: redirects are not followed, and a server on this machine is asked without a proxy.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from agent.model.chunks import Chunk, Nonsense, read_chunks
from agent.model.faults import Address, Trouble, from_exception, nonsense, silent

if TYPE_CHECKING:
    from openai import OpenAI

_POLL = 0.03
"""Seconds after which a wait looks whether the person has stopped it."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds."""

    connect: float = 5.0
    first: float = 120.0
    """Until the first word: a model on a processor reads a long question slowly."""
    between: float = 45.0
    """Between two words."""
    asked: float = 20.0
    """The longest wait that a server may ask for."""


class Ended:
    """The server closed the answer itself."""


class Exchange:
    """A request on its way; `close` ends it at once, also while the server is silent."""

    def __init__(self, address: Address, body: dict[str, Any], patience: Patience) -> None:
        self._address, self._body, self._patience = address, body, patience
        self._came: SimpleQueue[Chunk | Ended | Trouble | None] = SimpleQueue()
        self._socket: socket.socket | None = None
        self._closed = False
        self._began = False
        threading.Thread(target=self._read, daemon=True, name="model-answer").start()

    def next(self, stopped: Callable[[], bool]) -> Chunk | Ended | Trouble | None:
        """What came next; None when the connection just ended or the person stopped."""
        limit = self._patience.between if self._began else self._patience.first
        until = monotonic() + limit
        while not stopped():
            with suppress(Empty):
                item = self._came.get(timeout=_POLL)
                self._began = self._began or (isinstance(item, Chunk) and item.says_something)
                return item
            if monotonic() > until:
                return Trouble(silent(self._address, limit, began=self._began))
        return None

    def close(self) -> None:
        """Hang up."""
        self._closed = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # past TLS, which another thread is reading

    def _read(self) -> None:
        try:
            with open_client(self._address, self._patience, self._watch) as client:
                for item in self._receive(client):
                    if self._closed:  # a server that writes faster than this reads would keep the socket full
                        return
                    self._came.put(item)
            self._came.put(None)
        except Nonsense as reason:
            self._came.put(Trouble(nonsense(self._address, str(reason))))
        except Exception as reason:  # whatever the client or a server's bytes provoke becomes one typed trouble
            self._came.put(from_exception(reason, self._address))

    def _receive(self, client: OpenAI) -> Iterator[Chunk | Ended]:
        with client.chat.completions.with_streaming_response.create(**self._body, stream=True) as response:
            content_type = response.headers.get("content-type", "").lower()
            for chunk in read_chunks(response.http_response.iter_bytes(), content_type):
                yield chunk if chunk is not None else Ended()

    def _watch(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self._closed:
                self.close()


def open_client(
    address: Address, patience: Patience, watch: Callable[[str, dict[str, Any]], None] | None = None
) -> OpenAI:
    """A client for one exchange; `watch` hears of its connections."""
    import httpx2
    from openai import OpenAI

    def hook(request: httpx2.Request) -> None:
        if address.key is None:
            request.headers.pop("authorization", None)  # the client insists on a key, a local server has none
        if watch is not None:
            request.extensions = {**request.extensions, "trace": watch}

    read = max(patience.first, patience.between)
    transport = httpx2.Client(
        timeout=httpx2.Timeout(connect=patience.connect, read=read, write=30.0, pool=patience.connect),
        follow_redirects=False,
        trust_env=not address.local,
        event_hooks={"request": [hook]},
    )
    return OpenAI(
        api_key=address.key.get_secret_value() if address.key else "none",
        base_url=address.base_url,
        max_retries=0,
        http_client=transport,
    )
