"""The full-screen chat in a browser, through textual-serve: each visit is a process of its own on this machine.

Whoever opens the page is the person at the keyboard. So it listens on this machine only, unless another address was named, and
a page of another site cannot reach it: the connection has to come from the page that was served here.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from agent.faces.console import tell
from agent.settings import is_local
from tools.errors import InputError, MissingPart
from tools.text import Speaker, T, visible

_ANY = frozenset({"0.0.0.0", "::"})


def serve_chat(command: str, host: str, port: int, public_url: str | None, say: Speaker) -> int:
    """Serve until Ctrl+C."""
    if find_spec("textual_serve") is None:
        raise MissingPart(
            T("The browser face needs the package textual-serve, which is not installed."),
            hint=T('Install it: python -m pip install "textual-serve>=1.1,<2"'),
            page="troubleshooting/installation",
        )
    if not is_local(f"http://{_bracketed(host)}") or host in _ANY:
        told = T(
            "Anyone who reaches {host}:{port} can use this program as you: there is no password.", host=host, port=port
        )
        tell(say(told))
    address = public_url or f"http://{'localhost' if host in _ANY else _bracketed(host)}:{port}"
    tell(say(T("Open {address} in a browser. Ctrl+C ends it; trainings go on.", address=visible(address))))
    try:
        _server(command, host, port, address).serve()
    except OSError as reason:
        raise InputError(
            T("Port {port} of {host} cannot be used: {reason}.", port=port, host=visible(host), reason=str(reason)),
            hint=T("Choose another one: iterate serve --port 8001"),
        ) from reason
    return 0


def same_site(origin: str | None, host: str | None, address: str) -> bool:
    """True when a connection comes from the page that is served here, under a name that it is served by."""
    if not origin or not host or urlsplit(origin).netloc.lower() != host.lower():
        return False
    return host.lower() == urlsplit(address).netloc.lower() or is_local(f"http://{host}") or not is_local(address)


def styles_from_here(address: str) -> str:
    """The policy by which a page takes style sheets and fonts from this server only, under whichever of its names."""
    parts = urlsplit(address)
    own = f"'self' {parts.scheme}://{parts.netloc}"
    return f"style-src {own} 'unsafe-inline'; font-src {own} data:"


def _server(command: str, host: str, port: int, address: str) -> Any:
    from textual_serve import server

    parts: Any = server

    class Guarded(server.Server):
        """Refuses the connections of other pages, asks no other server, and keeps its own name off the terminal."""

        async def handle_index(self, request: Any) -> Any:
            """The page of textual-serve names a font of another server; a browser that is told so does not fetch it."""
            page = await super().handle_index(request)
            page.headers["Content-Security-Policy"] = styles_from_here(address)
            return page

        async def handle_websocket(self, request: Any) -> Any:
            if not same_site(request.headers.get("Origin"), request.headers.get("Host"), address):
                raise parts.web.HTTPForbidden(text="The page that asks was not served from here.")
            return await super().handle_websocket(request)

        def initialize_logging(self) -> None:
            """Errors in one line: a traceback would put the program's values on the terminal."""
            logging.basicConfig(level=logging.CRITICAL, format="%(message)s")

        async def on_startup(self, app: Any) -> None:
            """What to open was said before."""

    return Guarded(command, host=host, port=port, title="Iterate Mode", public_url=address)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
